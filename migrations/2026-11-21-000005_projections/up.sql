-- What is projected from the ledger: roll-ups of units, and what tells the projector where to look again.

-- What only one instance at a time does. The fence rises with each change of hands; every write checks it.
CREATE TABLE leases (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Where figures are out of date: written by triggers in the transaction of the cause, taken by deleting. Never read in the
-- order of ids, since transactions commit in another. `members`: their points of the months changed. `moved`: where they
-- belong, or whether they count, changed. `units`: what is in or directly below the units changed. `tree`: the same, and
-- members moved with their units. `below`: everything below the units changed, or everything at all when none is named.
-- From the month of `since` to that of `until`, or on.
CREATE TABLE point_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('members', 'moved', 'units', 'tree', 'below')),
    ids uuid[] NOT NULL,
    since date NOT NULL,
    until date,
    -- Work on whole months, which waits behind what members did a moment ago.
    bulk boolean NOT NULL DEFAULT false
);
-- Rows live for seconds: what they leave behind is swept often.
ALTER TABLE point_changes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_cost_delay = 0, toast_tuple_target = 8160);
CREATE INDEX point_changes_order ON point_changes (bulk, id);

CREATE FUNCTION member_months_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO point_changes (kind, ids, since, until)
    SELECT 'members', array_agg(member_id), period, period FROM new_rows
    WHERE TG_OP = 'UPDATE' OR points <> 0 GROUP BY period;
    RETURN NULL;
END $$;
CREATE TRIGGER projected_insert AFTER INSERT ON member_months REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION member_months_changed();
CREATE TRIGGER projected_update AFTER UPDATE ON member_months REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION member_months_changed();

CREATE FUNCTION memberships_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'moved', array_agg(member_id), valid_from FROM new_rows GROUP BY valid_from;
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'units', array_agg(DISTINCT unit_id), valid_from FROM new_rows GROUP BY valid_from;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'moved', array_agg(member_id), valid_from FROM old_rows GROUP BY valid_from;
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'units', array_agg(DISTINCT unit_id), valid_from FROM old_rows GROUP BY valid_from;
    ELSE
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'moved', array_agg(n.member_id), c.since FROM new_rows n JOIN old_rows o USING (id) CROSS JOIN LATERAL (
            SELECT CASE WHEN o.valid_from = n.valid_from AND o.unit_id = n.unit_id THEN least(o.valid_to, n.valid_to)
                ELSE least(o.valid_from, n.valid_from) END AS since) c
        WHERE c.since IS NOT NULL GROUP BY c.since;
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'units', array_agg(DISTINCT u.unit_id), c.since FROM new_rows n JOIN old_rows o USING (id) CROSS JOIN LATERAL (
            SELECT CASE WHEN o.valid_from = n.valid_from AND o.unit_id = n.unit_id THEN least(o.valid_to, n.valid_to)
                ELSE least(o.valid_from, n.valid_from) END AS since) c
        CROSS JOIN LATERAL (VALUES (o.unit_id), (n.unit_id)) u(unit_id)
        WHERE c.since IS NOT NULL GROUP BY c.since;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER projected_insert AFTER INSERT ON memberships REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION memberships_changed();
CREATE TRIGGER projected_update AFTER UPDATE ON memberships REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION memberships_changed();
CREATE TRIGGER projected_delete AFTER DELETE ON memberships REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION memberships_changed();

CREATE FUNCTION exemptions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'moved', array_agg(member_id), valid_from FROM new_rows GROUP BY valid_from;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'moved', array_agg(member_id), valid_from FROM old_rows GROUP BY valid_from;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER projected_insert AFTER INSERT ON exemptions REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION exemptions_changed();
CREATE TRIGGER projected_update AFTER UPDATE ON exemptions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION exemptions_changed();
CREATE TRIGGER projected_delete AFTER DELETE ON exemptions REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION exemptions_changed();

-- A value that ends on a day, and the one that begins on it, are changes from that day on.
CREATE FUNCTION point_parameters_projected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO point_changes (kind, ids, since, bulk)
    SELECT 'below', CASE WHEN row.unit_id IS NULL THEN '{}' ELSE ARRAY[row.unit_id] END,
        CASE WHEN TG_OP = 'UPDATE' THEN coalesce(row.valid_to, row.valid_from) ELSE row.valid_from END, true
    FROM (SELECT (CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END).*) row WHERE row.name IN ('threshold', 'prorated');
    RETURN NULL;
END $$;
CREATE TRIGGER projected AFTER INSERT OR UPDATE OR DELETE ON point_parameters
    FOR EACH ROW EXECUTE FUNCTION point_parameters_projected();
CREATE INDEX point_parameters_unit ON point_parameters (unit_id);

CREATE FUNCTION unit_tree_projected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO point_changes (kind, ids, since)
        SELECT 'tree', array_agg(DISTINCT u.id), valid_from
        FROM old_rows CROSS JOIN LATERAL (VALUES (ancestor_id), (descendant_id)) u(id) GROUP BY valid_from;
    ELSE
        INSERT INTO point_changes (kind, ids, since)
        SELECT CASE WHEN TG_OP = 'UPDATE' THEN 'tree' ELSE 'units' END, array_agg(DISTINCT u.id), c.since FROM new_rows
        CROSS JOIN LATERAL (VALUES (ancestor_id), (descendant_id)) u(id)
        CROSS JOIN LATERAL (SELECT CASE WHEN TG_OP = 'UPDATE' THEN coalesce(valid_to, valid_from) ELSE valid_from END) c(since)
        GROUP BY c.since;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER projected_insert AFTER INSERT ON unit_tree REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION unit_tree_projected();
CREATE TRIGGER projected_update AFTER UPDATE ON unit_tree REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION unit_tree_projected();
CREATE TRIGGER projected_delete AFTER DELETE ON unit_tree REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION unit_tree_projected();

-- The months that are projected, and the day on which membership and exemptions were last looked at throughout.
CREATE TABLE projected_months (
    period date PRIMARY KEY CHECK (extract(day FROM period) = 1),
    day date NOT NULL
);

-- How far each projection is: what was committed before `as_of` is in it. `step` counts what was handed on to Redis.
CREATE TABLE projections (
    name text PRIMARY KEY,
    as_of timestamptz NOT NULL,
    step bigint NOT NULL DEFAULT 0
);

-- A unit's month: a cell's from its members, every other unit's from the rows of the units directly below.
-- `scores` and `holders`: how many counted members have how many points, the most first, so that a rank needs no members.
CREATE TABLE unit_months (
    period date NOT NULL CHECK (extract(day FROM period) = 1),
    unit_id uuid NOT NULL REFERENCES units,
    members integer NOT NULL,
    exempt integer NOT NULL,
    excused integer NOT NULL,
    counted integer NOT NULL GENERATED ALWAYS AS (members - exempt - excused) STORED,
    met integer NOT NULL,
    points_sum bigint NOT NULL,
    scores integer[] NOT NULL,
    holders integer[] NOT NULL,
    taken_at timestamptz NOT NULL,
    fence bigint NOT NULL,
    PRIMARY KEY (period, unit_id)
) WITH (fillfactor = 70);

-- Boards are made of numbers only; without this index a rebuild reads every profile.
CREATE UNIQUE INDEX members_number ON members (id) INCLUDE (no);

-- Large units are few, and looked up by kind.
CREATE INDEX units_kind ON units (kind);
