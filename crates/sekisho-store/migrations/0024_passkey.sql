-- Passkeys (Web Authentication): public keys of a login. `stopped_at`: its counter went back, as of a key that was copied.
CREATE TABLE passkey (id TEXT PRIMARY KEY NOT NULL, login TEXT NOT NULL REFERENCES account (login), handle TEXT NOT NULL, name TEXT NOT NULL, public_key TEXT NOT NULL, counter BIGINT NOT NULL, created_at TEXT NOT NULL, used_at TEXT, stopped_at TEXT);
CREATE INDEX passkey_login ON passkey (login);

-- Since when the second factor is there by which a session was opened; empty: by none of this body's own.
ALTER TABLE session ADD COLUMN factor_since TEXT NOT NULL DEFAULT '';
