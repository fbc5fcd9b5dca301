-- What officers attest, propose and answer. Each row is decided once, by somebody other than its author.
CREATE TABLE attestations (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    kind text NOT NULL CHECK (kind IN ('meeting_attended', 'thematic_meeting_attended', 'opinion_contributed', 'assisted_session')),
    day date NOT NULL,
    subject text NOT NULL,
    note text,
    state text NOT NULL CHECK (state IN ('recorded', 'confirmed', 'declined', 'withdrawn')),
    recorded_by uuid NOT NULL REFERENCES accounts,
    recorded_at timestamptz NOT NULL,
    decided_by uuid REFERENCES accounts,
    decided_at timestamptz,
    decision_reason text,
    CHECK ((state = 'recorded') = (decided_by IS NULL)),
    CHECK (state <> 'confirmed' OR decided_by <> recorded_by)
);
CREATE INDEX attestations_unit ON attestations (unit_id, id);

-- Who is on a list, and what each of them got when it was confirmed.
CREATE TABLE attestation_members (
    attestation_id uuid NOT NULL REFERENCES attestations,
    member_id uuid NOT NULL REFERENCES members,
    points integer,
    entries jsonb,
    refusals jsonb,
    PRIMARY KEY (attestation_id, member_id)
);
CREATE INDEX attestation_members_member ON attestation_members (member_id);

CREATE TABLE point_adjustments (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members,
    period date NOT NULL CHECK (extract(day FROM period) = 1),
    points integer NOT NULL CHECK (points <> 0),
    reverses uuid,
    reason text NOT NULL,
    evidence text NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'approved', 'refused', 'withdrawn')),
    proposed_by uuid NOT NULL REFERENCES accounts CHECK (proposed_by <> member_id),
    proposed_at timestamptz NOT NULL,
    decided_by uuid REFERENCES accounts CHECK (decided_by <> member_id),
    decided_at timestamptz,
    decision_reason text,
    entry_id uuid,
    CHECK ((state = 'proposed') = (decided_by IS NULL)),
    CHECK ((state = 'approved') = (entry_id IS NOT NULL)),
    CHECK (state NOT IN ('approved', 'refused') OR decided_by <> proposed_by)
);
CREATE INDEX point_adjustments_member ON point_adjustments (member_id, id);
-- One reversal an entry, also while it is only proposed.
CREATE UNIQUE INDEX point_adjustments_reverses ON point_adjustments (member_id, reverses) WHERE state IN ('proposed', 'approved');

CREATE TABLE point_appeals (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members,
    kind text NOT NULL CHECK (kind IN ('missing', 'wrong')),
    period date NOT NULL CHECK (extract(day FROM period) = 1),
    entry_id uuid,
    object text,
    statement text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'upheld', 'dismissed')),
    filed_at timestamptz NOT NULL,
    answered_by uuid REFERENCES accounts CHECK (answered_by <> member_id),
    answered_at timestamptz,
    answer text,
    adjustment_id uuid REFERENCES point_adjustments,
    CHECK ((kind = 'wrong') = (entry_id IS NOT NULL)),
    CHECK ((state = 'open') = (answered_by IS NULL)),
    CHECK (adjustment_id IS NULL OR state = 'upheld')
);
CREATE INDEX point_appeals_member ON point_appeals (member_id, id);
CREATE UNIQUE INDEX point_appeals_entry ON point_appeals (member_id, entry_id) WHERE state = 'open';
