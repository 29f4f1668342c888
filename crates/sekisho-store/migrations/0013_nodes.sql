-- Nodes that serve this body from one PostgreSQL database; each says every few seconds that it is there. `ahead`: milliseconds by which its clock is ahead of the database's.
CREATE TABLE node (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, pack TEXT NOT NULL, signs BOOLEAN NOT NULL, mails BOOLEAN NOT NULL, ahead BIGINT NOT NULL, started_at TEXT NOT NULL, seen_at TEXT NOT NULL);

-- Forms that were carried out: one that comes a second time, perhaps at another node, gets the first answer.
CREATE TABLE form_once (id TEXT PRIMARY KEY NOT NULL, answer TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX form_once_at ON form_once (at);
