-- Files of applications that somebody loaded, so that what came of each can be seen and taken back where nothing came after it. `lines` is JSON: row, what was made or
-- changed, and of a changed draft what stood there before. `submitted`: the applications were sent, else kept as drafts. `kept` is JSON: what an undoing left as it was, and why.
CREATE TABLE case_import (id TEXT PRIMARY KEY NOT NULL, procedure TEXT NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL, file TEXT NOT NULL, submitted BOOLEAN NOT NULL, lines TEXT NOT NULL, undone_at TEXT, kept TEXT NOT NULL);
CREATE INDEX case_import_of ON case_import (person, procedure, at, id);
