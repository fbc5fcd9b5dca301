-- Entries know whether they came after their month was closed, and which officers' decision they follow.
ALTER TABLE point_entries
    ADD COLUMN late boolean NOT NULL DEFAULT false,
    ADD COLUMN decision_id uuid;

-- Set when the month is closed: what comes later is a late correction.
ALTER TABLE member_months ADD COLUMN closed_at timestamptz;

-- Entries of a member are few and their ids rise with time: the primary key finds a month as fast, and an award writes one index less.
DROP INDEX point_entries_month;

-- Sweeping reads whole blocks of old rows; a tree would cost every award an insertion.
DROP INDEX idempotency_keys_age;
CREATE INDEX idempotency_keys_age ON idempotency_keys USING brin (created_at);

-- Changes with every change of what is in force (rules, parameters, offers, the tree of units), in the transaction of the change.
-- Instances keep what is in force in memory as long as the number stays the same; a sequence gives it, so that a number whose
-- transaction was undone never comes back for other contents.
CREATE SEQUENCE points_in_force_versions;
CREATE TABLE points_in_force (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL
);
INSERT INTO points_in_force (version) VALUES (nextval('points_in_force_versions'));
CREATE FUNCTION points_in_force_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE points_in_force SET version = nextval('points_in_force_versions');
    RETURN NULL;
END $$;
CREATE TRIGGER in_force_changed AFTER INSERT OR UPDATE OR DELETE ON point_rules FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed();
CREATE TRIGGER in_force_changed AFTER INSERT OR UPDATE OR DELETE ON point_parameters FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed();
CREATE TRIGGER in_force_changed AFTER INSERT OR UPDATE OR DELETE ON point_offers FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed();
CREATE TRIGGER in_force_changed AFTER INSERT OR UPDATE OR DELETE ON unit_tree FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed();
