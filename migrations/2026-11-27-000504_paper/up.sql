-- Quizzes on paper: a code on the sheet, and whether officers have entered what it says.
ALTER TABLE quiz_attempts
    ADD COLUMN paper_code text CHECK (paper_code ~ '^[0-9A-HJKMNP-TV-Z]{8}$'),
    -- Answers wait for a second officer: the attempt is not graded at its deadline.
    ADD COLUMN paper_waits boolean NOT NULL DEFAULT false,
    -- Officers entered the answers of the sheet.
    ADD COLUMN assisted boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT quiz_attempts_paper CHECK (paper_code IS NOT NULL OR NOT (paper_waits OR assisted));
CREATE UNIQUE INDEX quiz_attempts_paper_code ON quiz_attempts (paper_code) WHERE paper_code IS NOT NULL;
