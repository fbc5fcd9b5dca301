-- What changed of that which instances remember: sessions, accounts with their grants (a member's has the member's id), facts of
-- members, the tree of units (the nil id). Each batch of requests reads what is new here, instead of reading all of it again for everyone.
--
-- A row is known by its transaction: whoever looks has seen everything of transactions before the oldest one that was still
-- running when it looked last, in whatever order they committed. Nobody waits for anybody.
CREATE TABLE changes (
    xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    subject_id uuid NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX changes_xid ON changes (xid);

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (subject_id) VALUES (coalesce(OLD.id, NEW.id));
    RETURN NULL;
END $$;
CREATE FUNCTION note_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (subject_id) VALUES (coalesce(OLD.member_id, NEW.member_id));
    RETURN NULL;
END $$;
CREATE FUNCTION note_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (subject_id) VALUES (coalesce(OLD.account_id, NEW.account_id));
    RETURN NULL;
END $$;
CREATE FUNCTION note_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (subject_id) VALUES ('00000000-0000-0000-0000-000000000000');
    RETURN NULL;
END $$;
-- Nobody remembers anything of a member without a membership: those who are new need no row.
CREATE FUNCTION note_further_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (subject_id)
    SELECT DISTINCT n.member_id FROM inserted n
    WHERE EXISTS (SELECT 1 FROM memberships m WHERE m.member_id = n.member_id AND m.id <> n.id);
    RETURN NULL;
END $$;

-- A session that is prolonged needs no row: whoever remembers it as expired looks again.
CREATE TRIGGER noted_end AFTER UPDATE ON sessions FOR EACH ROW
    WHEN (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at OR NEW.expires_at < OLD.expires_at)
    EXECUTE FUNCTION note_change();
CREATE TRIGGER noted_deletion AFTER DELETE ON sessions FOR EACH ROW WHEN (OLD.revoked_at IS NULL)
    EXECUTE FUNCTION note_change();
CREATE TRIGGER noted AFTER UPDATE OF disabled_at, kind ON accounts FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON grants FOR EACH ROW EXECUTE FUNCTION note_account();
CREATE TRIGGER noted AFTER UPDATE OF without_device ON members FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON exemptions FOR EACH ROW EXECUTE FUNCTION note_member();
CREATE TRIGGER noted AFTER UPDATE OR DELETE ON memberships FOR EACH ROW EXECUTE FUNCTION note_member();
CREATE TRIGGER noted_insertion AFTER INSERT ON memberships REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION note_further_memberships();
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON unit_tree FOR EACH STATEMENT EXECUTE FUNCTION note_tree();
