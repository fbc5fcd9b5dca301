ALTER TABLE unit_months DROP COLUMN reached;
ALTER TABLE members DROP COLUMN hidden_on_leaderboards;
