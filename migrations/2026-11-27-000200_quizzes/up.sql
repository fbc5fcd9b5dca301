-- Question banks, quizzes with frozen pools, attempts and their answers.
CREATE TABLE question_banks (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    title text COLLATE "vi-x-icu" NOT NULL,
    -- The document that the questions are about.
    document_id uuid REFERENCES documents,
    created_by uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL
);
CREATE INDEX question_banks_unit ON question_banks (unit_id, id);

CREATE TABLE questions (
    id uuid PRIMARY KEY,
    bank_id uuid NOT NULL REFERENCES question_banks,
    -- Hash of the text and the set of options, normalised: the same question stands once in a bank.
    identity bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'reviewed', 'retired')),
    version integer NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL,
    -- The order in which they came: questions of one file have one time.
    no bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT questions_identity UNIQUE (bank_id, identity)
);
CREATE INDEX questions_bank ON questions (bank_id, no);

-- What was asked stays as it was asked: versions are added, never changed.
CREATE TABLE question_versions (
    question_id uuid NOT NULL REFERENCES questions,
    version integer NOT NULL CHECK (version > 0),
    kind text NOT NULL CHECK (kind IN ('single_choice', 'multiple_choice', 'true_false')),
    text text NOT NULL,
    -- [{"id", "text", "correct"}] in the order of the file.
    options jsonb NOT NULL CHECK (jsonb_array_length(options) BETWEEN 2 AND 10),
    explanation text,
    topic text,
    difficulty smallint CHECK (difficulty BETWEEN 1 AND 5),
    author_id uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (question_id, version)
);
REVOKE UPDATE, DELETE, TRUNCATE ON question_versions FROM sotay_app;

-- Who has seen a question with its key, whatever bank it stands in.
CREATE TABLE question_exposures (
    account_id uuid NOT NULL REFERENCES accounts,
    identity bytea NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (account_id, identity)
);
REVOKE UPDATE, DELETE, TRUNCATE ON question_exposures FROM sotay_app;

CREATE TABLE quizzes (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    title text COLLATE "vi-x-icu" NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'published')),
    -- [{"bank_id", "count", "topic", "difficulty"}] or [{"question_ids"}].
    draws jsonb NOT NULL,
    question_count integer NOT NULL CHECK (question_count > 0),
    minutes integer NOT NULL CHECK (minutes > 0),
    pass_percent integer NOT NULL CHECK (pass_percent BETWEEN 1 AND 100),
    attempts integer NOT NULL CHECK (attempts BETWEEN 1 AND 5),
    cooldown_minutes integer NOT NULL CHECK (cooldown_minutes >= 0),
    practice boolean NOT NULL,
    reveal text NOT NULL CHECK (reveal IN ('after_window', 'at_once')),
    opens_at timestamptz NOT NULL,
    closes_at timestamptz NOT NULL,
    created_by uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL,
    published_by uuid REFERENCES accounts,
    published_at timestamptz,
    -- When the offer of its points was withdrawn.
    ended_at timestamptz,
    CHECK (closes_at >= opens_at + make_interval(mins => minutes)),
    -- What pays asks at least five questions and shows no key before its end.
    CHECK (practice OR (question_count >= 5 AND reveal = 'after_window')),
    CHECK ((state = 'published') = (published_at IS NOT NULL)),
    CHECK ((published_at IS NULL) = (published_by IS NULL))
);
CREATE INDEX quizzes_unit ON quizzes (unit_id, id);
CREATE INDEX quizzes_ending ON quizzes (closes_at) WHERE state = 'published' AND ended_at IS NULL;

-- Audience: units with everything below them, or named members.
CREATE TABLE quiz_targets (
    quiz_id uuid NOT NULL REFERENCES quizzes,
    target_id uuid NOT NULL,
    unit_id uuid REFERENCES units,
    member_id uuid REFERENCES members,
    PRIMARY KEY (quiz_id, target_id),
    CHECK (num_nonnulls(unit_id, member_id) = 1 AND target_id = coalesce(unit_id, member_id))
);
CREATE INDEX quiz_targets_target ON quiz_targets (target_id, quiz_id);

