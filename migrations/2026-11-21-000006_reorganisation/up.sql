-- Merging, splitting and moving units on a day: what was ordered, and what came of it.
CREATE TABLE reorganisations (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('merge', 'split', 'move')),
    -- The order as it was accepted; carried out against what is there on the day.
    details jsonb NOT NULL,
    reason text NOT NULL,
    effective_on date NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'applied', 'cancelled', 'failed')),
    ordered_by uuid NOT NULL REFERENCES accounts,
    ordered_at timestamptz NOT NULL,
    -- The day from which it holds; later than ordered when the system was down on that day.
    applied_on date,
    new_unit_id uuid REFERENCES units,
    decided_at timestamptz,
    -- Counts before and after; ids, no personal data.
    effect jsonb,
    failure text,
    CHECK ((state = 'planned') = (decided_at IS NULL)),
    CHECK ((state = 'applied') = (applied_on IS NOT NULL))
);
CREATE INDEX reorganisations_due ON reorganisations (effective_on, id) WHERE state = 'planned';

-- The units an order concerns, by which it is found.
CREATE TABLE reorganisation_units (
    reorganisation_id uuid NOT NULL REFERENCES reorganisations,
    unit_id uuid NOT NULL REFERENCES units,
    PRIMARY KEY (reorganisation_id, unit_id)
);
CREATE INDEX reorganisation_units_unit ON reorganisation_units (unit_id, reorganisation_id);
