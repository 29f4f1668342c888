-- How a session began (`via`: password, provider, card), so that the proof before privileged work can be given in the same way.
ALTER TABLE session ADD COLUMN via TEXT NOT NULL DEFAULT 'password';

-- Whom a subject of an identity provider (OpenID Connect) is: kept at the first sign-in, so that a name that is given to somebody else there
-- opens nothing here.
CREATE TABLE outside_link (issuer TEXT NOT NULL, subject TEXT NOT NULL, login TEXT NOT NULL REFERENCES account (login), linked_at TEXT NOT NULL, PRIMARY KEY (issuer, subject));
CREATE UNIQUE INDEX outside_link_login ON outside_link (issuer, login);

-- Answers of a provider that were taken, until they are too old to be taken anyway.
CREATE TABLE outside_answer (state TEXT PRIMARY KEY NOT NULL, until TEXT NOT NULL);
CREATE INDEX outside_answer_until ON outside_answer (until);
