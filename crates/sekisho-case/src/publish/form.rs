//! Forms that accept nothing, steps that are never reached, applications that the handling rules prohibit whatever is in
//! them.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_pack::fill::{Filling, Question, Reach, Values};
use sekisho_pack::model::{Column, Field, FieldType, Pack, Procedure, Register, Step};
use sekisho_pack::words::{Words, item_registers};

use super::{Fault, Finding, Severity};
use crate::handling::{HandlingFacts, Outcome, decide_handling};

/// Most combinations of classes that are looked at for one procedure.
const MAX_WORLDS: usize = 400;

pub(super) fn check(pack: &Pack, procedure: &Procedure, day: Date) -> Vec<Finding> {
    let read = names_read(pack, procedure);
    let mut allowed = worlds(pack, procedure, &read);
    allowed.retain(|w| may_be_handled(pack, procedure, w, &read, day));
    if allowed.is_empty() {
        return vec![finding(
            procedure,
            None,
            Severity::Block,
            Fault::Prohibited,
            "どの分類のものを申請しても、取扱いの決まりで禁止されます。".to_owned(),
            "classification.toml の [[handling]] か、手続の handling を確かめてください。",
        )];
    }
    let question = Question { procedure, registers: &pack.registers, worlds: &allowed, today: day };
    let words = Words::of(pack);
    let mut found = Vec::new();
    if let Some((severity, why)) = unfilled(&question.application(), &procedure.fields) {
        let remedy = "項目の required、required_when、limit を確かめてください。";
        return vec![finding(procedure, None, severity, Fault::Form, format!("申請の様式に、{why}"), remedy)];
    }
    for step in &procedure.steps {
        if let Some(when) = &step.when {
            let said = format!("{}ときの手順ですが、", when.japanese(&words.labels(procedure)));
            found.extend(unreached(procedure, step, &question.reach(&step.id, when), &said));
        }
        let tied = step.evidence.iter().any(|f| f.limit.is_some() || f.required_when.is_some());
        if tied && let Some((severity, why)) = unfilled(&question.evidence(step), &step.evidence) {
            let why = format!("この手順の記録に、{why}");
            let remedy = "記録の項目の required、limit を確かめてください。";
            found.push(finding(procedure, Some(step), severity, Fault::Form, why, remedy));
        }
    }
    found
}

fn unreached(procedure: &Procedure, step: &Step, reach: &Reach, said: &str) -> Option<Finding> {
    let (severity, why) = match reach {
        Reach::Holds(_) => return None,
        Reach::Unknown(_) => (
            Severity::Warning,
            "成り立つことはなく、調べた範囲では、値が空などで分からないときにだけ行われます。",
        ),
        Reach::Impossible => (Severity::Block, "成り立つことがないため、決して行われません。"),
        Reach::NotFound => (Severity::Warning, "調べた範囲では、成り立つ申請の例が見つかりません。"),
    };
    let remedy = "手順の when を直すか、要らない手順なら消してください。";
    let why = format!("{said}{why}");
    Some(finding(procedure, Some(step), severity, Fault::Unreachable, why, remedy))
}

fn unfilled(filling: &Filling, fields: &[Field]) -> Option<(Severity, String)> {
    let labels = |ids: &[String]| {
        let label = |id: &String| {
            let found = fields.iter().find(|f| f.id == *id);
            format!("「{}」", found.map_or(id.as_str(), |f| f.label.as_str()))
        };
        ids.iter().map(label).collect::<String>()
    };
    match filling {
        Filling::Found(_) => None,
        Filling::Impossible(ids) => Some((
            Severity::Block,
            format!("受け付けられる値がありません（{}の条件が両立しないため、記入できない）。", labels(ids)),
        )),
        Filling::NotFound(ids) => Some((
            Severity::Warning,
            format!("受け付けられる値が、調べた範囲では見つかりません（{}の条件）。", labels(ids)),
        )),
    }
}

fn finding(
    procedure: &Procedure,
    step: Option<&Step>,
    severity: Severity,
    fault: Fault,
    reason: String,
    remedy: &str,
) -> Finding {
    Finding {
        severity,
        fault,
        procedure: procedure.id.clone(),
        step: step.map(|s| s.id.clone()).unwrap_or_default(),
        section: String::new(),
        applicant: None,
        absent: None,
        reason,
        remedy: remedy.to_owned(),
    }
}

