-- A case opens when an officer's slip is about a member whose numbers the officer had looked at. Kinds of cases are known to the
-- program only, so that the next one needs no migration.
ALTER TABLE cases DROP CONSTRAINT cases_kind_check;
CREATE INDEX activation_slips_issuer ON activation_slips (issued_by, issued_at);
CREATE INDEX decisions_subject ON decisions (subject_id, kind) WHERE state = 'waiting';
CREATE INDEX decisions_decider ON decisions (decided_by, decided_at) WHERE decided_by IS NOT NULL;
