//! All checks of the running pack, those that find something first.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_boxed::boxed;
use sekisho_pack::model::{Check, CheckRule, Pack};
use sekisho_pack::words::Words;

use super::view::{CheckLine, ChecksView, ClauseLink};
use super::{Evidence, ORDER, state_counts, state_words};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;

/// How a check came to be, as people read it.
fn origin(check: &Check) -> &'static str {
    match (&check.rule, check.derived) {
        (CheckRule::Required { .. } | CheckRule::Stale { .. } | CheckRule::Rows { .. }, true) => {
            "台帳の決まりから"
        }
        (CheckRule::Overdue { .. } | CheckRule::SelfApproval, true) => "手続の決まりから",
        (CheckRule::Vacant { .. }, true) => "役割の決まりから",
        (CheckRule::Sql { .. }, true) | (_, false) => "パックに書いたもの",
    }
}

fn line(pack: &Pack, evidence: &Evidence, check: &Check, clauses: &[&str]) -> CheckLine {
    let (state, reason) = evidence.check(check, &BTreeSet::new());
    let (class, label) = state_words(state);
    let run = evidence.runs.get(&check.id);
    CheckLine {
        id: check.id.clone(),
        title: check.title.clone(),
        looks_at: Words::of(pack).check(check),
        origin: origin(check),
        clauses: clauses.iter().map(|id| ClauseLink::of(id)).collect(),
        ran: run.map(|r| r.ran_at.short()).unwrap_or_default(),
        looked_at: run.map_or(0, |r| r.looked_at),
        found: evidence.open.get(&check.id).copied().unwrap_or(0),
        state: label,
        class,
        reason,
    }
}

#[boxed]
impl Office {
    /// All checks; `state` is a style class that leaves those in one state, empty for all.
    ///
    /// # Errors
    /// The database failed.
    pub async fn checks(&self, who: &Identity, state: &str) -> Result<ChecksView, AppError> {
        let me = self.me(who).await?;
        let evidence = self.evidence(me.directory(), self.clock.now()).await?;
        let pack = self.pack();
        let clauses = evidence.about.clauses_by_check(&pack);
        let mut rows: Vec<CheckLine> = pack
            .checks
            .values()
            .map(|k| line(&pack, &evidence, k, clauses.get(k.id.as_str()).map_or(&[], Vec::as_slice)))
            .collect();
        let mut totals: BTreeMap<&'static str, usize> = BTreeMap::new();
        for row in &rows {
            *totals.entry(row.class).or_default() += 1;
        }
        rows.retain(|r| state.is_empty() || r.class == state);
        let rank = |class: &str| ORDER.iter().position(|s| state_words(*s).0 == class);
        rows.sort_by_key(|r| (rank(r.class).unwrap_or(ORDER.len()), std::cmp::Reverse(r.found)));
        Ok(ChecksView { totals: state_counts(&totals), asked: state.to_owned(), rows })
    }
}
