-- A document that is published again under another id pays again: whoever publishes it is warned, and a case is opened.
CREATE FUNCTION text_digest(body text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
BEGIN
    RETURN md5(regexp_replace(fold_name(body), '[^[:alnum:]]+', '', 'g'));
END $$;
CREATE INDEX documents_same_symbol ON documents (fold_name(symbol)) WHERE status <> 'draft';
CREATE INDEX documents_text ON documents (text_digest(body)) WHERE status <> 'draft' AND words > 0;
CREATE INDEX document_files_contents ON document_files (sha256);
