-- The library, its distribution to units, files, acknowledgements and reading sessions.
CREATE TABLE documents (
    id uuid PRIMARY KEY,
    unit_id uuid NOT NULL REFERENCES units,
    symbol text NOT NULL,
    kind text NOT NULL,
    title text COLLATE "vi-x-icu" NOT NULL,
    summary text NOT NULL,
    body text NOT NULL,
    words integer NOT NULL CHECK (words >= 0),
    pages integer CHECK (pages > 0),
    must_read_by date,
    status text NOT NULL CHECK (status IN ('draft', 'published', 'recalled')),
    version integer NOT NULL DEFAULT 1,
    created_by uuid NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL,
    attested_no_secrets_by uuid REFERENCES accounts,
    published_at timestamptz,
    recalled_at timestamptz,
    recalled_by uuid REFERENCES accounts,
    recall_reason text,
    -- Symbol, title, summary and body without diacritics, as " word word word": what a search looks in.
    search text NOT NULL,
    CHECK ((status = 'draft') = (published_at IS NULL)),
    CHECK (status = 'draft' OR attested_no_secrets_by IS NOT NULL)
);
CREATE INDEX documents_unit ON documents (unit_id, id);

CREATE TABLE document_targets (
    document_id uuid NOT NULL REFERENCES documents,
    unit_id uuid NOT NULL REFERENCES units,
    PRIMARY KEY (document_id, unit_id)
);
CREATE INDEX document_targets_unit ON document_targets (unit_id, document_id);

CREATE TABLE document_files (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES documents,
    name text NOT NULL,
    media_type text NOT NULL,
    bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    -- Where the file store keeps it; cannot be guessed and is never shown.
    storage_key text NOT NULL UNIQUE,
    added_by uuid NOT NULL REFERENCES accounts,
    added_at timestamptz NOT NULL
);
CREATE INDEX document_files_document ON document_files (document_id, id);

CREATE TABLE document_acknowledgements (
    document_id uuid NOT NULL REFERENCES documents,
    member_id uuid NOT NULL REFERENCES members,
    acknowledged_at timestamptz NOT NULL,
    PRIMARY KEY (document_id, member_id)
);

-- Who has had a document before their eyes: text, file or reading session. Opened is not read.
CREATE TABLE document_openings (
    document_id uuid NOT NULL REFERENCES documents,
    account_id uuid NOT NULL REFERENCES accounts,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (document_id, account_id)
);

CREATE TABLE reading_sessions (
    id uuid PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES members,
    document_id uuid NOT NULL REFERENCES documents,
    document_version integer NOT NULL,
    required_seconds integer NOT NULL,
    credited_ms bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    last_beat_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    completed_at timestamptz,
    receipt jsonb
);
CREATE INDEX reading_sessions_member ON reading_sessions (member_id, id);
CREATE INDEX reading_sessions_document ON reading_sessions (document_id, member_id);

-- The one session of a member whose clock runs; locked before the session itself.
CREATE TABLE active_readings (
    member_id uuid PRIMARY KEY REFERENCES members,
    session_id uuid NOT NULL REFERENCES reading_sessions
);
