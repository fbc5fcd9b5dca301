DELETE FROM reading_sessions WHERE assisted_by IS NOT NULL;
ALTER TABLE reading_sessions DROP COLUMN assisted_by;
