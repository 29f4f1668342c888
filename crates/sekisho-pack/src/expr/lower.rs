//! From CEL's tree to the typed tree: names are looked up, types checked, classes and lists resolved.

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators as op};
use sekisho_base::Date;

use super::env::{Env, Place, Scalar, Type};
use super::eval::MAX_INT;
use super::sql::reads_a_row;
use super::tree::{Cmp, Node};
use super::{ExprError, MAX_BYTES, MAX_DEPTH, MAX_NODES};

/// Parses a source whose value must be a truth value; needs the stack of [`super::deep`].
pub(super) fn condition(source: &str, env: &Env) -> Result<Node, ExprError> {
    if source.len() > MAX_BYTES {
        return Err(error(
            1,
            format!("条件が長すぎます（{MAX_BYTES}バイトまで）"),
            "条件を分けるか、短くしてください",
        ));
    }
    if nesting(source) > usize::from(MAX_DEPTH) {
        return Err(error(1, "かっこの入れ子が深すぎます", "条件を分けてください"));
    }
    let parser = cel::parser::Parser::new().max_recursion_depth(MAX_DEPTH).error_recovery_limit(1);
    let (tree, info) = parser.parse_with_source_info(source).map_err(|e| syntax(source, &e))?;
    let mut l = Lower { env, info: &info, nodes: 0, depth: 0 };
    let (node, ty) = l.lower(&tree)?;
    match ty {
        Ty::Scalar(Scalar::Bool, _) => Ok(node),
        other => Err(l.error(
            &tree,
            format!("条件の値が真偽ではなく{}です", other.japanese()),
            "== や < で比べて、はい・いいえになる条件を書いてください",
        )),
    }
}

fn nesting(source: &str) -> usize {
    let mut depth = 0usize;
    let mut most = 0;
    for c in source.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

fn error(column: usize, problem: impl Into<String>, remedy: impl Into<String>) -> ExprError {
    ExprError { column, problem: problem.into(), remedy: remedy.into() }
}

fn syntax(source: &str, e: &cel::ParseErrors) -> ExprError {
    // What gives up after the first fault has no place of its own.
    let first = e.errors.iter().find(|e| e.pos.0 > 0 && e.msg != "UNKNOWN").or_else(|| e.errors.first());
    let column = first.and_then(|e| usize::try_from(e.pos.1).ok()).unwrap_or(1).max(1);
    let (problem, remedy) = sekisho_base::syntax::condition(first.map_or("", |e| e.msg.as_str()), source);
    ExprError { column, problem, remedy }
}

/// Type of a lowered node.
#[derive(Debug, Clone, PartialEq)]
enum Ty {
    /// A scalar; with its codes where it is a choice.
    Scalar(Scalar, Option<Vec<String>>),
    /// A class by itself: only compared.
    Class { name: String, ranks: Vec<(String, i64)>, place: Option<Place> },
    /// A declared list by itself.
    List { name: String, codes: Option<Vec<String>>, place: Option<Place> },
    /// `null`.
    Null,
    /// `days(…)` or `months(…)`.
    Period { months: i32, days: i64 },
}

impl Ty {
    fn of(s: Scalar) -> Self {
        Self::Scalar(s, None)
    }

    fn japanese(&self) -> &'static str {
        match self {
            Self::Scalar(s, _) => s.japanese(),
            Self::Class { .. } => "分類",
            Self::List { .. } => "一覧",
            Self::Null => "null",
            Self::Period { .. } => "期間",
        }
    }
}

type Typed = (Node, Ty);

struct Lower<'a> {
    env: &'a Env,
    info: &'a SourceInfo,
    nodes: usize,
    depth: u16,
}

