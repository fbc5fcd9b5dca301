DELETE FROM case_members WHERE case_id IN (SELECT id FROM cases WHERE kind = 'numbers_looked_up');
DELETE FROM case_events WHERE case_id IN (SELECT id FROM cases WHERE kind = 'numbers_looked_up');
DELETE FROM cases WHERE kind = 'numbers_looked_up';
ALTER TABLE cases DROP CONSTRAINT cases_kind_check;
DROP TABLE looked_up_numbers;
