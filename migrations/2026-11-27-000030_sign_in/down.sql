ALTER TABLE sign_in_handles DROP COLUMN since;
ALTER TABLE sessions DROP COLUMN replayed_generation;
