DROP INDEX decisions_decider;
DROP INDEX decisions_subject;
DROP INDEX activation_slips_issuer;
ALTER TABLE cases ADD CONSTRAINT cases_kind_check CHECK (kind IN ('regularity', 'shared_device', 'slips_in_a_row')) NOT VALID;
