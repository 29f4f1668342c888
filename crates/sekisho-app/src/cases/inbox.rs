//! Deciding several cases at once from the inbox. The pack says for which steps (`bulk = true`); what is offered is what the engine
//! offers for each case by itself, and each is one act with the hash of the content that was shown. Nothing is shared but the button.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_case::case::{CaseState, StepRun, StepStatus};
use sekisho_case::decide::{self, Ctx};
use sekisho_pack::model::{Field, FieldType, Pack, Procedure, Step};
use sekisho_store::case::{self, CaseRow};

use crate::cases::act::{own_label, own_name};
use crate::cases::page::show_value;
use crate::cases::store::{engine, state_of};
use crate::cases::view::{ActInput, BulkChoice, BulkResult, TaskLine};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::registers::Pair;
use crate::sight::is_sensitive_case;

/// Tasks shown.
const SHOWN: i64 = 500;
/// Cases decided by one button.
pub const MOST_AT_ONCE: usize = 50;

/// The step, where several cases may be decided at once at it.
fn bulk_step<'p>(p: &'p Procedure, id: &str) -> Option<&'p Step> {
    p.steps.iter().find(|s| s.id == id && s.bulk)
}

/// What one must have read of a case before one decides it.
fn content(p: &Procedure, state: &CaseState) -> Vec<Pair> {
    let value = |f: &Field| {
        let v = state.content.fields.get(&f.id)?;
        Some(Pair { label: f.label.clone(), value: show_value(f, v) })
    };
    let fields = p.fields.iter().filter(|f| !matches!(f.kind, FieldType::Items(_))).filter_map(value);
    let items = state.content.items.iter().map(|i| format!("{} {}", i.number, i.name));
    let items = items.collect::<Vec<_>>().join("、");
    let done = p.steps.iter().flat_map(|s| {
        let run = state.step(&s.id);
        s.evidence.iter().filter_map(move |f| {
            let v = run?.evidence.get(&f.id)?;
            Some(Pair { label: format!("{}：{}", s.title, f.label), value: show_value(f, v) })
        })
    });
    let items = (!items.is_empty()).then(|| Pair { label: "対象".to_owned(), value: items });
    fields.chain(items).chain(done).collect()
}

#[boxed]
impl Office {
    /// The whole inbox, with what may be decided together.
    ///
    /// # Errors
    /// The database failed.
    pub async fn inbox_page(self: &Arc<Self>, who: &Identity) -> Result<Vec<TaskLine>, AppError> {
        let mut lines = self.inbox(&self.me(who).await?, SHOWN).await?;
        let flagged = |pack: &Pack| pack.procedures.values().any(|p| p.steps.iter().any(|s| s.bulk));
        if lines.is_empty() || !flagged(&self.pack()) {
            return Ok(lines);
        }
        let mut ids: Vec<String> = lines.iter().map(|l| l.case_id.clone()).collect();
        ids.truncate(MOST_AT_ONCE * 4);
        let rows = self
            .store
            .read(move |c| {
                Box::pin(async move { case::by_ids(c, &engine(), &ids).await.map_err(AppError::from) })
            })
            .await?;
        let mut choices: BTreeMap<String, BulkChoice> = BTreeMap::new();
        let mut sensitive = Vec::new();
        for row in &rows {
            if let Some((choice, looked)) = self.bulk_choice(who, row).await? {
                choices.insert(row.id.clone(), choice);
                sensitive.extend(looked.then(|| format!("case/{}", row.id)));
            }
        }
        self.note_looks(who, sensitive, "page").await?;
        for line in &mut lines {
            line.bulk = choices.remove(&line.case_id);
        }
        Ok(lines)
    }

