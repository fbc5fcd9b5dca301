DROP TABLE notification_preferences;
DROP TABLE push_subscriptions;
DROP TABLE push_keys;
