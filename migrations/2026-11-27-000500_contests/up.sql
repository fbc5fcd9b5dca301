-- Contests: rounds that are quizzes, who stands where, and the signed results.
CREATE TABLE contests (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    title text COLLATE "vi-x-icu" NOT NULL,
    -- The beginning of the first round and the end of the last one.
    opens_at timestamptz NOT NULL,
    closes_at timestamptz NOT NULL CHECK (closes_at > opens_at),
    created_by uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL
);
CREATE INDEX contests_unit ON contests (unit_id, id);
CREATE INDEX contests_ending ON contests (closes_at);

ALTER TABLE quizzes
    ADD COLUMN contest_id uuid REFERENCES contests,
    ADD COLUMN round smallint CHECK (round BETWEEN 1 AND 50),
    ADD CONSTRAINT quizzes_round CHECK ((contest_id IS NULL) = (round IS NULL) AND (contest_id IS NULL OR NOT practice));
CREATE UNIQUE INDEX quizzes_contest ON quizzes (contest_id, round) WHERE contest_id IS NOT NULL;

-- The best attempt of each member in each round; round 0 is the sum of the rounds. Follows from the attempts.
CREATE TABLE contest_scores (
    contest_id uuid NOT NULL REFERENCES contests,
    round smallint NOT NULL CHECK (round BETWEEN 0 AND 50),
    member_id uuid NOT NULL REFERENCES members,
    -- The member's cell when the attempt was submitted, and that day: later moves and mergers change neither.
    unit_id uuid NOT NULL REFERENCES units,
    day date NOT NULL,
    score integer NOT NULL CHECK (score >= 0),
    seconds integer NOT NULL CHECK (seconds >= 0),
    passed boolean NOT NULL,
    PRIMARY KEY (contest_id, round, member_id)
);
CREATE INDEX contest_scores_order ON contest_scores (contest_id, round, score DESC, seconds, member_id);
CREATE INDEX contest_scores_unit ON contest_scores (contest_id, round, unit_id);
CREATE INDEX contest_scores_member ON contest_scores (member_id);

-- Final results: canonical manifest and rows with a hash each, signed, never changed.
CREATE TABLE contest_closings (
    contest_id uuid PRIMARY KEY REFERENCES contests,
    frozen_at timestamptz NOT NULL,
    manifest text NOT NULL,
    manifest_hash bytea NOT NULL CHECK (length(manifest_hash) = 32),
    signature bytea NOT NULL CHECK (length(signature) = 64),
    kid text NOT NULL
);
CREATE TABLE contest_closing_rows (
    contest_id uuid NOT NULL REFERENCES contest_closings,
    position integer NOT NULL CHECK (position > 0),
    content text NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (contest_id, position)
);
REVOKE UPDATE, DELETE, TRUNCATE ON contest_closings, contest_closing_rows FROM sotay_app;