    /// What somebody may decide about a case together with others, and whether looks at it are recorded.
    async fn bulk_choice(
        &self,
        who: &Identity,
        row: &CaseRow,
    ) -> Result<Option<(BulkChoice, bool)>, AppError> {
        let pack = self.pack_of(&row.pack).await?;
        let Some(p) = pack.procedures.get(&row.procedure).filter(|p| p.steps.iter().any(|s| s.bulk)) else {
            return Ok(None);
        };
        let state = state_of(row)?;
        let open = |s: &StepRun| s.status == StepStatus::Open && bulk_step(p, &s.id).is_some();
        if !state.steps.iter().any(open) {
            return Ok(None);
        }
        let (org, rules) = (self.org().await?, self.rules(&pack)?);
        let ctx = Ctx { org: &org, pack: &pack, rules: &rules, now: self.clock.now(), person: &who.person };
        // An own case, and an acting decision that needs a reason, are looked at one by one.
        let plain = decide::offers(&state, &ctx).into_iter().filter(|o| !o.needs_reason && !o.urgent);
        let found = plain.into_iter().find_map(|o| {
            let step = bulk_step(p, &o.step).filter(|s| own_name(s.kind) == o.action)?;
            Some((step, o))
        });
        Ok(found.map(|(step, o)| {
            let choice = BulkChoice {
                value: [&row.id, &o.step, &state.content_hash(Some(&o.step))].map(String::as_str).join("|"),
                act: own_label(step, p.permit.is_some()),
                content: content(p, &state),
            };
            (choice, is_sensitive_case(&pack, p, &state, self.clock.today()))
        }))
    }

    /// Decides several cases, each by itself; what became of each.
    ///
    /// # Errors
    /// Nothing or too much was chosen; the database failed. A case that is refused is in the answer.
    pub async fn decide_together(
        self: &Arc<Self>,
        who: &Identity,
        chosen: &[String],
        says: &str,
    ) -> Result<Vec<BulkResult>, AppError> {
        if chosen.is_empty() {
            return Err(AppError::field("tasks", "まとめて処理する案件を選んでください。"));
        }
        if chosen.len() > MOST_AT_ONCE {
            let message = format!("一度に処理できるのは{MOST_AT_ONCE}件までです。選ぶ数を減らしてください。");
            return Err(AppError::field("tasks", message));
        }
        let mut results: Vec<BulkResult> = Vec::new();
        for value in chosen {
            let mut parts = value.splitn(3, '|');
            let (Some(id), Some(step), Some(shown)) = (parts.next(), parts.next(), parts.next()) else {
                return Err(AppError::field(
                    "tasks",
                    "選んだ案件を読み取れません。画面を開き直してください。",
                ));
            };
            if results.iter().any(|r| r.case_id == id) {
                continue;
            }
            let (number, title, done) = self.decide_one(who, id, step, shown, says).await?;
            let message = match done {
                Ok(()) => String::new(),
                Err(AppError::Refused { message, .. }) => message,
                Err(AppError::Invalid(wrong)) => {
                    wrong.into_iter().map(|f| f.message).collect::<Vec<_>>().join(" ")
                }
                Err(AppError::NotFound) => "見つからないか、見る権限がありません。".to_owned(),
                Err(e) => return Err(e),
            };
            results.push(BulkResult { case_id: id.to_owned(), number, title, message });
        }
        Ok(results)
    }

    /// One act of many: number and title of the case where it is seen, and what came of it.
    async fn decide_one(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        step: &str,
        shown: &str,
        says: &str,
    ) -> Result<(String, String, Result<(), AppError>), AppError> {
        let (row, _) = match self.load_case(&self.me(who).await?, id).await {
            Ok(found) => found,
            Err(e @ AppError::NotFound) => return Ok((String::new(), String::new(), Err(e))),
            Err(e) => return Err(e),
        };
        let pack = self.pack_of(&row.pack).await?;
        let found = pack.procedures.get(&row.procedure).and_then(|p| bulk_step(p, step));
        let done = match found {
            // The pack decides what may be done together; what a form says does not.
            None => Err(AppError::refused(
                "C013",
                "この処理は、まとめて行えません。案件を開いて、内容を確かめて処理してください。",
            )),
            Some(s) => {
                let input = ActInput {
                    act: own_name(s.kind).to_owned(),
                    step: step.to_owned(),
                    shown: shown.to_owned(),
                    values: [("says".to_owned(), vec![says.to_owned()])].into(),
                };
                self.act(who, id, &input).await
            }
        };
        Ok((row.number, row.title, done))
    }
}
