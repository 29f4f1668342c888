//! Filling a form as somebody might: for every field some values that fit its type, of which the first that the form's
//! own rules accept is taken.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_case::{Code, Refusal};
use sekisho_pack::model::{Field, FieldType, Pack};
use serde_json::{Value, json};

/// Values by field id.
pub(super) type Values = BTreeMap<String, Value>;

/// Values that fit a field, in the order in which they are tried. Leaving a field empty comes first where that is not
/// forbidden: what is unknown leaves every step and every duty in force.
pub(super) fn fitting(pack: &Pack, field: &Field, today: Date) -> Vec<Value> {
    let mut values = match &field.kind {
        FieldType::Text | FieldType::LongText | FieldType::Row(_) => vec![json!("例")],
        FieldType::File => vec![json!(format!("{} 例.pdf", "0".repeat(64)))],
        // Which clause is excepted changes nothing about who decides.
        FieldType::Clauses => vec![json!(pack.clauses.iter().take(1).map(|c| &c.id).collect::<Vec<_>>())],
        FieldType::Date => {
            let days = [0, 1, 7, 30, 90, 365, -1, -30, -365].map(|d| today.plus_days(d));
            days.into_iter().chain([today.fiscal_year_end()]).map(|d| json!(d)).collect()
        }
        FieldType::Integer => [1, 0, 10, 100, 1_000, 10_000].map(|n| json!(n)).to_vec(),
        FieldType::Bool => vec![json!(true), json!(false)],
        FieldType::Choice => field.choices.iter().map(|c| json!(c.code)).collect(),
        FieldType::Items(_) => vec![],
    };
    if !field.required {
        values.insert(0, Value::Null);
    }
    values
}

/// What an example is filled with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Example<'e> {
    pub pack: &'e Pack,
    pub today: Date,
    /// From which of its values a field is tried.
    pub start: &'e BTreeMap<String, usize>,
    /// Values that a test asks about.
    pub fixed: &'e Values,
}

/// Fills the fields until `submit` accepts them.
///
/// # Errors
/// What `submit` said last, with the faults it found, when no value is left to try.
pub(super) fn fill<T>(
    example: &Example<'_>,
    fields: &[Field],
    mut submit: impl FnMut(&Values) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut left: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let Example { pack, today, start, fixed } = *example;
    // A row that a field names is one that serves: what conditions read of it is there.
    let facts: Vec<Field> = fields.iter().flat_map(|f| f.row_facts(&pack.registers)).collect();
    let facts: Vec<Field> = facts.into_iter().map(|f| Field { required: true, ..f }).collect();
    for f in fields.iter().chain(&facts) {
        let skipped = start.get(&f.id).copied().unwrap_or(0);
        let values = match fixed.get(&f.id) {
            Some(v) => vec![v.clone()],
            None => fitting(pack, f, today).into_iter().skip(skipped).rev().collect(),
        };
        left.insert(&f.id, values);
    }
    loop {
        let given = left.iter().filter_map(|(id, v)| Some(((*id).to_owned(), v.last()?.clone())));
        let values: Values = given.filter(|(_, v)| !v.is_null()).collect();
        let refusal = match submit(&values) {
            Ok(done) => return Ok(done),
            Err(refusal) => refusal,
        };
        // Every turn takes a value away, so this ends.
        let next = refusal
            .fields
            .iter()
            .map(|f| f.field.as_str())
            .find(|id| left.get(id).is_some_and(|v| v.len() > 1));
        let Some(tried) = next.and_then(|id| left.get_mut(id)) else {
            return Err(with_faults(refusal));
        };
        tried.pop();
    }
}

fn with_faults(mut refusal: Refusal) -> Refusal {
    if refusal.code == Code::InvalidForm {
        let faults = refusal.fields.iter().map(|f| format!("{}: {}", f.field, f.message));
        refusal.message = format!("{}{}", refusal.message, faults.collect::<Vec<_>>().join(" "));
    }
    refusal
}
