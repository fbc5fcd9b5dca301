-- Who counts in a month, said once: boards, roll-ups, leaderboards, closings and receipts all ask these functions. They are plain
-- expressions, which PostgreSQL puts in their callers' place, so that plans stay what they were.

-- The days of a month that an exemption covers.
CREATE FUNCTION days_covered(valid_from date, valid_to date, first_day date, last_day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT least(valid_to, last_day + 1) - greatest(valid_from, first_day)
$$;

-- Whether an exemption takes its member out of a month's figures: one of kind 'exempt' when it holds on the day on which the
-- month is looked at, an excuse when it covers enough days of the month.
CREATE FUNCTION exempts_from_month(kind text, valid_from date, valid_to date, day date, first_day date, last_day date,
    excuse_days integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE kind WHEN 'exempt' THEN valid_from <= day AND (valid_to IS NULL OR valid_to > day)
        ELSE days_covered(valid_from, valid_to, first_day, last_day) >= excuse_days END
$$;

-- Days of a month that an excuse must cover to count for it; the least threshold that units leave those below them.
ALTER TABLE point_parameters DROP CONSTRAINT point_parameters_name_check;
ALTER TABLE point_parameters ADD CONSTRAINT point_parameters_name_check
    CHECK (name IN ('threshold', 'prorated', 'self_service_day_cap', 'excuse_days', 'threshold_floor'));
INSERT INTO point_parameters (id, name, unit_id, value, valid_from) VALUES
    ('00000000-0000-7000-8000-000000000004', 'excuse_days', NULL, 10, '2020-01-01'),
    ('00000000-0000-7000-8000-000000000005', 'threshold_floor', NULL, 0, '2020-01-01');

-- What holds in a cell on a day: the nearest unit above that sets a value wins; of floors the highest binds.
CREATE FUNCTION month_parameters(cell uuid, on_day date) RETURNS TABLE (threshold integer, prorated integer, excuse_days integer)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT greatest((array_agg(q.value ORDER BY q.depth) FILTER (WHERE q.name = 'threshold'))[1],
            max(q.value) FILTER (WHERE q.name = 'threshold_floor')),
        (array_agg(q.value ORDER BY q.depth) FILTER (WHERE q.name = 'prorated'))[1],
        (array_agg(q.value ORDER BY q.depth) FILTER (WHERE q.name = 'excuse_days'))[1]
    FROM (SELECT pp.name, pp.value, a.depth::integer AS depth FROM unit_tree a JOIN point_parameters pp ON pp.unit_id = a.ancestor_id
        WHERE a.descendant_id = cell AND a.valid_from <= on_day AND (a.valid_to IS NULL OR a.valid_to > on_day)
          AND pp.valid_from <= on_day AND (pp.valid_to IS NULL OR pp.valid_to > on_day)
        UNION ALL SELECT pp.name, pp.value, 32767 FROM point_parameters pp
        WHERE pp.unit_id IS NULL AND pp.valid_from <= on_day AND (pp.valid_to IS NULL OR pp.valid_to > on_day)) q
$$;

-- Both parameters move figures. Excuses that count no longer are projected anew.
CREATE OR REPLACE FUNCTION point_parameters_projected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO point_changes (kind, ids, since, bulk)
    SELECT 'below', CASE WHEN row.unit_id IS NULL THEN '{}' ELSE ARRAY[row.unit_id] END,
        CASE WHEN TG_OP = 'UPDATE' THEN coalesce(row.valid_to, row.valid_from) ELSE row.valid_from END, true
    FROM (SELECT (CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END).*) row WHERE row.name <> 'self_service_day_cap';
    RETURN NULL;
END $$;
INSERT INTO point_changes (kind, ids, since, bulk)
    SELECT 'below', '{}', min(valid_from), true FROM exemptions WHERE kind = 'excused' HAVING count(*) > 0;
