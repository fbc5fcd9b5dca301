DROP INDEX documents_words;
DROP FUNCTION words_of;
DROP INDEX members_by_name;
DROP INDEX members_search;
DROP FUNCTION fold_name;
DROP EXTENSION pg_trgm;