-- The questions from which every attempt is drawn, frozen by publication.
CREATE TABLE quiz_pool (
    quiz_id uuid NOT NULL REFERENCES quizzes,
    draw smallint NOT NULL,
    question_id uuid NOT NULL,
    version integer NOT NULL,
    identity bytea NOT NULL,
    PRIMARY KEY (quiz_id, question_id),
    FOREIGN KEY (question_id, version) REFERENCES question_versions
);
CREATE INDEX quiz_pool_question ON quiz_pool (question_id);
REVOKE UPDATE, DELETE, TRUNCATE ON quiz_pool FROM sotay_app;

CREATE TABLE quiz_attempts (
    id uuid PRIMARY KEY,
    quiz_id uuid NOT NULL REFERENCES quizzes,
    member_id uuid NOT NULL REFERENCES members,
    number integer NOT NULL CHECK (number BETWEEN 1 AND 5),
    -- From it follow the draw, the orders and the ids; never shown.
    seed bytea NOT NULL,
    -- [{"id", "question_id", "version", "options": [{"id", "of"}]}] in the order shown.
    items jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > started_at),
    submitted_at timestamptz,
    -- Whether the server graded it at the deadline.
    expired boolean NOT NULL DEFAULT false,
    -- Earns nothing: the quiz is practice, or the member had seen a question with its key.
    practice boolean,
    -- The first attempt that passed.
    credited boolean NOT NULL DEFAULT false,
    -- The member's cell at submission.
    unit_id uuid REFERENCES units,
    score integer,
    max_score integer NOT NULL CHECK (max_score > 0),
    percent integer,
    passed boolean,
    seconds integer,
    points integer,
    receipt jsonb,
    CONSTRAINT quiz_attempts_number UNIQUE (quiz_id, member_id, number),
    CHECK ((submitted_at IS NULL) = (score IS NULL) AND (submitted_at IS NULL) = (percent IS NULL)
        AND (submitted_at IS NULL) = (passed IS NULL) AND (submitted_at IS NULL) = (practice IS NULL)
        AND (submitted_at IS NULL) = (points IS NULL) AND (submitted_at IS NULL) = (receipt IS NULL)),
    CHECK (score BETWEEN 0 AND max_score),
    CHECK (NOT credited OR (passed AND NOT practice))
);
CREATE UNIQUE INDEX quiz_attempts_open ON quiz_attempts (quiz_id, member_id) WHERE submitted_at IS NULL;
CREATE UNIQUE INDEX quiz_attempts_credited ON quiz_attempts (quiz_id, member_id) WHERE credited;
CREATE INDEX quiz_attempts_due ON quiz_attempts (expires_at) WHERE submitted_at IS NULL;
CREATE INDEX quiz_attempts_member ON quiz_attempts (member_id, id);
REVOKE DELETE, TRUNCATE ON quiz_attempts FROM sotay_app;

CREATE TABLE quiz_answers (
    attempt_id uuid NOT NULL REFERENCES quiz_attempts,
    -- The attempt's own ids, which mean nothing elsewhere.
    question_id uuid NOT NULL,
    option_ids uuid[] NOT NULL,
    seq bigint,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (attempt_id, question_id)
);

-- Nothing was ever earned by these rules, so they are set right where they stand: what a quiz or a contest pays is outside the
-- twelve points a day.
ALTER TABLE point_rules DISABLE TRIGGER USER;
UPDATE point_rules SET self_service = false, cap_month = 24 WHERE code = 'quiz_passed';
UPDATE point_rules SET self_service = false WHERE code = 'contest_entered';
ALTER TABLE point_rules ENABLE TRIGGER USER;
