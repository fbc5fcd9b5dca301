-- What a unit that a document reaches says about it to its own members: an earlier last day for reading, a cover note.
CREATE TABLE document_cover_notes (
    document_id uuid NOT NULL REFERENCES documents,
    unit_id uuid NOT NULL REFERENCES units,
    must_read_by date,
    text text NOT NULL,
    written_by uuid NOT NULL REFERENCES accounts,
    written_at timestamptz NOT NULL,
    -- Taken back; kept for a time, so that phones learn of it.
    removed boolean NOT NULL DEFAULT false,
    -- The transaction that changed it last.
    xid bigint NOT NULL,
    PRIMARY KEY (document_id, unit_id),
    CHECK (removed OR must_read_by IS NOT NULL OR text <> '')
);
CREATE INDEX document_cover_notes_changes ON document_cover_notes (unit_id, xid, document_id);
CREATE INDEX document_cover_notes_removed ON document_cover_notes (written_at) WHERE removed;
