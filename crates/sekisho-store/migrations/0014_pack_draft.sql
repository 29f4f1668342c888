-- Files of the standard that somebody is working on: one's own, beside the version they began from. An empty body takes the file out.
CREATE TABLE pack_draft (person TEXT NOT NULL, path TEXT NOT NULL, base TEXT NOT NULL, body TEXT NOT NULL, version BIGINT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (person, path));
