//! Registers as tables: `r_<id>` with columns `c_<id>`, and `m_<id>` for columns with many values. The shape comes from the
//! pack's [`TableSpec`]; a column is only ever added, never dropped or changed (a change of type is a new id).

use std::collections::BTreeMap;

use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::table::{Storage, TableSpec, Value, valid_ident};
use sekisho_base::text::fold_key;

use crate::conn::{Arg, Row};
use crate::{Conn, StoreError, Viewer, args, setting};

/// A row of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterRow {
    /// Id.
    pub id: String,
    /// Rises by one with every change.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Cells by column id; a column without value may be missing.
    pub values: BTreeMap<String, Value>,
}

impl RegisterRow {
    /// Text of a cell, or nothing.
    #[must_use]
    pub fn text(&self, column: &str) -> &str {
        self.values.get(column).and_then(Value::as_text).unwrap_or("")
    }
}

/// Makes the table, or adds the columns it lacks.
///
/// # Errors
/// A name is no identifier, a column changed its storage, or the database failed.
pub async fn ensure(c: &mut Conn<'_>, spec: &TableSpec) -> Result<(), StoreError> {
    for name in [&spec.id, &spec.key, &spec.name, &spec.owner].into_iter().chain(spec.columns.iter().map(|col| &col.id)) {
        if !valid_ident(name) {
            return Err(StoreError::Identifier(name.clone()));
        }
    }
    let known_as = format!("table:{}", spec.id);
    let known: Option<TableSpec> = match setting::get(c, &known_as).await? {
        Some(text) => Some(serde_json::from_str(&text).map_err(|e| StoreError::Corrupt("table spec", e.to_string()))?),
        None => None,
    };
    if known.as_ref() == Some(spec) {
        return Ok(());
    }
    let id = &spec.id;
    c.script(&format!(
        "CREATE TABLE IF NOT EXISTS r_{id} (id TEXT PRIMARY KEY NOT NULL, version BIGINT NOT NULL, updated_at TEXT NOT NULL, search TEXT NOT NULL);
         CREATE TABLE IF NOT EXISTS m_{id} (row_id TEXT NOT NULL, col TEXT NOT NULL, pos BIGINT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (row_id, col, pos))"
    ))
    .await?;
    let mut merged = known.clone().unwrap_or_else(|| TableSpec { columns: vec![], ..spec.clone() });
    for col in &spec.columns {
        let was = merged.columns.iter().position(|k| k.id == col.id);
        if let Some(was) = was.and_then(|i| merged.columns.get(i)) {
            if was.storage != col.storage || was.many != col.many {
                return Err(StoreError::Address(format!("register {id}, column {}: its type changed; give the new type a new id", col.id)));
            }
        } else if !col.many {
            let definition = match col.storage {
                Storage::Text => "TEXT NOT NULL DEFAULT ''",
                Storage::Int => "BIGINT",
                Storage::Bool => "BOOLEAN",
            };
            c.script(&format!("ALTER TABLE r_{id} ADD COLUMN c_{} {definition}", col.id)).await?;
        }
        if col.indexed && !col.many && col.storage == Storage::Text {
            // PostgreSQL cuts names at 63 bytes, so the column is named by its hash.
            let short: String = hex(&sha256(col.id.as_bytes())).chars().take(12).collect();
            c.script(&format!("CREATE INDEX IF NOT EXISTS x_{id}_{short} ON r_{id} (c_{}, id)", col.id)).await?;
        }
        if was.is_none() {
            merged.columns.push(col.clone());
        }
    }
    c.script(&format!(
        "CREATE UNIQUE INDEX IF NOT EXISTS u_{id} ON r_{id} (c_{}); CREATE INDEX IF NOT EXISTS o_{id} ON r_{id} (c_{}, c_{}, id)",
        spec.key, spec.owner, spec.key
    ))
    .await?;
    // Hidden columns stay in the table; what is remembered is the union, so that a column that comes back is not added twice.
    let remembered = TableSpec { columns: merged.columns, ..spec.clone() };
    let text = serde_json::to_string(&remembered).map_err(|e| StoreError::Corrupt("table spec", e.to_string()))?;
    setting::set(c, &known_as, &text).await
}

