-- Comprehension questions: attempts at a document instead of a quiz.
ALTER TABLE quiz_attempts
    ALTER COLUMN quiz_id DROP NOT NULL,
    ADD COLUMN document_id uuid REFERENCES documents,
    -- The version whose questions were asked.
    ADD COLUMN document_version integer,
    DROP CONSTRAINT quiz_attempts_number_check,
    ADD CONSTRAINT quiz_attempts_subject CHECK (num_nonnulls(quiz_id, document_id) = 1
        AND (document_id IS NULL) = (document_version IS NULL) AND number >= 1 AND (quiz_id IS NULL OR number <= 5));
CREATE UNIQUE INDEX quiz_attempts_document_number ON quiz_attempts (document_id, member_id, number) WHERE document_id IS NOT NULL;
CREATE UNIQUE INDEX quiz_attempts_document_open ON quiz_attempts (document_id, member_id)
    WHERE document_id IS NOT NULL AND submitted_at IS NULL;
CREATE UNIQUE INDEX quiz_attempts_document_credited ON quiz_attempts (document_id, member_id) WHERE document_id IS NOT NULL AND credited;
CREATE INDEX question_banks_document ON question_banks (document_id) WHERE document_id IS NOT NULL;
