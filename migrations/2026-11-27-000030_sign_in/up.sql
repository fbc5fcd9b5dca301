-- A refresh token repeated in two generations running is a thief's, so the last repetition is remembered. Who has had a number
-- for longest keeps it as a login when another member is given the same.
ALTER TABLE sessions ADD COLUMN replayed_generation integer;
ALTER TABLE sign_in_handles ADD COLUMN since timestamptz;
UPDATE sign_in_handles h SET since = a.created_at FROM accounts a WHERE a.id = h.account_id;
ALTER TABLE sign_in_handles ALTER COLUMN since SET NOT NULL;
