-- Which units the latest changes of what is in force concern, so that an instance forgets only what lies below them. `since`
-- is the last change that is no longer listed, since it concerned the whole system or too many came after it.
ALTER TABLE points_in_force
    ADD COLUMN since bigint NOT NULL DEFAULT 0,
    ADD COLUMN unit_ids uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN versions bigint[] NOT NULL DEFAULT '{}',
    ADD CHECK (cardinality(unit_ids) = cardinality(versions));
UPDATE points_in_force SET since = version;

-- Notes a change that concerns these units; NULL among them stands for the whole system.
CREATE FUNCTION points_in_force_note(changed uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    listed CONSTANT integer := 64;
    number bigint;
    surplus integer;
    last points_in_force;
BEGIN
    -- The lock comes before the number, so that numbers become visible in their order.
    SELECT * INTO last FROM points_in_force FOR UPDATE;
    number := nextval('points_in_force_versions');
    IF array_position(changed, NULL) IS NOT NULL OR cardinality(changed) > listed THEN
        UPDATE points_in_force SET version = number, since = number, unit_ids = '{}', versions = '{}';
        RETURN;
    END IF;
    last.unit_ids := last.unit_ids || changed;
    last.versions := last.versions || array_fill(number, ARRAY[cardinality(changed)]);
    surplus := greatest(cardinality(last.unit_ids) - listed, 0);
    UPDATE points_in_force SET version = number, since = greatest(since, coalesce(last.versions[surplus], 0)),
        unit_ids = last.unit_ids[surplus + 1:], versions = last.versions[surplus + 1:];
END $$;

CREATE OR REPLACE FUNCTION points_in_force_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM points_in_force_note(ARRAY[NULL]::uuid[]);
    RETURN NULL;
END $$;

-- The argument names the column that holds the unit.
CREATE FUNCTION points_in_force_changed_below() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
BEGIN
    EXECUTE format(CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT array_agg(DISTINCT %1$I) FROM new_rows'
        WHEN 'DELETE' THEN 'SELECT array_agg(DISTINCT %1$I) FROM old_rows'
        ELSE 'SELECT array_agg(DISTINCT unit) FROM (SELECT %1$I AS unit FROM old_rows UNION SELECT %1$I FROM new_rows) AS u'
    END, TG_ARGV[0]) INTO changed;
    IF changed IS NOT NULL THEN
        PERFORM points_in_force_note(changed);
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    source record;
BEGIN
    FOR source IN SELECT * FROM (VALUES ('point_parameters', 'unit_id'), ('point_offers', 'unit_id'),
        ('point_rule_changes', 'unit_id'), ('unit_tree', 'descendant_id')) AS s (name, unit) LOOP
        EXECUTE format('DROP TRIGGER in_force_changed ON %I', source.name);
        EXECUTE format('CREATE TRIGGER in_force_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed_below(%L)', source.name, source.unit);
        EXECUTE format('CREATE TRIGGER in_force_updated AFTER UPDATE ON %I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed_below(%L)', source.name, source.unit);
        EXECUTE format('CREATE TRIGGER in_force_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS old_rows
            FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed_below(%L)', source.name, source.unit);
    END LOOP;
END $$;
