//! Ids and citations of clauses.

use std::borrow::Cow;

use crate::model::Form;
use crate::order::BULLET;
use crate::token::{Style, Token};
use crate::tree::{Branch, Raw};

/// Ids and citations of the clauses of one part.
pub(crate) struct Citations {
    all: Vec<(String, String)>,
}

impl Citations {
    /// Works them out; `prefix` is the id and citation of the 附則 that the part is.
    pub(crate) fn of(branch: &Branch, prefix: Option<&(String, String)>) -> Self {
        let clauses = &branch.clauses;
        // 項 of each article: a sole one is not cited.
        let mut paragraphs = vec![0usize; clauses.len()];
        for raw in clauses {
            if let Some(count) = raw.parent.and_then(|p| paragraphs.get_mut(p)).filter(|_| raw.level == 1) {
                *count += 1;
            }
        }
        let mut all: Vec<(String, String)> = Vec::with_capacity(clauses.len());
        for raw in clauses {
            let above = chain(clauses, raw);
            let sole = raw.level == 1 && raw.parent.and_then(|p| paragraphs.get(p)) == Some(&1);
            let parent = raw.parent.and_then(|p| all.get(p)).map(|(_, citation)| citation.as_str());
            let (id, citation) = if branch.form == Form::Articles {
                (slotted_id(&above, branch.form), article_citation(raw, parent.unwrap_or(""), sole))
            } else if prefix.is_some() {
                (
                    above.iter().map(|r| part_of_id(r)).collect::<Vec<_>>().join("."),
                    chapter_citation(raw, parent.unwrap_or("")),
                )
            } else {
                (slotted_id(&above, branch.form), chapter_citation(raw, parent.unwrap_or("")))
            };
            let own = if branch.form == Form::Chapters && prefix.is_some() && raw.parent.is_none() {
                paragraph(raw, &citation)
            } else {
                citation
            };
            all.push(match (prefix, raw.parent) {
                (None, _) => (id, own),
                (Some((p, c)), None) => (format!("{p}.{id}"), format!("{c}{own}")),
                (Some((p, _)), Some(_)) => (format!("{p}.{id}"), own),
            });
        }
        Self { all }
    }

    /// The id of a clause.
    pub(crate) fn id(&self, i: usize) -> String {
        self.all.get(i).map(|(id, _)| id.clone()).unwrap_or_default()
    }

    /// Its citation, which is handed out once.
    pub(crate) fn take_citation(&mut self, i: usize) -> String {
        self.all.get_mut(i).map(|(_, citation)| std::mem::take(citation)).unwrap_or_default()
    }
}

/// The clause and all above it, topmost first.
fn chain<'a>(clauses: &'a [Raw], raw: &'a Raw) -> Vec<&'a Raw> {
    let mut chain = vec![raw];
    let mut next = raw.parent;
    while let Some(above) = next.and_then(|p| clauses.get(p)) {
        chain.push(above);
        next = above.parent;
        if chain.len() > crate::MAX_DEPTH {
            break;
        }
    }
    chain.reverse();
    chain
}

/// Its own part of an id.
fn part_of_id(raw: &Raw) -> Cow<'_, str> {
    match &raw.token {
        Some(t) if t.style.is_bullet() || matches!(t.style, Style::Heading(_)) => {
            Cow::Owned(raw.ordinal.to_string())
        }
        Some(t) => Cow::Borrowed(&t.label),
        None => Cow::Borrowed("1"),
    }
}

/// An id with a place for every level: 0 where one is absent, 1 for the 項 that has no number.
fn slotted_id(chain: &[&Raw], form: Form) -> String {
    let Some(last) = chain.last() else { return String::new() };
    let mut id = String::with_capacity(16);
    for level in 0..=last.level {
        if level > 0 {
            id.push('.');
        }
        // 1.2.3 names the levels above itself.
        let spelled =
            || last.token.as_ref().and_then(|t| t.above.get(level).filter(|_| last.level == t.above.len()));
        if let Some(own) = chain.iter().find(|r| r.level == level) {
            id.push_str(&part_of_id(own));
        } else if let Some(number) = spelled() {
            id.push_str(&number.to_string());
        } else {
            id.push(if form == Form::Articles && level == 1 { '1' } else { '0' });
        }
    }
    id
}

/// 第3条, 第3条第2項, 第3条第2項第1号, 第3条第1号ア.
fn article_citation(raw: &Raw, parent: &str, sole: bool) -> String {
    let Some(token) = &raw.token else {
        return if sole { parent.to_owned() } else { format!("{parent}第1項") };
    };
    let own = match raw.level {
        0 => token.shown.clone(),
        1 if sole => String::new(),
        1 if token.style.is_bullet() => bullet(raw),
        1 => counted(token, "項"),
        2 if matches!(
            token.style,
            Style::Paren
                | Style::Kanji
                | Style::Num(_)
                | Style::NumDot(_)
                | Style::Circled
                | Style::HalfParen
        ) =>
        {
            counted(token, "号")
        }
        _ if token.style.is_bullet() => bullet(raw),
        _ => token.shown.clone(),
    };
    format!("{parent}{own}")
}

/// 第2項, 第2号の3.
fn counted(token: &Token, unit: &str) -> String {
    let mut numbers = token.value.iter().take_while(|v| **v > 0);
    let first = numbers.next().copied().unwrap_or(0);
    let rest: String = numbers.map(|n| format!("の{n}")).collect();
    format!("第{first}{unit}{rest}")
}

fn bullet(raw: &Raw) -> String {
    format!("の{}番目", raw.ordinal)
}

/// In a 附則 a bare number is a 項.
fn paragraph(raw: &Raw, citation: &str) -> String {
    match &raw.token {
        Some(t) if matches!(t.style, Style::Num(_) | Style::NumDot(_)) => counted(t, "項"),
        _ => citation.to_owned(),
    }
}

/// 第5章第1節(1)③(イ), 6(3)①, 1.2.3(1).
fn chapter_citation(raw: &Raw, parent: &str) -> String {
    let Some(token) = &raw.token else { return parent.to_owned() };
    if token.style.is_bullet() && raw.level >= BULLET {
        return format!("{parent}{}", bullet(raw));
    }
    if !token.above.is_empty() {
        return token.shown.clone();
    }
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let joint =
        if digit(parent.chars().next_back()) && digit(token.shown.chars().next()) { "の" } else { "" };
    format!("{parent}{joint}{}", token.shown)
}

/// 第2章, 第2章第1節: citations of the divisions of a 条-style text.
pub(crate) fn division_citations(branch: &Branch) -> Vec<String> {
    let mut open: Vec<&Token> = Vec::new();
    branch
        .divisions
        .iter()
        .map(|(_, token, _)| {
            open.retain(|t| t.style < token.style);
            open.push(token);
            open.iter().map(|t| t.shown.as_str()).collect()
        })
        .collect()
}
