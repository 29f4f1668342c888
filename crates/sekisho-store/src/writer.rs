//! The single writer: use cases arrive as jobs, run one after another each in a SAVEPOINT of one transaction, and are
//! answered after COMMIT. Many acts share one fsync (group commit), so a busy minute costs few of them.
//!
//! On PostgreSQL every node has such a writer, and they take turns by an advisory lock that lasts as long as the transaction: whatever a use
//! case reads in its transaction, no other node changes before it has committed (`docs/decisions/0027-several-nodes.md`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, PgPool};
use tokio::sync::{Notify, mpsc};

use crate::conn::Conn;
use crate::db::BoxFuture;
use crate::error::{StoreError, Trouble};
use crate::migrate;

/// Acts of one commit at most.
const GROUP: usize = 64;
/// How long a group may stay open for further acts that are already waiting; it never waits for one to come. A few times what a
/// disk takes for one fsync: with less, a slow processor would pay an fsync for a handful of acts.
const WINDOW: Duration = Duration::from_millis(16);

/// What the writer writes on.
pub(crate) enum On {
    /// SQLite: the only connection that writes.
    Sqlite(SqliteConnection),
    /// PostgreSQL: each group takes a connection, and the turn among the nodes.
    Postgres(PgPool),
}

/// Tells a caller how the commit went.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What a job leaves: whether its SAVEPOINT is kept, and how to answer once the commit's fate is known.
pub(crate) struct Finished {
    pub keep: bool,
    /// What kept the database from carrying it out.
    pub trouble: Option<Trouble>,
    pub answer: Answer,
}

/// A use case's closure. Dropped without an answer, its caller is told that it broke off.
pub(crate) type Job = Box<dyn for<'c> FnOnce(&'c mut Conn<'_>) -> BoxFuture<'c, Finished> + Send>;

/// What the writer is sent.
pub(crate) enum Message {
    /// Carry this out.
    Job(Job),
    /// Carry out what was sent before, then end.
    Close,
}

/// What keeps the database from writing since its last commit; shared with the handles.
pub(crate) type Told = Arc<std::sync::Mutex<Option<Trouble>>>;

/// Notes what keeps the database from writing, or that it writes again.
pub(crate) fn tell(told: &Told, trouble: Option<Trouble>) {
    *told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = trouble;
}

/// Runs until it is told to close or every sender is gone, then closes the connection.
pub(crate) async fn run(
    mut on: On,
    mut messages: mpsc::Receiver<Message>,
    committed: Arc<Notify>,
    told: Told,
) {
    while let Some(message) = messages.recv().await {
        let Message::Job(first) = message else {
            messages.close();
            continue;
        };
        let mut answers = Vec::with_capacity(GROUP);
        let outcome = match &mut on {
            On::Sqlite(conn) => {
                let outcome = group(Conn::Sqlite(conn), first, &mut messages, &mut answers, &told).await;
                if outcome.is_err()
                    && let Err(e) = Conn::Sqlite(conn).script("ROLLBACK").await
                {
                    tracing::debug!(error = %e, "nothing to roll back");
                }
                outcome
            }
            On::Postgres(pool) => on_postgres(pool, first, &mut messages, &mut answers, &told).await,
        };
        let failed = match outcome {
            Ok(()) => None,
            Err(e) => {
                tracing::error!(error = %e, acts = answers.len(), "a commit failed");
                tell(&told, e.trouble());
                Some((e.to_string(), e.trouble()))
            }
        };
        if failed.is_none() && !answers.is_empty() {
            tell(&told, None);
            committed.notify_waiters();
            committed.notify_one();
        }
        for answer in answers {
            answer(failed.as_ref().map_or(Ok(()), |(text, trouble)| {
                Err(StoreError::Commit { text: text.clone(), trouble: *trouble })
            }));
        }
    }
    match on {
        On::Sqlite(conn) => {
            if let Err(e) = conn.close().await {
                tracing::error!(error = %e, "the database did not close cleanly; it will recover when it is opened");
            }
        }
        On::Postgres(pool) => pool.close().await,
    }
}