/// Classes that the items of an application may have together, as conditions read them. Only the axes that the
/// procedure's conditions or handling rules read are varied.
fn worlds(pack: &Pack, procedure: &Procedure, read: &BTreeSet<String>) -> Vec<Values> {
    let registers: Vec<&Register> =
        item_registers(procedure).into_iter().filter_map(|id| pack.registers.get(id)).collect();
    let mut worlds = vec![Values::new()];
    if registers.is_empty() {
        return worlds;
    }
    for (id, axis) in &pack.classification.axes {
        let name = format!("class.{id}");
        let columns: Vec<Option<&Column>> = registers.iter().map(|r| column_of(r, id)).collect();
        if !read.contains(&name) || columns.iter().all(Option::is_none) {
            continue;
        }
        let mut options: Vec<Option<Vec<String>>> = Vec::new();
        let mut ranks: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for level in &axis.levels {
            ranks.entry(level.rank).or_default().push(level.code.clone());
        }
        // Mixed contents keep every code of the highest rank.
        for codes in ranks.values() {
            options.extend(codes.iter().map(|c| Some(vec![c.clone()])));
            if codes.len() > 1 {
                options.push(Some(codes.clone()));
            }
        }
        if columns.iter().any(|c| c.is_none_or(|c| !c.required)) || !items_required(procedure) {
            options.push(None);
        }
        let next = worlds.iter().flat_map(|w| {
            options.iter().map(|o| {
                let mut world = w.clone();
                world.extend(o.clone().map(|codes| (name.clone(), Value::List(codes))));
                world
            })
        });
        worlds = next.take(MAX_WORLDS).collect();
    }
    worlds
}

fn column_of<'r>(r: &'r Register, axis: &str) -> Option<&'r Column> {
    let id = r.class.get(axis)?;
    r.columns.iter().find(|c| c.id == *id)
}

fn items_required(procedure: &Procedure) -> bool {
    procedure.fields.iter().any(|f| f.required && matches!(f.kind, FieldType::Items(_)))
}

/// Names that anything about the procedure reads.
fn names_read(pack: &Pack, procedure: &Procedure) -> BTreeSet<String> {
    let fields = procedure.fields.iter().chain(procedure.steps.iter().flat_map(|s| &s.evidence));
    let of_fields = fields.flat_map(|f| f.limit.iter().chain(&f.required_when));
    let of_steps = procedure.steps.iter().filter_map(|s| s.when.as_ref());
    let rules = pack.classification.handling.iter();
    let of_rules = rules
        .filter(|r| procedure.handling.as_ref().is_some_and(|act| r.acts.contains(act)))
        .filter_map(|r| r.when.as_ref());
    of_fields.chain(of_steps).chain(of_rules).flat_map(|e| e.names()).collect()
}

/// Whether contents of these classes may be handled so at all: in some zone, with some mark.
fn may_be_handled(
    pack: &Pack,
    procedure: &Procedure,
    world: &Values,
    read: &BTreeSet<String>,
    day: Date,
) -> bool {
    let Some(act) = &procedure.handling else { return true };
    if item_registers(procedure).is_empty() || !items_required(procedure) {
        return true;
    }
    let mut classes: Vec<BTreeMap<String, String>> = vec![BTreeMap::new()];
    for (name, value) in world {
        let (Some(axis), Value::List(codes)) = (name.strip_prefix("class."), value) else { continue };
        for (i, code) in codes.iter().enumerate() {
            if classes.len() <= i {
                classes.push(BTreeMap::new());
            }
            if let Some(class) = classes.get_mut(i) {
                class.insert(axis.to_owned(), code.clone());
            }
        }
    }
    let columns = || pack.registers.values().flat_map(|r| &r.columns).filter(|c| read.contains(&c.id));
    let none: BTreeMap<String, Value> = columns().map(|c| (c.id.clone(), Value::List(vec![]))).collect();
    let marked = columns().flat_map(|c| {
        let none = &none;
        c.choices.iter().map(move |choice| {
            let mut facts = none.clone();
            facts.insert(c.id.clone(), Value::List(vec![choice.code.clone()]));
            facts
        })
    });
    let allowed = |facts: BTreeMap<String, Value>| {
        let facts = HandlingFacts { facts: vec![facts; classes.len()], classes: classes.clone() };
        decide_handling(pack, act, &facts, day).is_none_or(|h| h.outcome != Outcome::Prohibited)
    };
    allowed(none.clone()) || marked.into_iter().any(allowed)
}
