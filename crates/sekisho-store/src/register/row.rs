//! Reading and writing single rows.

use std::collections::BTreeMap;

use sekisho_base::Instant;
use sekisho_base::table::{ColumnSpec, Storage, TableSpec, Value};
use sekisho_boxed::boxed;

use crate::conn::{Arg, Row, marks};
use crate::index::{self, Source};
use crate::{Conn, StoreError, Viewer, args, search};

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

pub(super) fn select(spec: &TableSpec) -> String {
    let mut out = String::from("r.id, r.version, r.updated_at");
    for col in spec.columns.iter().filter(|col| !col.many) {
        out.push_str(", r.c_");
        out.push_str(&col.id);
    }
    out
}

pub(super) fn read_row(spec: &TableSpec, r: &Row) -> Result<RegisterRow, StoreError> {
    let mut values = BTreeMap::new();
    for (i, col) in spec.columns.iter().filter(|col| !col.many).enumerate() {
        let value = r.value(i + 3, col.storage)?;
        if value != Value::Null {
            values.insert(col.id.clone(), value);
        }
    }
    Ok(RegisterRow { id: r.text(0)?, version: r.int(1)?, updated_at: r.instant(2)?, values })
}

/// Columns with many values that the register shows now; hidden ones keep theirs.
fn many(spec: &TableSpec) -> impl Iterator<Item = &ColumnSpec> {
    spec.columns.iter().filter(|col| col.many)
}

/// Rows whose values are fetched by name; more than this are read in one sweep of the table.
const BY_NAME: usize = 200;

/// Fills in the columns with many values, in one query for all rows.
pub(super) async fn add_many(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    rows: &mut [RegisterRow],
) -> Result<(), StoreError> {
    if rows.is_empty() || many(spec).next().is_none() {
        return Ok(());
    }
    let mut a = Vec::new();
    let columns = marks(many(spec).map(|col| &col.id), &mut a);
    let mut sql = format!("SELECT row_id, col, value FROM m_{} WHERE col IN ({columns})", spec.id);
    if rows.len() <= BY_NAME {
        sql.push_str(&format!(" AND row_id IN ({})", marks(rows.iter().map(|row| &row.id), &mut a)));
    }
    sql.push_str(" ORDER BY row_id, col, pos");
    let mut by_row: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for r in c.all(&sql, a).await? {
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
#[boxed]
pub async fn get(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    viewer: &Viewer,
    id: &str,
) -> Result<Option<RegisterRow>, StoreError> {
    by(c, spec, viewer, "r.id", id).await
}

/// A row by its key (管理番号), for a viewer.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_key(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    viewer: &Viewer,
    key: &str,
) -> Result<Option<RegisterRow>, StoreError> {
    by(c, spec, viewer, &format!("r.c_{}", spec.key), key).await
}

/// Rows of several registers with one key, as a viewer may see them, with the place of their register in `specs`: one query, and one for
/// each row found.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_key_among(
    c: &mut Conn<'_>,
    specs: &[TableSpec],
    viewer: &Viewer,
    key: &str,
) -> Result<Vec<(usize, RegisterRow)>, StoreError> {
    let mut a = args![key];
    let mut parts = Vec::new();
    for (at, spec) in specs.iter().enumerate() {
        let seen = viewer.unit_predicate(&format!("r.c_{}", spec.owner), &mut a);
        parts.push(format!(
            "SELECT CAST({at} AS BIGINT) FROM r_{} r WHERE r.c_{} = $1 AND {seen}",
            spec.id, spec.key
        ));
    }
    let mut found = Vec::new();
    if parts.is_empty() {
        return Ok(found);
    }
    for row in c.all(&parts.join(" UNION ALL "), a).await? {
        let at = usize::try_from(row.int(0)?).unwrap_or(usize::MAX);
        if let Some(spec) = specs.get(at) {
            found.extend(by_key(c, spec, viewer, key).await?.map(|row| (at, row)));
        }
    }
    Ok(found)
}

async fn by(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    viewer: &Viewer,
    column: &str,
    value: &str,
) -> Result<Option<RegisterRow>, StoreError> {
    let mut a = args![value];
    let seen = viewer.unit_predicate(&format!("r.c_{}", spec.owner), &mut a);
    let sql = format!("SELECT {} FROM r_{} r WHERE {column} = $1 AND {seen}", select(spec), spec.id);
    let Some(row) = c.one(&sql, a).await? else { return Ok(None) };
    let mut rows = [read_row(spec, &row)?];
    add_many(c, spec, &mut rows).await?;
    Ok(rows.into_iter().next())
}

/// Writes a row: adds it when `row.version` is 1, else replaces the version before.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else changed it, [`StoreError::Taken`] when the key is in use.
#[boxed]
pub async fn put(c: &mut Conn<'_>, spec: &TableSpec, row: &RegisterRow) -> Result<(), StoreError> {
    let source = Source::of_register(spec);
    let no = index::next_no(c, &source).await?;
    let before = if row.version == 1 { None } else { index::number_of(c, &source, &row.id).await? };
    let written = put_values(c, spec, row, no).await;
    if let (Ok(()), Some(before)) = (&written, before) {
        index::left(c, &source, before, no).await?;
    }
    // Also when the row was refused: its number may have filled a block of others.
    let indexed = index::filled(c, &source, no).await;
    written.and(indexed)
}

