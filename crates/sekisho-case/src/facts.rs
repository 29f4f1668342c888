//! What conditions of a pack read: one place where contents become bindings.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_pack::expr::{Bindings, Expr};
use sekisho_pack::model::Classification;

use crate::case::{CaseState, Content, StepStatus, is_final_decision};

/// A JSON value as conditions see it; what has no counterpart is null.
#[must_use]
pub(crate) fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => n.as_i64().map_or(Value::Null, Value::Int),
        serde_json::Value::String(s) => Value::Text(s.clone()),
        serde_json::Value::Array(list) => {
            Value::List(list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
        }
        serde_json::Value::Null | serde_json::Value::Object(_) => Value::Null,
    }
}

/// The codes of the highest rank on each axis over several classes: mixtures take the highest class and keep every code
/// of it (3A, 3B, 3C side by side). A code the axis does not know stays, above every known one, so that it never
/// lowers a class.
#[must_use]
pub fn mixed_class<'a>(
    classification: &Classification,
    classes: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, Vec<String>> {
    let mut highest: BTreeMap<&str, (i64, BTreeSet<&str>)> = BTreeMap::new();
    for (axis, code) in classes.into_iter().flatten() {
        let Some(rank) = classification.rank(axis, code) else { continue };
        let entry = highest.entry(axis).or_insert((rank, BTreeSet::new()));
        if rank > entry.0 {
            *entry = (rank, BTreeSet::new());
        }
        if rank == entry.0 {
            entry.1.insert(code);
        }
    }
    highest
        .into_iter()
        .map(|(axis, (_, codes))| (axis.to_owned(), codes.into_iter().map(str::to_owned).collect()))
        .collect()
}

/// Adds `class.<axis>` for every axis that has a class.
pub(crate) fn bind_class(mut b: Bindings, class: &BTreeMap<String, Vec<String>>) -> Bindings {
    for (axis, codes) in class {
        b = b.with(&format!("class.{axis}"), Value::List(codes.clone()));
    }
    b
}

/// The bindings of a procedure's conditions: its fields, the mixed class of its items, and today.
pub(crate) fn bindings(content: &Content, classification: &Classification, today: Date) -> Bindings {
    let mut b = Bindings::on(today);
    for (id, v) in &content.fields {
        b = b.with(id, value(v));
    }
    let fields: BTreeSet<&str> = content.items.iter().map(|i| i.field.as_str()).collect();
    for field in fields {
        let keys = content.items.iter().filter(|i| i.field == field).map(super::case::Item::key).collect();
        b = b.with(field, Value::List(keys));
    }
    // Marks of the items side by side: `"mynumber" in zone` holds when any of them lies there.
    let mut marks: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (id, v) in content.items.iter().flat_map(|i| &i.snapshot.facts) {
        let codes = match value(v) {
            Value::Text(s) => vec![s],
            Value::List(l) => l,
            Value::Null | Value::Bool(_) | Value::Int(_) => continue,
        };
        marks.entry(id).or_default().extend(codes);
    }
    for (id, codes) in marks.into_iter().filter(|(id, _)| MARKS.contains(id)) {
        b = b.with(id, Value::List(codes.into_iter().collect()));
    }
    bind_class(b, &mixed_class(classification, content.items.iter().map(|i| &i.snapshot.class)))
}

/// Marks of items that conditions of procedures may read.
const MARKS: [&str; 2] = ["zone", "personal"];

/// The same for a case under way: also the evidence of its steps, and whether a final decision refused.
pub(crate) fn case_bindings(state: &CaseState, classification: &Classification, today: Date) -> Bindings {
    let mut b = bindings(&state.content, classification, today);
    for step in &state.steps {
        for (id, v) in &step.evidence {
            b = b.with(id, value(v));
        }
        if is_final_decision(step.kind) && step.status == StepStatus::Done {
            b = b.with(&format!("refused_{}", step.id), Value::Bool(step.all_refused()));
        }
    }
    b
}

/// Whether a condition that widens duties applies: without condition, or on an error or a null, it does.
pub(crate) fn applies(when: Option<&Expr>, b: &Bindings) -> bool {
    when.is_none_or(|e| e.eval_bool(b).unwrap_or(true))
}
