//! Doing a duty: who may is asked again in the moment of the act, the evidence is checked against the pack, and the record, its ledger entry
//! and its expiry are written together.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_base::table::Value;
use sekisho_base::{Date, limits};
use sekisho_boxed::boxed;
use sekisho_pack::expr::Bindings;
use sekisho_pack::model::{Field, FieldType};
use sekisho_store::duty::{self, OccurrenceRow};
use serde_json::json;

use super::daily::{counts_until, stream_of};
use super::who::standing;
use crate::cases::typed_values;
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::office::Office;
use crate::record::record;

/// What the form fields of the evidence begin with.
pub(super) const EVIDENCE: &str = "e.";

#[boxed]
impl Office {
    /// An open or closed occurrence of a duty of the running pack.
    pub(super) async fn occurrence(&self, duty: &str, id: &str) -> Result<OccurrenceRow, AppError> {
        let id = id.to_owned();
        let found = self
            .store
            .read(move |c| Box::pin(async move { duty::get(c, &id).await.map_err(AppError::from) }))
            .await?;
        found.filter(|o| o.duty == duty).ok_or(AppError::NotFound)
    }

    /// Records that a duty was done.
    ///
    /// # Errors
    /// Evidence that was not accepted, or a refusal that names who may.
    pub async fn do_duty(
        self: &Arc<Self>,
        who: &Identity,
        duty_id: &str,
        id: &str,
        typed: &BTreeMap<String, Vec<String>>,
    ) -> Result<(), AppError> {
        let row = self.occurrence(duty_id, id).await?;
        let pack = self.pack();
        let d = pack.duties.get(&row.duty).ok_or(AppError::NotFound)?;
        let (directory, org) = (self.directory().await?, self.org().await?);
        let now = self.clock.now();
        let all = (&*pack, &*directory, &*org);
        let Some(standing) = standing(&who.person, &d.role, &row.unit, row.escalated, all, now.date()) else {
            let role = pack.roles.get(&d.role).map_or(d.role.as_str(), |r| r.title.as_str());
            let unit = directory.unit_name(&row.unit);
            return Err(AppError::refused(
                "D001",
                format!("この仕事を行うのは{unit}の{role}です。今の担当者に頼んでください。"),
            ));
        };
        if row.closed_at.is_some() {
            return Err(AppError::refused(
                "D002",
                "この仕事はすでに終わっています。画面を開き直して、記録を確かめてください。",
            ));
        }
        let evidence = typed_values(&d.evidence, typed, EVIDENCE)?;
        let faults = faults(&d.evidence, &evidence, now.date());
        if !faults.is_empty() {
            return Err(AppError::Invalid(faults));
        }
        let valid_until = counts_until(d, &row, &pack)?;
        let (office, person, id, hash) =
            (Arc::clone(self), who.person.clone(), row.id.clone(), pack.hash.clone());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let mut row = duty::get(c, &id).await?.ok_or(AppError::NotFound)?;
                    let payload = json!({
                        "duty": row.duty, "occurrence": row.id, "unit": row.unit, "subject": row.subject, "period": row.period, "due": row.due_on,
                        "by": person, "role": standing.role, "capacity": standing.capacity, "evidence": evidence, "counts_until": valid_until,
                        "pack": hash, "at": now,
                    });
                    row.entry = record(c, office.seal()?, &stream_of(&row.id)?, "duty.done", &payload, now).await?;
                    row.pack = hash;
                    row.closed_at = Some(now);
                    row.outcome = "done".to_owned();
                    row.done_by = person;
                    row.done_role = standing.role;
                    row.capacity = standing.capacity.to_owned();
                    row.evidence = json!(evidence).to_string();
                    row.valid_until = Some(valid_until);
                    row.next_change_on = None;
                    duty::update(c, &row).await.map_err(AppError::from)
                })
            })
            .await
    }
}

fn value(v: &serde_json::Value) -> Value {
    match v {
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => n.as_i64().map_or(Value::Null, Value::Int),
        serde_json::Value::String(s) => Value::Text(s.clone()),
        _ => Value::Null,
    }
}

/// What is wrong with evidence, in form order.
fn faults(fields: &[Field], given: &BTreeMap<String, serde_json::Value>, today: Date) -> Vec<FieldError> {
    let mut bindings = Bindings::on(today);
    for f in fields {
        bindings = bindings.with(&f.id, given.get(&f.id).map_or(Value::Null, value));
    }
    let mut out = Vec::new();
    for f in fields {
        let mut fault =
            |message: String| out.push(FieldError { field: format!("{EVIDENCE}{}", f.id), message });
        let Some(v) = given.get(&f.id) else {
            let needed = f.required
                || f.required_when.as_ref().is_some_and(|e| e.eval_bool(&bindings).unwrap_or(true));
            if needed {
                fault(format!("{}を入力してください。", f.label));
            }
            continue;
        };
        let text = v.as_str().unwrap_or_default();
        let long = |most: usize| text.chars().count() > most;
        match f.kind {
            FieldType::Text if long(limits::LINE_CHARS) || text.contains('\n') => {
                fault(format!("{}は1行、{}文字以内で入力してください。", f.label, limits::LINE_CHARS));
            }
            FieldType::LongText if long(limits::TEXT_CHARS) => {
                fault(format!("{}は{}文字以内で入力してください。", f.label, limits::TEXT_CHARS));
            }
            FieldType::Choice if !f.choices.iter().any(|c| c.code == text) => {
                fault(format!("{}は選択肢から選んでください。", f.label));
            }
            FieldType::Bool if f.required && *v != serde_json::Value::Bool(true) => {
                fault(format!("{}：確かめてから印を付けてください。", f.label));
            }
            _ if f.limit.as_ref().is_some_and(|e| e.eval_bool(&bindings) != Some(true)) => {
                let says = f.limit_says.clone();
                fault(says.unwrap_or_else(|| format!("{}の値が条件に合いません。", f.label)));
            }
            _ => {}
        }
    }
    out
}
