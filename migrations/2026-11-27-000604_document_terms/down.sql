DROP TABLE document_terms;
