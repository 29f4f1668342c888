//! Conditions in Japanese words, for people who never saw the syntax.

use std::collections::BTreeMap;

use super::Expr;
use super::env::Scalar;
use super::tree::{Cmp, Node};

/// What names and codes of a condition are called on pages: labels of fields and columns, of choices and levels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    names: BTreeMap<String, String>,
    codes: BTreeMap<String, BTreeMap<String, String>>,
}

impl Labels {
    /// Calls a name so.
    pub fn name(&mut self, name: &str, label: &str) {
        self.names.insert(name.to_owned(), label.to_owned());
    }

    /// Calls a code of a name so.
    pub fn code(&mut self, name: &str, code: &str, label: &str) {
        self.codes.entry(name.to_owned()).or_default().insert(code.to_owned(), label.to_owned());
    }

    fn of(&self, name: &str) -> String {
        self.names.get(name).map_or_else(|| format!("「{name}」"), |l| format!("「{l}」"))
    }

    fn code_of(&self, name: Option<&str>, code: &str) -> String {
        let label = name.and_then(|n| self.codes.get(n)).and_then(|c| c.get(code));
        format!("「{}」", label.map_or(code, String::as_str))
    }
}

impl Expr {
    /// The condition as a Japanese statement that can stand before 「とき」 or 「こと」; what has no words is given as
    /// written, in 「」.
    #[must_use]
    pub fn japanese(&self, labels: &Labels) -> String {
        statement(&self.tree, true, labels).unwrap_or_else(|| format!("「{}」が成り立つ", self.source))
    }
}

/// A statement, or its negation.
fn statement(node: &Node, yes: bool, l: &Labels) -> Option<String> {
    Some(match node {
        Node::Not(x) => statement(x, !yes, l)?,
        Node::And(..) | Node::Or(..) => joined(node, yes, l)?,
        Node::Bool(b) => (if *b == yes { "いつでも成り立つ" } else { "成り立つことがない" }).to_owned(),
        Node::Var { name, scalar: Scalar::Bool, .. } => {
            format!("{}が「はい」{}", l.of(name), if yes { "である" } else { "でない" })
        }
        Node::IsNull { of } => {
            format!("{}が{}", term(of, None, l)?, if yes { "空である" } else { "入っている" })
        }
        Node::ClassIn { name, codes, .. } => {
            any_of(l.of(name), name, codes.iter().map(String::as_str), yes, l)
        }
        Node::In { item, list } => {
            let texts = list.iter().map(|n| if let Node::Text(s) = n { Some(s.as_str()) } else { None });
            let texts: Vec<&str> = texts.collect::<Option<_>>()?;
            any_of(term(item, None, l)?, item.name()?, texts.into_iter(), yes, l)
        }
        Node::ListHas { name, item, .. } => {
            format!(
                "{}に{}を{}",
                l.of(name),
                term(item, Some(name), l)?,
                if yes { "含む" } else { "含まない" }
            )
        }
        Node::StartsWith { text, prefix } => {
            format!("{}が「{prefix}」で{}", term(text, None, l)?, if yes { "始まる" } else { "始まらない" })
        }
        Node::Contains { text, part } => {
            format!("{}に「{part}」を{}", term(text, None, l)?, if yes { "含む" } else { "含まない" })
        }
        Node::If { cond, then, other } => format!(
            "（{}ときは{}、そうでないときは{}）",
            statement(cond, true, l)?,
            statement(then, yes, l)?,
            statement(other, yes, l)?
        ),
        Node::Compare { op, a, b } => compare(if yes { *op } else { opposite(*op) }, a, b, l)?,
        _ => return None,
    })
}

/// A chain of 「かつ」 or 「または」; a chain of the other kind within it stands in parentheses.
fn joined(node: &Node, yes: bool, l: &Labels) -> Option<String> {
    // By De Morgan, a negated 「かつ」 is a 「または」 of negations; with null it is too.
    let all = matches!(node, Node::And(..)) == yes;
    let mut parts = Vec::new();
    chain(node, matches!(node, Node::And(..)), &mut parts);
    let words = parts.into_iter().map(|p| {
        let text = statement(p, yes, l)?;
        Some(if matches!(bare(p), Node::And(..) | Node::Or(..)) { format!("（{text}）") } else { text })
    });
    Some(words.collect::<Option<Vec<_>>>()?.join(if all { "、かつ" } else { "、または" }))
}

