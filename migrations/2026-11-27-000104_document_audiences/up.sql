-- Whom a document goes to besides units: kinds of units, roles, named members. The key is that of the feed.
CREATE TABLE document_audiences (
    document_id uuid NOT NULL REFERENCES documents,
    key text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('unit_kind', 'role', 'member')),
    -- Below which unit, for kinds and roles.
    unit_id uuid REFERENCES units,
    member_id uuid REFERENCES members,
    -- The kind of unit or the role.
    name text,
    PRIMARY KEY (document_id, key),
    CHECK ((kind = 'member') = (member_id IS NOT NULL)),
    CHECK ((kind = 'member') = (unit_id IS NULL AND name IS NULL))
);
