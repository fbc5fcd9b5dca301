DROP INDEX question_banks_document;
DELETE FROM quiz_answers USING quiz_attempts a WHERE a.id = attempt_id AND a.document_id IS NOT NULL;
DELETE FROM quiz_attempts WHERE document_id IS NOT NULL;
ALTER TABLE quiz_attempts
    DROP COLUMN document_id,
    DROP COLUMN document_version,
    ALTER COLUMN quiz_id SET NOT NULL,
    ADD CONSTRAINT quiz_attempts_number_check CHECK (number BETWEEN 1 AND 5);
