//! Compilation to one SQL text that means the same on SQLite and PostgreSQL. Columns are those of the row `r` of a
//! register's table: TEXT (never NULL, empty for nothing), BIGINT, BOOLEAN; dates are ISO text.

use std::fmt::Write as _;

use sekisho_base::Date;
use sekisho_base::table::Value;

use super::Expr;
use super::env::{Place, Scalar};
use super::eval::{Bindings, MAX_INT, MIN_DATE, date_value, eval};
use super::tree::Node;

/// Longest SQL text of one condition, in bytes.
pub const MAX_SQL_BYTES: usize = 32_000;

/// An argument of the compiled text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlArg {
    /// TEXT.
    Text(String),
    /// BIGINT.
    Int(i64),
    /// BOOLEAN.
    Bool(bool),
}

/// A compiled condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    /// One parenthesized expression with the places `$1`, `$2`, … in it.
    pub text: String,
    /// Their values, `$1` first.
    pub args: Vec<SqlArg>,
}

/// Why a condition has no SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlError {
    /// A name lies in no column.
    #[error("「{0}」は台帳の列ではないため、検査の条件に使えません")]
    NoColumn(String),
    /// The date arithmetic is over a column.
    #[error(
        "列の日付の足し引きは検査の条件に使えません。today の側で足し引きしてください（例: sighted_on < today - months(12)）"
    )]
    ColumnShift,
    /// The text became too long.
    #[error("条件が大きすぎます")]
    TooLong,
}

/// Compiles a condition, with today filled in.
///
/// # Errors
/// [`SqlError`]; a condition that was checked against [`super::Env::for_sql`] has none but `TooLong`.
pub fn to_sql(e: &Expr, today: Date) -> Result<Sql, SqlError> {
    let mut w = Writer { text: String::new(), args: Vec::new(), today };
    w.node(&e.tree)?;
    if w.text.len() > MAX_SQL_BYTES {
        return Err(SqlError::TooLong);
    }
    Ok(Sql { text: w.text, args: w.args })
}

struct Writer {
    text: String,
    args: Vec<SqlArg>,
    today: Date,
}

impl Writer {
    fn put(&mut self, s: &str) {
        self.text.push_str(s);
    }

    fn arg(&mut self, a: SqlArg) {
        let at = match self.args.iter().position(|x| *x == a) {
            Some(i) => i + 1,
            None => {
                self.args.push(a);
                self.args.len()
            }
        };
        let _ = write!(self.text, "${at}");
    }

    fn text_arg(&mut self, s: &str) {
        self.arg(SqlArg::Text(s.to_owned()));
    }

    /// A date that does not depend on the row.
    fn fixed(&mut self, v: &Value) {
        match v {
            Value::Text(s) => self.text_arg(s),
            _ => self.put("CAST(NULL AS TEXT)"),
        }
    }

