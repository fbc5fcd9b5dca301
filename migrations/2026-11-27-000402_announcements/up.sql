-- Notifications for whole audiences: the keys are those of document_feed.
CREATE TABLE announcements (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    object_id uuid NOT NULL,
    details jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (object_id, kind)
);
CREATE TABLE announcement_audiences (
    key text NOT NULL,
    announcement_id uuid NOT NULL REFERENCES announcements ON DELETE CASCADE,
    PRIMARY KEY (key, announcement_id)
);
CREATE INDEX announcement_audiences_announcement ON announcement_audiences (announcement_id);
CREATE TABLE announcement_reads (
    account_id uuid NOT NULL REFERENCES accounts,
    announcement_id uuid NOT NULL REFERENCES announcements ON DELETE CASCADE,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, announcement_id)
);
CREATE INDEX announcement_reads_announcement ON announcement_reads (announcement_id);

-- A member's cell on a day and all above it, the cell first; empty for others.
CREATE FUNCTION home_of(account uuid, day date) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(t.ancestor_id ORDER BY t.depth), '{}') FROM memberships m
    JOIN unit_tree t ON t.descendant_id = m.unit_id AND t.valid_from <= day AND (t.valid_to IS NULL OR t.valid_to > day)
    WHERE m.member_id = account AND m.valid_from <= day AND (m.valid_to IS NULL OR m.valid_to > day)
$$;
