-- Citizen IDs and card numbers of members elsewhere that an account came upon in a day: how many of them it may.
CREATE TABLE looked_up_numbers (
    account_id uuid NOT NULL REFERENCES accounts,
    day date NOT NULL,
    -- The keyed hash of the number, as in sign_in_handles.
    digest bytea NOT NULL,
    PRIMARY KEY (account_id, day, digest)
);
CREATE INDEX looked_up_numbers_day ON looked_up_numbers (day);

-- The program knows the kinds of cases; a list here would have to be replaced with each new one.
ALTER TABLE cases DROP CONSTRAINT IF EXISTS cases_kind_check;
ALTER TABLE cases ADD CONSTRAINT cases_kind_check CHECK (kind ~ '^[a-z_]+$');
