DROP TABLE document_audiences;
