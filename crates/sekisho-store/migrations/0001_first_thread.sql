-- One body's database. Columns are TEXT, BIGINT and BOOLEAN only; instants are UTC text of fixed width, dates ISO text.
CREATE TABLE setting (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
CREATE TABLE counter (name TEXT PRIMARY KEY NOT NULL, value BIGINT NOT NULL);

-- Organization and people. Codes are the keys: they are what the personnel system's exports carry.
CREATE TABLE unit (code TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, parent TEXT, valid_from TEXT NOT NULL, valid_until TEXT, sort BIGINT NOT NULL);
CREATE TABLE post (code TEXT PRIMARY KEY NOT NULL, unit TEXT NOT NULL REFERENCES unit (code), title TEXT NOT NULL, head BOOLEAN NOT NULL, sort BIGINT NOT NULL);
CREATE INDEX post_unit ON post (unit);
CREATE TABLE person (number TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, kana TEXT NOT NULL, mail TEXT NOT NULL, search TEXT NOT NULL);
CREATE TABLE appointment (id TEXT PRIMARY KEY NOT NULL, person TEXT NOT NULL REFERENCES person (number), post TEXT NOT NULL REFERENCES post (code), main BOOLEAN NOT NULL, valid_from TEXT NOT NULL, valid_until TEXT, role TEXT NOT NULL, scope_unit TEXT NOT NULL);
CREATE UNIQUE INDEX appointment_key ON appointment (person, post, valid_from, role, scope_unit);
CREATE INDEX appointment_post ON appointment (post);
CREATE TABLE absence (id TEXT PRIMARY KEY NOT NULL, person TEXT NOT NULL, valid_from TEXT NOT NULL, valid_until TEXT NOT NULL, reason TEXT NOT NULL);

-- Accounts and sessions.
CREATE TABLE account (login TEXT PRIMARY KEY NOT NULL, person TEXT NOT NULL UNIQUE REFERENCES person (number), password TEXT NOT NULL, must_change BOOLEAN NOT NULL, failures BIGINT NOT NULL, locked_until TEXT, active BOOLEAN NOT NULL, changed_at TEXT NOT NULL);
CREATE TABLE session (token_hash TEXT PRIMARY KEY NOT NULL, login TEXT NOT NULL, csrf TEXT NOT NULL, created_at TEXT NOT NULL, seen_at TEXT NOT NULL, expires_at TEXT NOT NULL);
CREATE INDEX session_login ON session (login);
CREATE TABLE login_failure (login_key TEXT PRIMARY KEY NOT NULL, failures BIGINT NOT NULL, locked_until TEXT);

-- Packs, stored whole by hash.
CREATE TABLE pack_version (hash TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, files TEXT NOT NULL, loaded_at TEXT NOT NULL, loaded_by TEXT NOT NULL);

-- Registers: r_<id> tables are made from the pack's TableSpec. Their changes are kept here.
CREATE TABLE register_change (id TEXT PRIMARY KEY NOT NULL, register TEXT NOT NULL, row_id TEXT NOT NULL, seq BIGINT NOT NULL, at TEXT NOT NULL, person TEXT NOT NULL, cause TEXT NOT NULL, before_row TEXT, after_row TEXT, entry TEXT NOT NULL);
CREATE UNIQUE INDEX register_change_row ON register_change (register, row_id, seq);

-- Cases.
-- The state is long and comes last: what is listed and searched is read without it. `no` and case_gram: see search.rs.
CREATE TABLE case_file (id TEXT PRIMARY KEY NOT NULL, no BIGINT NOT NULL, procedure TEXT NOT NULL, number TEXT NOT NULL, title TEXT NOT NULL, status TEXT NOT NULL, applicant TEXT NOT NULL, post TEXT NOT NULL, unit TEXT NOT NULL, pack TEXT NOT NULL, version BIGINT NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT, due TEXT NOT NULL, next_change_on TEXT NOT NULL, search TEXT NOT NULL, state TEXT NOT NULL);
CREATE INDEX case_file_no ON case_file (no, unit);
CREATE TABLE case_gram (gram TEXT NOT NULL, block BIGINT NOT NULL, places TEXT NOT NULL, PRIMARY KEY (gram, block));
CREATE INDEX case_file_opened ON case_file (opened_at, id, unit);
CREATE INDEX case_file_unit ON case_file (unit, opened_at, id);
CREATE INDEX case_file_status ON case_file (status, opened_at, id, unit);
CREATE INDEX case_file_applicant ON case_file (applicant, opened_at, id, unit);
CREATE INDEX case_file_procedure ON case_file (procedure, opened_at, id, unit);
CREATE INDEX case_file_change ON case_file (next_change_on);
CREATE TABLE case_party (case_id TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY (case_id, person));
CREATE INDEX case_party_person ON case_party (person);
CREATE TABLE case_item (case_id TEXT NOT NULL, pos BIGINT NOT NULL, register TEXT NOT NULL, row_id TEXT NOT NULL, PRIMARY KEY (case_id, pos));
CREATE INDEX case_item_row ON case_item (register, row_id);
CREATE TABLE case_act (case_id TEXT NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (case_id, seq));
CREATE TABLE open_task (case_id TEXT NOT NULL, pos BIGINT NOT NULL, step TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, post TEXT NOT NULL, person TEXT NOT NULL, due TEXT NOT NULL, opened_at TEXT NOT NULL, PRIMARY KEY (case_id, pos));
CREATE INDEX open_task_holder ON open_task (person, post);
CREATE INDEX open_task_due ON open_task (due);
CREATE TABLE draft (id TEXT PRIMARY KEY NOT NULL, procedure TEXT NOT NULL, person TEXT NOT NULL, body TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE INDEX draft_person ON draft (person);

-- Clause state: what breaks it, as intervals.
CREATE TABLE violation (id TEXT PRIMARY KEY NOT NULL, check_id TEXT NOT NULL, pack TEXT NOT NULL, row_key TEXT NOT NULL, unit TEXT NOT NULL, says TEXT NOT NULL, link TEXT NOT NULL, opened_at TEXT NOT NULL, closed_at TEXT, cause_entry TEXT NOT NULL);
CREATE INDEX violation_open ON violation (check_id, closed_at, row_key);
CREATE INDEX violation_row ON violation (row_key, check_id);
CREATE INDEX violation_closed ON violation (closed_at, check_id, opened_at);
CREATE TABLE check_run (check_id TEXT PRIMARY KEY NOT NULL, pack TEXT NOT NULL, ran_at TEXT NOT NULL, looked_at BIGINT NOT NULL, due_rows BIGINT NOT NULL);

-- Ledger: the outbox is the rows whose leaf_index is null.
CREATE TABLE ledger_entry (id TEXT PRIMARY KEY NOT NULL, stream TEXT NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL, commitment TEXT NOT NULL, salt TEXT, payload TEXT, at TEXT NOT NULL, leaf_index BIGINT);
CREATE UNIQUE INDEX ledger_entry_stream ON ledger_entry (stream, seq);
CREATE UNIQUE INDEX ledger_entry_leaf ON ledger_entry (leaf_index) WHERE leaf_index IS NOT NULL;
CREATE INDEX ledger_entry_outbox ON ledger_entry (at, stream, seq) WHERE leaf_index IS NULL;
CREATE TABLE ledger_tile (level BIGINT NOT NULL, idx BIGINT NOT NULL, hashes TEXT NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE ledger_checkpoint (size BIGINT PRIMARY KEY NOT NULL, root TEXT NOT NULL, note TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE lease (name TEXT PRIMARY KEY NOT NULL, holder TEXT NOT NULL, epoch BIGINT NOT NULL, until TEXT NOT NULL);

-- Uploads waiting for the second step of an import (dry run, then apply).
CREATE TABLE upload (id TEXT PRIMARY KEY NOT NULL, kind TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, bytes TEXT NOT NULL, created_at TEXT NOT NULL);