fn select(spec: &TableSpec) -> String {
    let mut out = String::from("r.id, r.version, r.updated_at");
    for col in spec.columns.iter().filter(|col| !col.many) {
        out.push_str(", r.c_");
        out.push_str(&col.id);
    }
    out
}

fn read_row(spec: &TableSpec, r: &Row) -> Result<RegisterRow, StoreError> {
    let mut values = BTreeMap::new();
    for (i, col) in spec.columns.iter().filter(|col| !col.many).enumerate() {
        let value = r.value(i + 3, col.storage)?;
        if value != Value::Null {
            values.insert(col.id.clone(), value);
        }
    }
    Ok(RegisterRow { id: r.text(0)?, version: r.int(1)?, updated_at: r.instant(2)?, values })
}

/// Fills in the columns with many values, in one query for all rows.
async fn add_many(c: &mut Conn<'_>, spec: &TableSpec, rows: &mut [RegisterRow]) -> Result<(), StoreError> {
    if rows.is_empty() || !spec.columns.iter().any(|col| col.many) {
        return Ok(());
    }
    let sql = format!("SELECT row_id, col, value FROM m_{} WHERE row_id = $1 ORDER BY col, pos", spec.id);
    let all = format!("SELECT row_id, col, value FROM m_{} ORDER BY row_id, col, pos", spec.id);
    let found = match &*rows {
        [one] => c.all(&sql, args![&one.id]).await?,
        _ if rows.len() <= 200 => {
            let mut a = Vec::new();
            let marks: Vec<String> = rows
                .iter()
                .map(|row| {
                    a.push(Arg::from(&row.id));
                    format!("${}", a.len())
                })
                .collect();
            c.all(&format!("SELECT row_id, col, value FROM m_{} WHERE row_id IN ({}) ORDER BY row_id, col, pos", spec.id, marks.join(", ")), a).await?
        }
        _ => c.all(&all, vec![]).await?,
    };
    let mut by_row: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for r in found {
        by_row.entry(r.text(0)?).or_default().entry(r.text(1)?).or_default().push(r.text(2)?);
    }
    for row in rows {
        for (column, list) in by_row.remove(&row.id).unwrap_or_default() {
            row.values.insert(column, Value::List(list));
        }
    }
    Ok(())
}

/// A row by id, for a viewer.
///
/// # Errors
/// The database failed.
pub async fn get(c: &mut Conn<'_>, spec: &TableSpec, viewer: &Viewer, id: &str) -> Result<Option<RegisterRow>, StoreError> {
    by(c, spec, viewer, "r.id", id).await
}

/// A row by its key (管理番号), for a viewer.
///
/// # Errors
/// The database failed.
pub async fn by_key(c: &mut Conn<'_>, spec: &TableSpec, viewer: &Viewer, key: &str) -> Result<Option<RegisterRow>, StoreError> {
    by(c, spec, viewer, &format!("r.c_{}", spec.key), key).await
}

async fn by(c: &mut Conn<'_>, spec: &TableSpec, viewer: &Viewer, column: &str, value: &str) -> Result<Option<RegisterRow>, StoreError> {
    let mut a = args![value];
    let seen = viewer.unit_predicate(&format!("r.c_{}", spec.owner), &mut a);
    let sql = format!("SELECT {} FROM r_{} r WHERE {column} = $1 AND {seen}", select(spec), spec.id);
    let Some(row) = c.one(&sql, a).await? else { return Ok(None) };
    let mut rows = [read_row(spec, &row)?];
    add_many(c, spec, &mut rows).await?;
    Ok(rows.into_iter().next())
}

/// The text by which a row is found: key, name, and every text cell, folded.
fn search_text(spec: &TableSpec, values: &BTreeMap<String, Value>) -> String {
    let texts: Vec<&str> = spec.columns.iter().filter_map(|col| values.get(&col.id).and_then(Value::as_text)).collect();
    fold_key(&texts.join("\u{1f}"))
}

