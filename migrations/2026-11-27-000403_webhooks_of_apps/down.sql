DROP FUNCTION app_may_read;
DROP INDEX sessions_of_apps;
ALTER TABLE webhook_endpoints DROP COLUMN client_id;
