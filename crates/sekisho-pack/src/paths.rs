//! Whether every path through a procedure is decided: on each, at least one permit or resolve step is active.
//!
//! Conditions over choices, truth values, classes, lists of known codes and whole numbers against constants are tried on
//! all values that can tell them apart. A step with any other condition counts as never active, so the answer may refuse
//! a procedure that would be sound, but never lets an undecided path through.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;

use crate::expr::{Bindings, Env, Expr, Type};
use crate::model::{Step, StepKind};

/// Most combinations tried; beyond it the procedure must have an unconditional deciding step.
const MAX_COMBINATIONS: usize = 50_000;

/// A path without decision, described in Japanese, or none.
pub(crate) fn undecided(steps: &[Step], env: &Env) -> Option<String> {
    let deciding: Vec<&Step> =
        steps.iter().filter(|s| matches!(s.kind, StepKind::Permit | StepKind::Resolve)).collect();
    if deciding.iter().any(|s| s.when.is_none()) {
        return None;
    }
    let conditions: Vec<&Expr> =
        deciding.iter().filter_map(|s| s.when.as_ref()).filter(|e| e.is_finite()).collect();
    if conditions.is_empty() {
        return Some(if deciding.is_empty() {
            "許可も議決の段もない".to_owned()
        } else {
            "段の when がいつも成り立つとは言えない".to_owned()
        });
    }
    let names: BTreeSet<String> = conditions.iter().flat_map(|e| e.names()).collect();
    let texts: BTreeSet<String> = conditions.iter().flat_map(|e| e.texts()).collect();
    let ints: BTreeSet<i64> = conditions.iter().flat_map(|e| e.ints()).collect();
    let candidates: Vec<(String, Vec<Value>)> = names
        .into_iter()
        .map(|n| {
            let c = candidates(env, &n, &texts, &ints);
            (n, c)
        })
        .collect();
    let total = candidates
        .iter()
        .try_fold(1usize, |n, (_, c)| n.checked_mul(c.len()).filter(|n| *n <= MAX_COMBINATIONS));
    let Some(total) = total else { return Some("組合せが多すぎて確かめられない".to_owned()) };
    let day = Date::from_epoch_days(0);
    for n in 0..total {
        let mut rest = n;
        let mut values = BTreeMap::new();
        for (name, options) in &candidates {
            if let Some(v) = options.get(rest % options.len()) {
                values.insert(name.clone(), v.clone());
            }
            rest /= options.len();
        }
        let b = Bindings { today: day, values };
        // Null means that the step applies.
        if conditions.iter().all(|e| e.eval_bool(&b) == Some(false)) {
            return Some(describe(&b.values));
        }
    }
    None
}

fn candidates(env: &Env, name: &str, texts: &BTreeSet<String>, ints: &BTreeSet<i64>) -> Vec<Value> {
    let mentioned = || {
        let other = (0..).map(|n| format!("その他{n}")).find(|s| !texts.contains(s)).unwrap_or_default();
        texts.iter().cloned().chain([other]).collect::<Vec<_>>()
    };
    let mut out = vec![Value::Null];
    match env.get(name).map(|b| &b.kind) {
        Some(Type::Choice(codes)) => out.extend(codes.iter().cloned().map(Value::Text)),
        Some(Type::Bool) => out.extend([Value::Bool(false), Value::Bool(true)]),
        Some(Type::Int) => {
            let around: BTreeSet<i64> = ints.iter().flat_map(|n| [n - 1, *n, n + 1]).chain([0]).collect();
            out.extend(around.into_iter().map(Value::Int));
        }
        Some(Type::Class(ranks)) => {
            out.extend(subsets(&ranks.iter().map(|(c, _)| c.clone()).collect::<Vec<_>>()))
        }
        Some(Type::List(Some(codes))) => out.extend(subsets(codes)),
        Some(Type::List(None)) => out.extend(subsets(&mentioned())),
        Some(Type::Text | Type::Date) | None => out.extend(mentioned().into_iter().map(Value::Text)),
    }
    out
}

/// Every subset; of more than twelve codes too many to try, which the cap on combinations refuses.
fn subsets(codes: &[String]) -> Vec<Value> {
    if codes.len() > 12 {
        return vec![Value::Null; MAX_COMBINATIONS + 1];
    }
    (1usize..1 << codes.len())
        .map(|bits| {
            Value::List(
                codes
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| bits >> i & 1 == 1)
                    .map(|(_, c)| c.clone())
                    .collect(),
            )
        })
        .collect()
}

fn describe(values: &BTreeMap<String, Value>) -> String {
    let one = |v: &Value| match v {
        Value::Null => "空".to_owned(),
        Value::Bool(b) => (if *b { "はい" } else { "いいえ" }).to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Text(s) => s.clone(),
        Value::List(l) => l.join("・"),
    };
    values.iter().map(|(k, v)| format!("{k} が {}", one(v))).collect::<Vec<_>>().join("、")
}
