-- One decision by two officers. Kinds are known to the program only: a new one needs no migration.
CREATE TABLE decisions (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    -- What is decided about; each kind says what that is.
    object_id uuid NOT NULL,
    -- Whose officers decide.
    unit_id uuid NOT NULL REFERENCES units,
    -- The person it is about, when it is about one.
    subject_id uuid REFERENCES accounts,
    -- Who must not decide.
    at_stake uuid[] NOT NULL,
    reason text NOT NULL,
    payload jsonb NOT NULL,
    proposed_by uuid NOT NULL REFERENCES accounts,
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > proposed_at),
    state text NOT NULL CHECK (state IN ('waiting', 'confirmed', 'declined', 'withdrawn', 'expired')),
    -- Null while it waits, when it expired, and for the server's command line.
    decided_by uuid REFERENCES accounts,
    decided_at timestamptz,
    decision_reason text,
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK (decided_by IS NULL OR state IN ('confirmed', 'declined', 'withdrawn')),
    CONSTRAINT decisions_two_persons CHECK (state NOT IN ('confirmed', 'declined') OR (decided_by IS DISTINCT FROM proposed_by
        AND (decided_by IS NULL OR decided_by <> ALL (at_stake)))),
    CHECK (state <> 'withdrawn' OR decided_by = proposed_by)
);
CREATE INDEX decisions_unit ON decisions (unit_id, id);
CREATE INDEX decisions_waiting ON decisions (unit_id, id) WHERE state = 'waiting';
CREATE INDEX decisions_expiry ON decisions (expires_at) WHERE state = 'waiting';
CREATE INDEX decisions_object ON decisions (object_id);
CREATE UNIQUE INDEX decisions_open ON decisions (kind, object_id) WHERE state = 'waiting';
REVOKE DELETE, TRUNCATE ON decisions FROM sotay_app;

-- A slip that a second officer released names the decision; all others were issued by one person alone.
ALTER TABLE activation_slips ADD COLUMN decision_id uuid UNIQUE REFERENCES decisions;
CREATE INDEX activation_slips_last ON activation_slips (account_id, redeemed_at) WHERE redeemed_at IS NOT NULL;

-- Grants that were given before there were decisions, or that a reorganisation gives anew, have none.
ALTER TABLE grants ADD COLUMN needs_decision boolean NOT NULL DEFAULT true;
ALTER TABLE grants DISABLE TRIGGER noted;
UPDATE grants SET needs_decision = false;
ALTER TABLE grants ENABLE TRIGGER noted;
