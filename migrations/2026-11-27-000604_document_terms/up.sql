-- Terms of a committee: the numbers of its documents run per type and begin anew with each of them.
CREATE TABLE document_terms (
    unit_id uuid NOT NULL REFERENCES units,
    valid_from date NOT NULL,
    -- The first day of the next term; open for the present one.
    valid_to date CHECK (valid_to > valid_from),
    name text NOT NULL,
    set_by uuid NOT NULL REFERENCES accounts,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (unit_id, valid_from),
    CONSTRAINT document_terms_apart EXCLUDE USING gist (unit_id WITH =, daterange(valid_from, valid_to) WITH &&)
);
