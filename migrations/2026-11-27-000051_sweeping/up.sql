-- What is swept is found by an index; tables whose ids rise with time are swept by their primary key.
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX changes_age ON changes (noted_at);
CREATE INDEX known_devices_age ON known_devices (last_seen_at);
CREATE INDEX point_reminders_age ON point_reminders (day);

-- Access logs are kept twelve months. Nothing younger is ever deleted, whoever asks: the database's own clock decides.
CREATE FUNCTION refuse_change_of_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < clock_timestamp() - interval '12 months' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
DROP TRIGGER audit_events_append_only ON audit_events;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_kept();

-- The application may not delete audit events; it may ask for the oldest that are kept no longer to go. Ids rise with time, so
-- that `before`, the least id that is kept, finds them.
CREATE FUNCTION sweep_audit_events(before uuid, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH old AS (SELECT id FROM audit_events WHERE id < before AND at < clock_timestamp() - interval '12 months'
            ORDER BY id LIMIT most),
        gone AS (DELETE FROM audit_events e USING old WHERE e.id = old.id RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION sweep_audit_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_audit_events TO sotay_app;

-- Offers end a year after they came: forecasts need not load all that was ever published.
UPDATE point_offers SET valid_to = valid_from + interval '1 year' WHERE valid_to IS NULL;
CREATE INDEX point_offers_open ON point_offers (unit_id, valid_to);
