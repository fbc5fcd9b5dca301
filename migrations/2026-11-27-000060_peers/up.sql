-- Members who do not want to stand on any list that their peers see.
ALTER TABLE members ADD COLUMN hidden_on_leaderboards boolean NOT NULL DEFAULT false;

-- Of those who hold each score, how many reached their own threshold: peers see places of these only.
ALTER TABLE unit_months ADD COLUMN reached integer[] NOT NULL DEFAULT '{}';

-- Months that are projected already are taken anew, so that the new column is filled.
INSERT INTO point_changes (kind, ids, since, until, bulk) SELECT 'below', '{}', period, period, true FROM projected_months;
