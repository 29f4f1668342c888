//! The operator's examination: is everything in place that the system needs, and what to do where it is not. The command `sekisho doctor`
//! and the page システム show the same findings; the page leaves out what takes long and shows the day's own review instead.
//!
//! | module | what it is |
//! |---|---|
//! | [`certificate`] | what browsers are shown |
//! | [`files`] | key, permissions, space, fonts |
//! | [`data`] | schema, integrity, ledger, outbox, clock, calendar, witnesses, jobs |
//! | [`nodes`] | the nodes that share the database |
//! | [`outside`] | mail server, identity provider, directory and backups |

mod certificate;
mod data;
mod files;
mod nodes;
mod outside;

use std::path::PathBuf;
use std::sync::Arc;

use sekisho_base::Clock;
use sekisho_base::os::in_japanese;
use sekisho_boxed::boxed;
use sekisho_store::Store;

pub use certificate::{Held, ServerCertificate};
pub(crate) use data::LAG_MS;
pub use sekisho_store::maintenance::facts;
use serde::Serialize;

use crate::backup::prune::Keep;
use crate::error::AppError;
use crate::ldap::DirectoryServer;
use crate::mail::MailServer;

/// How something stands. The later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// 良好.
    Good,
    /// 注意: it works, and somebody should look at it.
    Caution,
    /// 不良: something does not work or is at risk now.
    Bad,
}

impl State {
    /// Word for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Good => "良好",
            Self::Caution => "注意",
            Self::Bad => "不良",
        }
    }

    /// Class of the mark on a page.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "met",
            Self::Caution => "due",
            Self::Bad => "broken",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A name that stays when words change (`ledger.verified`).
    pub id: &'static str,
    /// What was looked at.
    pub title: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found and what it means.
    pub says: String,
    /// What to do; empty when nothing.
    pub remedy: String,
}

impl Finding {
    pub(crate) fn good(id: &'static str, title: &'static str, says: impl Into<String>) -> Self {
        Self { id, title, state: State::Good, says: in_japanese(&says.into()), remedy: String::new() }
    }

    pub(crate) fn caution(
        id: &'static str,
        title: &'static str,
        says: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { id, title, state: State::Caution, says: in_japanese(&says.into()), remedy: remedy.into() }
    }

    pub(crate) fn bad(
        id: &'static str,
        title: &'static str,
        says: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { id, title, state: State::Bad, says: in_japanese(&says.into()), remedy: remedy.into() }
    }
}

/// Where things are, as the settings say.
#[derive(Clone)]
pub struct Surroundings {
    /// What [`Store::open`] takes.
    pub database: String,
    /// The data folder.
    pub data: PathBuf,
    /// The signing key's file.
    pub key: PathBuf,
    /// The configuration file, where there is one.
    pub config: Option<PathBuf>,
    /// Where backups are.
    pub backups: Option<PathBuf>,
    /// How old the newest backup may be, in hours.
    pub backup_hours: u64,
    /// Which backups stay when old ones go.
    pub backup_keep: Keep,
    /// Free space below which somebody should look, in megabytes.
    pub free_mb: u64,
    /// The certificate, where this server serves TLS itself.
    pub certificate: Option<ServerCertificate>,
    /// The mail server.
    pub mail: Option<Arc<MailServer>>,
    /// The identity provider.
    pub oidc: Option<Arc<crate::oidc::Oidc>>,
    /// The directory that checks passwords.
    pub ldap: Option<Arc<dyn DirectoryServer>>,
}

/// Examines a body's data from outside the server, everything included. Nothing is changed: a schema of another version is told, not
/// brought up to date.
#[boxed]
pub async fn examine(s: &Surroundings, clock: &dyn Clock) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(files::look(s));
    found.extend(certificate::look(s, clock));
    match facts(&s.database).await {
        Ok(facts) => {
            found.push(data::schema(&facts));
            found.push(data::integrity(&s.database).await);
            found.push(files::key(
                s,
                facts.settings.get(crate::ledger::VKEY).map(String::as_str),
                facts.settings.get(crate::ledger::BODY).map(String::as_str),
            ));
            if facts.pending.is_empty() && facts.unknown.is_empty() {
                match Store::open(&s.database).await {
                    Ok(store) => {
                        found.extend(data::look(&store, clock, true).await);
                        found.extend(outside::sessions(&store, s, clock).await);
                        store.close().await;
                    }
                    Err(e) => found.push(data::unreachable(&e)),
                }
            }
        }
        Err(e) => found.push(data::unreachable(&e)),
    }
    found.extend(outside::look(s, clock).await);
    found
}

/// Examines the body that this server runs, without what takes long.
///
/// # Errors
/// None of its own: what fails is a finding.
#[boxed]
pub async fn examine_running(store: &Store, s: Option<&Surroundings>, clock: &dyn Clock) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(s) = s {
        found.extend(files::look(s));
        found.extend(certificate::look(s, clock));
        found.extend(outside::look(s, clock).await);
        found.extend(outside::sessions(store, s, clock).await);
    }
    found.extend(data::look(store, clock, false).await);
    found
}

/// The worst of them; good when there are none.
#[must_use]
pub fn worst(found: &[Finding]) -> State {
    found.iter().map(|f| f.state).max().unwrap_or(State::Good)
}

/// Something could not be looked at.
pub(crate) fn not_seen(id: &'static str, title: &'static str, e: &AppError) -> Finding {
    Finding::bad(
        id,
        title,
        format!("調べられませんでした（{e}）。"),
        "ほかの不良を直してから、もう一度調べてください。",
    )
}
