-- Changes of rules by officers: a new version for the whole system, or a limit of a unit for itself and everything below it.
-- A draft changes; what is published never does, except that it may be given an earlier end.
CREATE TABLE point_rule_changes (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    scope text NOT NULL CHECK (scope IN ('system', 'unit')),
    rule_code text NOT NULL,
    switched_off boolean NOT NULL DEFAULT false,
    points integer CHECK (points > 0),
    tiers jsonb,
    cap_day integer CHECK (cap_day > 0),
    cap_month integer CHECK (cap_month > 0),
    title_vi text,
    title_en text,
    valid_from date NOT NULL,
    -- Equal to valid_from when it was ended before it began.
    valid_to date CHECK (valid_to >= valid_from),
    state text NOT NULL CHECK (state IN ('draft', 'published')),
    version integer NOT NULL DEFAULT 1,
    -- The version of the rule that a change of the whole system made.
    rule_version integer,
    created_by uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL,
    published_by uuid REFERENCES accounts,
    published_at timestamptz,
    CHECK ((state = 'published') = (published_at IS NOT NULL)),
    CHECK (scope = 'system' OR (tiers IS NULL AND title_vi IS NULL AND title_en IS NULL)),
    EXCLUDE USING gist (unit_id WITH =, rule_code WITH =, daterange(valid_from, valid_to) WITH &&)
        WHERE (state = 'published' AND scope = 'unit')
);
CREATE INDEX point_rule_changes_unit ON point_rule_changes (unit_id, id);

CREATE FUNCTION only_an_earlier_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'valid_to' = to_jsonb(OLD) - 'valid_to'
        AND NEW.valid_to IS NOT NULL AND (OLD.valid_to IS NULL OR NEW.valid_to <= OLD.valid_to) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'table %: what is published is never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER published_stays BEFORE UPDATE OR DELETE ON point_rule_changes
    FOR EACH ROW WHEN (OLD.state = 'published') EXECUTE FUNCTION only_an_earlier_end();
CREATE TRIGGER published_stays BEFORE UPDATE OR DELETE ON point_rules
    FOR EACH ROW EXECUTE FUNCTION only_an_earlier_end();
CREATE TRIGGER in_force_changed AFTER INSERT OR UPDATE OR DELETE ON point_rule_changes
    FOR EACH STATEMENT EXECUTE FUNCTION points_in_force_changed();

-- At most one reminder a day and member, whoever sends it.
CREATE TABLE point_reminders (
    member_id uuid NOT NULL REFERENCES members,
    day date NOT NULL,
    unit_id uuid NOT NULL REFERENCES units,
    sent_by uuid NOT NULL REFERENCES accounts,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, day)
);

-- What looks odd waits for a person to judge; no case changes points.
CREATE TABLE cases (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('regularity', 'shared_device', 'slips_in_a_row')),
    -- The member, the device or the officer it is about; one open case a kind and subject.
    subject_id uuid NOT NULL,
    -- Whose inspectors see it: the nearest unit that everybody concerned belongs to.
    unit_id uuid NOT NULL REFERENCES units,
    evidence jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'decided')),
    outcome text CHECK (outcome IN ('no_action', 'referred', 'corrected')),
    reason text,
    decided_by uuid REFERENCES accounts,
    decided_at timestamptz,
    CHECK ((state = 'decided') = (outcome IS NOT NULL AND reason IS NOT NULL AND decided_by IS NOT NULL AND decided_at IS NOT NULL))
);
CREATE UNIQUE INDEX cases_open ON cases (kind, subject_id) WHERE state = 'open';
CREATE INDEX cases_subject ON cases (kind, subject_id, decided_at);
CREATE INDEX cases_unit ON cases (unit_id, id);

-- Whom a case concerns: they see it, and do not decide it.
CREATE TABLE case_members (
    case_id uuid NOT NULL REFERENCES cases,
    member_id uuid NOT NULL REFERENCES members,
    PRIMARY KEY (case_id, member_id)
);
CREATE INDEX case_members_member ON case_members (member_id, case_id);

CREATE TABLE case_events (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES cases,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('opened', 'extended', 'decided')),
    actor_id uuid REFERENCES accounts,
    details jsonb NOT NULL
);
CREATE INDEX case_events_case ON case_events (case_id, id);
REVOKE UPDATE, DELETE, TRUNCATE ON case_events FROM sotay_app;
CREATE TRIGGER case_events_append_only BEFORE UPDATE OR DELETE ON case_events FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- How far the daily look over the ledger has come; its row is the lease.
CREATE TABLE case_scans (
    kind text PRIMARY KEY,
    day date NOT NULL,
    after_member uuid,
    done boolean NOT NULL
);
INSERT INTO case_scans (kind, day, done) VALUES ('regularity', '2020-01-01', true);

-- What the patterns are looked for in.
CREATE INDEX sessions_device ON sessions (device_id, created_at) WHERE device_id IS NOT NULL;
CREATE INDEX activation_slips_redeemed ON activation_slips (issued_by, redeemed_at) WHERE redeemed_at IS NOT NULL;
