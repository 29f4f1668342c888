//! Forms that are carried out once, however often and on whichever node they arrive.

use sekisho_base::Instant;

use crate::{Conn, StoreError, args};

/// What came of the form with this key when it was carried out before.
///
/// # Errors
/// The database failed.
pub async fn done(c: &mut Conn<'_>, key: &str) -> Result<Option<String>, StoreError> {
    c.one("SELECT answer FROM form_once WHERE id = $1", args![key]).await?.map(|r| r.text(0)).transpose()
}

/// Keeps what came of a form, and forgets those before a moment.
///
/// # Errors
/// The database failed, or the form was carried out before.
pub async fn put(
    c: &mut Conn<'_>,
    key: &str,
    answer: &str,
    now: Instant,
    older_than: Instant,
) -> Result<(), StoreError> {
    c.exec("DELETE FROM form_once WHERE at < $1", args![older_than]).await?;
    c.exec("INSERT INTO form_once (id, answer, at) VALUES ($1, $2, $3)", args![key, answer, now])
        .await
        .map(|_| ())
}
