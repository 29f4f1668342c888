//! Sessions end with the account in the directory (`docs/decisions/0034-sessions-and-the-directory.md`): every few minutes one node asks the
//! directory for everybody who is in by it. While it gives no answer sessions stay, and that is told.

use std::sync::Arc;
use std::time::Duration;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_store::{Conn, StoreError, session, setting};
use serde_json::json;

use super::DirectoryServer;
use crate::error::AppError;
use crate::login::stream_of;
use crate::office::Office;
use crate::record::record;

/// Setting: when everybody who is in was last looked for.
const LOOKED: &str = "directory.looked_at";
/// Setting: since when the directory gives no answer to that; empty while it does.
const AWAY: &str = "directory.away_since";
/// Between two looks at whether it is time.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a node may take, in milliseconds.
const LEASE_MS: i64 = 10 * 60_000;
/// Logins asked for in one conversation.
const AT_ONCE: usize = 50;

/// How the looking stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Looking {
    /// When everybody was last looked for.
    pub(crate) looked: Option<Instant>,
    /// Since when the directory gives no answer.
    pub(crate) away: Option<Instant>,
}

/// How the looking stands.
///
/// # Errors
/// The database failed.
pub(crate) async fn looking(c: &mut Conn<'_>) -> Result<Looking, StoreError> {
    // What cannot be read as a moment is none.
    let looked = setting::get(c, LOOKED).await?.and_then(|t| t.parse().ok());
    let away = setting::get(c, AWAY).await?.and_then(|t| t.parse().ok());
    Ok(Looking { looked, away })
}

/// Runs until it is dropped.
pub(crate) async fn run(office: Arc<Office>) {
    loop {
        if let Err(e) = office.look_for_ended_accounts().await {
            tracing::error!(error = %e, "the directory could not be asked for those who are in");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[boxed]
impl Office {
    /// Asks the directory, when it is time, for everybody who is in with a password of the directory, and ends the sessions of those who
    /// could not come in by it now. Tells how many people that were.
    ///
    /// # Errors
    /// The database failed; a directory that gives no answer is no error.
    pub async fn look_for_ended_accounts(self: &Arc<Self>) -> Result<usize, AppError> {
        let Some(directory) = self.directory_server() else { return Ok(0) };
        // Looked at without writing first, and again under the lease: another node may have done it just before.
        if !self.is_time(directory.as_ref()).await? {
            return Ok(0);
        }
        Ok(self.alone("directory", LEASE_MS, look(self, directory.as_ref())).await?.unwrap_or_default())
    }

    async fn is_time(&self, directory: &dyn DirectoryServer) -> Result<bool, AppError> {
        let stands =
            self.store.read(|c| Box::pin(async move { looking(c).await.map_err(AppError::from) })).await?;
        let every = i64::try_from(directory.looks_every().as_millis()).unwrap_or(i64::MAX);
        let now = self.clock.now();
        // A clock that was set back does not make it wait longer.
        let done = |at: Instant| at <= now && now < at.plus_millis(every);
        Ok(stands.away.is_some() || !stands.looked.is_some_and(done))
    }
}

async fn look(office: &Arc<Office>, directory: &dyn DirectoryServer) -> Result<usize, AppError> {
    if !office.is_time(directory).await? {
        return Ok(0);
    }
    let now = office.clock.now();
    let inside = office
        .store
        .read(move |c| Box::pin(async move { session::by_directory(c, now).await.map_err(AppError::from) }))
        .await?;
    let mut ended = 0;
    let mut fault = None;
    for some in inside.chunks(AT_ONCE) {
        let logins: Vec<String> = some.iter().map(|(login, _)| login.clone()).collect();
        let entries = match directory.find(&logins).await {
            Ok(entries) => entries,
            Err(e) => {
                fault = Some(e);
                break;
            }
        };
        for ((login, person), entry) in some.iter().zip(entries) {
            let why = match entry {
                None => "absent",
                Some(e) if e.disabled => "disabled",
                // The login is somebody else's by now: as at the login itself.
                Some(e) if !e.number.is_empty() && e.number != *person => "another number",
                Some(_) => continue,
            };
            ended += usize::from(end(office, login, person, why).await?);
        }
    }
    // With nobody in, it is still told whether the directory answers.
    if inside.is_empty() {
        fault = directory.examine().await.err();
    }
    if let Some(e) = &fault {
        tracing::error!(error = %e, "the directory could not be asked for those who are in; their sessions stay");
    }
    let away = fault.is_some();
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                let since = looking(c).await?.away;
                match (away, since) {
                    (true, None) => setting::set(c, AWAY, &now.to_string()).await?,
                    (true, Some(_)) => {}
                    (false, since) => {
                        setting::set(c, LOOKED, &now.to_string()).await?;
                        if since.is_some() {
                            setting::set(c, AWAY, "").await?;
                        }
                    }
                }
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(ended)
}

/// Ends the sessions of one account, with the entry that says so; nothing when there are none any more.
async fn end(office: &Arc<Office>, login: &str, person: &str, why: &'static str) -> Result<bool, AppError> {
    let (login, person) = (login.to_owned(), person.to_owned());
    let (now, seal) = (office.clock.now(), office.seal()?);
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                let ended = session::end_others(c, &login, "").await?;
                if ended > 0 {
                    let payload =
                        json!({"person": person, "by": "system", "at": now, "ended": ended, "why": why});
                    let kind = "account.ended_by_directory";
                    record(c, seal, &stream_of(&person), kind, &payload, now).await?;
                }
                Ok(ended > 0)
            })
        })
        .await
}
