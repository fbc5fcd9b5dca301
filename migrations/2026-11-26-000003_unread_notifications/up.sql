-- Asked before somebody is told again that something waits.
CREATE INDEX notifications_unread ON notifications (account_id, kind, created_at) WHERE read_at IS NULL;
