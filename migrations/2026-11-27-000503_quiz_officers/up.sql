-- Officers of quizzes: more time for a named member, review of questions by a second officer, private reminders.
CREATE TABLE quiz_extensions (
    quiz_id uuid NOT NULL REFERENCES quizzes,
    member_id uuid NOT NULL REFERENCES members,
    extra_minutes integer NOT NULL CHECK (extra_minutes BETWEEN 1 AND 480),
    reason text NOT NULL,
    given_by uuid NOT NULL REFERENCES accounts,
    given_at timestamptz NOT NULL,
    PRIMARY KEY (quiz_id, member_id)
);

-- At most one reminder a day, member and quiz, whoever sends it.
CREATE TABLE quiz_reminders (
    quiz_id uuid NOT NULL REFERENCES quizzes,
    member_id uuid NOT NULL REFERENCES members,
    day date NOT NULL,
    sent_by uuid NOT NULL REFERENCES accounts,
    PRIMARY KEY (quiz_id, member_id)
);

-- The review that a question waits for.
ALTER TABLE questions ADD COLUMN review_id uuid;
CREATE INDEX questions_review ON questions (review_id) WHERE review_id IS NOT NULL;

ALTER TABLE point_parameters DROP CONSTRAINT point_parameters_name_check;
ALTER TABLE point_parameters ADD CONSTRAINT point_parameters_name_check CHECK (name IN ('threshold', 'prorated',
    'self_service_day_cap', 'excuse_days', 'threshold_floor', 'document_review', 'question_review'));
INSERT INTO point_parameters (id, name, unit_id, value, valid_from)
    VALUES ('00000000-0000-7000-8000-000000000007', 'question_review', NULL, 0, '2020-01-01');