    fn column<'p>(place: Option<&'p Place>, name: &str) -> Result<&'p str, SqlError> {
        match place {
            Some(Place::Column(c)) => Ok(c),
            _ => Err(SqlError::NoColumn(name.to_owned())),
        }
    }

    fn pair(&mut self, a: &Node, op: &str, b: &Node) -> Result<(), SqlError> {
        self.put("(");
        self.node(a)?;
        let _ = write!(self.text, " {op} ");
        self.node(b)?;
        self.put(")");
        Ok(())
    }

    fn rows_of(&mut self, place: Option<&Place>, name: &str) -> Result<(), SqlError> {
        let Some(Place::Many { register, column }) = place else {
            return Err(SqlError::NoColumn(name.to_owned()));
        };
        let _ = write!(
            self.text,
            "FROM m_{register} m WHERE m.row_id = r.id AND m.col = '{column}' AND m.value <> ''"
        );
        Ok(())
    }

    fn node(&mut self, n: &Node) -> Result<(), SqlError> {
        if self.text.len() > MAX_SQL_BYTES {
            return Err(SqlError::TooLong);
        }
        match n {
            Node::Var { name, scalar, place } => {
                let c = Self::column(place.as_ref(), name)?;
                let _ = match scalar {
                    Scalar::Text => write!(self.text, "NULLIF(r.c_{c}, '')"),
                    Scalar::Date => write!(self.text, "(CASE WHEN r.c_{c} >= '{MIN_DATE}' THEN r.c_{c} END)"),
                    Scalar::Int => write!(
                        self.text,
                        "(CASE WHEN r.c_{c} BETWEEN -{MAX_INT} AND {MAX_INT} THEN r.c_{c} END)"
                    ),
                    Scalar::Bool => write!(self.text, "r.c_{c}"),
                };
            }
            Node::Rank { name, ranks, place } => {
                let c = Self::column(place.as_ref(), name)?;
                let _ = write!(self.text, "(CASE r.c_{c}");
                for (code, rank) in ranks {
                    self.put(" WHEN ");
                    self.text_arg(code);
                    let _ = write!(self.text, " THEN {rank}");
                }
                self.put(" END)");
            }
            Node::ClassIn { name, codes, place } => {
                let c = Self::column(place.as_ref(), name)?;
                let _ = write!(self.text, "(NULLIF(r.c_{c}, '') IN (");
                for (i, code) in codes.iter().enumerate() {
                    self.put(if i > 0 { ", " } else { "" });
                    self.text_arg(code);
                }
                self.put("))");
            }
            Node::ListHas { name, item, place } => {
                // A null item gives null, as `x IN (…)` does; the branches are closed so that nothing else can.
                self.put("(CASE WHEN ");
                self.node(item)?;
                self.put(" IS NULL THEN NULL ELSE EXISTS (SELECT 1 ");
                self.rows_of(place.as_ref(), name)?;
                self.put(" AND m.value = ");
                self.node(item)?;
                self.put(") END)");
            }
            Node::ListSize { name, place } => {
                self.put("(SELECT COUNT(*) ");
                self.rows_of(place.as_ref(), name)?;
                self.put(")");
            }
            Node::IsNull { of } => {
                self.put("(");
                match &**of {
                    // A class without level is null; one with an unknown code is not.
                    Node::ClassIn { name, place, .. } => {
                        let c = Self::column(place.as_ref(), name)?;
                        let _ = write!(self.text, "NULLIF(r.c_{c}, '')");
                    }
                    other => self.node(other)?,
                }
                self.put(" IS NULL)");
            }
            Node::Int(v) => {
                let _ = write!(self.text, "CAST({v} AS BIGINT)");
            }
            Node::Text(s) => self.text_arg(s),
            Node::Bool(v) => self.put(if *v { "TRUE" } else { "FALSE" }),
            Node::Date(d) => self.fixed(&date_value(*d)),
            Node::Today => self.fixed(&date_value(self.today)),
            Node::Compare { op, a, b } => self.pair(a, op.sql(), b)?,
            Node::In { item, list } => {
                self.put("(");
                self.node(item)?;
                self.put(" IN (");
                for (i, v) in list.iter().enumerate() {
                    self.put(if i > 0 { ", " } else { "" });
                    self.node(v)?;
                }
                self.put("))");
            }
            Node::And(a, b) => self.pair(a, "AND", b)?,
            Node::Or(a, b) => self.pair(a, "OR", b)?,
            Node::Not(a) => {
                self.put("(NOT ");
                self.node(a)?;
                self.put(")");
            }
            Node::If { cond, then, other } => {
                self.put("(CASE ");
                self.node(cond)?;
                self.put(" WHEN TRUE THEN ");
                self.node(then)?;
                self.put(" WHEN FALSE THEN ");
                self.node(other)?;
                self.put(" END)");
            }
            Node::Add(a, b) => self.pair(a, "+", b)?,
            Node::Sub(a, b) => self.pair(a, "-", b)?,
            Node::Shift { date, .. } => {
                if reads_a_row(date) {
                    return Err(SqlError::ColumnShift);
                }
                let value = eval(n, &Bindings::on(self.today));
                self.fixed(&value);
            }
            Node::FiscalYearEnd(date) => self.fiscal_year_end(n, date)?,
            Node::TextSize(t) => {
                self.put("LENGTH(");
                self.node(t)?;
                self.put(")");
            }
            Node::StartsWith { text, prefix } => {
                self.put("(SUBSTR(");
                self.node(text)?;
                let _ = write!(self.text, ", 1, {}) = ", prefix.chars().count());
                self.text_arg(prefix);
                self.put(")");
            }
            Node::Contains { text, part } => {
                self.put("(REPLACE(");
                self.node(text)?;
                self.put(", ");
                self.text_arg(part);
                self.put(", '') <> ");
                self.node(text)?;
                self.put(")");
            }
        }
        Ok(())
    }

    fn fiscal_year_end(&mut self, n: &Node, date: &Node) -> Result<(), SqlError> {
        if !reads_a_row(date) {
            let value = eval(n, &Bindings::on(self.today));
            self.fixed(&value);
            return Ok(());
        }
        let mut inner = Self { text: String::new(), args: std::mem::take(&mut self.args), today: self.today };
        inner.node(date)?;
        let d = inner.text;
        self.args = inner.args;
        // 31 March of the next year from April on; the last fiscal year has no such day and keeps the date itself.
        let _ = write!(
            self.text,
            "(CASE WHEN {d} >= '9999-04-01' THEN {d} WHEN SUBSTR({d}, 6, 2) >= '04' \
             THEN CAST(CAST(SUBSTR({d}, 1, 4) AS BIGINT) + 1 AS TEXT) || '-03-31' \
             WHEN {d} IS NOT NULL THEN SUBSTR({d}, 1, 4) || '-03-31' END)"
        );
        Ok(())
    }
}

/// Whether the value depends on the row.
pub(super) fn reads_a_row(n: &Node) -> bool {
    let mut found = false;
    n.visit(&mut |m| found |= m.name().is_some());
    found
}
