ALTER TABLE quiz_attempts DROP COLUMN paper_code, DROP COLUMN paper_waits, DROP COLUMN assisted;
