DROP TRIGGER quiz_attempts_changed ON quiz_attempts;
DROP FUNCTION note_attempt_change();
DROP TRIGGER quizzes_changed ON quizzes;
DROP FUNCTION note_quiz_change();
DROP INDEX quiz_attempts_changes;
ALTER TABLE quiz_attempts DROP COLUMN xid;
DROP INDEX quiz_targets_changes;
ALTER TABLE quiz_targets DROP COLUMN xid;
