//! The dry run of a bulk change: what becomes of every row, and what it touches besides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::table::Value;
use sekisho_base::text::shorten;
use sekisho_case::case::Item;
use sekisho_case::handling::{HandlingFacts, Outcome, decide_handling};
use sekisho_pack::model::{ColumnType, Pack, Procedure, Register};
use sekisho_pack::words::Words;
use sekisho_store::case;
use sekisho_store::register::{self, RegisterRow};
use sekisho_store::{Conn, Viewer};

use super::{
    AffectedCase, BulkNotes, BulkPlan, BulkRow, Class, Fields, OutcomeChange, SHOWN_CASES, items_field,
};
use crate::cases::items::items_named;
use crate::cases::list::status_words;
use crate::directory::Directory;
use crate::error::AppError;
use crate::registers::{axes_in_order, class_text, copies, table_spec};

/// The class that fields of an application make of a thing's class.
pub(super) fn class_after(
    pack: &Pack,
    procedure: &Procedure,
    fields: &Fields,
    r: &Register,
    class: &Class,
) -> Class {
    let mut after = class.clone();
    for (column, field) in procedure.class_fields() {
        let target = fields.get(field).and_then(|v| v.as_str()).unwrap_or_default();
        let axis = r.columns.iter().find(|c| c.id == column).map(|c| &c.kind);
        if let (Some(ColumnType::Class(axis)), false) = (axis, target.is_empty()) {
            let now = class.get(axis).map(String::as_str).unwrap_or_default();
            after.insert(axis.clone(), pack.classification.converted(axis, now, target));
        }
    }
    after
}

/// What becomes of a thing's class by a case, in words; nothing where it stays.
pub(in crate::cases) fn class_after_text(
    pack: &Pack,
    procedure: &Procedure,
    fields: &Fields,
    i: &Item,
) -> Option<String> {
    let r = pack.registers.get(&i.register)?;
    let after = class_after(pack, procedure, fields, r, &i.snapshot.class);
    (after != i.snapshot.class).then(|| class_text(pack, &after))
}

/// A thing's class for a case's page, with what becomes of it.
pub(in crate::cases) fn class_change(
    pack: &Pack,
    procedure: &Procedure,
    fields: &Fields,
    i: &Item,
) -> String {
    let before = class_text(pack, &i.snapshot.class);
    match class_after_text(pack, procedure, fields, i) {
        Some(after) => format!("{before} → {after}"),
        None => before,
    }
}

/// Codes of a class on one line, to compare what was shown with what is.
fn codes(class: &Class) -> String {
    axes_in_order(class).into_iter().map(|(_, code)| code).collect::<Vec<_>>().join("/")
}

/// Acts whose handling of these things would be another. Things that are alike are asked about once.
pub(super) fn outcome_changes(
    pack: &Pack,
    changes: &[(&Item, Class)],
    today: sekisho_base::Date,
) -> Vec<OutcomeChange> {
    let mut alike: BTreeMap<String, (usize, &Item, &Class)> = BTreeMap::new();
    for (item, after) in changes {
        let key = format!("{:?} {:?} {after:?}", item.snapshot.class, item.snapshot.facts);
        alike.entry(key).or_insert((0, item, after)).0 += 1;
    }
    let mut found: BTreeMap<(usize, Outcome, Outcome), usize> = BTreeMap::new();
    let acts = Words::of(pack).acts();
    for (count, item, after) in alike.values() {
        let mut facts = item.snapshot.values();
        facts.insert("device".to_owned(), Value::Text("issued".to_owned()));
        for (n, act) in acts.iter().enumerate() {
            let decide = |class: &Class| {
                let asked = HandlingFacts { classes: vec![class.clone()], facts: vec![facts.clone()] };
                decide_handling(pack, &act.code, &asked, today).map(|h| h.outcome)
            };
            if let (Some(before), Some(after)) = (decide(&item.snapshot.class), decide(after))
                && before != after
            {
                *found.entry((n, before, after)).or_default() += count;
            }
        }
    }
    let label = |n: usize| acts.get(n).map(|a| a.label.clone()).unwrap_or_default();
    found
        .into_iter()
        .map(|((n, before, after), rows)| OutcomeChange {
            act: label(n),
            before: before.japanese(),
            after: after.japanese(),
            rows,
        })
        .collect()
}

/// Cases under way that hold one of the things, without the one that changes them.
pub(super) async fn affected(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    changes: &[(&Item, Class)],
    own: &str,
) -> Result<(Vec<AffectedCase>, usize), AppError> {
    let mut holds: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let registers: BTreeSet<&str> = changes.iter().map(|(i, _)| i.register.as_str()).collect();
    for register in registers {
        let of: Vec<&Item> = changes.iter().map(|(i, _)| *i).filter(|i| i.register == register).collect();
        let ids: Vec<String> = of.iter().map(|i| i.id.clone()).collect();
        for (row, case) in case::under_way(c, register, &ids).await?.into_iter().filter(|(_, x)| x != own) {
            let number = of.iter().find(|i| i.id == row).map_or("", |i| i.number.as_str());
            holds.entry(case).or_default().push(number);
        }
    }
    let (mut found, mut hidden) = (Vec::new(), 0);
    for (id, numbers) in holds {
        let seen = if found.len() < SHOWN_CASES { case::get(c, viewer, &id).await? } else { None };
        let Some(row) = seen else {
            hidden += 1;
            continue;
        };
        let (status, status_class) = status_words(&row.status);
        let items = shorten(&numbers.join("、"), 200);
        found.push(AffectedCase { id, number: row.number, title: row.title, status, status_class, items });
    }
    Ok((found, hidden))
}

