//! Delegations (職務代理): somebody proposes that a person acts for a post while its holder is away or the post is vacant; somebody else,
//! who stands above the post, approves. Dated, within one fiscal year, for a post and optionally one of its roles; a delegate has no delegates.

mod view;
mod who;

use std::sync::Arc;

use sekisho_base::Date;
use sekisho_boxed::boxed;
use sekisho_case::authority::roles_of_post;
use sekisho_store::delegation::{self, DelegationRow, DelegationState};
use sekisho_store::ledger;
use serde_json::json;

pub use view::{DelegationForm, DelegationLine, DelegationPage};

use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::office::Office;
use crate::record::{record, stream_of};

/// Longest reason, in characters.
const MAX_NOTE: usize = 300;

/// A post and role as the form names them: `21-h`, or `21-h/section_security_manager`.
fn split(what: &str) -> (&str, &str) {
    what.split_once('/').unwrap_or((what, ""))
}

#[boxed]
impl Office {
    async fn delegation(&self, id: &str) -> Result<DelegationRow, AppError> {
        let id = id.to_owned();
        self.store
            .read(move |c| Box::pin(async move { delegation::get(c, &id).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)
    }

    /// Proposes a delegation. It has no effect until somebody else approves it.
    ///
    /// # Errors
    /// Fields that cannot be taken; refused for others than the holder of the post and the head above it.
    pub async fn propose_delegation(
        self: &Arc<Self>,
        who: &Identity,
        form: &DelegationForm,
    ) -> Result<(), AppError> {
        let circle = self.circle().await?;
        let by = who.person.as_str();
        let (post, role) = split(&form.what);
        if circle.d.post(post).is_none() {
            return Err(AppError::field("what", "どの職の代理かを選んでください。"));
        }
        if !circle.may_propose(post, by) {
            return Err(AppError::refused(
                "T001",
                format!(
                    "{}の職務代理を願い出ることができるのは、その職にある人と、上の所属長です。",
                    circle.d.post_name(post)
                ),
            ));
        }
        self.proved(who)?;
        Self::may_decide_now(who)?;
        let roles = roles_of_post(post, &circle.pack, &circle.org, circle.today);
        if roles.is_empty() || !(role.is_empty() || roles.iter().any(|(r, _)| r == role)) {
            return Err(AppError::field("what", "この職には、代理を決める役割がありません。"));
        }
        let person = circle.d.one_in_field("person", &form.person, &form.pick, circle.today)?;
        circle.fit_to_act(post, role, &person)?;
        let (from, until) = read_days(form, circle.today)?;
        if form.note.is_empty() || form.note.chars().count() > MAX_NOTE {
            return Err(AppError::field("note", format!("理由を{MAX_NOTE}文字までで記入してください。")));
        }
        let (id, at) = (self.new_id()?, self.clock.now());
        let row = DelegationRow {
            id: id.to_string(),
            post: post.to_owned(),
            person,
            role: role.to_owned(),
            from,
            until,
            note: form.note.clone(),
            state: DelegationState::Proposed,
            proposed_by: by.to_owned(),
            proposed_at: at,
            decided: None,
            says: String::new(),
            ended: None,
        };
        if circle.approvers(&row).is_empty() {
            return Err(AppError::refused(
                "T002",
                "この職務代理を承認できる人（上位の役割の人か、上の所属長）がいません。上位の役割に人を任命してから、願い出てください。",
            ));
        }
        let seal = self.seal()?;
        self.store
            .write(move |c| {
                Box::pin(async move {
                    delegation::propose(c, &row).await?;
                    let payload = json!({"delegation": row.id, "post": row.post, "role": row.role, "person": row.person, "from": row.from, "until": row.until, "by": row.proposed_by, "at": at});
                    record(c, seal, &ledger::stream_id(id), "delegation.propose", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }

    /// Approves or refuses a proposal.
    ///
    /// # Errors
    /// Refused for the proposer, the delegate, and everybody who does not stand above the post; when it no longer waits.
    pub async fn decide_delegation(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        approve: bool,
        says: &str,
    ) -> Result<(), AppError> {
        let (row, circle) = (self.delegation(id).await?, self.circle().await?);
        let by = who.person.clone();
        circle.may_decide(&row, &by)?;
        self.proved(who)?;
        Self::may_decide_now(who)?;
        if row.state != DelegationState::Proposed {
            return Err(AppError::refused(
                "T005",
                "この職務代理は、もう決まっているか、取り下げられています。",
            ));
        }
        if approve {
            if row.until < circle.today {
                return Err(AppError::refused(
                    "T006",
                    "期間が過ぎたため、承認できません。必要なら、新しく願い出てもらってください。",
                ));
            }
            // There is no field for the person here: what stands against it is said as it is.
            circle.fit_to_act(&row.post, &row.role, &row.person).map_err(|e| match e {
                AppError::Invalid(why) => AppError::refused(
                    "T009",
                    why.into_iter().map(|w| w.message).collect::<Vec<_>>().join("\n"),
                ),
                e => e,
            })?;
        } else if says.is_empty() {
            return Err(AppError::field("says", "承認しない理由を記入してください。"));
        }
        let (says, at, seal) = (sekisho_base::text::shorten(says, MAX_NOTE), self.clock.now(), self.seal()?);
        let kind = if approve { "delegation.approve" } else { "delegation.refuse" };
        let stream = stream_of(&row.id)?;
        self.store
            .write(move |c| {
                Box::pin(async move {
                    delegation::decide(c, &row.id, approve, &by, at, &says).await?;
                    let payload = json!({"delegation": row.id, "by": by, "at": at});
                    record(c, seal, &stream, kind, &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        self.forget_organization();
        crate::cases::organization_changed(self).await
    }

    /// Ends a delegation early, or takes back a proposal.
    ///
    /// # Errors
    /// Refused for others than the holder, the delegate, the proposer and those above the post; when there is nothing to end.
    pub async fn end_delegation(self: &Arc<Self>, who: &Identity, id: &str) -> Result<(), AppError> {
        let (row, circle) = (self.delegation(id).await?, self.circle().await?);
        let by = who.person.clone();
        if !circle.may_end(&row, &by) {
            return Err(AppError::refused(
                "T007",
                "職務代理を終わらせることができるのは、その職にある人、代理する人、願い出た人、承認する立場の人です。",
            ));
        }
        let running = matches!(row.state, DelegationState::Proposed | DelegationState::Approved);
        if !running || row.until < circle.today {
            return Err(AppError::refused("T008", "この職務代理は、もう終わっています。"));
        }
        let (at, seal, stream) = (self.clock.now(), self.seal()?, stream_of(&row.id)?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    delegation::end(c, &row.id, &by, at).await?;
                    let payload = json!({"delegation": row.id, "by": by, "at": at});
                    record(c, seal, &stream, "delegation.end", &payload, at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        self.forget_organization();
        crate::cases::organization_changed(self).await
    }
}

fn read_days(form: &DelegationForm, today: Date) -> Result<(Date, Date), AppError> {
    let mut wrong = Vec::new();
    let mut read = |field: &str, text: &str| {
        let day = Date::parse_japanese(text).ok();
        if day.is_none() {
            let message = "日付が読めません。「R8.7.1」「2026/7/1」のように入力してください。".to_owned();
            wrong.push(FieldError { field: field.to_owned(), message });
        }
        day
    };
    let (from, until) = (read("from", &form.from), read("until", &form.until));
    let (Some(from), Some(until)) = (from, until) else { return Err(AppError::Invalid(wrong)) };
    if from < today {
        return Err(AppError::field("from", "最初の日は、今日か、これからの日にしてください。"));
    }
    if until < from {
        return Err(AppError::field("until", "最後の日が最初の日より前です。日付を確かめてください。"));
    }
    if until > from.fiscal_year_end() {
        return Err(AppError::field(
            "until",
            format!(
                "職務代理は年度ごとに決めます。最後の日は{}までにしてください。",
                from.fiscal_year_end().japanese()
            ),
        ));
    }
    Ok((from, until))
}
