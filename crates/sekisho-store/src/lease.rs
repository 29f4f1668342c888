//! Leases: of several nodes one does a thing, and another takes over when it falls silent.
//!
//! Time is the database's, so that it does not matter what the clocks of the nodes say. What is written while a lease is held is fenced: the
//! same transaction finds the lease still held, or writes nothing ([`under`]). A node that stood still and wakes up does not write late.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// A lease that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    name: String,
    holder: String,
    epoch: i64,
    ms: i64,
}

tokio::task_local! {
    /// The lease under which the running task writes.
    static HELD: Held;
}

/// How much further than the lease asked for another node's may reach, in milliseconds; one that reaches further is of a clock
/// that was set back since, and is taken over.
const SLACK_MS: i64 = 120_000;

/// The time that leases go by: the database's where several nodes share one, otherwise the clock of the only node.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn now(c: &mut Conn<'_>, clock: Instant) -> Result<Instant, StoreError> {
    if matches!(c, Conn::Sqlite(_)) {
        return Ok(clock);
    }
    c.count("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", vec![])
        .await
        .map(Instant::from_millis)
}

/// Takes or renews a lease in this transaction: only its holder may go on. A later holder has a higher epoch, which is returned.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn take(
    c: &mut Conn<'_>,
    name: &str,
    holder: &str,
    now: Instant,
    until: Instant,
) -> Result<Option<i64>, StoreError> {
    let row = c
        .one(
            "INSERT INTO lease (name, holder, epoch, until) VALUES ($1, $2, 1, $4)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
             epoch = CASE WHEN lease.holder = excluded.holder THEN lease.epoch ELSE lease.epoch + 1 END
             WHERE lease.holder = $2 OR lease.until < $3 OR lease.until > $5
             RETURNING epoch",
            args![name, holder, now, until, until.plus_millis(SLACK_MS)],
        )
        .await?;
    row.map(|r| r.int(0)).transpose()
}

/// Takes a lease for `ms` milliseconds by the time of [`now`]; nothing when another node holds it.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn obtain(
    c: &mut Conn<'_>,
    name: &str,
    holder: &str,
    clock: Instant,
    ms: i64,
) -> Result<Option<Held>, StoreError> {
    let now = now(c, clock).await?;
    let epoch = take(c, name, holder, now, now.plus_millis(ms)).await?;
    Ok(epoch.map(|epoch| Held { name: name.to_owned(), holder: holder.to_owned(), epoch, ms }))
}

/// Whether a node could take a lease now: asked before it opens a transaction that writes.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn is_free(
    c: &mut Conn<'_>,
    name: &str,
    holder: &str,
    clock: Instant,
    ms: i64,
) -> Result<bool, StoreError> {
    let now = now(c, clock).await?;
    let sql = "SELECT COUNT(*) FROM lease WHERE name = $1 AND holder <> $2 AND until >= $3 AND until <= $4";
    Ok(c.count(sql, args![name, holder, now, now.plus_millis(ms + SLACK_MS)]).await? == 0)
}

/// Gives up a lease, so that nobody waits until it runs out.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn release(c: &mut Conn<'_>, held: &Held) -> Result<(), StoreError> {
    let sql = "UPDATE lease SET until = '' WHERE name = $1 AND holder = $2 AND epoch = $3";
    c.exec(sql, args![&held.name, &held.holder, held.epoch]).await.map(|_| ())
}

/// Gives up every lease of a node that stops.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn release_all(c: &mut Conn<'_>, holder: &str) -> Result<(), StoreError> {
    c.exec("UPDATE lease SET until = '' WHERE holder = $1", args![holder]).await.map(|_| ())
}

/// Runs work under a lease: each of its transactions that write renews it, and fails with [`StoreError::LeaseLost`] when another node
/// has it by now. Holds for the task itself, not for tasks it starts.
pub async fn under<F: Future>(held: Held, work: F) -> F::Output {
    HELD.scope(held, work).await
}

/// The lease of the running task.
pub(crate) fn held() -> Option<Held> {
    HELD.try_with(Clone::clone).ok()
}

/// Renews the lease under which a transaction writes.
pub(crate) async fn keep(c: &mut Conn<'_>, held: Option<&Held>) -> Result<(), StoreError> {
    // An SQLite file has one node.
    let Some(held) = held.filter(|_| matches!(c, Conn::Postgres(_))) else { return Ok(()) };
    let until = now(c, Instant::from_millis(0)).await?.plus_millis(held.ms);
    let sql = "UPDATE lease SET until = $4 WHERE name = $1 AND holder = $2 AND epoch = $3";
    match c.exec(sql, args![&held.name, &held.holder, held.epoch, until]).await? {
        1 => Ok(()),
        _ => Err(StoreError::LeaseLost(held.name.clone())),
    }
}
