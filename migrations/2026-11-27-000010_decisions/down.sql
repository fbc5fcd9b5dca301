ALTER TABLE grants DROP COLUMN needs_decision;
DROP INDEX activation_slips_last;
ALTER TABLE activation_slips DROP COLUMN decision_id;
DROP TABLE decisions;
