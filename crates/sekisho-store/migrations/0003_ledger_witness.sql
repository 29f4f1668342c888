-- Witnesses who cosign the ledger's checkpoints, what they signed, and the daily review of rows against entries.
CREATE TABLE witness (name TEXT PRIMARY KEY NOT NULL, vkey TEXT NOT NULL, url TEXT NOT NULL, size BIGINT NOT NULL, asked_at TEXT, answered_at TEXT, trouble_code TEXT NOT NULL, trouble TEXT NOT NULL, trouble_since TEXT);
CREATE TABLE ledger_cosignature (size BIGINT NOT NULL, witness TEXT NOT NULL, line TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (size, witness));
CREATE TABLE ledger_review (ran_at TEXT PRIMARY KEY NOT NULL, size BIGINT NOT NULL, sound BOOLEAN NOT NULL, report TEXT NOT NULL);
