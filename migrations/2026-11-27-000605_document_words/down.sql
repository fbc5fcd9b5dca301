DROP TABLE document_words;
DROP EXTENSION pg_trgm;
