-- When what a message asked for was done, by whoever did it: it asks nobody any more, whether it was opened or not.
ALTER TABLE notification ADD COLUMN settled_at TEXT;
CREATE INDEX notification_open ON notification (link) WHERE read_at IS NULL AND settled_at IS NULL;