/// Writes a row: adds it when `row.version` is 1, else replaces the version before.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else changed it, [`StoreError::Taken`] when the key is in use.
pub async fn put(c: &mut Conn<'_>, spec: &TableSpec, row: &RegisterRow) -> Result<(), StoreError> {
    let search = search_text(spec, &row.values);
    let mut a = args![&row.id, row.version, row.updated_at, search];
    let mut names = vec!["id".to_owned(), "version".to_owned(), "updated_at".to_owned(), "search".to_owned()];
    for col in spec.columns.iter().filter(|col| !col.many) {
        names.push(format!("c_{}", col.id));
        let value = row.values.get(&col.id);
        a.push(match (col.storage, value) {
            (Storage::Text, Some(Value::Text(t))) => Arg::from(t),
            (Storage::Text, _) => Arg::from(""),
            (Storage::Int, Some(Value::Int(n))) => Arg::from(*n),
            (Storage::Int, _) => Arg::Int(None),
            (Storage::Bool, Some(Value::Bool(b))) => Arg::from(*b),
            (Storage::Bool, _) => Arg::Bool(None),
        });
    }
    let n = if row.version == 1 {
        let marks: Vec<String> = (1..=a.len()).map(|i| format!("${i}")).collect();
        c.exec(&format!("INSERT INTO r_{} ({}) VALUES ({})", spec.id, names.join(", "), marks.join(", ")), a).await
    } else {
        let sets: Vec<String> = names.iter().enumerate().skip(1).map(|(i, name)| format!("{name} = ${}", i + 1)).collect();
        c.exec(&format!("UPDATE r_{} SET {} WHERE id = $1 AND version = $2 - 1", spec.id, sets.join(", ")), a).await
    };
    match n {
        Ok(1) => {}
        Ok(_) => return Err(StoreError::Conflict(format!("{} {}", spec.id, row.text(&spec.key)))),
        Err(e) if e.is_unique_violation() => return Err(StoreError::Taken(row.text(&spec.key).to_owned())),
        Err(e) => return Err(e),
    }
    if spec.columns.iter().any(|col| col.many) {
        c.exec(&format!("DELETE FROM m_{} WHERE row_id = $1", spec.id), args![&row.id]).await?;
        for col in spec.columns.iter().filter(|col| col.many) {
            if let Some(Value::List(list)) = row.values.get(&col.id) {
                for (pos, value) in (0i64..).zip(list) {
                    let sql = format!("INSERT INTO m_{} (row_id, col, pos, value) VALUES ($1, $2, $3, $4)", spec.id);
                    c.exec(&sql, args![&row.id, &col.id, pos, value]).await?;
                }
            }
        }
    }
    Ok(())
}

/// What a list is filtered and sorted by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words, each must occur.
    pub words: Vec<String>,
    /// Columns with the text they must equal; unknown columns are ignored.
    pub equals: Vec<(String, String)>,
    /// Column to sort by; default is the key.
    pub sort: Option<String>,
    /// Descending.
    pub descending: bool,
}

fn filter_where(spec: &TableSpec, viewer: &Viewer, f: &Filter, a: &mut Vec<Arg>) -> String {
    let mut terms = vec![viewer.unit_predicate(&format!("r.c_{}", spec.owner), a)];
    for (column, value) in &f.equals {
        if let Some(col) = spec.columns.iter().find(|col| col.id == *column && !col.many && col.storage == Storage::Text) {
            a.push(value.into());
            terms.push(format!("r.c_{} = ${}", col.id, a.len()));
        }
    }
    for word in f.words.iter().map(|w| fold_key(w)).filter(|w| !w.is_empty()) {
        a.push(format!("%{}%", like_escape(&word)).into());
        terms.push(format!("r.search LIKE ${} ESCAPE '!'", a.len()));
    }
    terms.join(" AND ")
}

