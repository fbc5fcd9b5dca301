-- The automatic closer asks again and again for reopened months, of any age: few among the months of all cells and years.
CREATE INDEX closing_states_reopened ON closing_states (period, unit_id) WHERE open_until IS NOT NULL;
