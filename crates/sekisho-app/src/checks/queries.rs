//! Checks written as SQL: each runs alone, reading only, with bounds; what it finds is kept as intervals like every other check's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sekisho_base::date::days_in_words;
use sekisho_boxed::boxed;
use sekisho_pack::model::CheckRule;
use sekisho_pack::query::bind;
use sekisho_store::query::{self, MOST_ROWS, QueryRow};
use sekisho_store::violation::{self, RunRow};
use sekisho_store::{StoreError, ledger};

use super::{Broken, Found, settle};
use crate::error::AppError;
use crate::office::Office;

/// How often the queries run again while records change.
const PAUSE: Duration = Duration::from_secs(60);

/// How long a node may take for one of them.
const LEASE_MS: i64 = 120_000;

/// Runs every check of the running pack that is written as SQL.
///
/// # Errors
/// The database failed otherwise than by refusing a query: such a check is 未評価, and the log says why.
#[boxed]
pub async fn run(office: &Arc<Office>) -> Result<(), AppError> {
    let pack = office.pack();
    for check in pack.checks.values() {
        let CheckRule::Sql { select } = &check.rule else { continue };
        let now = office.clock.now();
        let bound = bind(select, now.date())
            .ok_or_else(|| AppError::internal(format!("check {} is no SELECT", check.id)))?;
        let found = office
            .store
            .read(move |c| {
                Box::pin(async move {
                    let mut looked_at = 0;
                    for view in &bound.views {
                        looked_at += query::count(c, view).await?;
                    }
                    Ok::<_, StoreError>((
                        query::run(c, &bound.text, &bound.days, query::SHARE).await?,
                        looked_at,
                    ))
                })
            })
            .await;
        let (inner, id) = (Arc::clone(office), check.id.clone());
        match found {
            Ok((rows, looked_at)) => {
                if rows.len() >= MOST_ROWS {
                    tracing::warn!(check = %id, "a check found more rows than are kept: {MOST_ROWS}");
                }
                let found = Found { broken: broken(rows), looked_at, due: 0 };
                office
                    .store
                    .write(move |c| {
                        Box::pin(async move {
                            let pack = inner.pack();
                            let Some(check) = pack.checks.get(&id) else { return Ok(()) };
                            settle(c, &inner, &pack, check, found, now, "").await
                        })
                    })
                    .await?;
            }
            Err(StoreError::Stopped) => return Err(StoreError::Stopped.into()),
            Err(e) => {
                tracing::error!(check = %id, error = %e, "a check could not be run: it is not evaluated");
                office
                    .store
                    .write(move |c| {
                        Box::pin(async move {
                            let run = RunRow {
                                pack: inner.pack().hash.clone(),
                                ran_at: now,
                                looked_at: 0,
                                due_rows: 0,
                            };
                            violation::put_run(c, &id, &run).await.map_err(AppError::from)
                        })
                    })
                    .await?;
            }
        }
    }
    Ok(())
}

/// Rows by key; a key that comes twice keeps its first text.
fn broken(rows: Vec<QueryRow>) -> Vec<Broken> {
    let mut by_key: BTreeMap<String, Broken> = BTreeMap::new();
    for r in rows.into_iter().filter(|r| !r.key.is_empty()) {
        let page = r.key.split('#').next().unwrap_or_default();
        let link = match page.split_once('/') {
            Some(("case", id)) => format!("/cases/{id}"),
            Some((register, id)) => format!("/registers/{register}/{id}"),
            None => "/clauses".to_owned(),
        };
        by_key.entry(r.key.clone()).or_insert(Broken {
            key: r.key,
            unit: r.unit,
            says: days_in_words(&r.says),
            link,
        });
    }
    by_key.into_values().collect()
}

/// Runs the queries again once a minute while entries come into the ledger: everything a query can read changes with an entry.
pub(crate) async fn follow(office: Arc<Office>) {
    let mut seen = None;
    loop {
        tokio::time::sleep(PAUSE).await;
        let size = office
            .store
            .read(|c| Box::pin(async move { ledger::head(c).await.map_err(AppError::from) }))
            .await;
        let size = match size {
            Ok(head) => head.map_or(0, |h| h.size),
            Err(e) => {
                tracing::error!(error = %e, "the ledger could not be read; the queries wait a minute");
                continue;
            }
        };
        if seen == Some(size) {
            continue;
        }
        // One node at a time: what was read later must not be replaced by what was read before.
        match office.alone("queries", LEASE_MS, run(&office)).await {
            Ok(Some(())) => seen = Some(size),
            Ok(None) => {}
            Err(e) => {
                tracing::error!(error = %e, "the queries of the pack failed; they run again in a minute")
            }
        }
    }
}
