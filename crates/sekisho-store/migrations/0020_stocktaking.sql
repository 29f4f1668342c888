-- 棚卸: what a section has of a register is looked for on a day. One runs at a time for a register and a unit; `missing` is written when it
-- ends, a JSON list of row id and key.
CREATE TABLE stocktaking (id TEXT PRIMARY KEY NOT NULL, register TEXT NOT NULL, unit TEXT NOT NULL, opened_by TEXT NOT NULL, opened_at TEXT NOT NULL, due_on TEXT NOT NULL, open_entry TEXT NOT NULL, closed_by TEXT NOT NULL, closed_at TEXT, total BIGINT NOT NULL, missing TEXT NOT NULL, entry TEXT NOT NULL);
CREATE UNIQUE INDEX stocktaking_running ON stocktaking (register, unit) WHERE closed_at IS NULL;
CREATE INDEX stocktaking_unit ON stocktaking (unit, opened_at);

-- What was found, once each: by whom, when, and where where that differs from the register.
CREATE TABLE stocktaking_seen (stocktaking TEXT NOT NULL, row_id TEXT NOT NULL, person TEXT NOT NULL, seen_at TEXT NOT NULL, place TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (stocktaking, row_id));
