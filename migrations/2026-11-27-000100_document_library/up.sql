-- The library: more states, versions, relations, topics, planned publication; contents of files are stored once.
DROP INDEX documents_words;
DROP INDEX documents_same_symbol;
DROP INDEX documents_text;
ALTER TABLE documents DROP CONSTRAINT documents_status_check, DROP CONSTRAINT documents_check, DROP CONSTRAINT documents_check1;
ALTER TABLE documents RENAME COLUMN status TO state;
ALTER TABLE documents
    -- The issuer of the symbol as printed and as it is looked for.
    ADD COLUMN issuer text,
    ADD COLUMN issuer_key text,
    ADD COLUMN topics text[] NOT NULL DEFAULT '{}',
    ADD COLUMN topic_keys text[] NOT NULL DEFAULT '{}',
    ADD COLUMN superseded_by uuid REFERENCES documents,
    -- The version that brought the files which belong to the document now.
    ADD COLUMN files_version integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT documents_state CHECK (state IN ('draft', 'in_review', 'scheduled', 'published', 'superseded', 'recalled')),
    ADD CONSTRAINT documents_published CHECK ((state IN ('draft', 'in_review', 'scheduled')) = (published_at IS NULL)),
    ADD CONSTRAINT documents_attested CHECK (state IN ('draft', 'in_review') OR attested_no_secrets_by IS NOT NULL),
    ADD CONSTRAINT documents_superseded CHECK (state <> 'superseded' OR superseded_by IS NOT NULL);
UPDATE documents SET
    issuer = btrim(substring(symbol FROM '^ *[0-9]{1,5} *- *[^/ ]{1,10} */ *([^/]{1,40})$')),
    issuer_key = replace(fold_name(substring(symbol FROM '^ *[0-9]{1,5} *- *[^/ ]{1,10} */ *([^/]{1,40})$')), ' ', '');
CREATE INDEX documents_same_symbol ON documents (fold_name(symbol)) WHERE published_at IS NOT NULL;
CREATE INDEX documents_text ON documents (text_digest(body)) WHERE published_at IS NOT NULL AND words > 0;

-- What a document said and says. One version at most waits for its publication.
CREATE TABLE document_versions (
    document_id uuid NOT NULL REFERENCES documents,
    number integer NOT NULL CHECK (number > 0),
    note text NOT NULL,
    -- The new text; null when the version changes files only, and for the first one, whose text is the document's.
    body text,
    state text NOT NULL CHECK (state IN ('draft', 'in_review', 'scheduled', 'published')),
    publish_at timestamptz,
    created_by uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (document_id, number),
    CHECK ((state = 'scheduled') = (publish_at IS NOT NULL)),
    CHECK ((state = 'published') = (published_at IS NOT NULL))
);
CREATE UNIQUE INDEX document_versions_waiting ON document_versions (document_id) WHERE state <> 'published';
CREATE INDEX document_versions_due ON document_versions (publish_at) WHERE state = 'scheduled';
INSERT INTO document_versions (document_id, number, note, state, created_by, created_at, published_at)
    SELECT id, version, '', CASE state WHEN 'draft' THEN 'draft' ELSE 'published' END, created_by, created_at, published_at FROM documents;

CREATE TABLE document_relations (
    document_id uuid NOT NULL REFERENCES documents,
    kind text NOT NULL CHECK (kind IN ('replaces', 'amends', 'repeals', 'guides')),
    other_id uuid NOT NULL REFERENCES documents CHECK (other_id <> document_id),
    PRIMARY KEY (document_id, kind, other_id)
);
CREATE INDEX document_relations_other ON document_relations (other_id);

-- The contents of files, stored once however often they are attached, with the text that was read from them.
CREATE TABLE file_contents (
    sha256 bytea NOT NULL,
    media_type text NOT NULL,
    bytes bigint NOT NULL,
    -- Where the file store keeps it; cannot be guessed and is never shown.
    storage_key text NOT NULL UNIQUE,
    stored_at timestamptz NOT NULL,
    text_state text NOT NULL CHECK (text_state IN ('being_read', 'read', 'unreadable', 'none')),
    -- Why there is no text.
    reason text,
    body text NOT NULL DEFAULT '',
    words integer NOT NULL DEFAULT 0,
    pages integer,
    -- Whether a marking of state secrecy stands in the file.
    marked boolean NOT NULL DEFAULT false,
    -- When a reader took it last, so that two do not read the same file.
    taken_at timestamptz,
    PRIMARY KEY (sha256, media_type)
);
CREATE INDEX file_contents_waiting ON file_contents (stored_at) WHERE text_state = 'being_read';
INSERT INTO file_contents (sha256, media_type, bytes, storage_key, stored_at, text_state)
    SELECT DISTINCT ON (sha256, media_type) sha256, media_type, bytes, storage_key, added_at,
        CASE WHEN media_type LIKE 'image/%' OR media_type LIKE 'audio/%' THEN 'none' ELSE 'being_read' END
    FROM document_files ORDER BY sha256, media_type, id;
ALTER TABLE document_files DROP COLUMN storage_key;
ALTER TABLE document_files
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD FOREIGN KEY (sha256, media_type) REFERENCES file_contents;
ALTER TABLE document_files ALTER COLUMN version DROP DEFAULT;
DROP INDEX document_files_document;
CREATE INDEX document_files_document ON document_files (document_id, version, id);

ALTER TABLE point_parameters DROP CONSTRAINT point_parameters_name_check;
ALTER TABLE point_parameters ADD CONSTRAINT point_parameters_name_check
    CHECK (name IN ('threshold', 'prorated', 'self_service_day_cap', 'excuse_days', 'threshold_floor', 'document_review'));
INSERT INTO point_parameters (id, name, unit_id, value, valid_from)
    VALUES ('00000000-0000-7000-8000-000000000006', 'document_review', NULL, 0, '2020-01-01');