/// Takes a row away that stands at a version: nobody but the undoing of its own addition does so. Its changes stay.
///
/// # Errors
/// [`StoreError::Conflict`] when it stands at another version or is gone.
#[boxed]
pub async fn remove(c: &mut Conn<'_>, spec: &TableSpec, row: &RegisterRow) -> Result<(), StoreError> {
    let source = Source::of_register(spec);
    let no = index::next_no(c, &source).await?;
    let before = index::number_of(c, &source, &row.id).await?;
    let sql = format!("DELETE FROM r_{} WHERE id = $1 AND version = $2", spec.id);
    if c.exec(&sql, args![&row.id, row.version]).await? != 1 {
        return Err(StoreError::Conflict(format!("{} {}", spec.id, row.text(&spec.key))));
    }
    if many(spec).next().is_some() {
        c.exec(&format!("DELETE FROM m_{} WHERE row_id = $1", spec.id), args![&row.id]).await?;
    }
    if let Some(before) = before {
        index::left(c, &source, before, no).await?;
    }
    index::filled(c, &source, no).await
}

/// The text by which a row is found: every text cell.
fn search_text(spec: &TableSpec, values: &BTreeMap<String, Value>) -> String {
    let mut out = String::new();
    for col in spec.columns.iter().filter(|col| !col.unsearched) {
        match values.get(&col.id) {
            Some(Value::Text(t)) => search::push(&mut out, t),
            Some(Value::List(list)) => list.iter().for_each(|t| search::push(&mut out, t)),
            _ => {}
        }
    }
    out
}

async fn put_values(
    c: &mut Conn<'_>,
    spec: &TableSpec,
    row: &RegisterRow,
    no: i64,
) -> Result<(), StoreError> {
    let taken = || StoreError::Taken(row.text(&spec.key).to_owned());
    let mut a = args![&row.id, row.version, row.updated_at, search_text(spec, &row.values), no];
    let mut names: Vec<String> = ["id", "version", "updated_at", "search", "no"].map(str::to_owned).into();
    for col in spec.columns.iter().filter(|col| !col.many) {
        names.push(format!("c_{}", col.id));
        a.push(cell(col, row.values.get(&col.id)));
    }
    if row.version == 1 {
        let marks: Vec<String> = (1..=a.len()).map(|i| format!("${i}")).collect();
        // Not left to a failing statement: on PostgreSQL that would end the whole transaction.
        let sql = format!(
            "INSERT INTO r_{} ({}) VALUES ({}) ON CONFLICT DO NOTHING",
            spec.id,
            names.join(", "),
            marks.join(", ")
        );
        if c.exec(&sql, a).await? != 1 {
            return Err(taken());
        }
    } else {
        let sets: Vec<String> =
            names.iter().enumerate().skip(1).map(|(i, name)| format!("{name} = ${}", i + 1)).collect();
        let n = c
            .exec(
                &format!("UPDATE r_{} SET {} WHERE id = $1 AND version = $2 - 1", spec.id, sets.join(", ")),
                a,
            )
            .await;
        match n {
            Ok(1) => {}
            Ok(_) => return Err(StoreError::Conflict(format!("{} {}", spec.id, row.text(&spec.key)))),
            Err(e) if e.is_unique_violation() => return Err(taken()),
            Err(e) => return Err(e),
        }
    }
    put_many(c, spec, row).await
}

fn cell(col: &ColumnSpec, value: Option<&Value>) -> Arg {
    match (col.storage, value) {
        (Storage::Text, Some(Value::Text(t))) => Arg::from(t),
        (Storage::Text, _) => Arg::from(""),
        (Storage::Int, Some(Value::Int(n))) => Arg::from(*n),
        (Storage::Int, _) => Arg::Int(None),
        (Storage::Bool, Some(Value::Bool(b))) => Arg::from(*b),
        (Storage::Bool, _) => Arg::Bool(None),
    }
}

async fn put_many(c: &mut Conn<'_>, spec: &TableSpec, row: &RegisterRow) -> Result<(), StoreError> {
    if many(spec).next().is_none() {
        return Ok(());
    }
    if row.version > 1 {
        let mut a = args![&row.id];
        let columns = marks(many(spec).map(|col| &col.id), &mut a);
        c.exec(&format!("DELETE FROM m_{} WHERE row_id = $1 AND col IN ({columns})", spec.id), a).await?;
    }
    let sql = format!("INSERT INTO m_{} (row_id, col, pos, value) VALUES ($1, $2, $3, $4)", spec.id);
    for col in many(spec) {
        if let Some(Value::List(list)) = row.values.get(&col.id) {
            for (pos, value) in (0i64..).zip(list) {
                c.exec(&sql, args![&row.id, &col.id, pos, value]).await?;
            }
        }
    }
    Ok(())
}
