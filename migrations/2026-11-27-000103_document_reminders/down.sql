DROP TABLE document_reminders;
