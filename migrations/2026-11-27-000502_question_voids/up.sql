-- A wrong key is repaired: questions of published quizzes that two officers have voided.
CREATE TABLE quiz_voids (
    quiz_id uuid NOT NULL,
    question_id uuid NOT NULL,
    decision_id uuid NOT NULL REFERENCES decisions,
    voided_at timestamptz NOT NULL,
    PRIMARY KEY (quiz_id, question_id),
    FOREIGN KEY (quiz_id, question_id) REFERENCES quiz_pool
);
REVOKE UPDATE, DELETE, TRUNCATE ON quiz_voids FROM sotay_app;

ALTER TABLE quizzes
    -- How many of its questions are voided.
    ADD COLUMN voids integer NOT NULL DEFAULT 0 CHECK (voids >= 0),
    -- Whether attempts may have been graded under fewer voids.
    ADD COLUMN regrading boolean NOT NULL DEFAULT false;
CREATE INDEX quizzes_regrading ON quizzes (id) WHERE regrading;

-- Under how many voids of its quiz an attempt was graded.
ALTER TABLE quiz_attempts ADD COLUMN voids integer NOT NULL DEFAULT 0 CHECK (voids >= 0);
