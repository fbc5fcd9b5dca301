DROP TABLE document_words;
