-- Why a membership ended for good; null while it lasts, and where another one follows.
ALTER TABLE memberships ADD COLUMN ended_because text CHECK (ended_because IN ('deceased', 'left', 'expelled')),
    ADD CHECK (ended_because IS NULL OR valid_to IS NOT NULL);
