-- Absences (不在): who recorded them and when, what kind; a cancelled one stays. `reason` holds the note. What an earlier program recorded
-- has no author and is of the kind "other".
ALTER TABLE absence ADD COLUMN kind TEXT NOT NULL DEFAULT 'other';
ALTER TABLE absence ADD COLUMN by_person TEXT NOT NULL DEFAULT '';
ALTER TABLE absence ADD COLUMN recorded_at TEXT NOT NULL DEFAULT '';
ALTER TABLE absence ADD COLUMN cancelled_by TEXT;
ALTER TABLE absence ADD COLUMN cancelled_at TEXT;
CREATE INDEX absence_person ON absence (person, valid_until);
CREATE INDEX absence_until ON absence (valid_until);

-- Delegations (職務代理). `state`: proposed, approved, refused, ended. `role` is empty for every role of the post.
CREATE TABLE delegation (id TEXT PRIMARY KEY NOT NULL, post TEXT NOT NULL REFERENCES post (code), person TEXT NOT NULL REFERENCES person (number), role TEXT NOT NULL, valid_from TEXT NOT NULL, valid_until TEXT NOT NULL, note TEXT NOT NULL, state TEXT NOT NULL, proposed_by TEXT NOT NULL, proposed_at TEXT NOT NULL, decided_by TEXT, decided_at TEXT, says TEXT NOT NULL, ended_by TEXT, ended_at TEXT);
CREATE INDEX delegation_until ON delegation (valid_until, id);

-- Imports of the organization that wait for a second person. `state`: waiting, applied, refused. `proposed_by` is empty while one from the
-- terminal has not been taken over by somebody who may import. `summary` is JSON: what would change, and who gains by it.
CREATE TABLE org_proposal (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, bytes TEXT NOT NULL, shown TEXT NOT NULL, summary TEXT NOT NULL, state TEXT NOT NULL, proposed_by TEXT NOT NULL, proposed_at TEXT NOT NULL, decided_by TEXT, decided_at TEXT, says TEXT NOT NULL);
CREATE INDEX org_proposal_state ON org_proposal (state, proposed_at, id);
