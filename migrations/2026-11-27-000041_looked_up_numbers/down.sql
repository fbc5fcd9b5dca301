DELETE FROM case_members WHERE case_id IN (SELECT id FROM cases WHERE kind = 'numbers_looked_up');
DELETE FROM case_events WHERE case_id IN (SELECT id FROM cases WHERE kind = 'numbers_looked_up');
DELETE FROM cases WHERE kind = 'numbers_looked_up';
ALTER TABLE cases DROP CONSTRAINT cases_kind_check;
ALTER TABLE cases ADD CONSTRAINT cases_kind_check CHECK (kind IN ('regularity', 'shared_device', 'slips_in_a_row'));
DROP TABLE looked_up_numbers;
