-- Lists at 100,000 rows: words and columns by blocks of 1,024 row numbers, see src/index.rs. `src` is the table whose rows are meant.
-- Filled from the rows that are there by the program (src/migrate.rs), for pairs of characters cannot be made in SQL.
CREATE TABLE list_gram (src TEXT NOT NULL, block BIGINT NOT NULL, gram TEXT NOT NULL, places TEXT NOT NULL, PRIMARY KEY (src, block, gram));
CREATE TABLE list_cell (src TEXT NOT NULL, col TEXT NOT NULL, block BIGINT NOT NULL, cells TEXT NOT NULL, PRIMARY KEY (src, col, block));
CREATE TABLE list_live (src TEXT NOT NULL, block BIGINT NOT NULL, places TEXT NOT NULL, PRIMARY KEY (src, block));
DROP TABLE case_gram;

-- What changes without a case getting a new number is no cell; the numbers are taken from these.
CREATE INDEX case_file_status_no ON case_file (status, no);
CREATE INDEX case_file_due_no ON case_file (due, no) WHERE due <> '';
CREATE INDEX case_file_number ON case_file (number);
