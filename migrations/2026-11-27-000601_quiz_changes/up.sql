-- Phones learn of quizzes as they learn of documents: every row that concerns a member has the number of the transaction that
-- changed it last.
ALTER TABLE quiz_targets ADD COLUMN xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX quiz_targets_changes ON quiz_targets (target_id, xid, quiz_id);
ALTER TABLE quiz_attempts ADD COLUMN xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX quiz_attempts_changes ON quiz_attempts (member_id, xid, quiz_id);

-- A quiz changes for all its audiences: as many rows as it has targets.
CREATE FUNCTION note_quiz_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE quiz_targets SET xid = pg_current_xact_id()::text::bigint WHERE quiz_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER quizzes_changed AFTER UPDATE ON quizzes FOR EACH ROW WHEN (NEW.state <> 'draft' OR OLD.state <> 'draft')
    EXECUTE FUNCTION note_quiz_change();

-- An attempt changes for its member when it is submitted or graded. Saved answers are rows of their own.
CREATE FUNCTION note_attempt_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER quiz_attempts_changed BEFORE UPDATE ON quiz_attempts FOR EACH ROW
    WHEN (NEW.submitted_at IS DISTINCT FROM OLD.submitted_at OR NEW.passed IS DISTINCT FROM OLD.passed)
    EXECUTE FUNCTION note_attempt_change();
