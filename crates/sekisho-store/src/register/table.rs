//! Making a register's tables, and adding columns to them.

use sekisho_base::canonical::{hex, sha256};
use sekisho_base::table::{ColumnSpec, Storage, TableSpec, valid_ident};
use sekisho_boxed::boxed;

use crate::index::{self, Source};
use crate::{Conn, StoreError, setting};

/// Makes the table, or adds the columns it lacks.
///
/// # Errors
/// A name is no identifier, key, name or owner are no plain text columns of the register, the key column or a column's storage
/// changed, or the database failed.
#[boxed]
pub async fn ensure(c: &mut Conn<'_>, spec: &TableSpec) -> Result<(), StoreError> {
    check(spec)?;
    if known(c, spec).await?.as_ref() == Some(spec) {
        return Ok(());
    }
    // Two nodes may start at once: whoever counts first holds the row until commit, and the other one looks again.
    setting::next(c, "tables").await?;
    let known = known(c, spec).await?;
    let id = &spec.id;
    c.script(&format!(
        "CREATE TABLE IF NOT EXISTS r_{id} (id TEXT PRIMARY KEY NOT NULL, no BIGINT NOT NULL, version BIGINT NOT NULL, updated_at TEXT NOT NULL, search TEXT NOT NULL);
         CREATE TABLE IF NOT EXISTS m_{id} (row_id TEXT NOT NULL, col TEXT NOT NULL, pos BIGINT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (row_id, col, pos))"
    ))
    .await?;
    if let Some(was) = known.as_ref().filter(|k| k.key != spec.key) {
        return Err(StoreError::Address(format!(
            "register {id}: its key column changed from {} to {}; give the register a new id",
            was.key, spec.key
        )));
    }
    let was_indexed = known.as_ref().map(Source::of_register);
    let mut columns = known.map_or_else(Vec::new, |k| k.columns);
    for hidden in columns.iter_mut().filter(|k| !spec.columns.iter().any(|col| col.id == k.id)) {
        // Blocks filled from now on do not hold it; when it comes back, it is indexed anew.
        hidden.indexed = false;
    }
    for col in &spec.columns {
        if let Some(was) = columns.iter_mut().find(|k| k.id == col.id) {
            if was.storage != col.storage || was.many != col.many {
                return Err(StoreError::Address(format!(
                    "register {id}, column {}: its type changed; give the new type a new id",
                    col.id
                )));
            }
            was.indexed = col.indexed;
            was.unsearched = col.unsearched;
        } else {
            add_column(c, id, col).await?;
            columns.push(col.clone());
        }
    }
    // Indexes come after all columns. They hold owner, key and id too, so that lists filter, sort and skip without looking at rows.
    c.script(&format!(
        "CREATE INDEX IF NOT EXISTS n_{id} ON r_{id} (no, c_{owner});
         CREATE UNIQUE INDEX IF NOT EXISTS u_{id} ON r_{id} (c_{key});
         CREATE INDEX IF NOT EXISTS k_{id} ON r_{id} (c_{key}, id, c_{owner});
         CREATE INDEX IF NOT EXISTS o_{id} ON r_{id} (c_{owner}, c_{key}, id)",
        key = spec.key,
        owner = spec.owner
    ))
    .await?;
    for col in spec
        .columns
        .iter()
        .filter(|col| col.indexed && is_plain_text(col) && col.id != spec.key && col.id != spec.owner)
    {
        // PostgreSQL cuts names at 63 bytes, so the column is named by its hash.
        let short: String = hex(&sha256(col.id.as_bytes())).chars().take(12).collect();
        c.script(&format!(
            "CREATE INDEX IF NOT EXISTS x_{id}_{short} ON r_{id} (c_{}, c_{}, id, c_{})",
            col.id, spec.key, spec.owner
        ))
        .await?;
    }
    if let Some(was) = was_indexed {
        index::add_columns(c, &was, &Source::of_register(spec)).await?;
    }
    // Hidden columns stay in the table; what is remembered is the union, so that a column that comes back is not added twice.
    let remembered = TableSpec { columns, ..spec.clone() };
    let text =
        serde_json::to_string(&remembered).map_err(|e| StoreError::Corrupt("table spec", e.to_string()))?;
    setting::set(c, &known_as(spec), &text).await
}

fn check(spec: &TableSpec) -> Result<(), StoreError> {
    for name in std::iter::once(&spec.id).chain(spec.columns.iter().map(|col| &col.id)) {
        if !valid_ident(name) {
            return Err(StoreError::Identifier(name.clone()));
        }
    }
    for name in [&spec.key, &spec.name, &spec.owner] {
        if !spec.columns.iter().any(|col| col.id == *name && is_plain_text(col)) {
            return Err(StoreError::Address(format!(
                "register {}: {name:?} must be one of its columns, a text with one value",
                spec.id
            )));
        }
    }
    Ok(())
}

fn is_plain_text(col: &ColumnSpec) -> bool {
    !col.many && col.storage == Storage::Text
}

fn known_as(spec: &TableSpec) -> String {
    format!("table:{}", spec.id)
}

async fn known(c: &mut Conn<'_>, spec: &TableSpec) -> Result<Option<TableSpec>, StoreError> {
    let text = setting::get(c, &known_as(spec)).await?;
    text.map(|t| serde_json::from_str(&t).map_err(|e| StoreError::Corrupt("table spec", e.to_string())))
        .transpose()
}

async fn add_column(c: &mut Conn<'_>, register: &str, col: &ColumnSpec) -> Result<(), StoreError> {
    if col.many {
        return Ok(());
    }
    let definition = match col.storage {
        Storage::Text => "TEXT NOT NULL DEFAULT ''",
        Storage::Int => "BIGINT",
        Storage::Bool => "BOOLEAN",
    };
    c.script(&format!("ALTER TABLE r_{register} ADD COLUMN c_{} {definition}", col.id)).await
}
