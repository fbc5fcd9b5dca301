DROP TABLE document_cover_notes;
