-- Whom a document reaches, and what it is found by. Texts are folded by the program (`kernel/text`), so that PostgreSQL
-- compares plain lexemes: no dictionary, no `unaccent`.
--
-- A key names an audience: a unit with everything below it, a kind of unit or a role below one, or a member.
CREATE TABLE document_feed (
    key text NOT NULL,
    document_id uuid NOT NULL REFERENCES documents,
    -- The transaction that changed the document for this audience last.
    xid bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    -- It reaches the audience no more; kept, so that phones learn of it.
    removed boolean NOT NULL,
    PRIMARY KEY (key, document_id)
);
CREATE INDEX document_feed_changes ON document_feed (key, xid, document_id);
CREATE INDEX document_feed_document ON document_feed (document_id);
CREATE INDEX document_feed_removed ON document_feed (changed_at) WHERE removed;

CREATE TABLE document_search (
    document_id uuid PRIMARY KEY REFERENCES documents,
    published_at timestamptz NOT NULL,
    -- The keys of all audiences, so that one index answers "these words, for this reader".
    reach text[] NOT NULL,
    -- The words of the symbol, and all of them in one after a `#`: "12 kh du" and "#12khdu".
    symbol tsvector NOT NULL,
    -- Symbol, title and topics.
    head tsvector NOT NULL,
    -- These, the summary, the text and the texts of the files.
    words tsvector NOT NULL
);
CREATE INDEX document_search_words ON document_search USING gin (words, reach);

-- The audiences that an account belongs to on a day: its cell (`home`, with the units above it in their order), kinds and roles
-- there, itself.
CREATE FUNCTION audience_keys(account uuid, home uuid[], day date) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(key ORDER BY key), '{}') FROM (
        SELECT 'm:' || account AS key
        UNION ALL SELECT 'u:' || h FROM unnest(home) AS h
        UNION SELECT 'k:' || h.id || ':' || u.kind FROM unnest(home) WITH ORDINALITY AS h (id, n),
            unnest(home) WITH ORDINALITY AS k (id, n), units u WHERE k.n <= h.n AND u.id = k.id
        UNION SELECT 'r:' || t.ancestor_id || ':' || g.role FROM grants g
            JOIN unit_tree t ON t.descendant_id = g.unit_id AND t.valid_from <= day AND (t.valid_to IS NULL OR t.valid_to > day)
            WHERE g.account_id = account AND g.revoked_at IS NULL AND g.valid_from <= day AND (g.valid_to IS NULL OR g.valid_to > day)
    ) AS keys
$$;

INSERT INTO document_feed (key, document_id, xid, changed_at, removed)
    SELECT 'u:' || t.unit_id, d.id, pg_current_xact_id()::text::bigint, coalesce(d.recalled_at, d.published_at), d.state = 'recalled'
    FROM documents d JOIN document_targets t ON t.document_id = d.id WHERE d.published_at IS NOT NULL;
INSERT INTO document_search (document_id, published_at, reach, symbol, head, words)
    SELECT d.id, d.published_at,
        (SELECT coalesce(array_agg('u:' || t.unit_id), '{}') FROM document_targets t WHERE t.document_id = d.id),
        to_tsvector('simple', fold_name(d.symbol)) || k.key, to_tsvector('simple', fold_name(d.symbol || ' ' || d.title)) || k.key,
        to_tsvector('simple', left(d.search, 250000)) || k.key
    FROM documents d, LATERAL (SELECT array_to_tsvector(ARRAY['#' || replace(fold_name(d.symbol), ' ', '')]) AS key) k
    WHERE d.state = 'published';
ALTER TABLE documents DROP COLUMN search;
DROP FUNCTION words_of;
