DROP INDEX document_files_contents;
DROP INDEX documents_text;
DROP INDEX documents_same_symbol;
DROP FUNCTION text_digest;
