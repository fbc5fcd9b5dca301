DELETE FROM point_parameters WHERE name = 'document_review';
ALTER TABLE point_parameters DROP CONSTRAINT point_parameters_name_check;
ALTER TABLE point_parameters ADD CONSTRAINT point_parameters_name_check
    CHECK (name IN ('threshold', 'prorated', 'self_service_day_cap', 'excuse_days', 'threshold_floor'));
DROP INDEX document_files_document;
CREATE INDEX document_files_document ON document_files (document_id, id);
ALTER TABLE document_files ADD COLUMN storage_key text;
UPDATE document_files f SET storage_key = c.storage_key FROM file_contents c WHERE c.sha256 = f.sha256 AND c.media_type = f.media_type;
-- Several files may share their contents now, so that the key is not unique any more.
ALTER TABLE document_files ALTER COLUMN storage_key SET NOT NULL;
ALTER TABLE document_files DROP CONSTRAINT document_files_sha256_media_type_fkey, DROP COLUMN version;
DROP TABLE file_contents, document_relations, document_versions;
DROP INDEX documents_text;
DROP INDEX documents_same_symbol;
ALTER TABLE documents DROP CONSTRAINT documents_state, DROP CONSTRAINT documents_published, DROP CONSTRAINT documents_attested,
    DROP CONSTRAINT documents_superseded;
UPDATE documents SET state = CASE state WHEN 'superseded' THEN 'published' ELSE 'draft' END
    WHERE state IN ('in_review', 'scheduled', 'superseded');
ALTER TABLE documents DROP COLUMN files_version, DROP COLUMN superseded_by, DROP COLUMN topic_keys, DROP COLUMN topics,
    DROP COLUMN issuer_key, DROP COLUMN issuer;
ALTER TABLE documents RENAME COLUMN state TO status;
ALTER TABLE documents
    ADD CONSTRAINT documents_status_check CHECK (status IN ('draft', 'published', 'recalled')),
    ADD CONSTRAINT documents_check CHECK ((status = 'draft') = (published_at IS NULL)),
    ADD CONSTRAINT documents_check1 CHECK (status = 'draft' OR attested_no_secrets_by IS NOT NULL);
CREATE INDEX documents_same_symbol ON documents (fold_name(symbol)) WHERE status <> 'draft';
CREATE INDEX documents_text ON documents (text_digest(body)) WHERE status <> 'draft' AND words > 0;
CREATE INDEX documents_words ON documents USING gin (words_of(search)) WHERE status = 'published';
