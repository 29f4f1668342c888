-- Files of cases, kept apart for each case. The bytes are hexadecimal in pieces, so that one SQL text serves both databases. A file waits with an
-- empty case until its application is sent.
CREATE TABLE attachment (id TEXT PRIMARY KEY NOT NULL, case_id TEXT NOT NULL, pos BIGINT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, size BIGINT NOT NULL, at TEXT NOT NULL);
CREATE INDEX attachment_case ON attachment (case_id, pos);
CREATE TABLE attachment_piece (attachment TEXT NOT NULL, pos BIGINT NOT NULL, bytes TEXT NOT NULL, PRIMARY KEY (attachment, pos));

-- Cases that a check opened, one for each violation.
CREATE TABLE case_cause (cause TEXT NOT NULL, violation TEXT NOT NULL, case_id TEXT NOT NULL, PRIMARY KEY (cause, violation));
