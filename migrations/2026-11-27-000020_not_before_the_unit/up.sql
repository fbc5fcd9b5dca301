-- Nobody belongs to a unit, or is freed of anything in it, before it exists: a day without the unit has no superiors, no rules and
-- no threshold. Rosters that stated an earlier day than that on which the unit was made left such rows.
UPDATE memberships m SET valid_from = u.first_day
FROM (SELECT unit_id, min(valid_from) AS first_day FROM unit_links GROUP BY unit_id) u
WHERE u.unit_id = m.unit_id AND m.valid_from < u.first_day AND (m.valid_to IS NULL OR m.valid_to > u.first_day);

CREATE TEMPORARY TABLE first_days ON COMMIT DROP AS
    SELECT m.member_id, min(l.valid_from) AS first_day
    FROM memberships m JOIN unit_links l ON l.unit_id = m.unit_id GROUP BY m.member_id;
DELETE FROM exemptions x USING first_days f WHERE f.member_id = x.member_id AND x.valid_to <= f.first_day;
UPDATE exemptions x SET valid_from = f.first_day FROM first_days f WHERE f.member_id = x.member_id AND x.valid_from < f.first_day;

CREATE FUNCTION memberships_not_before_the_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM new_rows n WHERE NOT EXISTS (
        SELECT 1 FROM unit_links l WHERE l.unit_id = n.unit_id AND l.valid_from <= n.valid_from)) THEN
        RAISE EXCEPTION 'a membership begins before its unit' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER not_before_the_unit_insert AFTER INSERT ON memberships REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION memberships_not_before_the_unit();
CREATE TRIGGER not_before_the_unit_update AFTER UPDATE ON memberships REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION memberships_not_before_the_unit();

CREATE FUNCTION exemptions_not_before_the_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM new_rows n WHERE NOT EXISTS (
        SELECT 1 FROM memberships m JOIN unit_links l ON l.unit_id = m.unit_id
        WHERE m.member_id = n.member_id AND l.valid_from <= n.valid_from)) THEN
        RAISE EXCEPTION 'an exemption begins before the first unit of its member' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER not_before_the_unit_insert AFTER INSERT ON exemptions REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION exemptions_not_before_the_unit();
CREATE TRIGGER not_before_the_unit_update AFTER UPDATE ON exemptions REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION exemptions_not_before_the_unit();
