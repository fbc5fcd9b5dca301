ALTER TABLE idempotency_keys ALTER response TYPE jsonb USING response::jsonb;
ALTER TABLE member_months ALTER counters DROP DEFAULT, ALTER counters TYPE jsonb USING counters::jsonb, ALTER counters SET DEFAULT '{}';
