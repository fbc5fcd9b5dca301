DROP INDEX point_offers_open;
UPDATE point_offers SET valid_to = NULL WHERE valid_to = valid_from + interval '1 year';
DROP FUNCTION sweep_audit_events;
DROP TRIGGER audit_events_append_only ON audit_events;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_change_of_kept;
DROP INDEX point_reminders_age;
DROP INDEX known_devices_age;
DROP INDEX changes_age;
DROP INDEX outbox_done;
