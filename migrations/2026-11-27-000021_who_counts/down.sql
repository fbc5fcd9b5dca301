CREATE OR REPLACE FUNCTION point_parameters_projected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO point_changes (kind, ids, since, bulk)
    SELECT 'below', CASE WHEN row.unit_id IS NULL THEN '{}' ELSE ARRAY[row.unit_id] END,
        CASE WHEN TG_OP = 'UPDATE' THEN coalesce(row.valid_to, row.valid_from) ELSE row.valid_from END, true
    FROM (SELECT (CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END).*) row WHERE row.name IN ('threshold', 'prorated');
    RETURN NULL;
END $$;
DELETE FROM point_parameters WHERE name IN ('excuse_days', 'threshold_floor');
ALTER TABLE point_parameters DROP CONSTRAINT point_parameters_name_check;
ALTER TABLE point_parameters ADD CONSTRAINT point_parameters_name_check
    CHECK (name IN ('threshold', 'prorated', 'self_service_day_cap'));
DROP FUNCTION month_parameters(uuid, date);
DROP FUNCTION exempts_from_month(text, date, date, date, date, date, integer);
DROP FUNCTION days_covered(date, date, date, date);
INSERT INTO point_changes (kind, ids, since, bulk)
    SELECT 'below', '{}', min(valid_from), true FROM exemptions WHERE kind = 'excused' HAVING count(*) > 0;
