//! SQL of a check: one SELECT over the register and case views, with listed functions, that returns `row_key`,
//! `owner_unit` and `says`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, ObjectName, Query, SelectItem, SetExpr, Statement, Value, visit_expressions, visit_relations,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// Longest statement, in bytes.
const MAX_BYTES: usize = 8_000;
/// Functions both databases have with the same meaning.
const FUNCTIONS: [&str; 13] = [
    "count", "sum", "min", "max", "coalesce", "nullif", "length", "lower", "upper", "substr", "replace",
    "trim", "abs",
];
/// Views over cases; those over registers are `v_` and the register's id.
pub(crate) const CASE_VIEWS: [&str; 3] = ["v_case", "v_case_item", "v_open_task"];
/// What a check's statement must return, in this order.
const COLUMNS: [&str; 3] = ["row_key", "owner_unit", "says"];

/// The first thing that is wrong with a statement: problem and remedy.
pub(crate) fn refuse(sql: &str, registers: &BTreeSet<String>) -> Option<(String, String)> {
    let no = |p: &str, r: &str| Some((p.to_owned(), r.to_owned()));
    if sql.len() > MAX_BYTES {
        return no("SQLが長すぎます", "条件を分けて、いくつかの検査にしてください");
    }
    let parser = Parser::new(&PostgreSqlDialect {}).with_recursion_limit(40);
    let parsed = parser.try_with_sql(sql).and_then(|mut p| p.parse_statements());
    let statements = match parsed {
        Ok(s) => s,
        Err(e) => return Some(sekisho_base::syntax::sql(&e.to_string())),
    };
    let [Statement::Query(query)] = statements.as_slice() else {
        return no("SELECT 文が一つだけではありません", "SELECT 文を一つだけ書いてください");
    };
    if let Some(problem) = shape(query) {
        return Some(problem);
    }
    relations(query, registers).or_else(|| expressions(query))
}

fn shape(query: &Query) -> Option<(String, String)> {
    if query.with.is_some() || !query.locks.is_empty() || query.for_clause.is_some() {
        return Some((
            "WITH や FOR UPDATE は使えません".to_owned(),
            "一つの SELECT 文だけで書いてください".to_owned(),
        ));
    }
    let SetExpr::Select(select) = &*query.body else {
        return Some((
            "UNION や VALUES は使えません".to_owned(),
            "一つの SELECT 文だけで書いてください".to_owned(),
        ));
    };
    if select.into.is_some() {
        return Some(("SELECT INTO は使えません".to_owned(), "INTO を消してください".to_owned()));
    }
    let names: Vec<String> = select
        .projection
        .iter()
        .map(|p| match p {
            SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
            SelectItem::UnnamedExpr(Expr::Identifier(i)) => i.value.clone(),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
                parts.last().map(|i| i.value.clone()).unwrap_or_default()
            }
            _ => String::new(),
        })
        .collect();
    (names != COLUMNS).then(|| {
        (
            "返す列が違います".to_owned(),
            format!("{} の順に返してください（… AS row_key のように名付けます）", COLUMNS.join("、")),
        )
    })
}

fn relations(query: &Query, registers: &BTreeSet<String>) -> Option<(String, String)> {
    let mut bad = None;
    let _ = visit_relations(query, |name: &ObjectName| {
        let name = name.to_string();
        let known = CASE_VIEWS.contains(&name.as_str())
            || name.strip_prefix("v_").is_some_and(|r| registers.contains(r));
        if known {
            return ControlFlow::Continue(());
        }
        let all = registers.iter().map(|r| format!("v_{r}")).chain(CASE_VIEWS.map(str::to_owned));
        bad = Some((
            format!("「{name}」は点検から読めません"),
            format!("読めるのは {} です", all.collect::<Vec<_>>().join("、")),
        ));
        ControlFlow::Break(())
    });
    bad
}

fn expressions(query: &Query) -> Option<(String, String)> {
    let mut bad = None;
    let _ = visit_expressions(query, |e: &Expr| {
        let problem = match e {
            Expr::Function(f) if !FUNCTIONS.contains(&f.name.to_string().to_lowercase().as_str()) => Some((
                format!("関数「{}」は使えません", f.name),
                format!("使える関数は {} です", FUNCTIONS.join("、")),
            )),
            Expr::Value(v) => match &v.value {
                Value::Placeholder(p) if !is_day(p) => Some((
                    format!("「{p}」は使えません"),
                    "使えるのは :today、:today_minus_12m、:today_minus_30d の形だけです".to_owned(),
                )),
                _ => None,
            },
            _ => None,
        };
        match problem {
            None => ControlFlow::Continue(()),
            found => {
                bad = found;
                ControlFlow::Break(())
            }
        }
    });
    bad
}

/// `:today`, `:today_minus_12m`, `:today_plus_30d`.
fn is_day(p: &str) -> bool {
    let Some(rest) = p.strip_prefix(":today") else { return false };
    if rest.is_empty() {
        return true;
    }
    let Some(shift) = rest.strip_prefix("_minus_").or_else(|| rest.strip_prefix("_plus_")) else {
        return false;
    };
    let Some(n) = shift.strip_suffix('m').or_else(|| shift.strip_suffix('d')) else { return false };
    !n.is_empty() && n.len() <= 4 && n.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_select_over_views() {
        let registers = BTreeSet::from(["asset".to_owned()]);
        let good = "SELECT a.row_key, a.owner_unit, a.name || ' は古い' AS says FROM v_asset a \
                    WHERE a.checked_on < :today_minus_12m AND NOT EXISTS (SELECT 1 FROM v_case_item i WHERE i.row_key = a.row_key)";
        assert_eq!(refuse(good, &registers), None);
        for (sql, word) in [
            ("DELETE FROM v_asset", "SELECT 文が一つ"),
            ("SELECT row_key, owner_unit, says FROM v_asset; SELECT 1", "SELECT 文が一つ"),
            ("SELECT row_key, owner_unit, says FROM person", "person"),
            (
                "SELECT row_key, owner_unit, says FROM v_asset WHERE key IN (SELECT login FROM account)",
                "account",
            ),
            ("SELECT row_key, owner_unit, pg_read_file('/etc/passwd') AS says FROM v_asset", "pg_read_file"),
            ("SELECT row_key, owner_unit FROM v_asset", "返す列"),
            ("SELECT row_key, owner_unit, says FROM v_asset UNION SELECT 1, 2, 3", "UNION"),
            (
                "WITH x AS (DELETE FROM v_asset RETURNING 1) SELECT row_key, owner_unit, says FROM v_asset",
                "WITH",
            ),
            ("SELECT row_key, owner_unit, says FROM v_asset WHERE d < :yesterday", ":yesterday"),
            ("SELEKT", "読めません"),
            ("SELECT row_key, owner_unit, says INTO x FROM v_asset", "INTO"),
        ] {
            let (problem, _) = refuse(sql, &registers).expect(sql);
            assert!(problem.contains(word), "{sql}: {problem}");
        }
    }
}
