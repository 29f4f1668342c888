//! Rows against entries, both ways: what has no counterpart, what skips a number. One statement looks at both sides, so that
//! acts of the same moment are never taken for defects.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use super::{COLUMNS, EntryRow, entry};
use crate::conn::Row;
use crate::{Conn, StoreError, args};

/// A column in which rows name the entry that was written with them.
struct Anchor {
    table: &'static str,
    column: &'static str,
    /// How a row is called, a part of the statement.
    row: &'static str,
    /// Whether the column is empty until something happens.
    may_be_empty: bool,
}

const fn anchor(table: &'static str, column: &'static str, row: &'static str, may_be_empty: bool) -> Anchor {
    Anchor { table, column, row, may_be_empty }
}

/// Every such column there is. A migration that adds one adds its line here.
const ANCHORED: [Anchor; 15] = [
    anchor("case_act", "entry", "t.case_id || ' ' || CAST(t.seq AS TEXT)", false),
    anchor("register_change", "entry", "t.register || ' ' || t.row_id || ' ' || CAST(t.seq AS TEXT)", false),
    anchor("duty_occurrence", "open_entry", "t.id", false),
    anchor("duty_occurrence", "entry", "t.id", true),
    anchor("document_version", "entry", "t.document || ' ' || CAST(t.seq AS TEXT)", false),
    anchor("assessment_answer", "entry", "t.notice || ' ' || t.person", false),
    anchor("notification", "entry", "t.id", false),
    anchor("register_import", "entry", "t.id", false),
    anchor("register_import", "undo_entry", "t.id", true),
    anchor("account_import", "entry", "t.id", false),
    anchor("account_import", "undo_entry", "t.id", true),
    anchor("calendar_feed", "entry", "t.person", false),
    anchor("stocktaking", "open_entry", "t.id", false),
    anchor("stocktaking", "entry", "t.id", true),
    anchor("stocktaking_seen", "entry", "t.stocktaking || ' ' || t.row_id", false),
];

/// Kinds of entries that never stand alone: prefix of the kind, table that must name them.
const ACCOMPANIED: [(&str, &str); 2] = [("case.", "case_act"), ("register.change", "register_change")];

/// A row whose entry is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Table.
    pub table: &'static str,
    /// Which row.
    pub row: String,
    /// The entry it names.
    pub entry: String,
}

/// Rows that name an entry that does not exist, `limit` of each table.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn rows_without_entry(c: &mut Conn<'_>, limit: i64) -> Result<Vec<Orphan>, StoreError> {
    let mut found = Vec::new();
    for a in ANCHORED {
        let unless_empty = if a.may_be_empty { format!("AND t.{} <> ''", a.column) } else { String::new() };
        let sql = format!(
            "SELECT {row} AS row_key, t.{column} FROM {table} t LEFT JOIN ledger_entry e ON e.id = t.{column} WHERE e.id IS NULL {unless_empty} ORDER BY row_key LIMIT $1",
            row = a.row,
            column = a.column,
            table = a.table,
        );
        for r in c.all(&sql, args![limit]).await? {
            found.push(Orphan { table: a.table, row: r.text(0)?, entry: r.text(1)? });
        }
    }
    Ok(found)
}

/// Entries that no row names although their kind never stands alone, `limit` of each kind.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn entries_without_row(c: &mut Conn<'_>, limit: i64) -> Result<Vec<EntryRow>, StoreError> {
    let mut found = Vec::new();
    for (prefix, table) in ACCOMPANIED {
        let columns: Vec<String> = COLUMNS.split(", ").map(|n| format!("e.{n}")).collect();
        let sql = format!(
            "SELECT {} FROM ledger_entry e LEFT JOIN {table} t ON t.entry = e.id WHERE e.kind LIKE $1 AND t.entry IS NULL ORDER BY e.stream, e.seq LIMIT $2",
            columns.join(", ")
        );
        for r in c.all(&sql, args![format!("{prefix}%"), limit]).await? {
            found.push(entry(&r)?);
        }
    }
    Ok(found)
}

/// A stream whose numbers are not 1, 2, 3 … up to the last one given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Stream.
    pub stream: String,
    /// First number that has no entry.
    pub missing: i64,
    /// Last number that was given out.
    pub given: i64,
}

