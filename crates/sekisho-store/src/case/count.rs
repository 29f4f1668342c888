//! How many cases there are, and what the program itself reads of those under way.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::{Arg, capped_counts, marks};
use crate::{Conn, StoreError, args};

/// How many cases there ever were.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn count_all(c: &mut Conn<'_>) -> Result<i64, StoreError> {
    c.count("SELECT COUNT(*) FROM case_file", vec![]).await
}

/// How many cases a procedure ever had.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn count_of(c: &mut Conn<'_>, procedure: &str) -> Result<i64, StoreError> {
    c.count("SELECT COUNT(*) FROM case_file WHERE procedure = $1", args![procedure]).await
}

/// The same for several procedures, each capped as lists cap it: one query.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn counts_of(c: &mut Conn<'_>, procedures: &[String]) -> Result<Vec<i64>, StoreError> {
    let of = |at: usize| ("case_file".to_owned(), format!("procedure = ${at}"));
    let tables = (1..=procedures.len()).map(of);
    capped_counts(c, tables, procedures.iter().map(Arg::from).collect()).await
}

/// States of the cases of some procedures that were not closed at a moment, the newest first; of the whole body, for the program itself.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn states_at(
    c: &mut Conn<'_>,
    procedures: &[String],
    at: Instant,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    if procedures.is_empty() {
        return Ok(vec![]);
    }
    let mut a = args![at, limit];
    let sql = format!(
        "SELECT state FROM case_file WHERE procedure IN ({}) AND (closed_at IS NULL OR closed_at > $1)
         ORDER BY opened_at DESC, id DESC LIMIT $2",
        marks(procedures, &mut a)
    );
    c.all(&sql, a).await?.iter().map(|r| r.text(0)).collect()
}
