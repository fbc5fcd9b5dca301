DROP INDEX notifications_changes;
ALTER TABLE notifications DROP COLUMN xid;
DROP TABLE document_marks;
