-- What one member keeps of a document: bookmark, private note, reading. `xid` lets other phones learn of changes.
CREATE TABLE document_marks (
    account_id uuid NOT NULL REFERENCES accounts,
    document_id uuid NOT NULL REFERENCES documents,
    bookmarked_at timestamptz,
    note text NOT NULL DEFAULT '',
    note_changed_at timestamptz,
    xid bigint NOT NULL,
    PRIMARY KEY (account_id, document_id)
);
CREATE INDEX document_marks_changes ON document_marks (account_id, xid, document_id);
CREATE INDEX document_marks_bookmarks ON document_marks (account_id, bookmarked_at, document_id) WHERE bookmarked_at IS NOT NULL;

ALTER TABLE notifications ADD COLUMN xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX notifications_changes ON notifications (account_id, xid, id);
