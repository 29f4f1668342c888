//! What may be the case with the items of an application: the classes they may have together.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::table::Value;

use super::Values;
use crate::model::{Classification, Column, FieldType, Procedure, Register};
use crate::words::item_registers;

/// Most combinations of classes.
const MAX_WORLDS: usize = 400;

/// Classes that the items of an application may have together, as conditions read them; never empty. Only the axes that
/// `read` names are varied.
#[must_use]
pub fn worlds(
    classification: &Classification,
    registers: &BTreeMap<String, Register>,
    procedure: &Procedure,
    read: &BTreeSet<String>,
) -> Vec<Values> {
    let registers: Vec<&Register> =
        item_registers(procedure).into_iter().filter_map(|id| registers.get(id)).collect();
    let must = procedure.fields.iter().any(|f| f.required && matches!(f.kind, FieldType::Items(_)));
    let mut worlds = vec![Values::new()];
    for (id, axis) in &classification.axes {
        let name = format!("class.{id}");
        let columns: Vec<Option<&Column>> = registers.iter().map(|r| column_of(r, id)).collect();
        if !read.contains(&name) || columns.iter().all(Option::is_none) {
            continue;
        }
        let mut ranks: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for level in &axis.levels {
            ranks.entry(level.rank).or_default().push(level.code.clone());
        }
        let mut options: Vec<Option<Vec<String>>> = Vec::new();
        for codes in ranks.values() {
            options.extend(codes.iter().map(|c| Some(vec![c.clone()])));
            // Mixed contents keep every code of the highest rank.
            if codes.len() > 1 {
                options.push(Some(codes.clone()));
            }
        }
        if !must || columns.iter().any(|c| c.is_none_or(|c| !c.required)) {
            options.push(None);
        }
        let next = worlds.iter().flat_map(|w| {
            let name = &name;
            options.iter().map(move |o| {
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

/// Names that anything about a procedure reads, the handling rules of its act among them.
#[must_use]
pub fn names_read(classification: &Classification, procedure: &Procedure) -> BTreeSet<String> {
    let fields = procedure.fields.iter().chain(procedure.steps.iter().flat_map(|s| &s.evidence));
    let of_fields = fields.flat_map(|f| f.limit.iter().chain(&f.required_when));
    let of_steps = procedure.steps.iter().filter_map(|s| s.when.as_ref());
    let act = |acts: &Vec<String>| procedure.handling.as_ref().is_some_and(|act| acts.contains(act));
    let rules = classification.handling.iter().filter(|r| act(&r.acts));
    let of_rules = rules.filter_map(|r| r.when.as_ref());
    of_fields.chain(of_steps).chain(of_rules).flat_map(|e| e.names()).collect()
}
