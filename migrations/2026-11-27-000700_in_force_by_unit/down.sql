DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY ARRAY['point_parameters', 'point_offers', 'point_rule_changes', 'unit_tree'] LOOP
        EXECUTE format('DROP TRIGGER in_force_inserted ON %I', source);
        EXECUTE format('DROP TRIGGER in_force_updated ON %I', source);
        EXECUTE format('DROP TRIGGER in_force_deleted ON %I', source);
        EXECUTE format('CREATE TRIGGER in_force_changed AFTER INSERT OR UPDATE OR DELETE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed()', source);
    END LOOP;
END $$;
DROP FUNCTION points_in_force_changed_below;
CREATE OR REPLACE FUNCTION points_in_force_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE points_in_force SET version = nextval('points_in_force_versions');
    RETURN NULL;
END $$;
DROP FUNCTION points_in_force_note;
ALTER TABLE points_in_force DROP COLUMN since, DROP COLUMN unit_ids, DROP COLUMN versions;
