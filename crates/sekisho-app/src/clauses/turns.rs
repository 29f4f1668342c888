//! When clauses turned: the state of every clause at the end of each day is kept as the days on which it changed, so that a year's
//! trend is one query (`docs/decisions/0023-browsing-and-trend.md`).

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_case::state::ClauseState;
use sekisho_store::turn::{self, TurnRow};
use sekisho_store::{setting, violation};

use super::browse::all_states;
use crate::error::AppError;
use crate::office::Office;

/// Months that the trend goes back.
pub(crate) const MONTHS: i32 = 12;
/// Setting with the day until which turns were noted.
const NOTED: &str = "clauses.noted";

/// A state by its stored code; what no code stands for is unknown.
pub(crate) fn state_of_code(code: &str) -> ClauseState {
    let all = [
        ClauseState::Met,
        ClauseState::Due,
        ClauseState::Broken,
        ClauseState::Excepted,
        ClauseState::NotApplicable,
    ];
    all.into_iter().find(|s| s.code() == code).unwrap_or(ClauseState::Unknown)
}

/// The last day of the month in which a day lies.
pub(crate) fn month_end(day: Date) -> Date {
    let (y, m, _) = day.ymd();
    Date::new(y, m, 1).map_or(day, |first| first.plus_months(1).plus_days(-1))
}

/// The last days of the months before a day, the oldest first.
pub(crate) fn month_ends(today: Date) -> Vec<Date> {
    (1..=MONTHS).rev().map(|n| month_end(today.plus_months(-n))).collect()
}

#[boxed]
impl Office {
    /// Notes which clauses have another state than when they were last noted. The first time also the ends of the months before, as far
    /// back as checks have found anything: earlier, nothing tells whether they ran.
    ///
    /// # Errors
    /// The database failed.
    pub async fn note_turns(self: &Arc<Self>) -> Result<(), AppError> {
        let today = self.clock.today();
        let (noted, first) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    Ok::<_, AppError>((setting::get(c, NOTED).await?, violation::first_opened(c).await?))
                })
            })
            .await?;
        if noted.is_none() {
            let began = first.map_or(today, |at| at.date());
            for day in month_ends(today).into_iter().filter(|day| *day >= began && *day < today) {
                self.note_day(day).await?;
            }
        }
        self.note_day(today).await
    }

    async fn note_day(self: &Arc<Self>, day: Date) -> Result<(), AppError> {
        let pack = self.pack();
        let at = Instant::end_of(day).min(self.clock.now());
        let evidence = self.evidence(&self.directory().await?, at).await?;
        let states: Vec<(String, ClauseState, String)> = all_states(&pack, &evidence)
            .into_iter()
            .map(|(c, state, reason)| (c.id.clone(), state, reason))
            .collect();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    // Compared with the days before: what this day said of itself so far is replaced.
                    let before: BTreeMap<String, TurnRow> = turn::last_until(c, day.plus_days(-1)).await?;
                    turn::clear(c, day).await?;
                    let turned = |(id, state, _): &&(String, ClauseState, String)| {
                        before.get(id).is_none_or(|t| t.state != state.code())
                    };
                    let rows: Vec<TurnRow> = states
                        .iter()
                        .filter(turned)
                        .map(|(id, state, reason)| TurnRow {
                            clause: id.clone(),
                            day,
                            state: state.code().to_owned(),
                            reason: reason.clone(),
                        })
                        .collect();
                    turn::put(c, &rows).await?;
                    setting::set(c, NOTED, &day.to_string()).await.map_err(AppError::from)
                })
            })
            .await
    }
}
