-- Closed months: signed snapshots that never change, which of them is in force, reopenings, how far the automatic closer is.

-- Ed25519 keys that sign reports, kept and published for ever: a report is verified years later. Not the keys of tokens, which
-- come and go. The private half is sealed with a key outside the database.
CREATE TABLE report_keys (
    id uuid PRIMARY KEY,
    kid text NOT NULL UNIQUE,
    public_key bytea NOT NULL,
    private_key_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- The manifest is text, not jsonb: its very bytes are what is signed.
CREATE TABLE closings (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    period date NOT NULL CHECK (extract(day FROM period) = 1),
    generation integer NOT NULL CHECK (generation > 0),
    former_id uuid REFERENCES closings,
    closed_at timestamptz NOT NULL,
    -- Nobody: the month closed by itself.
    closed_by uuid REFERENCES accounts,
    threshold integer NOT NULL,
    members integer NOT NULL,
    exempt integer NOT NULL,
    excused integer NOT NULL,
    met integer NOT NULL,
    manifest text NOT NULL,
    manifest_hash bytea NOT NULL,
    signature bytea NOT NULL,
    kid text NOT NULL REFERENCES report_keys (kid),
    UNIQUE (unit_id, period, generation),
    CHECK ((generation = 1) = (former_id IS NULL))
);

CREATE TABLE closing_rows (
    closing_id uuid NOT NULL REFERENCES closings,
    position integer NOT NULL CHECK (position > 0),
    member_id uuid NOT NULL REFERENCES members,
    points integer NOT NULL,
    -- The canonical form, and the SHA-256 of it.
    content text NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (closing_id, position)
);
CREATE INDEX closing_rows_member ON closing_rows (member_id, closing_id);

CREATE TABLE closing_reopenings (
    closing_id uuid PRIMARY KEY REFERENCES closings,
    reopened_at timestamptz NOT NULL,
    reopened_by uuid NOT NULL REFERENCES accounts,
    reason text NOT NULL
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['report_keys', 'closings', 'closing_rows', 'closing_reopenings'] LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM sotay_app', name);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
END $$;

-- The month of a cell: locked first by whoever closes or reopens it. Without a closing in force the month is open (again).
CREATE TABLE closing_states (
    unit_id uuid NOT NULL REFERENCES units,
    period date NOT NULL CHECK (extract(day FROM period) = 1),
    generation integer NOT NULL DEFAULT 0,
    closing_id uuid REFERENCES closings,
    -- After a reopening: the last day on which the secretary closes it again.
    open_until date,
    PRIMARY KEY (unit_id, period)
);

-- How far the automatic closer of a day has come; its row is locked while a slice of cells is closed.
CREATE TABLE closing_passes (
    period date PRIMARY KEY CHECK (extract(day FROM period) = 1),
    day date NOT NULL,
    after_unit uuid,
    done boolean NOT NULL
);
