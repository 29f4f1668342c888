-- Imports of registers, so that each can be undone as one act. `kept` counts rows that an undoing left as they were.
CREATE TABLE register_import (id TEXT PRIMARY KEY NOT NULL, register TEXT NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL, file TEXT NOT NULL, added BIGINT NOT NULL, changed BIGINT NOT NULL, entry TEXT NOT NULL, undone_at TEXT, undone_by TEXT NOT NULL, kept BIGINT NOT NULL, undo_entry TEXT NOT NULL);
CREATE INDEX register_import_of ON register_import (register, at, id);
CREATE INDEX register_change_cause ON register_change (cause);

-- A person's due dates as a calendar. Its address holds a secret of which only the SHA-256 is kept.
CREATE TABLE calendar_feed (person TEXT PRIMARY KEY NOT NULL, hash TEXT NOT NULL, made_at TEXT NOT NULL, entry TEXT NOT NULL);
CREATE UNIQUE INDEX calendar_feed_hash ON calendar_feed (hash);

-- How far each receiver of events has been told: the ledger itself is the queue, its places are dense.
CREATE TABLE webhook (receiver TEXT PRIMARY KEY NOT NULL, next_leaf BIGINT NOT NULL, tries BIGINT NOT NULL, try_after TEXT NOT NULL, delivered_at TEXT, error TEXT NOT NULL);
