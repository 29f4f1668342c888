//! Made-up register rows as items of a case.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_case::case::{Item, Snapshot};
use sekisho_case::handling::{HandlingFacts, Outcome, decide_handling};
use sekisho_pack::model::{Classification, Column, FieldType, Pack, Procedure, Register};
use serde_json::json;

use super::city::{Facts, OTHER, OWN};

/// One item for every items field that must have one or that takes the register asked for. `level` counts from the
/// lowest class upward.
pub(super) fn items(
    pack: &Pack,
    procedure: &Procedure,
    facts: &Facts,
    level: usize,
    day: Date,
) -> Result<Vec<Item>, String> {
    let mut found = Vec::new();
    let mut taken = facts.register.is_none();
    for field in &procedure.fields {
        let FieldType::Items(registers) = &field.kind else { continue };
        let asked = facts.register.as_ref().filter(|r| registers.contains(r));
        taken |= asked.is_some();
        let Some(id) = asked.or_else(|| registers.first().filter(|_| field.required)) else { continue };
        let register = pack.registers.get(id).ok_or_else(|| format!("台帳「{id}」がありません"))?;
        let number = format!("{}-{}", field.id, register.id);
        let owner = if facts.foreign { OTHER } else { OWN };
        let mut class = class(&pack.classification, register, level);
        for (axis, code) in &facts.class {
            class.entry(axis.clone()).and_modify(|c| c.clone_from(code));
        }
        let marks = marks(pack, procedure, register, &class, day);
        let snapshot = Snapshot { class, owner: owner.to_owned(), facts: marks };
        let (field, register, name) =
            (field.id.clone(), register.id.clone(), format!("（例）{}", register.title));
        found.push(Item { field, register, id: number.clone(), number, name, snapshot });
    }
    if taken {
        Ok(found)
    } else {
        Err("この手続は、その台帳のものを対象にしていません".to_owned())
    }
}

fn class(classification: &Classification, register: &Register, level: usize) -> BTreeMap<String, String> {
    let of = |axis: &String| {
        let mut levels: Vec<_> = classification.axes.get(axis)?.levels.iter().collect();
        levels.sort_by_key(|l| l.rank);
        levels.get(level).or(levels.last()).map(|l| (axis.clone(), l.code.clone()))
    };
    register.class.keys().filter_map(of).collect()
}

/// Values of the row's choices: the first of each, and where the pack prohibits that, the first single change that is
/// not prohibited.
fn marks(
    pack: &Pack,
    procedure: &Procedure,
    register: &Register,
    class: &BTreeMap<String, String>,
    day: Date,
) -> BTreeMap<String, serde_json::Value> {
    let columns: Vec<&Column> = register.columns.iter().filter(|c| !c.choices.is_empty()).collect();
    let first: BTreeMap<String, String> =
        columns.iter().filter_map(|c| Some((c.id.clone(), c.choices.first()?.code.clone()))).collect();
    let prohibited = |marks: &BTreeMap<String, String>| {
        let texts = marks.iter().map(|(k, v)| (k.clone(), Value::Text(v.clone()))).collect();
        let asked = HandlingFacts { classes: vec![class.clone()], facts: vec![texts] };
        let decided = procedure.handling.as_ref().and_then(|act| decide_handling(pack, act, &asked, day));
        decided.is_some_and(|d| d.outcome == Outcome::Prohibited)
    };
    let changed = columns.iter().flat_map(|c| {
        let first = &first;
        c.choices.iter().map(move |choice| {
            let mut marks = first.clone();
            marks.insert(c.id.clone(), choice.code.clone());
            marks
        })
    });
    let fit = std::iter::once(first.clone()).chain(changed).find(|m| !prohibited(m));
    fit.unwrap_or(first).into_iter().map(|(k, v)| (k, json!(v))).collect()
}
