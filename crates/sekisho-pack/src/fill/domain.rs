//! Values that are tried for a field.

use std::collections::BTreeSet;

use sekisho_base::Date;
use sekisho_base::table::Value;

use crate::expr::Expr;
use crate::model::{Field, FieldType};

/// Most values of one field.
const MAX_VALUES: usize = 120;
/// Most rows of a list of items that are tried.
const MAX_ROWS: i64 = 20;

/// What the conditions of a problem name.
#[derive(Debug, Default)]
pub(super) struct Named {
    ints: BTreeSet<i64>,
    texts: BTreeSet<String>,
    dates: BTreeSet<Date>,
    shifts: BTreeSet<(i32, i64)>,
}

impl Named {
    pub fn read<'e>(exprs: impl Iterator<Item = &'e Expr>) -> Self {
        let mut named = Self::default();
        for e in exprs {
            named.ints.extend(e.ints());
            named.texts.extend(e.texts());
            named.dates.extend(e.dates());
            named.shifts.extend(e.shifts());
        }
        named
    }

    /// Values of a field, the likeliest first; empty comes first where that is allowed, because it leaves most in force.
    pub fn values(&self, field: &Field, today: Date, later: Date) -> Vec<Value> {
        let mut values = match &field.kind {
            FieldType::Text | FieldType::LongText | FieldType::Row(_) | FieldType::File => self.some_texts(),
            FieldType::Clauses => vec![Value::List(vec!["例1".to_owned()])],
            FieldType::Date => self.days(today, later),
            FieldType::Integer => {
                let near = self.ints.iter().flat_map(|n| [*n, n.saturating_add(1), n.saturating_sub(1)]);
                let all: BTreeSet<i64> = near.chain([0, 1, 2, 10, 100]).collect();
                all.into_iter().map(Value::Int).collect()
            }
            FieldType::Bool => vec![Value::Bool(true), Value::Bool(false)],
            FieldType::Choice => field.choices.iter().map(|c| Value::Text(c.code.clone())).collect(),
            FieldType::Items(_) => {
                let sizes = self.ints.iter().flat_map(|n| [*n, n.saturating_add(1)]).chain([1, 2]);
                let sizes: BTreeSet<i64> = sizes.filter(|n| (1..=MAX_ROWS).contains(n)).collect();
                sizes.into_iter().map(|n| Value::List((1..=n).map(|i| format!("例{i}")).collect())).collect()
            }
        };
        if !field.required {
            values.insert(0, Value::Null);
        }
        values.truncate(MAX_VALUES);
        values
    }

    fn some_texts(&self) -> Vec<Value> {
        let long = "例".repeat(
            usize::try_from(self.ints.iter().copied().max().unwrap_or(0).clamp(0, 200)).unwrap_or(0) + 1,
        );
        let own = self.texts.iter().filter(|t| !t.trim().is_empty() && !t.contains(['\n', '\r'])).cloned();
        std::iter::once("例".to_owned()).chain(own).chain([long]).map(Value::Text).collect()
    }

    fn days(&self, today: Date, later: Date) -> Vec<Value> {
        let around = [0, 1, 7, 30, 90, 365, -1, -30, -365];
        let mut days: Vec<Date> = around.iter().map(|d| today.plus_days(*d)).collect();
        days.extend([later, later.plus_days(1), later.plus_days(-1)]);
        let shifted = self.shifts.iter().flat_map(|(m, d)| [(*m, *d), (-m, -d)]);
        days.extend(shifted.flat_map(|(m, d)| {
            let day = today.plus_months(m).plus_days(d);
            [day, day.plus_days(1), day.plus_days(-1)]
        }));
        days.extend(self.dates.iter().flat_map(|d| [*d, d.plus_days(1), d.plus_days(-1)]));
        let end = today.fiscal_year_end();
        days.extend([end, end.plus_days(1), end.plus_days(-1)]);
        let mut seen = BTreeSet::new();
        days.retain(|d| seen.insert(*d));
        days.into_iter().map(|d| Value::Text(d.to_string())).collect()
    }
}
