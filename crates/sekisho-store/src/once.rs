//! Forms and requests that are carried out once, however often and on whichever node they arrive.
//!
//! A form knows its key in the transaction of its act. A request of a program is claimed by whatever transaction writes first while it is answered
//! ([`under`]): the claim and the act are kept together or not at all.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// What came of the form with this key when it was carried out before.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn done(c: &mut Conn<'_>, key: &str) -> Result<Option<String>, StoreError> {
    c.one("SELECT answer FROM form_once WHERE id = $1", args![key]).await?.map(|r| r.text(0)).transpose()
}

/// Keeps what came of a form, and forgets those before a moment.
///
/// # Errors
/// The database failed, or the form was carried out before.
#[boxed]
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

/// A request's claim on its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The key, with whoever it belongs to.
    pub key: String,
    /// What was asked: a hash.
    pub request: String,
    /// This one sending.
    pub mark: String,
    /// When.
    pub at: Instant,
    /// Claims before this are forgotten.
    pub older_than: Instant,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What was asked: a hash.
    pub request: String,
    /// HTTP status of the answer; 0 while there is none.
    pub status: i64,
    /// The answer's text.
    pub answer: String,
}

tokio::task_local! {
    /// The claim of the request that the running task answers.
    static CLAIM: Claim;
}

/// Answers a request under its claim: the first of its transactions that writes keeps the claim too, and each fails with [`StoreError::Claimed`]
/// when another sending holds it. Holds for the task itself, not for tasks it starts.
pub async fn under<F: Future>(claim: Claim, work: F) -> F::Output {
    CLAIM.scope(claim, work).await
}

/// The claim of the running task.
pub(crate) fn held() -> Option<Claim> {
    CLAIM.try_with(Clone::clone).ok()
}

/// Keeps a claim in a transaction that writes, unless it is kept already.
pub(crate) async fn keep(c: &mut Conn<'_>, claim: Option<&Claim>) -> Result<(), StoreError> {
    let Some(x) = claim else { return Ok(()) };
    c.exec("DELETE FROM request_once WHERE id = $1 AND at < $2", args![&x.key, x.older_than]).await?;
    let sql = "INSERT INTO request_once (id, request, mark, at, status, answer) VALUES ($1, $2, $3, $4, 0, '') ON CONFLICT (id) DO NOTHING";
    c.exec(sql, args![&x.key, &x.request, &x.mark, x.at]).await?;
    let sql = "SELECT COUNT(*) FROM request_once WHERE id = $1 AND mark = $2";
    match c.count(sql, args![&x.key, &x.mark]).await? {
        1 => Ok(()),
        _ => Err(StoreError::Claimed),
    }
}

/// What is known of a key since a moment.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn kept(c: &mut Conn<'_>, key: &str, since: Instant) -> Result<Option<Kept>, StoreError> {
    let row = c
        .one("SELECT request, status, answer FROM request_once WHERE id = $1 AND at >= $2", args![key, since])
        .await?;
    row.map(|r| Ok(Kept { request: r.text(0)?, status: r.int(1)?, answer: r.text(2)? })).transpose()
}

/// Keeps the answer of a request, whether or not its act wrote anything.
///
/// # Errors
/// [`StoreError::Claimed`] when another sending holds the key; the database failed.
#[boxed]
pub async fn answered(c: &mut Conn<'_>, claim: &Claim, status: i64, answer: &str) -> Result<(), StoreError> {
    keep(c, Some(claim)).await?;
    let sql = "UPDATE request_once SET status = $3, answer = $4 WHERE id = $1 AND mark = $2";
    c.exec(sql, args![&claim.key, &claim.mark, status, answer]).await.map(|_| ())
}

/// Gives up the claim of a request that was refused.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn refused(c: &mut Conn<'_>, claim: &Claim) -> Result<(), StoreError> {
    let sql = "DELETE FROM request_once WHERE id = $1 AND mark = $2 AND status = 0";
    c.exec(sql, args![&claim.key, &claim.mark]).await.map(|_| ())
}

/// Forgets requests before a moment; tells how many.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn forget(c: &mut Conn<'_>, older_than: Instant) -> Result<u64, StoreError> {
    c.exec("DELETE FROM request_once WHERE at < $1", args![older_than]).await
}
