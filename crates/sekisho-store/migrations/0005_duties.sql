-- Duties: the first day on which the daily job knew one, and every occurrence from the day it arose. `valid_until` tells until when a
-- record counts; `next_change_on` is the day on which the daily job looks at it again.
CREATE TABLE duty_since (duty TEXT PRIMARY KEY NOT NULL, since TEXT NOT NULL);
CREATE TABLE duty_occurrence (id TEXT PRIMARY KEY NOT NULL, duty TEXT NOT NULL, pack TEXT NOT NULL, unit TEXT NOT NULL, subject TEXT NOT NULL, period TEXT NOT NULL, opens_on TEXT NOT NULL, due_on TEXT NOT NULL, created_at TEXT NOT NULL, open_entry TEXT NOT NULL, reminded BIGINT NOT NULL, escalated BIGINT NOT NULL, next_change_on TEXT NOT NULL, closed_at TEXT, outcome TEXT NOT NULL, done_by TEXT NOT NULL, done_role TEXT NOT NULL, capacity TEXT NOT NULL, evidence TEXT NOT NULL, valid_until TEXT NOT NULL, entry TEXT NOT NULL);
CREATE UNIQUE INDEX duty_occurrence_key ON duty_occurrence (duty, unit, subject, period);
CREATE INDEX duty_occurrence_open ON duty_occurrence (closed_at, duty, unit);
CREATE INDEX duty_occurrence_valid ON duty_occurrence (valid_until, duty);
CREATE INDEX duty_occurrence_change ON duty_occurrence (next_change_on);

-- Documents that must exist: what was decided, reviewed or withdrawn, in order; the last row is the present one.
CREATE TABLE document_version (id TEXT PRIMARY KEY NOT NULL, document TEXT NOT NULL, seq BIGINT NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL, decided_on TEXT NOT NULL, decided_by TEXT NOT NULL, in_force_on TEXT NOT NULL, place TEXT NOT NULL, file_name TEXT NOT NULL, sha256 TEXT NOT NULL, next_review TEXT NOT NULL, note TEXT NOT NULL, recorded_by TEXT NOT NULL, recorded_at TEXT NOT NULL, entry TEXT NOT NULL);
CREATE UNIQUE INDEX document_version_key ON document_version (document, seq);

-- Answers of the yearly self-assessment, one a person and question; pages show them counted per section.
CREATE TABLE assessment_answer (fiscal_year BIGINT NOT NULL, notice TEXT NOT NULL, person TEXT NOT NULL, unit TEXT NOT NULL, answer TEXT NOT NULL, answered_at TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (fiscal_year, notice, person));
CREATE INDEX assessment_answer_unit ON assessment_answer (notice, fiscal_year, unit);

-- Who was told what and when. `mail` is none, waiting, sent or failed.
CREATE TABLE notification (id TEXT PRIMARY KEY NOT NULL, person TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, link TEXT NOT NULL, created_at TEXT NOT NULL, read_at TEXT, mail TEXT NOT NULL, tries BIGINT NOT NULL, try_after TEXT NOT NULL, mailed_at TEXT, mail_error TEXT NOT NULL, entry TEXT NOT NULL);
CREATE INDEX notification_person ON notification (person, created_at, id);
CREATE INDEX notification_mail ON notification (mail, try_after);
