ALTER TABLE memberships DROP COLUMN ended_because;
