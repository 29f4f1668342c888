-- Files of the standard that somebody is working on: one's own, beside the version they began from. An empty body takes the file out.
CREATE TABLE pack_draft (person TEXT NOT NULL, path TEXT NOT NULL, base TEXT NOT NULL, body TEXT NOT NULL, version BIGINT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (person, path));

-- Views of a register's list: words, filters, order and columns under a name; of one person (`unit` empty), or for a section.
CREATE TABLE register_view (id TEXT PRIMARY KEY NOT NULL, register TEXT NOT NULL, person TEXT NOT NULL, unit TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX register_view_register ON register_view (register, person, unit);
