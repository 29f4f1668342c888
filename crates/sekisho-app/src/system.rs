//! How the system fares: numbers for measurements, readiness for a balancer, and the page システム for those who run it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_store::{case, ledger, notification, setting};

use crate::backup;
use crate::doctor::{self, Finding, State};
use crate::error::AppError;
use crate::login::Identity;
use crate::mail::in_state;
use crate::office::Office;

/// Setting that a probe writes.
const PROBED: &str = "probe.written_at";
/// How long a probe is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Backups that the page lists.
const LISTED: usize = 10;

/// Crates that are built into the program, with version and licence, one a line, separated by tabs. Written by `cargo xtask licences`.
const CRATES: &str = include_str!("../licences.tsv");

/// What is measured of the database. No number is about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// Entries under the newest checkpoint.
    pub entries: i64,
    /// Entries that wait for their place.
    pub waiting: i64,
    /// Age of the newest checkpoint in milliseconds; nothing before the first.
    pub checkpoint_age: Option<i64>,
    /// Tasks that wait for somebody.
    pub open_tasks: i64,
    /// Messages by state (`waiting`, `sent`, `failed` …).
    pub mail: Vec<(String, i64)>,
    /// Failed logins since the process started.
    pub login_failures: u64,
}

/// Whether this process can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The database answers, and the last act could be written.
    pub database: bool,
    /// The signing key is loaded, or on a node that does not sign the key for pages.
    pub key: bool,
    /// Whether this node signs.
    pub signs: bool,
    /// Acts are signed without delay. Told, but no reason to send people elsewhere: acts are kept all the same.
    pub sequencer: bool,
}

/// One third-party part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// Name.
    pub name: &'static str,
    /// Version.
    pub version: &'static str,
    /// SPDX expression.
    pub licence: &'static str,
}

/// The page.
#[derive(Debug, Clone)]
pub struct SystemView {
    /// The worst finding.
    pub worst: State,
    /// What was looked at, worst first.
    pub findings: Vec<Finding>,
    /// Numbers.
    pub numbers: Numbers,
    /// Queues by name.
    pub queues: Vec<(&'static str, i64)>,
    /// The newest backups, newest first: folder, when, entries.
    pub backups: Vec<(String, Instant, i64)>,
    /// How many backups there are, and of when the oldest is.
    pub all_backups: Option<(usize, Instant)>,
    /// Which of them stay, in words; nothing where all do.
    pub backups_kept: Option<String>,
    /// How many parts are of others.
    pub licences: usize,
}

/// Parts of others that are built into the program.
#[must_use]
pub fn licences() -> Vec<Licence> {
    let line = |l: &'static str| {
        let mut cells = l.split('\t');
        Some(Licence { name: cells.next()?, version: cells.next()?, licence: cells.next()? })
    };
    CRATES.lines().filter_map(line).collect()
}

#[boxed]
impl Office {
    /// Numbers for measurements.
    ///
    /// # Errors
    /// The database failed.
    pub async fn numbers(&self) -> Result<Numbers, AppError> {
        let now = self.clock.now();
        let login_failures = self.login_failures.load(Ordering::Relaxed);
        self.store
            .read(move |c| {
                Box::pin(async move {
                    let head = ledger::head(c).await?;
                    Ok(Numbers {
                        entries: head.as_ref().map_or(0, |h| h.size),
                        waiting: ledger::outbox_len(c).await?,
                        checkpoint_age: head.map(|h| (now.millis() - h.at.millis()).max(0)),
                        open_tasks: case::open_tasks(c).await?,
                        mail: notification::mail_state(c, 1).await?.0,
                        login_failures,
                    })
                })
            })
            .await
    }

    /// Whether this process can serve. After a failed act it tries to write by itself: a balancer that sends nobody any more would otherwise
    /// never learn that the cause is gone.
    pub async fn readiness(&self) -> Readiness {
        let now = self.clock.now();
        if self.store.trouble().is_some() {
            let text = now.to_string();
            let probe = self.store.write(move |c| {
                Box::pin(async move { setting::set(c, PROBED, &text).await.map_err(AppError::from) })
            });
            // However it ends, the store knows.
            let _ = tokio::time::timeout(PATIENCE, probe).await;
        }
        let read = self.store.read(|c| {
            Box::pin(async move { Ok::<_, AppError>(ledger::outbox(c, 1).await?.first().map(|e| e.at)) })
        });
        let oldest = read.await;
        Readiness {
            database: oldest.is_ok() && self.store.trouble().is_none(),
            key: self.sealing_key().is_some(),
            signs: self.signer().is_some(),
            sequencer: matches!(oldest, Ok(at) if at.is_none_or(|at| now.millis() - at.millis() < doctor::LAG_MS)),
        }
    }

    /// The page システム.
    ///
    /// # Errors
    /// Refused for those who do not run the system.
    pub async fn system_page(self: &Arc<Self>, who: &Identity) -> Result<SystemView, AppError> {
        self.runs_system(who).await?;
        let around = self.surroundings.get();
        let mut findings = doctor::examine_running(&self.store, around, self.clock.as_ref()).await;
        // Stable: what is equally bad stays in the order in which it was looked at.
        findings.sort_by_key(|f| std::cmp::Reverse(f.state));
        let numbers = self.numbers().await?;
        let queues = vec![
            ("署名を待つ記録", numbers.waiting),
            ("だれかの処理を待つ手続", numbers.open_tasks),
            ("送信待ちのメール", in_state(&numbers.mail, "waiting")),
            ("送れなかったメール", in_state(&numbers.mail, "failed")),
        ];
        let folder = around.and_then(|s| s.backups.clone());
        let backups = folder.map_or_else(Vec::new, |f| backup::list(&f));
        Ok(SystemView {
            worst: doctor::worst(&findings),
            findings,
            numbers,
            queues,
            all_backups: backups.last().map(|(_, oldest)| (backups.len(), oldest.made_at)),
            backups_kept: around.map(|s| s.backup_keep).filter(|k| k.is_set()).map(|k| k.words()),
            backups: backups
                .into_iter()
                .take(LISTED)
                .map(|(f, m)| (backup::name_of(&f), m.made_at, m.size))
                .collect(),
            licences: licences().len(),
        })
    }

    /// Refuses those who do not run the system.
    ///
    /// # Errors
    /// As it says.
    pub async fn runs_system(&self, who: &Identity) -> Result<(), AppError> {
        if self.me(who).await?.administers() {
            return Ok(());
        }
        Err(AppError::refused("Y001", "システムの様子は、情報システム管理者とその担当者が確かめます。"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_others_has_a_licence() {
        let all = licences();
        assert!(all.len() > 100 && all.len() == CRATES.lines().count(), "{}", all.len());
        assert!(all.iter().all(|l| !l.name.is_empty() && !l.version.is_empty() && !l.licence.is_empty()));
        assert!(all.iter().any(|l| l.name == "axum"));
    }
}