/// Streams with numbers missing in the middle, and streams that lost their newest entries: the counter went further.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn gaps(c: &mut Conn<'_>, limit: i64) -> Result<Vec<Gap>, StoreError> {
    let sql = "SELECT c.name, c.value, COALESCE(m.held, 0), COALESCE(m.top, 0) FROM counter c
               LEFT JOIN (SELECT 'stream:' || stream AS name, COUNT(*) AS held, MAX(seq) AS top FROM ledger_entry GROUP BY stream) m
               ON m.name = c.name WHERE c.name LIKE 'stream:%' AND (COALESCE(m.held, 0) <> c.value OR COALESCE(m.top, 0) <> c.value)
               ORDER BY c.name LIMIT $1";
    let mut found = Vec::new();
    for r in c.all(sql, args![limit]).await? {
        let stream = r.text(0)?.trim_start_matches("stream:").to_owned();
        let missing = first_missing(c, &stream).await?;
        found.push(Gap { stream, missing, given: r.int(1)?.max(r.int(3)?) });
    }
    let uncounted = "SELECT m.stream, m.top FROM (SELECT stream, 'stream:' || stream AS name, MAX(seq) AS top FROM ledger_entry GROUP BY stream) m
                     LEFT JOIN counter c ON c.name = m.name WHERE c.name IS NULL ORDER BY m.stream LIMIT $1";
    for r in c.all(uncounted, args![limit]).await? {
        let (stream, given) = (r.text(0)?, r.int(1)?);
        let missing = first_missing(c, &stream).await?;
        if missing <= given {
            found.push(Gap { stream, missing, given });
        }
    }
    Ok(found)
}

async fn first_missing(c: &mut Conn<'_>, stream: &str) -> Result<i64, StoreError> {
    c.count(
        "SELECT COALESCE(MIN(n.seq), 0) + 1 FROM (SELECT 0 AS seq UNION ALL SELECT seq FROM ledger_entry WHERE stream = $1) n
         WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.stream = $1 AND e.seq = n.seq + 1)",
        args![stream],
    )
    .await
}

/// An act of a case beside its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActPair {
    /// Case.
    pub case_id: String,
    /// Number of the act in the case.
    pub seq: i64,
    /// Kind of the act.
    pub kind: String,
    /// Who acted.
    pub person: String,
    /// When.
    pub at: Instant,
    /// Content of the act.
    pub body: String,
    /// The entry it names.
    pub entry: EntryRow,
}

/// Acts with their entries in the order of case and number, after a given one.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn acts(c: &mut Conn<'_>, after: (&str, i64), limit: i64) -> Result<Vec<ActPair>, StoreError> {
    let columns: Vec<String> = COLUMNS.split(", ").map(|n| format!("e.{n}")).collect();
    let sql = format!(
        "SELECT {}, a.case_id, a.seq, a.kind, a.person, a.at, a.body FROM case_act a JOIN ledger_entry e ON e.id = a.entry
         WHERE a.case_id > $1 OR (a.case_id = $1 AND a.seq > $2) ORDER BY a.case_id, a.seq LIMIT $3",
        columns.join(", ")
    );
    let pair = |r: &Row| {
        Ok(ActPair {
            entry: entry(r)?,
            case_id: r.text(9)?,
            seq: r.int(10)?,
            kind: r.text(11)?,
            person: r.text(12)?,
            at: r.instant(13)?,
            body: r.text(14)?,
        })
    };
    c.all(&sql, args![after.0, after.1, limit]).await?.iter().map(pair).collect()
}

/// A change of a register row beside its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePair {
    /// Id of the change.
    pub id: String,
    /// Register.
    pub register: String,
    /// Row.
    pub row_id: String,
    /// Values after the change.
    pub after: Option<String>,
    /// The entry it names.
    pub entry: EntryRow,
}

/// Changes made through the form with their entries, in the order of their ids, after a given one.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn changes(c: &mut Conn<'_>, after: &str, limit: i64) -> Result<Vec<ChangePair>, StoreError> {
    let columns: Vec<String> = COLUMNS.split(", ").map(|n| format!("e.{n}")).collect();
    let sql = format!(
        "SELECT {}, h.id, h.register, h.row_id, h.after_row FROM register_change h JOIN ledger_entry e ON e.id = h.entry
         WHERE h.id > $1 AND e.kind = 'register.change' ORDER BY h.id LIMIT $2",
        columns.join(", ")
    );
    let pair = |r: &Row| {
        Ok(ChangePair {
            entry: entry(r)?,
            id: r.text(9)?,
            register: r.text(10)?,
            row_id: r.text(11)?,
            after: r.opt_text(12)?,
        })
    };
    c.all(&sql, args![after, limit]).await?.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::ANCHORED;

    /// Whoever adds a table whose rows name their entry learns here that it must be compared. `cause_entry` of a violation is a
    /// hint to the reader, made by no act of its own.
    #[test]
    fn every_column_of_the_schema_that_names_an_entry_is_compared() {
        let folder = std::path::Path::new("migrations");
        let mut named = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for table in sql.split("CREATE TABLE ").skip(1) {
                let (name, rest) = table.split_once(" (").unwrap();
                let columns = rest.split(';').next().unwrap().split(", ");
                let columns = columns.filter_map(|c| c.split(' ').next());
                named.extend(
                    columns
                        .filter(|c| *c == "entry" || c.ends_with("_entry") && *c != "cause_entry")
                        .map(|c| (name.to_owned(), c.to_owned())),
                );
            }
        }
        let mut listed: Vec<_> = ANCHORED.iter().map(|a| (a.table.to_owned(), a.column.to_owned())).collect();
        named.sort();
        listed.sort();
        assert_eq!(named, listed);
    }
}
