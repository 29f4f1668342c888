-- Requests of programs that are carried out once: claimed under a key by the first transaction of the act, then what was answered. `request` is a hash of
-- what was asked, `mark` that of the one sending which holds the claim; `status` is 0 until there is an answer.
CREATE TABLE request_once (id TEXT PRIMARY KEY NOT NULL, request TEXT NOT NULL, mark TEXT NOT NULL, at TEXT NOT NULL, status BIGINT NOT NULL, answer TEXT NOT NULL);
CREATE INDEX request_once_at ON request_once (at);
