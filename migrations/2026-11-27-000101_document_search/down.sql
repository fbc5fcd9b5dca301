CREATE FUNCTION words_of(search text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100000 AS $$
    SELECT coalesce(array_to_tsvector(array_agg(DISTINCT left(word, 100))), ''::tsvector)
    FROM unnest(string_to_array(search, ' ')) AS w (word) WHERE word <> ''
$$;
ALTER TABLE documents ADD COLUMN search text;
UPDATE documents SET search = ' ' || fold_name(symbol || ' ' || title || ' ' || summary || ' ' || body);
ALTER TABLE documents ALTER COLUMN search SET NOT NULL;
DROP FUNCTION audience_keys;
DROP TABLE document_search, document_feed;
