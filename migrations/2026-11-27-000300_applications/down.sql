ALTER TABLE audit_events DROP COLUMN client_id;
DROP TABLE app_reads;
DROP TABLE oauth_codes;
DELETE FROM sessions WHERE client_id IS NOT NULL;
ALTER TABLE sessions DROP COLUMN client_id, DROP COLUMN scopes;
DROP TABLE oauth_clients;
DELETE FROM accounts WHERE kind = 'client';
ALTER TABLE accounts DROP CONSTRAINT accounts_kind_check;
ALTER TABLE accounts ADD CONSTRAINT accounts_kind_check CHECK (kind IN ('member', 'administrator'));
