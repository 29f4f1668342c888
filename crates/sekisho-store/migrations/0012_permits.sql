-- Permits that ended before their last day, for those who check them without the server: revoked, returned or closed.
CREATE TABLE permit_end (case_id TEXT PRIMARY KEY NOT NULL, number TEXT NOT NULL, until TEXT NOT NULL, how TEXT NOT NULL);
CREATE INDEX permit_end_until ON permit_end (until, case_id);
