//! The second step: what the dry run told, and nothing else, in one transaction.

use std::sync::Arc;

use sekisho_base::canonical::{hex, sha256};
use sekisho_boxed::boxed;
use sekisho_case::case::CaseState;
use sekisho_case::decide::{self, Command, Ctx};
use sekisho_store::Conn;
use sekisho_store::case::{self, DraftRow};
use sekisho_store::case_import::{self, CaseImportRow};
use sekisho_store::upload::{self, UploadRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::look::{Asked, Looked, Row, Todo, look};
use super::sheet::draft_number;
use super::{CaseImportChoice, kind};
use crate::cases::apply::{draft_body, refused};
use crate::cases::store::{decide_and_keep, engine};
use crate::cases::view::Typed;
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::registers::changed_meanwhile;

/// Form field by which the safeguards of all applications are confirmed.
pub const CONFIRMED: &str = "confirmed";

/// What is asked of the second step.
#[derive(Debug, Clone, Default)]
pub struct CaseImportOrder {
    /// Id under which the file waits.
    pub upload: String,
    /// Digest of what was shown.
    pub shown: String,
    /// What was asked for beside the rows.
    pub choice: CaseImportChoice,
    /// Whether the applications are sent; else they become drafts.
    pub submit: bool,
    /// Whether the safeguards were confirmed.
    pub confirmed: bool,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Made {
    /// A new draft.
    Draft,
    /// A draft that was there, rewritten.
    Rewritten,
    /// A case.
    Case,
    /// A case that was sent back, applied for again.
    Again,
    /// Nothing: a case that was sent back has no draft.
    Left,
}

/// What came of a row, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Row of the sheet, from 1.
    pub row: usize,
    pub made: Made,
    /// Id of the draft or the case.
    pub id: String,
    /// Its number.
    pub number: String,
    /// SHA-256 of the draft as it was written; empty for cases.
    pub hash: String,
    /// What the draft held before; empty unless it was rewritten.
    pub before: String,
}

/// Digest of a draft's contents.
pub(super) fn hash_of(body: &str) -> String {
    hex(&sha256(body.as_bytes()))
}

#[boxed]
impl Office {
    /// Carries out a file: drafts, or applications one by one through the ordinary act; all or nothing. Returns the id under which it is
    /// remembered. A second sending of the same changes nothing and gets the same answer.
    ///
    /// # Errors
    /// Refused when the file is gone or somebody else's, or when anything is not as it was shown; [`CONFIRMED`] when it was not.
    pub async fn apply_case_import(
        self: &Arc<Self>,
        who: &Identity,
        procedure: &str,
        order: &CaseImportOrder,
    ) -> Result<String, AppError> {
        let (person, id, of) = (who.person.clone(), order.upload.clone(), procedure.to_owned());
        let before = self
            .store
            .read(move |c| {
                Box::pin(async move { case_import::get(c, &person, &id).await.map_err(AppError::from) })
            })
            .await?;
        if let Some(before) = before.filter(|b| b.procedure == of) {
            return Ok(before.id);
        }
        let (kept, bytes) = self.kept_upload(who, &kind(procedure), &order.upload).await?;
        let asked = self.asked(who, procedure, bytes, &order.choice).await?;
        let carry = Carry { asked, order: order.clone(), kept };
        self.store.write(move |c| Box::pin(async move { carry.run(c).await })).await
    }
}

struct Carry {
    asked: Asked,
    order: CaseImportOrder,
    kept: UploadRow,
}

impl Carry {
    async fn run(self, c: &mut Conn<'_>) -> Result<String, AppError> {
        let a = &self.asked.applying;
        if let Some(before) = case_import::get(c, &a.me.person, &self.kept.id).await? {
            return Ok(before.id);
        }
        let looked = look(c, &self.asked).await?;
        if looked.plan.counts.errors > 0 || looked.rows.is_empty() || looked.shown != self.order.shown {
            return Err(changed_meanwhile());
        }
        if self.order.submit && !looked.safeguards.is_empty() && !self.order.confirmed {
            let message = "守ることを読み、「守ります」にチェックしてから提出してください。";
            return Err(AppError::field(CONFIRMED, message));
        }
        let Looked { rows, .. } = looked;
        if !self.order.submit && rows.iter().all(|r| matches!(r.todo, Todo::Again(_))) {
            let message = "下書きにできる行がありません。差し戻された申請は、「提出する」を選ぶと、もう一度申請します。";
            return Err(AppError::refused("X011", message));
        }
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            lines.push(if self.order.submit { self.send(c, row).await? } else { self.keep(c, row).await? });
        }
        let now = a.office.clock.now();
        let done = CaseImportRow {
            id: self.kept.id.clone(),
            procedure: a.procedure.clone(),
            person: a.me.person.clone(),
            at: now,
            file: self.kept.name.clone(),
            submitted: self.order.submit,
            lines: json!(lines).to_string(),
            undone: None,
        };
        case_import::put(c, &done).await?;
        upload::drop_used(c, &self.kept.id, now).await?;
        Ok(done.id)
    }

    /// Keeps a row as a draft.
    async fn keep(&self, c: &mut Conn<'_>, row: Row) -> Result<Kept, AppError> {
        let a = &self.asked.applying;
        let kept =
            |made, id: String, number, hash, before| Kept { row: row.row, made, id, number, hash, before };
        let (id, before, typed, made) = match row.todo {
            Todo::New(typed) => (a.office.new_id()?.to_string(), String::new(), typed, Made::Draft),
            Todo::Rewrite(before, typed) => (before.id, before.body, typed, Made::Rewritten),
            Todo::Again(again) => {
                return Ok(kept(Made::Left, again.0.id.clone(), row.number, String::new(), String::new()));
            }
        };
        let body = draft_body(&typed);
        let hash = hash_of(&body);
        let draft = DraftRow {
            id: id.clone(),
            procedure: a.procedure.clone(),
            person: a.me.person.clone(),
            body,
            updated_at: a.office.clock.now(),
        };
        case::put_draft(c, &draft).await?;
        let number = draft_number(&id);
        Ok(kept(made, id, number, hash, before))
    }

    /// Sends a row as the application it is.
    async fn send(&self, c: &mut Conn<'_>, row: Row) -> Result<Kept, AppError> {
        let a = &self.asked.applying;
        let typed = match row.todo {
            Todo::New(typed) => typed,
            Todo::Rewrite(before, typed) => Typed { draft: before.id, ..typed },
            Todo::Again(again) => {
                let (case, draft) = *again;
                let decision = |state: &CaseState, ctx: &Ctx<'_>| {
                    let shown = state.content_hash(None);
                    decide::decide(state, ctx, Command::Resubmit { shown, draft }).map_err(|r| refused(r, ""))
                };
                decide_and_keep(c, &a.office, &case, &a.me.person, decision).await?;
                return Ok(self.sent(row.row, Made::Again, case.id, case.number));
            }
        };
        let id = a.office.new_id()?.to_string();
        a.apply(c, &typed, &id).await?;
        let case = case::get(c, &engine(), &id).await?.ok_or(AppError::NotFound)?;
        Ok(self.sent(row.row, Made::Case, id, case.number))
    }

    fn sent(&self, row: usize, made: Made, id: String, number: String) -> Kept {
        Kept { row, made, id, number, hash: String::new(), before: String::new() }
    }
}