fn chain<'n>(node: &'n Node, and: bool, out: &mut Vec<&'n Node>) {
    match node {
        Node::And(a, b) if and => [a, b].into_iter().for_each(|n| chain(n, and, out)),
        Node::Or(a, b) if !and => [a, b].into_iter().for_each(|n| chain(n, and, out)),
        other => out.push(other),
    }
}

fn bare(node: &Node) -> &Node {
    if let Node::Not(x) = node { bare(x) } else { node }
}

fn any_of<'c>(
    subject: String,
    name: &str,
    codes: impl Iterator<Item = &'c str>,
    yes: bool,
    l: &Labels,
) -> String {
    let words: Vec<String> = codes.map(|c| l.code_of(Some(name), c)).collect();
    let ending = match (words.len(), yes) {
        (1, true) => "である",
        (1, false) => "でない",
        (_, true) => "のどれかである",
        (_, false) => "のどれでもない",
    };
    format!("{subject}が{}{ending}", words.concat())
}

fn opposite(op: Cmp) -> Cmp {
    match op {
        Cmp::Eq => Cmp::Ne,
        Cmp::Ne => Cmp::Eq,
        Cmp::Lt => Cmp::Ge,
        Cmp::Le => Cmp::Gt,
        Cmp::Gt => Cmp::Le,
        Cmp::Ge => Cmp::Lt,
    }
}

fn compare(op: Cmp, a: &Node, b: &Node, l: &Labels) -> Option<String> {
    if a.is_truth() || b.is_truth() {
        let same = match op {
            Cmp::Eq => true,
            Cmp::Ne => false,
            _ => return None,
        };
        return match (a, b) {
            (x, Node::Bool(v)) | (Node::Bool(v), x) => statement(x, *v == same, l),
            _ => None,
        };
    }
    let (left, right) = (term(a, b.name(), l)?, term(b, a.name(), l)?);
    let day = is_day(a) || is_day(b);
    Some(match (op, day) {
        (Cmp::Eq, true) => format!("{left}が{right}と同じ日である"),
        (Cmp::Ne, true) => format!("{left}が{right}と違う日である"),
        (Cmp::Lt, true) => format!("{left}が{right}より前である"),
        (Cmp::Le, true) => format!("{left}が{right}以前である"),
        (Cmp::Gt, true) => format!("{left}が{right}より後である"),
        (Cmp::Ge, true) => format!("{left}が{right}以後である"),
        (Cmp::Eq, false) => format!("{left}が{right}である"),
        (Cmp::Ne, false) => format!("{left}が{right}でない"),
        (Cmp::Lt, false) => format!("{left}が{right}未満である"),
        (Cmp::Le, false) => format!("{left}が{right}以下である"),
        (Cmp::Gt, false) => format!("{left}が{right}より大きい"),
        (Cmp::Ge, false) => format!("{left}が{right}以上である"),
    })
}

fn is_day(node: &Node) -> bool {
    matches!(
        node,
        Node::Var { scalar: Scalar::Date, .. }
            | Node::Date(_)
            | Node::Today
            | Node::Shift { .. }
            | Node::FiscalYearEnd(_)
    )
}

/// A thing that is compared. `about` is the name on the other side: its codes are called as they are on pages.
fn term(node: &Node, about: Option<&str>, l: &Labels) -> Option<String> {
    Some(match node {
        Node::Var { name, .. } | Node::Rank { name, .. } | Node::ClassIn { name, .. } => l.of(name),
        Node::ListSize { name, .. } => format!("{}の件数", l.of(name)),
        Node::Int(n) => n.to_string(),
        Node::Text(s) => l.code_of(about, s),
        Node::Date(d) => d.japanese(),
        Node::Today => "今日".to_owned(),
        Node::Shift { date, months, days } => shifted(&term(date, None, l)?, *months, *days),
        Node::FiscalYearEnd(d) => format!("{}の年度の末日", term(d, None, l)?),
        Node::TextSize(t) => format!("{}の文字数", term(t, None, l)?),
        Node::Add(a, b) => format!("{}と{}の合計", term(a, None, l)?, term(b, None, l)?),
        Node::Sub(a, b) => format!("{}から{}を引いた数", term(a, None, l)?, term(b, None, l)?),
        _ => return None,
    })
}