/// A group on a connection of its own. One on which anything failed is closed, not used again: nothing may go on in its transaction.
async fn on_postgres(
    pool: &PgPool,
    first: Job,
    messages: &mut mpsc::Receiver<Message>,
    answers: &mut Vec<Answer>,
    told: &Told,
) -> Result<(), StoreError> {
    let mut conn = pool.acquire().await.map_err(|e| not_begun(e.into(), messages, told))?;
    let outcome = group(Conn::Postgres(&mut conn), first, messages, answers, told).await;
    if outcome.is_err() {
        conn.close_on_drop();
    }
    outcome
}

/// Begins the transaction. On PostgreSQL it waits for this node's turn, and refuses a database that a newer program has changed
/// meanwhile: this one no longer knows all that must hold there.
async fn begin(c: &mut Conn<'_>) -> Result<(), StoreError> {
    if matches!(c, Conn::Sqlite(_)) {
        return c.script("BEGIN IMMEDIATE").await;
    }
    c.script(&format!("BEGIN; SELECT pg_advisory_xact_lock({})", migrate::LOCK)).await?;
    migrate::still_known(c).await
}

async fn group(
    mut c: Conn<'_>,
    first: Job,
    messages: &mut mpsc::Receiver<Message>,
    answers: &mut Vec<Answer>,
    told: &Told,
) -> Result<(), StoreError> {
    begin(&mut c).await.map_err(|e| not_begun(e, messages, told))?;
    let opened = tokio::time::Instant::now();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        // Before the job is dropped: its caller is told why.
        c.script("SAVEPOINT act").await.inspect_err(|e| tell(told, e.trouble()))?;
        match guarded(job(&mut c)).await {
            Some(finished) if finished.keep => match c.script("RELEASE act").await {
                Ok(()) => answers.push(finished.answer),
                // After a failed statement whose error the use case swallowed PostgreSQL keeps nothing of it, and must not say otherwise.
                Err(e) => {
                    c.script("ROLLBACK TO act; RELEASE act")
                        .await
                        .inspect_err(|e| tell(told, e.trouble()))?;
                    (finished.answer)(Err(e));
                }
            },
            refused => {
                let undone = c.script("ROLLBACK TO act; RELEASE act").await.inspect_err(|e| {
                    if e.trouble().is_some() {
                        tell(told, e.trouble());
                    }
                });
                if let Some(finished) = refused {
                    if finished.trouble.is_some() {
                        tell(told, finished.trouble);
                    }
                    // Nothing of it will be committed, so its caller need not wait.
                    (finished.answer)(Ok(()));
                }
                // A full disk may have rolled everything back already.
                undone?;
            }
        }
        if answers.len() < GROUP && opened.elapsed() < WINDOW {
            next = waiting(messages);
        }
    }
    match c {
        Conn::Sqlite(_) => c.script("COMMIT").await,
        Conn::Postgres(_) => c.script("COMMIT").await.map_err(StoreError::of_commit),
    }
}

/// A job that is already waiting.
fn waiting(messages: &mut mpsc::Receiver<Message>) -> Option<Job> {
    loop {
        match messages.try_recv().ok()? {
            Message::Job(job) => return Some(job),
            Message::Close => messages.close(),
        }
    }
}

/// Refuses everything that waited while nothing could be begun. Otherwise each would try for as long again, one after another. Why is noted before jobs
/// are dropped, the first one by the caller: who sent them is told it.
fn not_begun(e: StoreError, messages: &mut mpsc::Receiver<Message>, told: &Told) -> StoreError {
    tell(told, e.trouble());
    while waiting(messages).is_some() {}
    e
}

/// Runs a job; one that panics must not take the writer, and with it every later act, down.
async fn guarded(mut job: BoxFuture<'_, Finished>) -> Option<Finished> {
    std::future::poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| job.as_mut().poll(context))) {
        Ok(Poll::Ready(finished)) => Poll::Ready(Some(finished)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => {
            tracing::error!("a transaction panicked and was rolled back");
            Poll::Ready(None)
        }
    })
    .await
}