/// Escapes what LIKE treats specially, with `!`.
pub(crate) fn like_escape(word: &str) -> String {
    word.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// One page of a register and how many rows there are (capped): two queries, three when a column has many values.
///
/// # Errors
/// The database failed.
pub async fn list(c: &mut Conn<'_>, spec: &TableSpec, viewer: &Viewer, f: &Filter, offset: i64, limit: i64) -> Result<(Vec<RegisterRow>, i64), StoreError> {
    let mut a = Vec::new();
    let terms = filter_where(spec, viewer, f, &mut a);
    let cap = sekisho_base::limits::COUNT_CAP + 1;
    let total = c.count(&format!("SELECT COUNT(*) FROM (SELECT 1 FROM r_{} r WHERE {terms} LIMIT {cap}) t", spec.id), a.clone()).await?;
    let sort = f.sort.as_ref().filter(|s| spec.columns.iter().any(|col| col.id == **s && !col.many && col.storage == Storage::Text));
    let direction = if f.descending { "DESC" } else { "ASC" };
    a.push(limit.into());
    a.push(offset.into());
    let sql = format!(
        "SELECT {} FROM r_{} r WHERE {terms} ORDER BY r.c_{} {direction}, r.id {direction} LIMIT ${} OFFSET ${}",
        select(spec),
        spec.id,
        sort.unwrap_or(&spec.key),
        a.len() - 1,
        a.len()
    );
    let mut rows: Vec<RegisterRow> = c.all(&sql, a).await?.iter().map(|r| read_row(spec, r)).collect::<Result<_, _>>()?;
    add_many(c, spec, &mut rows).await?;
    Ok((rows, total))
}

/// How many rows a register has.
///
/// # Errors
/// The database failed.
pub async fn count(c: &mut Conn<'_>, spec: &TableSpec) -> Result<i64, StoreError> {
    c.count(&format!("SELECT COUNT(*) FROM r_{}", spec.id), vec![]).await
}

/// A row that a check is about: id, key, name, owner unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRow {
    /// Id.
    pub id: String,
    /// Key.
    pub key: String,
    /// Name.
    pub name: String,
    /// Owner unit's code.
    pub unit: String,
}

/// Rows for which a predicate over `r.c_…` holds, optionally of one row id only. The predicate comes from the pack's typed
/// expressions, never from a person; its arguments start at `$1`.
///
/// # Errors
/// The database failed.
pub async fn matching(c: &mut Conn<'_>, spec: &TableSpec, predicate: &str, predicate_args: Vec<Arg>, only: Option<&str>) -> Result<Vec<CheckedRow>, StoreError> {
    let mut a = predicate_args;
    let only = match only {
        Some(id) => {
            a.push(id.into());
            format!("AND r.id = ${}", a.len())
        }
        None => String::new(),
    };
    let sql = format!(
        "SELECT r.id, r.c_{}, r.c_{}, r.c_{} FROM r_{} r WHERE ({predicate}) {only} ORDER BY r.c_{}",
        spec.key, spec.name, spec.owner, spec.id, spec.key
    );
    let rows = c.all(&sql, a).await?;
    rows.iter().map(|r| Ok(CheckedRow { id: r.text(0)?, key: r.text(1)?, name: r.text(2)?, unit: r.text(3)? })).collect()
}

/// One change of a row, kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Id.
    pub id: String,
    /// Register.
    pub register: String,
    /// Row.
    pub row_id: String,
    /// Version of the row that this change made.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Person number.
    pub person: String,
    /// `form`, `import <upload>`, `case <id>`.
    pub cause: String,
    /// Values before, JSON.
    pub before: Option<String>,
    /// Values after, JSON.
    pub after: Option<String>,
    /// Ledger entry.
    pub entry: String,
}

/// Keeps a change.
///
/// # Errors
/// The database failed.
pub async fn put_change(c: &mut Conn<'_>, h: &ChangeRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO register_change (id, register, row_id, seq, at, person, cause, before_row, after_row, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![&h.id, &h.register, &h.row_id, h.seq, h.at, &h.person, &h.cause, h.before.clone(), h.after.clone(), &h.entry],
    )
    .await?;
    Ok(())
}

/// A row's changes, latest first.
///
/// # Errors
/// The database failed.
pub async fn changes(c: &mut Conn<'_>, register: &str, row_id: &str) -> Result<Vec<ChangeRow>, StoreError> {
    let sql = "SELECT id, register, row_id, seq, at, person, cause, before_row, after_row, entry FROM register_change
               WHERE register = $1 AND row_id = $2 ORDER BY seq DESC LIMIT 200";
    let rows = c.all(sql, args![register, row_id]).await?;
    rows.iter()
        .map(|r| {
            Ok(ChangeRow {
                id: r.text(0)?,
                register: r.text(1)?,
                row_id: r.text(2)?,
                seq: r.int(3)?,
                at: r.instant(4)?,
                person: r.text(5)?,
                cause: r.text(6)?,
                before: r.opt_text(7)?,
                after: r.opt_text(8)?,
                entry: r.text(9)?,
            })
        })
        .collect()
}
