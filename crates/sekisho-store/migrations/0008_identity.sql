-- Sessions say where they come from, when the person last proved who they are, and what still stands before the pages (`stage`: code, enrol,
-- open). `previous` is the login before this one, `failed` the failures since. Whoever is logged in logs in anew.
DROP TABLE session;
CREATE TABLE session (token_hash TEXT PRIMARY KEY NOT NULL, login TEXT NOT NULL, csrf TEXT NOT NULL, stage TEXT NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL, previous TEXT NOT NULL, failed BIGINT NOT NULL, created_at TEXT NOT NULL, proved_at TEXT NOT NULL, seen_at TEXT NOT NULL, expires_at TEXT NOT NULL);
CREATE INDEX session_login ON session (login);

-- Second factors (RFC 6238). Secrets are sealed with a key that is not in the data folder; empty while there is none. `step` is the last time
-- step whose code was taken. `pending` is a secret that is being enrolled.
CREATE TABLE totp (login TEXT PRIMARY KEY NOT NULL REFERENCES account (login), secret TEXT NOT NULL, step BIGINT NOT NULL, confirmed_at TEXT, pending TEXT NOT NULL);
CREATE TABLE recovery_code (login TEXT NOT NULL, hash TEXT NOT NULL, used_at TEXT, PRIMARY KEY (login, hash));

-- Hashes of earlier passwords, the newest few.
CREATE TABLE old_password (login TEXT NOT NULL, until TEXT NOT NULL, password TEXT NOT NULL, PRIMARY KEY (login, until));

-- Accounts whose credentials somebody else set anew, until the person is known to have taken them up. `since` is the first time of several.
CREATE TABLE account_reset (login TEXT PRIMARY KEY NOT NULL REFERENCES account (login), by_person TEXT NOT NULL, at TEXT NOT NULL, since TEXT NOT NULL);

-- Tokens of programs that act for a person. `scopes` are words between spaces.
CREATE TABLE api_token (id TEXT PRIMARY KEY NOT NULL, login TEXT NOT NULL REFERENCES account (login), hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, scopes TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL, used_at TEXT, revoked_at TEXT);
CREATE INDEX api_token_login ON api_token (login, created_at, id);
