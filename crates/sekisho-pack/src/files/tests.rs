//! `tests/*.toml`: data tests.

use std::collections::BTreeMap;

use crate::files::doc::{At, Table};
use crate::files::{ACTS, Known, dangling, need, reference};
use crate::model::{FieldType, PackTest, TestExpect, TestGiven};

/// Outcomes of a handling decision.
const HANDLING: [&str; 4] = ["allowed", "safeguards", "permit", "prohibited"];
/// Outcomes of "may this person act".
const ACTING: [&str; 2] = ["allowed", "refused"];
/// Words after a role that put its holder into another unit.
pub(crate) const ELSEWHERE: &str = " of another section";

pub(crate) fn tests(t: &Table<'_>, known: &Known) -> Vec<PackTest> {
    let mut out = Vec::new();
    for x in t.tables("test") {
        let name = need(&x, "name");
        let person = x.text("person");
        let act = x.need("act");
        let step = x.text("step");
        let facts = x.table("facts");
        let says = x.texts("says").into_iter().map(|a| a.value).collect();
        let is_handling = act.as_ref().is_some_and(|a| ACTS.contains(&a.value.as_str()));
        let given = match act {
            None => None,
            Some(act) if is_handling => {
                if let Some(p) = &person {
                    x.src.error(
                        p.line,
                        &p.key,
                        "取扱いの問いに person は要りません",
                        "person を消してください",
                    );
                }
                Some(TestGiven {
                    person: String::new(),
                    act: act.value,
                    step: None,
                    facts: item_facts(facts.as_ref(), known),
                })
            }
            Some(act) => acting(&x, act, person, step, facts.as_ref(), known),
        };
        let outcomes: &[&str] = if is_handling { &HANDLING } else { &ACTING };
        let outcome = reference(&x, x.need("expect"), "結果", outcomes.iter().copied());
        if let Some(f) = &facts {
            f.finish();
        }
        x.finish();
        if let (Some(given), Some(outcome)) = (given, outcome) {
            out.push(PackTest {
                file: x.src.file.to_owned(),
                line: x.line,
                name,
                given,
                expect: TestExpect { outcome, says },
            });
        }
    }
    t.finish();
    out
}

fn acting(
    x: &Table<'_>,
    act: At<String>,
    person: Option<At<String>>,
    step: Option<At<String>>,
    facts: Option<&Table<'_>>,
    known: &Known,
) -> Option<TestGiven> {
    // Read at once: a defect further down must not make the facts unknown keys.
    let facts = facts.map(Table::json).unwrap_or_default();
    let names = known.procedure_ids.iter().map(String::as_str).chain(ACTS);
    let id = reference(x, Some(act), "手続や行為", names)?;
    let p = known.procedures.get(&id)?;
    if step.is_none() {
        x.error("step", "どの段かが書かれていません", "step = \"permit\" のように書いてください");
    }
    let steps = p.steps.iter().map(|s| s.id.as_str()).chain(["apply"]);
    let step = reference(x, step, "段", steps)?;
    let Some(person) = person else {
        x.error(
            "person",
            "誰が行うかが書かれていません",
            "person = \"applicant\" か、役割の id を書いてください",
        );
        return None;
    };
    let role = person.value.strip_suffix(ELSEWHERE).unwrap_or(&person.value).to_owned();
    if role != "applicant" && !known.roles.contains_key(&role) {
        dangling(x, &At { value: role, ..person }, "役割", known.roles.keys().map(String::as_str));
        return None;
    }
    let registers: Vec<&str> = p
        .fields
        .iter()
        .flat_map(|f| {
            if let FieldType::Items(l) = &f.kind { l.iter().map(String::as_str).collect() } else { vec![] }
        })
        .collect();
    let mut out = BTreeMap::new();
    for (key, at) in facts {
        let words: Vec<&str> = match &at.value {
            serde_json::Value::String(s) => vec![s],
            serde_json::Value::Array(l) => l.iter().filter_map(serde_json::Value::as_str).collect(),
            _ => vec![],
        };
        let fits = match key.as_str() {
            "applicant" => words.len() == 1 && words.iter().all(|w| known.roles.contains_key(*w)),
            "absent" | "vacant" => !words.is_empty() && words.iter().all(|w| known.roles.contains_key(*w)),
            "register" => words.len() == 1 && words.iter().all(|w| registers.contains(w)),
            "owner" => matches!(words.as_slice(), ["own" | "other"]),
            _ => match key.split_once('.') {
                Some(("fields", id)) => {
                    p.fields.iter().any(|f| f.id == id && !matches!(f.kind, FieldType::Items(_)))
                }
                Some(("class", axis)) => {
                    let axis = known.classification.axes.get(axis);
                    words.len() == 1
                        && axis.is_some_and(|a| a.levels.iter().any(|l| words.contains(&l.code.as_str())))
                }
                _ => false,
            },
        };
        if !fits {
            x.src.error(
                at.line,
                &at.key,
                format!("「{key}」をこの値では使えません"),
                "applicant（申請者の役割）、absent・vacant（役割の並び）、register（台帳）、owner（\"own\" か \"other\"）、\"fields.項目の id\"（申請の値）、\"class.軸\"（分類）を書いてください",
            );
        }
        out.insert(key, at.value);
    }
    Some(TestGiven { person: person.value, act: id, step: Some(step), facts: out })
}

/// Facts about items: class by axis, zone, personal-data mark, device; values must be known codes.
fn item_facts(facts: Option<&Table<'_>>, known: &Known) -> BTreeMap<String, serde_json::Value> {
    let mut out = BTreeMap::new();
    let Some(t) = facts else { return out };
    let env = known.item_env();
    for (key, at) in t.json() {
        let codes: Option<Vec<String>> = match env.get(&key).map(|b| &b.kind) {
            Some(crate::expr::Type::Class(ranks)) => Some(ranks.iter().map(|(c, _)| c.clone()).collect()),
            Some(crate::expr::Type::List(codes)) => codes.clone(),
            Some(crate::expr::Type::Choice(codes)) => Some(codes.clone()),
            _ => None,
        };
        let words: Vec<&str> = match &at.value {
            serde_json::Value::String(s) => vec![s],
            serde_json::Value::Array(l) => l.iter().filter_map(serde_json::Value::as_str).collect(),
            _ => vec![],
        };
        match codes {
            None => {
                let names: Vec<&str> = env.names().collect();
                t.src.error(
                    at.line,
                    &at.key,
                    format!("「{key}」という事実はありません"),
                    format!("書けるのは {} です", names.join("、")),
                );
            }
            Some(codes) => {
                for w in words.iter().filter(|w| !codes.iter().any(|c| c == *w)) {
                    dangling(
                        t,
                        &At { value: (*w).to_owned(), line: at.line, key: at.key.clone() },
                        "値",
                        codes.iter().map(String::as_str),
                    );
                }
            }
        }
        out.insert(key, at.value);
    }
    out
}
