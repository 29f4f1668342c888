//! A check's SELECT, ready to be run: days in place of `:today…`, and the views it reads. What may be written is decided when the pack is
//! loaded; here it is only taken apart.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sekisho_base::Date;
use sqlparser::ast::{Expr, ObjectName, Value, visit_expressions_mut, visit_relations};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// A statement with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// SQL with `$1`, `$2` …
    pub text: String,
    /// What they stand for.
    pub days: Vec<Date>,
    /// Views it reads, each once.
    pub views: Vec<String>,
}

/// Takes a check's statement apart for a day; nothing when it is none that a pack may hold.
#[must_use]
pub fn bind(select: &str, today: Date) -> Option<Bound> {
    let mut statements = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(40)
        .try_with_sql(select)
        .and_then(|mut p| p.parse_statements())
        .ok()?;
    let mut days: Vec<Date> = Vec::new();
    let mut unknown = false;
    let _ = visit_expressions_mut(&mut statements, |e: &mut Expr| {
        if let Expr::Value(v) = e
            && let Value::Placeholder(name) = &v.value
        {
            match day(name, today) {
                Some(d) => {
                    let at = days.iter().position(|x| *x == d).unwrap_or_else(|| {
                        days.push(d);
                        days.len() - 1
                    });
                    v.value = Value::Placeholder(format!("${}", at + 1));
                }
                None => unknown = true,
            }
        }
        ControlFlow::<()>::Continue(())
    });
    let mut views = BTreeSet::new();
    let _ = visit_relations(&statements, |name: &ObjectName| {
        views.insert(name.to_string());
        ControlFlow::<()>::Continue(())
    });
    let [statement] = statements.as_slice() else { return None };
    (!unknown).then(|| Bound { text: statement.to_string(), days, views: views.into_iter().collect() })
}

/// `:today`, `:today_minus_12m`, `:today_plus_30d`.
fn day(name: &str, today: Date) -> Option<Date> {
    let rest = name.strip_prefix(":today")?;
    if rest.is_empty() {
        return Some(today);
    }
    let (sign, shift) = match rest.strip_prefix("_minus_") {
        Some(s) => (-1, s),
        None => (1, rest.strip_prefix("_plus_")?),
    };
    let unit = shift.chars().last()?;
    let n: i32 = shift.strip_suffix(unit)?.parse().ok().filter(|n| (0..=9_999).contains(n))?;
    match unit {
        'm' => Some(today.plus_months(sign * n)),
        'd' => Some(today.plus_days(i64::from(sign * n))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_arguments_and_strings_stay() {
        let today: Date = "2027-02-28".parse().unwrap();
        let sql = "SELECT a.row_key, a.owner_unit, ':today は古い' AS says FROM v_asset a WHERE a.checked_on < :today_minus_12m AND a.due > :today AND a.x < :today AND NOT EXISTS (SELECT 1 FROM v_case_item i WHERE i.row_key = a.row_key)";
        let b = bind(sql, today).unwrap();
        assert_eq!(b.days, ["2026-02-28".parse().unwrap(), today]);
        assert_eq!(b.views, ["v_asset", "v_case_item"]);
        assert!(b.text.contains("< $1") && b.text.contains("> $2") && b.text.contains("< $2"), "{}", b.text);
        assert!(b.text.contains("':today は古い'"), "{}", b.text);
        assert_eq!(bind("SELECT 1; SELECT 2", today), None);
        assert_eq!(bind("SELECT :yesterday", today), None);
        assert_eq!(bind("SELECT :today_plus_30d", today).unwrap().days, ["2027-03-30".parse().unwrap()]);
    }
}
