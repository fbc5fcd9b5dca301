DROP TABLE active_readings, reading_sessions, document_openings, document_acknowledgements, document_files, document_targets, documents;
