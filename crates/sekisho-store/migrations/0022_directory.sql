-- Where the password of an account is checked: `own` here, `directory` by a bind at the body's directory (LDAP). Then `password` is empty.
ALTER TABLE account ADD COLUMN checked TEXT NOT NULL DEFAULT 'own';

-- Imports of accounts, so that each can be undone where nothing came after it. `lines` is JSON: login, person, what was done, its ledger entry.
CREATE TABLE account_import (id TEXT PRIMARY KEY NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL, file TEXT NOT NULL, lines TEXT NOT NULL, entry TEXT NOT NULL, undone_at TEXT, undone_by TEXT NOT NULL, kept BIGINT NOT NULL, undo_entry TEXT NOT NULL);
CREATE INDEX account_import_at ON account_import (at, id);
