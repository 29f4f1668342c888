-- Who looked at records above a sensitivity: one row a person, record, day and way, with how often. `subject` is `register/row` or `case/id`.
CREATE TABLE look (subject TEXT NOT NULL, person TEXT NOT NULL, day TEXT NOT NULL, way TEXT NOT NULL, times BIGINT NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL, PRIMARY KEY (subject, person, day, way));
CREATE INDEX look_day ON look (day, subject, person, way);

-- When a clause turned: the first day of each state, as it was known at the end of that day. A clause stays in its last state until it turns again.
CREATE TABLE clause_turn (clause TEXT NOT NULL, day TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (clause, day));
CREATE INDEX clause_turn_day ON clause_turn (day, clause);
