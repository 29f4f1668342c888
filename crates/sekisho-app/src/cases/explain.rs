//! Who may act on a case now, and why not the others, for the terminal: the operator's answer to "why does nothing happen?".

use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_case::decide::{self, Ctx};
use sekisho_store::case;

use crate::cases::list::status_words;
use crate::cases::store::{engine, state_of};
use crate::cases::view::ExplainLine;
use crate::error::AppError;
use crate::office::Office;

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Number.
    pub number: String,
    /// Title.
    pub title: String,
    /// Status in Japanese.
    pub status: &'static str,
    /// Titles of the open steps with their due dates.
    pub open: Vec<String>,
    /// Who may act, and who may not.
    pub lines: Vec<ExplainLine>,
}

#[boxed]
impl Office {
    /// Explains a case by its number.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such number.
    pub async fn explain_case(self: &Arc<Self>, number: &str) -> Result<Explanation, AppError> {
        let number = sekisho_base::text::normalize_code(number);
        let row = self
            .store
            .read(move |c| {
                Box::pin(async move { case::by_number(c, &engine(), &number).await.map_err(AppError::from) })
            })
            .await?
            .ok_or(AppError::NotFound)?;
        let state = state_of(&row)?;
        let pack = self.pack_of(&row.pack).await?;
        let (org, rules, d) = (self.org().await?, self.rules(&pack)?, self.directory().await?);
        let now = self.clock.now();
        let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now, person: &state.applicant.person };
        let lines = decide::explain(&state, &ctx).into_iter().map(|e| ExplainLine::of(e, &d)).collect();
        let open = state.steps.iter().filter(|s| s.status == sekisho_case::case::StepStatus::Open);
        Ok(Explanation {
            number: state.number.clone(),
            title: state.title.clone(),
            status: status_words(state.status.code()).0,
            open: open
                .map(|s| match s.due {
                    Some(due) => format!("{}（期限 {}）", s.title, due.date().wareki()),
                    None => s.title.clone(),
                })
                .collect(),
            lines,
        })
    }
}