impl Lower<'_> {
    fn error(&self, at: &IdedExpr, problem: impl Into<String>, remedy: impl Into<String>) -> ExprError {
        let column = self.info.offset_for(at.id).map_or(1, |(start, _)| start as usize + 1);
        error(column, problem, remedy)
    }

    fn lower(&mut self, e: &IdedExpr) -> Result<Typed, ExprError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || self.depth >= MAX_DEPTH {
            return Err(self.error(e, "条件が大きすぎます", "条件を分けてください"));
        }
        self.depth += 1;
        let typed = match &e.expr {
            Cel::Ident(_) | Cel::Select(_) => self.name(e),
            Cel::Literal(v) => self.literal(e, v),
            Cel::Call(call) => self.call(e, call),
            Cel::List(_) => {
                Err(self.error(e, "[ ] の一覧は in の右側にだけ書けます", "例: medium in [\"usb\", \"cd\"]"))
            }
            _ => Err(self.error(
                e,
                "この書き方は使えません",
                "比較、&&、||、!、in、? : と、用意された関数だけで書いてください",
            )),
        };
        self.depth -= 1;
        typed
    }

    fn path(e: &IdedExpr) -> Option<(String, bool)> {
        match &e.expr {
            Cel::Ident(name) => Some((name.clone(), false)),
            Cel::Select(s) => match Self::path(&s.operand)? {
                (head, false) => Some((format!("{head}.{}", s.field), s.test)),
                (_, true) => None,
            },
            _ => None,
        }
    }

    fn name(&mut self, e: &IdedExpr) -> Result<Typed, ExprError> {
        let Some((name, test)) = Self::path(e) else {
            return Err(self.error(
                e,
                "この書き方は使えません",
                "名前は class.confidentiality のように書いてください",
            ));
        };
        if name == "today" {
            return Ok((Node::Today, Ty::of(Scalar::Date)));
        }
        let Some(binding) = self.env.get(&name) else {
            let known: Vec<&str> = self.env.names().collect();
            return Err(self.error(
                e,
                format!("「{name}」という名前はありません"),
                format!("使える名前: {}、today", known.join("、")),
            ));
        };
        let place = binding.place.clone();
        let var = |scalar| Node::Var { name: name.clone(), scalar, place: place.clone() };
        let typed = match &binding.kind {
            Type::Text => (var(Scalar::Text), Ty::of(Scalar::Text)),
            Type::Choice(codes) => (var(Scalar::Text), Ty::Scalar(Scalar::Text, Some(codes.clone()))),
            Type::Int => (var(Scalar::Int), Ty::of(Scalar::Int)),
            Type::Bool => (var(Scalar::Bool), Ty::of(Scalar::Bool)),
            Type::Date => (var(Scalar::Date), Ty::of(Scalar::Date)),
            Type::Class(ranks) => (
                Node::ClassIn { name: name.clone(), codes: vec![], place: place.clone() },
                Ty::Class { name: name.clone(), ranks: ranks.clone(), place },
            ),
            Type::List(codes) => (
                Node::ListSize { name: name.clone(), place: place.clone() },
                Ty::List { name: name.clone(), codes: codes.clone(), place },
            ),
        };
        if test {
            let asked = self.is_null(e, typed)?;
            return Ok((Node::Not(Box::new(asked)), Ty::of(Scalar::Bool)));
        }
        Ok(typed)
    }

    fn literal(&self, e: &IdedExpr, v: &LiteralValue) -> Result<Typed, ExprError> {
        Ok(match v {
            LiteralValue::Boolean(b) => (Node::Bool(*b.inner()), Ty::of(Scalar::Bool)),
            LiteralValue::Int(i) if i.inner().abs_diff(0) <= MAX_INT.unsigned_abs() => {
                (Node::Int(*i.inner()), Ty::of(Scalar::Int))
            }
            LiteralValue::Int(_) => {
                return Err(self.error(
                    e,
                    "数が大きすぎます",
                    format!("{MAX_INT}までの整数で書いてください"),
                ));
            }
            LiteralValue::String(s) if s.inner().contains('\0') => {
                return Err(self.error(
                    e,
                    "文字の中に使えない制御文字があります",
                    "制御文字を除いてください",
                ));
            }
            LiteralValue::String(s) if s.inner().is_empty() => {
                return Err(self.error(
                    e,
                    "空の文字とは比べられません",
                    "空かどうかは x == null で調べてください",
                ));
            }
            LiteralValue::String(s) => (Node::Text(s.inner().to_owned()), Ty::of(Scalar::Text)),
            LiteralValue::Null => (Node::Bool(false), Ty::Null),
            _ => return Err(self.error(e, "小数やバイト列は使えません", "整数か文字で書いてください")),
        })
    }

    fn call(&mut self, e: &IdedExpr, call: &CallExpr) -> Result<Typed, ExprError> {
        let boolean = Ty::of(Scalar::Bool);
        match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
            (op::LOGICAL_AND, None, [a, b]) => {
                Ok((Node::And(self.boxed(a, Scalar::Bool)?, self.boxed(b, Scalar::Bool)?), boolean))
            }
            (op::LOGICAL_OR, None, [a, b]) => {
                Ok((Node::Or(self.boxed(a, Scalar::Bool)?, self.boxed(b, Scalar::Bool)?), boolean))
            }
            (op::LOGICAL_NOT, None, [a]) => Ok((Node::Not(self.boxed(a, Scalar::Bool)?), boolean)),
            (op::NEGATE, None, [a]) => {
                Ok((Node::Sub(Box::new(Node::Int(0)), self.boxed(a, Scalar::Int)?), Ty::of(Scalar::Int)))
            }
            (op::CONDITIONAL, None, [c, a, b]) => self.conditional(c, a, b),
            (op::EQUALS, None, [a, b]) => self.compare(e, Cmp::Eq, a, b),
            (op::NOT_EQUALS, None, [a, b]) => self.compare(e, Cmp::Ne, a, b),
            (op::LESS, None, [a, b]) => self.compare(e, Cmp::Lt, a, b),
            (op::LESS_EQUALS, None, [a, b]) => self.compare(e, Cmp::Le, a, b),
            (op::GREATER, None, [a, b]) => self.compare(e, Cmp::Gt, a, b),
            (op::GREATER_EQUALS, None, [a, b]) => self.compare(e, Cmp::Ge, a, b),
            (op::IN, None, [a, b]) => self.membership(e, a, b),
            (op::ADD, None, [a, b]) => self.arithmetic(e, 1, a, b),
            (op::SUBSTRACT, None, [a, b]) => self.arithmetic(e, -1, a, b),
            ("size", None, [a]) | ("size", Some(a), []) => self.size(a),
            ("startsWith", Some(text), [p]) => {
                let (text, prefix) = (self.boxed(text, Scalar::Text)?, self.word(p)?);
                Ok((Node::StartsWith { text, prefix }, boolean))
            }
            ("contains", Some(text), [p]) => {
                let (text, part) = (self.boxed(text, Scalar::Text)?, self.word(p)?);
                Ok((Node::Contains { text, part }, boolean))
            }
            ("date", None, [a]) => {
                let text = self.word(a)?;
                let d: Date = text.parse().map_err(|_| {
                    self.error(
                        a,
                        format!("「{text}」は日付ではありません"),
                        "date(\"2027-03-31\") のように書いてください",
                    )
                })?;
                Ok((Node::Date(d), Ty::of(Scalar::Date)))
            }
            ("days", None, [a]) => {
                let days = self.number(a)?;
                Ok((Node::Int(days), Ty::Period { months: 0, days }))
            }
            ("months", None, [a]) => {
                let months = self.number(a)?;
                Ok((Node::Int(months), Ty::Period { months: i32::try_from(months).unwrap_or(0), days: 0 }))
            }
            ("fiscal_year_end", None, [a]) => {
                Ok((Node::FiscalYearEnd(self.boxed(a, Scalar::Date)?), Ty::of(Scalar::Date)))
            }
            (name, _, _) => Err(self.error(
                e,
                format!("「{}」は使えません", name.trim_matches('_')),
                "使える関数: size、startsWith、contains、date、days、months、fiscal_year_end",
            )),
        }
    }

    fn boxed(&mut self, e: &IdedExpr, want: Scalar) -> Result<Box<Node>, ExprError> {
        match self.lower(e)? {
            (node, Ty::Scalar(got, _)) if got == want => Ok(Box::new(node)),
            (_, got) => Err(self.error(
                e,
                format!("ここには{}が要りますが、{}です", want.japanese(), got.japanese()),
                "型を合わせてください",
            )),
        }
    }

    fn conditional(&mut self, c: &IdedExpr, a: &IdedExpr, b: &IdedExpr) -> Result<Typed, ExprError> {
        let cond = self.boxed(c, Scalar::Bool)?;
        let (then, ty) = self.lower(a)?;
        let Ty::Scalar(scalar, _) = ty else {
            return Err(self.error(
                a,
                format!("? : に{}は書けません", ty.japanese()),
                "文字、整数、真偽、日付のどれかにしてください",
            ));
        };
        let other = self.boxed(b, scalar)?;
        Ok((Node::If { cond, then: Box::new(then), other }, Ty::of(scalar)))
    }

    fn is_null(&self, at: &IdedExpr, (node, ty): Typed) -> Result<Node, ExprError> {
        match ty {
            Ty::Scalar(..) | Ty::Class { .. } => Ok(Node::IsNull { of: Box::new(node) }),
            Ty::List { .. } => {
                Err(self.error(at, "一覧は null になりません", "空かどうかは size(x) == 0 で調べてください"))
            }
            other => Err(self.error(
                at,
                format!("{}は null と比べられません", other.japanese()),
                "名前を書いてください",
            )),
        }
    }

    fn compare(&mut self, at: &IdedExpr, op: Cmp, a: &IdedExpr, b: &IdedExpr) -> Result<Typed, ExprError> {
        let (left, right) = (self.lower(a)?, self.lower(b)?);
        let node = match (left, right) {
            ((_, Ty::Null), (_, Ty::Null)) => {
                return Err(self.error(at, "null どうしを比べています", "名前と比べてください"));
            }
            (x, (_, Ty::Null)) | ((_, Ty::Null), x) => {
                let asked = self.is_null(at, x)?;
                match op {
                    Cmp::Eq => asked,
                    Cmp::Ne => Node::Not(Box::new(asked)),
                    _ => {
                        return Err(self.error(
                            at,
                            "null とは大小を比べられません",
                            "== null か != null と書いてください",
                        ));
                    }
                }
            }
            ((_, Ty::Class { name, ranks, place }), (value, Ty::Scalar(s, _))) => {
                self.class(at, op, (name, ranks, place), value, s, b)?
            }
            ((value, Ty::Scalar(s, _)), (_, Ty::Class { name, ranks, place })) => {
                self.class(at, mirrored(op), (name, ranks, place), value, s, a)?
            }
            ((x, Ty::Scalar(s, codes)), (y, Ty::Scalar(t, others))) if s == t => {
                let ordered = matches!(s, Scalar::Int | Scalar::Date);
                if !ordered && !matches!(op, Cmp::Eq | Cmp::Ne) {
                    return Err(self.error(
                        at,
                        format!("{}の大小は比べられません", s.japanese()),
                        "== か != で比べてください",
                    ));
                }
                self.known_code(b, codes.as_deref(), &y)?;
                self.known_code(a, others.as_deref(), &x)?;
                Node::Compare { op, a: Box::new(x), b: Box::new(y) }
            }
            ((_, x), (_, y)) => {
                return Err(self.error(
                    at,
                    format!("{}と{}は比べられません", x.japanese(), y.japanese()),
                    "同じ型のものどうしを比べてください。日付は date(\"2027-03-31\") と書きます",
                ));
            }
        };
        Ok((node, Ty::of(Scalar::Bool)))
    }

    fn class(
        &self,
        at: &IdedExpr,
        op: Cmp,
        (name, ranks, place): (String, Vec<(String, i64)>, Option<Place>),
        value: Node,
        s: Scalar,
        other: &IdedExpr,
    ) -> Result<Node, ExprError> {
        match (s, value, op) {
            (Scalar::Int, value, _) => {
                Ok(Node::Compare { op, a: Box::new(Node::Rank { name, ranks, place }), b: Box::new(value) })
            }
            (Scalar::Text, Node::Text(code), _) => {
                let Some((_, rank)) = ranks.iter().find(|(c, _)| *c == code) else {
                    return Err(self.unknown_code(other, &code, ranks.iter().map(|(c, _)| c.as_str())));
                };
                let rank = *rank;
                Ok(match op {
                    Cmp::Eq => Node::ClassIn { name, codes: vec![code], place },
                    Cmp::Ne => Node::Not(Box::new(Node::ClassIn { name, codes: vec![code], place })),
                    _ => Node::Compare {
                        op,
                        a: Box::new(Node::Rank { name, ranks, place }),
                        b: Box::new(Node::Int(rank)),
                    },
                })
            }
            _ => Err(self.error(
                at,
                "分類は数か段階のコードとだけ比べられます",
                "例: class.confidentiality >= 2、class.confidentiality == \"3A\"",
            )),
        }
    }

    fn membership(&mut self, at: &IdedExpr, a: &IdedExpr, b: &IdedExpr) -> Result<Typed, ExprError> {
        let boolean = Ty::of(Scalar::Bool);
        if let Cel::List(list) = &b.expr {
            if list.elements.is_empty() || !list.optional_indices.is_empty() {
                return Err(self.error(b, "in の一覧が空です", "値を一つ以上書いてください"));
            }
            let (item, ty) = self.lower(a)?;
            let mut values = Vec::new();
            for x in &list.elements {
                let (node, got) = self.lower(x)?;
                let fits = match (&ty, &got) {
                    (Ty::Scalar(s, _), Ty::Scalar(t, _)) => {
                        s == t && *s != Scalar::Bool && !reads_a_row(&node)
                    }
                    (Ty::Class { .. }, Ty::Scalar(Scalar::Text, _)) => matches!(node, Node::Text(_)),
                    _ => false,
                };
                if !fits {
                    return Err(self.error(
                        x,
                        format!("in の左は{}、一覧の中は{}です", ty.japanese(), got.japanese()),
                        "左と同じ型の値を並べてください",
                    ));
                }
                values.push((x, node));
            }
            return match ty {
                Ty::Class { name, ranks, place } => {
                    let mut codes = Vec::new();
                    for (x, v) in values {
                        if let Node::Text(code) = v {
                            if !ranks.iter().any(|(c, _)| *c == code) {
                                return Err(self.unknown_code(
                                    x,
                                    &code,
                                    ranks.iter().map(|(c, _)| c.as_str()),
                                ));
                            }
                            codes.push(code);
                        }
                    }
                    Ok((Node::ClassIn { name, codes, place }, boolean))
                }
                Ty::Scalar(_, known) => {
                    for (x, v) in &values {
                        self.known_code(x, known.as_deref(), v)?;
                    }
                    Ok((
                        Node::In { item: Box::new(item), list: values.into_iter().map(|(_, v)| v).collect() },
                        boolean,
                    ))
                }
                other => Err(self.error(
                    a,
                    format!("in の左に{}は書けません", other.japanese()),
                    "名前を書いてください",
                )),
            };
        }
        let item = self.boxed(a, Scalar::Text)?;
        match self.lower(b)? {
            (_, Ty::List { name, codes, place }) => {
                self.known_code(a, codes.as_deref(), &item)?;
                Ok((Node::ListHas { name, item, place }, boolean))
            }
            (_, other) => Err(self.error(
                at,
                format!("in の右は一覧ですが、{}です", other.japanese()),
                "[\"a\", \"b\"] か、いくつも値を持つ項目を書いてください",
            )),
        }
    }

    fn arithmetic(
        &mut self,
        at: &IdedExpr,
        sign: i32,
        a: &IdedExpr,
        b: &IdedExpr,
    ) -> Result<Typed, ExprError> {
        let (left, right) = (self.lower(a)?, self.lower(b)?);
        match (left, right) {
            ((x, Ty::Scalar(Scalar::Int, _)), (y, Ty::Scalar(Scalar::Int, _))) => {
                let node = if sign > 0 {
                    Node::Add(Box::new(x), Box::new(y))
                } else {
                    Node::Sub(Box::new(x), Box::new(y))
                };
                Ok((node, Ty::of(Scalar::Int)))
            }
            ((date, Ty::Scalar(Scalar::Date, _)), (_, Ty::Period { months, days })) => {
                if self.env.is_sql() && reads_a_row(&date) {
                    return Err(self.error(
                        at,
                        "点検の条件では、列の日付の足し引きはできません",
                        "today の側で足し引きしてください（例: sighted_on < today - months(12)）",
                    ));
                }
                Ok((
                    Node::Shift { date: Box::new(date), months: months * sign, days: days * i64::from(sign) },
                    Ty::of(Scalar::Date),
                ))
            }
            ((_, x), (_, y)) => Err(self.error(
                at,
                format!("{}と{}は足し引きできません", x.japanese(), y.japanese()),
                "整数どうし、または 日付 + days(30) のように書いてください",
            )),
        }
    }

    fn size(&mut self, a: &IdedExpr) -> Result<Typed, ExprError> {
        match self.lower(a)? {
            (size, Ty::List { .. }) => Ok((size, Ty::of(Scalar::Int))),
            (text, Ty::Scalar(Scalar::Text, _)) => Ok((Node::TextSize(Box::new(text)), Ty::of(Scalar::Int))),
            (_, other) => Err(self.error(
                a,
                format!("size に{}は渡せません", other.japanese()),
                "一覧か文字を渡してください",
            )),
        }
    }

    /// A text literal.
    fn word(&mut self, e: &IdedExpr) -> Result<String, ExprError> {
        match self.lower(e)? {
            (Node::Text(s), _) => Ok(s),
            (_, other) => Err(self.error(
                e,
                format!("ここには引用符で囲んだ文字が要りますが、{}です", other.japanese()),
                "\"…\" と書いてください",
            )),
        }
    }

    /// A whole number literal that fits a period.
    fn number(&mut self, e: &IdedExpr) -> Result<i64, ExprError> {
        match self.lower(e)? {
            (Node::Int(n), _) if (0..=12_000).contains(&n) => Ok(n),
            _ => Err(self.error(
                e,
                "期間の長さは 0 から 12000 までの整数で書いてください",
                "例: days(30)、months(12)",
            )),
        }
    }

    fn known_code(&self, at: &IdedExpr, codes: Option<&[String]>, value: &Node) -> Result<(), ExprError> {
        match (codes, value) {
            (Some(codes), Node::Text(s)) if !codes.contains(s) => {
                Err(self.unknown_code(at, s, codes.iter().map(String::as_str)))
            }
            _ => Ok(()),
        }
    }

    fn unknown_code<'c>(&self, at: &IdedExpr, code: &str, known: impl Iterator<Item = &'c str>) -> ExprError {
        let known: Vec<&str> = known.collect();
        self.error(at, format!("「{code}」という選択肢はありません"), format!("選択肢: {}", known.join("、")))
    }
}

fn mirrored(op: Cmp) -> Cmp {
    match op {
        Cmp::Lt => Cmp::Gt,
        Cmp::Le => Cmp::Ge,
        Cmp::Gt => Cmp::Lt,
        Cmp::Ge => Cmp::Le,
        same => same,
    }
}
