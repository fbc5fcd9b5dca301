DROP TABLE active_readings, reading_sessions, document_acknowledgements, document_files, document_targets, documents;
