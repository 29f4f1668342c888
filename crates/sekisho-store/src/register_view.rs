//! Views of a register's list that somebody saved, for themselves or for a section.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Id.
    pub id: String,
    /// Register id.
    pub register: String,
    /// Who saved it.
    pub person: String,
    /// The section for which it is; empty: for its person alone.
    pub unit: String,
    /// Name.
    pub name: String,
    /// Words, filters, order and columns, in a form chosen by the caller.
    pub query: String,
    /// When.
    pub created_at: Instant,
}

/// Views of a register that a person of a section has, by name; `limit` of them.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn list(
    c: &mut Conn<'_>,
    register: &str,
    person: &str,
    unit: &str,
    limit: i64,
) -> Result<Vec<ViewRow>, StoreError> {
    let sql = "SELECT id, register, person, unit, name, query, created_at FROM register_view WHERE register = $1 AND ((unit = '' AND person = $2) OR (unit <> '' AND unit = $3)) ORDER BY name, id LIMIT $4";
    let rows = c.all(sql, args![register, person, unit, limit]).await?;
    rows.iter()
        .map(|r| {
            Ok(ViewRow {
                id: r.text(0)?,
                register: r.text(1)?,
                person: r.text(2)?,
                unit: r.text(3)?,
                name: r.text(4)?,
                query: r.text(5)?,
                created_at: r.instant(6)?,
            })
        })
        .collect()
}

/// Saves a view.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put(c: &mut Conn<'_>, v: &ViewRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO register_view (id, register, person, unit, name, query, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    c.exec(sql, args![&v.id, &v.register, &v.person, &v.unit, &v.name, &v.query, v.created_at]).await?;
    Ok(())
}

/// Forgets a view.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn forget(c: &mut Conn<'_>, id: &str) -> Result<(), StoreError> {
    c.exec("DELETE FROM register_view WHERE id = $1", args![id]).await?;
    Ok(())
}
