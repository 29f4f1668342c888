-- Packs that wait for a second person. What they change and what the publication check found are kept as they were shown; their files
-- stand in pack_version from the proposal on.
CREATE TABLE pack_proposal (
    id TEXT PRIMARY KEY NOT NULL,
    hash TEXT NOT NULL,
    base TEXT NOT NULL,
    shown TEXT NOT NULL,
    summary TEXT NOT NULL,
    state TEXT NOT NULL,
    named TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at TEXT NOT NULL,
    decided_by TEXT,
    decided_at TEXT,
    says TEXT NOT NULL
);
CREATE INDEX pack_proposal_at ON pack_proposal (proposed_at, id);
