//! Backtracking over the fields that conditions tie together; fields that nothing ties are solved by themselves.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;

use super::Values;
use super::domain::Named;
use crate::expr::{Bindings, Expr};
use crate::model::{Field, FieldType, PermitSpec};

/// Most conditions evaluated for one search: beyond it nothing is proved.
const MAX_TRIALS: usize = 20_000;

/// What must hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Constraint<'a> {
    /// A field is filled where it must be, and its value is accepted.
    Field {
        field: &'a Field,
        /// Given on the later day.
        later: bool,
    },
    /// A condition has this value on the later day; none: it is unknown.
    Is { expr: &'a Expr, wanted: Option<bool> },
    /// The period of a permit.
    Period(&'a PermitSpec),
}

impl Constraint<'_> {
    fn exprs(&self) -> Vec<&Expr> {
        match self {
            Self::Field { field, .. } => field.limit.iter().chain(&field.required_when).collect(),
            Self::Is { expr, .. } => vec![expr],
            Self::Period(_) => vec![],
        }
    }

    /// Ids of fields it looks at.
    fn fields(&self) -> BTreeSet<String> {
        let mut ids: BTreeSet<String> = self.exprs().iter().flat_map(|e| e.names()).collect();
        match self {
            Self::Field { field, .. } => {
                ids.insert(field.id.clone());
            }
            Self::Period(spec) => ids.extend([spec.from.clone(), spec.until.clone()]),
            Self::Is { .. } => {}
        }
        ids
    }

    /// Whether trying the values of [`Named::values`] tells all its outcomes apart.
    fn is_finite(&self, fields: &BTreeMap<&str, &Field>) -> bool {
        let lists = |e: &&Expr| {
            let kind = |n: &String| fields.get(n.as_str()).map(|f| &f.kind);
            e.names().iter().any(|n| matches!(kind(n), Some(FieldType::Items(_))))
        };
        match self {
            Self::Period(_) => false,
            other => other.exprs().iter().all(|e| e.is_finite() && !lists(e)),
        }
    }

    fn holds(&self, b: &mut Bindings, today: Date, later: Date) -> bool {
        match self {
            Self::Field { field, later: on_later } => {
                b.today = if *on_later { later } else { today };
                let empty = b.values.get(&field.id).is_none_or(|v| *v == Value::Null);
                if empty {
                    let must = |e: &Expr| e.eval_bool(b).unwrap_or(true);
                    !field.required && !field.required_when.as_ref().is_some_and(must)
                } else {
                    field.limit.as_ref().is_none_or(|e| e.eval_bool(b) == Some(true))
                }
            }
            Self::Is { expr, wanted } => {
                b.today = later;
                expr.eval_bool(b) == *wanted
            }
            Self::Period(spec) => {
                let day =
                    |id: &str| b.values.get(id).and_then(Value::as_text).and_then(|s| s.parse::<Date>().ok());
                let (Some(from), Some(until)) = (day(&spec.from), day(&spec.until)) else { return true };
                until >= from
                    && until >= today
                    && (!spec.within_fiscal_year || until <= from.fiscal_year_end())
            }
        }
    }
}

/// One search.
#[derive(Debug)]
pub(super) struct Problem<'p> {
    pub fields: &'p [Field],
    pub constraints: &'p [Constraint<'p>],
    /// What is given: the day of the application, and values that are no fields.
    pub start: Bindings,
    /// The later day.
    pub later: Date,
}

/// What came out.
#[derive(Debug)]
pub(super) enum Outcome {
    Found(Values),
    None { proof: bool, fields: Vec<String> },
}

pub(super) fn solve(p: &Problem<'_>) -> Outcome {
    let by_id: BTreeMap<&str, &Field> = p.fields.iter().map(|f| (f.id.as_str(), f)).collect();
    let mut found = p.start.clone();
    for group in groups(p, &by_id) {
        if let Err(proof) = solve_group(p, &group, &by_id, &mut found) {
            return Outcome::None { proof, fields: group.fields };
        }
    }
    found.values.retain(|_, v| *v != Value::Null);
    Outcome::Found(found.values)
}

/// Fields tied together, with the constraints that tie them.
struct Group<'p> {
    fields: Vec<String>,
    constraints: Vec<&'p Constraint<'p>>,
}

fn groups<'p>(p: &Problem<'p>, by_id: &BTreeMap<&str, &Field>) -> Vec<Group<'p>> {
    let mut groups: Vec<(BTreeSet<String>, Vec<&Constraint<'_>>)> = Vec::new();
    for c in p.constraints {
        let mut ids: BTreeSet<String> =
            c.fields().into_iter().filter(|id| by_id.contains_key(id.as_str())).collect();
        let mut all = vec![c];
        let (tied, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(f, _)| !f.is_disjoint(&ids));
        for (fields, constraints) in tied {
            ids.extend(fields);
            all.extend(constraints);
        }
        groups = apart;
        groups.push((ids, all));
    }
    let order =
        |ids: BTreeSet<String>| p.fields.iter().map(|f| f.id.clone()).filter(|id| ids.contains(id)).collect();
    groups.into_iter().map(|(ids, constraints)| Group { fields: order(ids), constraints }).collect()
}

/// Fills the group's fields in `found`.
///
/// # Errors
/// No values were found; whether that is a proof.
fn solve_group(
    p: &Problem<'_>,
    group: &Group<'_>,
    by_id: &BTreeMap<&str, &Field>,
    found: &mut Bindings,
) -> Result<(), bool> {
    let named = Named::read(group.constraints.iter().flat_map(|c| c.exprs()));
    let today = p.start.today;
    let domains: Vec<(&str, Vec<Value>)> = group
        .fields
        .iter()
        .filter_map(|id| by_id.get(id.as_str()))
        .map(|f| (f.id.as_str(), named.values(f, today, p.later)))
        .collect();
    // Each constraint is asked as soon as the last of its fields has a value.
    let ready: Vec<Vec<&Constraint<'_>>> = (0..domains.len())
        .map(|i| {
            let last = |c: &&Constraint<'_>| {
                let ids = c.fields();
                domains.iter().rposition(|(id, _)| ids.contains(*id)) == Some(i)
            };
            group.constraints.iter().copied().filter(last).collect()
        })
        .collect();
    let mut left = MAX_TRIALS;
    // A condition that reads no field of the form is asked once.
    let mut free =
        group.constraints.iter().filter(|c| c.fields().iter().all(|id| !by_id.contains_key(id.as_str())));
    let free_holds = free.all(|c| c.holds(found, today, p.later));
    if free_holds && descend(&domains, &ready, 0, (today, p.later), found, &mut left) {
        return Ok(());
    }
    for (id, _) in &domains {
        found.values.remove(*id);
    }
    Err(left > 0 && group.constraints.iter().all(|c| c.is_finite(by_id)))
}

fn descend(
    domains: &[(&str, Vec<Value>)],
    ready: &[Vec<&Constraint<'_>>],
    at: usize,
    days: (Date, Date),
    found: &mut Bindings,
    left: &mut usize,
) -> bool {
    let Some((id, values)) = domains.get(at) else { return true };
    for value in values {
        found.values.insert((*id).to_owned(), value.clone());
        let mut fits = true;
        for c in ready.get(at).into_iter().flatten() {
            if *left == 0 {
                return false;
            }
            *left -= 1;
            fits = fits && c.holds(found, days.0, days.1);
        }
        if fits && descend(domains, ready, at + 1, days, found, left) {
            return true;
        }
    }
    found.values.insert((*id).to_owned(), Value::Null);
    false
}
