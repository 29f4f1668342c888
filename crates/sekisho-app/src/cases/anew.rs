//! Applying once more for what one applied for before: most people apply for the same thing twice a year, and whoever took an application
//! back wants to change one line of it.

use sekisho_base::Date;
use sekisho_boxed::boxed;
use sekisho_case::case::CaseState;
use sekisho_pack::model::{FieldType, Procedure};
use serde_json::Value;

use crate::cases::view::{ApplyForm, Typed};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;

/// A stored value as its field takes it: several clauses stand in one line, a day as people write it.
pub(super) fn typed_text(kind: &FieldType, value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("、")),
        Value::String(s) if *kind == FieldType::Date => {
            Some(s.parse::<Date>().map_or_else(|_| s.clone(), Date::short))
        }
        Value::String(s) => Some(s.clone()),
        Value::Bool(yes) => yes.then(|| "1".to_owned()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// A field's value as its form takes it. Nothing for days, which are other ones this time, and for files.
fn typed_again(kind: &FieldType, value: &Value) -> Option<String> {
    match kind {
        FieldType::Date | FieldType::File | FieldType::Items(_) => None,
        kind => typed_text(kind, value),
    }
}

/// Where somebody applies anew with what a case holds; empty where they did not apply for it, or not by a form.
pub(super) fn address(procedure: Option<&Procedure>, state: &CaseState, person: &str) -> String {
    let applies = procedure.is_some_and(|p| p.applied_for() && !p.changes_classes());
    let own = state.cause.is_none() && state.parent.is_none() && state.applicant.person == person;
    if applies && own { format!("/apply/{}?like={}", state.procedure, state.id) } else { String::new() }
}

#[boxed]
impl Office {
    /// The form of a procedure, filled in from an own case of it: everything but days and files. The things are looked up as the registers
    /// have them today.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown procedure, and for a case that is not one's own or of another procedure.
    pub async fn apply_form_like(
        &self,
        who: &Identity,
        procedure: &str,
        case: &str,
    ) -> Result<ApplyForm, AppError> {
        let pack = self.pack();
        let p = pack.procedures.get(procedure).ok_or(AppError::NotFound)?;
        let (_, state) = self.load_case(&self.me(who).await?, case).await?;
        if state.procedure != procedure || address(Some(p), &state, &who.person).is_empty() {
            return Err(AppError::NotFound);
        }
        let mut typed = Typed { post: state.applicant.post.clone(), ..Typed::default() };
        for f in &p.fields {
            if let Some(text) = state.content.fields.get(&f.id).and_then(|v| typed_again(&f.kind, v)) {
                typed.values.insert(f.id.clone(), vec![text]);
            }
        }
        for item in &state.content.items {
            typed.values.entry(item.field.clone()).or_default().push(item.key());
        }
        self.typed_form(who, procedure, &typed, false).await
    }
}
