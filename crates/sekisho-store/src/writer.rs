//! SQLite's single writer: use cases arrive as jobs, run one after another each in a SAVEPOINT of one transaction, and are
//! answered after COMMIT. Many acts share one fsync (group commit), so a busy minute costs few of them.

use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tokio::sync::mpsc;

use crate::conn::Conn;
use crate::db::BoxFuture;
use crate::error::StoreError;

/// Acts of one commit at most.
const GROUP: usize = 64;
/// How long a group may stay open for further acts that are already waiting.
const WINDOW: Duration = Duration::from_millis(2);

/// What a job leaves: whether its SAVEPOINT is kept, and how to answer once the commit's fate is known.
pub(crate) struct Finished {
    pub keep: bool,
    pub answer: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

/// A use case's closure.
pub(crate) type Job = Box<dyn for<'c> FnOnce(&'c mut Conn<'_>) -> BoxFuture<'c, Finished> + Send>;

/// Runs until every sender is gone, then lets the connection close.
pub(crate) async fn run(mut conn: SqliteConnection, mut jobs: mpsc::Receiver<Job>, committed: std::sync::Arc<tokio::sync::Notify>) {
    while let Some(first) = jobs.recv().await {
        let mut answers = Vec::with_capacity(GROUP);
        let outcome = group(&mut conn, first, &mut jobs, &mut answers).await;
        if outcome.is_ok() {
            committed.notify_waiters();
            committed.notify_one();
        } else {
            let mut c = Conn::Sqlite(&mut conn);
            if let Err(e) = c.script("ROLLBACK").await {
                tracing::debug!(error = %e, "nothing to roll back");
            }
        }
        let failed = outcome.err().map(|e| e.to_string());
        for answer in answers {
            answer(match &failed {
                None => Ok(()),
                Some(text) => Err(StoreError::Address(format!("the commit failed: {text}"))),
            });
        }
    }
}

type Answers = Vec<Box<dyn FnOnce(Result<(), StoreError>) + Send>>;

async fn group(conn: &mut SqliteConnection, first: Job, jobs: &mut mpsc::Receiver<Job>, answers: &mut Answers) -> Result<(), StoreError> {
    let mut c = Conn::Sqlite(conn);
    c.script("BEGIN IMMEDIATE").await?;
    let opened = tokio::time::Instant::now();
    let mut next = Some(first);
    while let Some(job) = next.take() {
        c.script("SAVEPOINT act").await?;
        let finished = job(&mut c).await;
        if finished.keep {
            c.script("RELEASE act").await?;
            answers.push(finished.answer);
        } else {
            c.script("ROLLBACK TO act; RELEASE act").await?;
            // Nothing of it will be committed, so its caller need not wait.
            (finished.answer)(Ok(()));
        }
        if answers.len() < GROUP && opened.elapsed() < WINDOW {
            next = jobs.try_recv().ok();
        }
    }
    c.script("COMMIT").await
}