/// Rows that name one of the things as their original.
pub(super) async fn copies_of(
    c: &mut Conn<'_>,
    pack: &Pack,
    changes: &[(&Item, Class)],
) -> Result<usize, AppError> {
    let mut count = 0;
    for r in pack.registers.values() {
        let Some((column, target)) = r.original() else { continue };
        let of = changes.iter().filter(|(i, _)| i.register == target);
        let numbers: Vec<String> = of.map(|(i, _)| i.number.clone()).collect();
        count += usize::try_from(register::count_in(c, &table_spec(r), column, &numbers).await?).unwrap_or(0);
    }
    Ok(count)
}

/// What is asked of the database for one plan.
pub(super) struct Asked {
    pub(super) pack: Arc<Pack>,
    pub(super) directory: Arc<Directory>,
    pub(super) viewer: Viewer,
    pub(super) procedure: Procedure,
    pub(super) fields: Fields,
    pub(super) names: Vec<String>,
    pub(super) today: sekisho_base::Date,
}

pub(super) async fn plan(c: &mut Conn<'_>, a: &Asked) -> Result<BulkPlan, AppError> {
    let (field, _, registers) = items_field(&a.procedure)?;
    let (items, missing) = items_named(c, &a.pack, &a.viewer, field, registers, &a.names).await?;
    let mut changes: Vec<(&Item, Class)> = Vec::new();
    let mut same: Vec<&Item> = Vec::new();
    for item in &items {
        let Some(r) = a.pack.registers.get(&item.register) else { continue };
        let after = class_after(&a.pack, &a.procedure, &a.fields, r, &item.snapshot.class);
        if after == item.snapshot.class { same.push(item) } else { changes.push((item, after)) }
    }
    let low = too_low(c, a, &changes).await?;
    let line = |i: &Item, after: &Class, why: &str, refused: bool| BulkRow {
        key: i.key(),
        number: i.number.clone(),
        name: i.name.clone(),
        section: a.directory.unit_name(&i.snapshot.owner).to_owned(),
        before: class_text(&a.pack, &i.snapshot.class),
        after: class_text(&a.pack, after),
        why: why.to_owned(),
        refused,
    };
    let unknown = |name: &String| BulkRow {
        key: String::new(),
        number: shorten(name, 60),
        name: String::new(),
        section: String::new(),
        before: String::new(),
        after: String::new(),
        why: "台帳にないか、あなたの所属からは見えません。".to_owned(),
        refused: true,
    };
    let mut plan = BulkPlan { rows: missing.iter().map(unknown).collect(), ..BulkPlan::default() };
    for (item, _) in changes.iter().filter(|(i, _)| low.contains_key(&i.id)) {
        let why = low.get(&item.id).map(String::as_str).unwrap_or_default();
        plan.rows.push(line(item, &item.snapshot.class, why, true));
    }
    changes.retain(|(i, _)| !low.contains_key(&i.id));
    plan.refused = plan.rows.len();
    plan.rows.extend(changes.iter().map(|(i, after)| line(i, after, "", false)));
    plan.rows.extend(same.iter().map(|i| line(i, &i.snapshot.class, "今のままで変わりません。", false)));
    (plan.changed, plan.same) = (changes.len(), same.len());
    let shown = |(i, _): &(&Item, Class)| format!("{}:{}", i.number, codes(&i.snapshot.class));
    plan.shown = changes.iter().map(shown).collect::<Vec<_>>().join("\n");
    let (affected, hidden) = affected(c, &a.viewer, &changes, "").await?;
    plan.notes = BulkNotes {
        skipped: vec![],
        affected,
        hidden,
        outcomes: outcome_changes(&a.pack, &changes, a.today),
        copies: copies_of(c, &a.pack, &changes).await?,
    };
    Ok(plan)
}

/// Things that would end below their original, by row id.
async fn too_low(
    c: &mut Conn<'_>,
    a: &Asked,
    changes: &[(&Item, Class)],
) -> Result<BTreeMap<String, String>, AppError> {
    let mut rows: BTreeMap<&str, Vec<RegisterRow>> = BTreeMap::new();
    for (item, after) in changes {
        let Some(r) = a.pack.registers.get(&item.register) else { continue };
        let Some(mut row) = register::get(c, &table_spec(r), &a.viewer, &item.id).await? else { continue };
        for (axis, column) in &r.class {
            if let Some(code) = after.get(axis) {
                row.values.insert(column.clone(), Value::Text(code.clone()));
            }
        }
        rows.entry(&item.register).or_default().push(row);
    }
    let mut low = BTreeMap::new();
    for (id, rows) in rows {
        let Some(r) = a.pack.registers.get(id) else { continue };
        low.extend(copies::lower_rows(c, &a.pack, r, &rows.iter().collect::<Vec<_>>()).await?);
    }
    Ok(low)
}
