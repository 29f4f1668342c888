//! SQLite's single writer: use cases arrive as jobs, run one after another each in a SAVEPOINT of one transaction, and are
//! answered after COMMIT. Many acts share one fsync (group commit), so a busy minute costs few of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{Notify, mpsc};

use crate::conn::Conn;
use crate::db::BoxFuture;
use crate::error::{StoreError, Trouble};

/// Acts of one commit at most.
const GROUP: usize = 64;
/// How long a group may stay open for further acts that are already waiting; it never waits for one to come. A few times what a
/// disk takes for one fsync: with less, a slow processor would pay an fsync for a handful of acts.
const WINDOW: Duration = Duration::from_millis(16);

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
    mut conn: SqliteConnection,
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
        let outcome = group(&mut conn, first, &mut messages, &mut answers, &told).await;
        let failed = match outcome {
            Ok(()) => None,
            Err(e) => {
                tracing::error!(error = %e, acts = answers.len(), "a commit failed");
                // Before the jobs that never ran are dropped: their callers are told why.
                tell(&told, e.trouble());
                let mut c = Conn::Sqlite(&mut conn);
                if let Err(e) = c.script("ROLLBACK").await {
                    tracing::debug!(error = %e, "nothing to roll back");
                }
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
    if let Err(e) = conn.close().await {
        tracing::error!(error = %e, "the database did not close cleanly; it will recover when it is opened");
    }
}

async fn group(
    conn: &mut SqliteConnection,
    first: Job,
    messages: &mut mpsc::Receiver<Message>,
    answers: &mut Vec<Answer>,
    told: &Told,
) -> Result<(), StoreError> {
    let mut c = Conn::Sqlite(conn);
    if let Err(e) = c.script("BEGIN IMMEDIATE").await {
        tell(told, e.trouble());
        return Err(e);
    }
    let opened = tokio::time::Instant::now();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        c.script("SAVEPOINT act").await?;
        match guarded(job(&mut c)).await {
            Some(finished) if finished.keep => {
                answers.push(finished.answer);
                c.script("RELEASE act").await?;
            }
            refused => {
                let undone = c.script("ROLLBACK TO act; RELEASE act").await;
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
    c.script("COMMIT").await
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