fn shifted(date: &str, months: i32, days: i64) -> String {
    let part = |n: i64, unit: &str| match n {
        0 => String::new(),
        n if n < 0 => format!("の{}{unit}前", n.unsigned_abs()),
        n => format!("の{n}{unit}後"),
    };
    format!("{date}{}{}", part(i64::from(months), "か月"), part(days, "日"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Env, Type};

    fn words(source: &str) -> String {
        let choice = Type::Choice(vec!["usb".to_owned(), "tape".to_owned()]);
        let class = Type::Class(vec![("3A".to_owned(), 3), ("3".to_owned(), 3), ("2".to_owned(), 2)]);
        let env = Env::new()
            .with("from", Type::Date)
            .with("until", Type::Date)
            .with("blanket", Type::Bool)
            .with("kind", choice)
            .with("count", Type::Int)
            .with("note", Type::Text)
            .with("zone", Type::List(None))
            .with("class.confidentiality", class);
        let mut l = Labels::default();
        for (name, label) in
            [("from", "持出日"), ("until", "返却予定日"), ("blanket", "包括許可"), ("kind", "種類")]
        {
            l.name(name, label);
        }
        for (name, label) in
            [("count", "個数"), ("note", "備考"), ("zone", "領域"), ("class.confidentiality", "機密性")]
        {
            l.name(name, label);
        }
        l.code("kind", "usb", "USBメモリ");
        l.code("kind", "tape", "磁気テープ");
        l.code("class.confidentiality", "3A", "機密性3A");
        Expr::parse(source, &env).unwrap().japanese(&l)
    }

    #[test]
    fn says_conditions_as_a_clerk_would() {
        for (source, said) in [
            ("until >= from", "「返却予定日」が「持出日」以後である"),
            ("until <= fiscal_year_end(from)", "「返却予定日」が「持出日」の年度の末日以前である"),
            ("from < today - months(12)", "「持出日」が今日の12か月前より前である"),
            ("until <= from + days(30)", "「返却予定日」が「持出日」の30日後以前である"),
            ("blanket", "「包括許可」が「はい」である"),
            ("!blanket", "「包括許可」が「はい」でない"),
            ("blanket == false", "「包括許可」が「はい」でない"),
            ("kind == \"usb\"", "「種類」が「USBメモリ」である"),
            ("kind in [\"usb\", \"tape\"]", "「種類」が「USBメモリ」「磁気テープ」のどれかである"),
            ("!(kind in [\"usb\", \"tape\"])", "「種類」が「USBメモリ」「磁気テープ」のどれでもない"),
            ("class.confidentiality >= 2", "「機密性」が2以上である"),
            ("class.confidentiality == \"3A\"", "「機密性」が「機密性3A」である"),
            ("from == null", "「持出日」が空である"),
            ("from != null", "「持出日」が入っている"),
            ("\"lgwan\" in zone", "「領域」に「lgwan」を含む"),
            ("size(note) > 10", "「備考」の文字数が10より大きい"),
            ("note.contains(\"鍵\")", "「備考」に「鍵」を含む"),
            ("count + 1 <= 5", "「個数」と1の合計が5以下である"),
            (
                "!(kind == \"usb\" && class.confidentiality >= 2)",
                "「種類」が「USBメモリ」でない、または「機密性」が2未満である",
            ),
            (
                "blanket || (kind == \"usb\" && count > 1)",
                "「包括許可」が「はい」である、または（「種類」が「USBメモリ」である、かつ「個数」が1より大きい）",
            ),
        ] {
            assert_eq!(words(source), said, "{source}");
        }
    }

    #[test]
    fn what_has_no_words_is_given_as_written() {
        assert_eq!(words("blanket == (count > 1)"), "「blanket == (count > 1)」が成り立つ");
    }
}
