-- The words of the library, for searches with misspelt ones.
CREATE TABLE document_words (
    word text COLLATE "C" PRIMARY KEY
);
CREATE INDEX document_words_alike ON document_words USING gin (word gin_trgm_ops);
INSERT INTO document_words (word)
    SELECT DISTINCT w FROM document_search s, unnest(tsvector_to_array(s.words)) AS w WHERE w ~ '^[a-z]{3,30}$';
