//! One module for each kind of file in a pack, and what they share.

mod absence;
mod bindings;
mod calendar;
mod checks;
mod classification;
mod clauses;
pub(crate) mod doc;
mod documents;
mod duties;
mod fields;
mod meta;
mod planned;
mod procedures;
mod registers;
mod roles;
mod sound;
mod sql;
mod steps;
mod tests;

pub(crate) use bindings::bindings;
pub(crate) use calendar::calendar;
pub(crate) use checks::checks;
pub(crate) use classification::{classes, handling};
pub(crate) use clauses::clauses;
pub(crate) use documents::{documents, notices};
pub(crate) use duties::duties;
pub(crate) use meta::meta;
pub(crate) use planned::{match_planned, planned};
pub(crate) use procedures::procedure;
pub(crate) use registers::register;
pub(crate) use roles::{check_roles, roles};
pub(crate) use tests::{ELSEWHERE, tests};

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::table::valid_ident;

use crate::expr::{Env, Expr, Type};
use crate::message::nearest;
use crate::model::{
    Check, Classification, Clause, MechanismKind, MechanismRef, Period, Procedure, Register, Role,
};
use doc::{At, Table};

/// Acts that the handling decision knows.
pub const ACTS: [&str; 9] =
    ["copy", "send", "carry_out", "provide", "publish", "process_outside", "store", "dispose", "entrust"];
/// Whose device an act uses, for the name `device` of conditions.
pub const DEVICES: [&str; 3] = ["issued", "private", "contractor"];

/// What the files of a pack may refer to, filled as the load goes on.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) classification: Classification,
    pub(crate) clauses: BTreeSet<String>,
    pub(crate) registers: BTreeMap<String, Register>,
    pub(crate) procedures: BTreeMap<String, Procedure>,
    /// Derived checks by id, with the file that declares them.
    pub(crate) derived: BTreeMap<String, (Check, String)>,
    /// Ids by file stem, known before the files are read.
    pub(crate) register_ids: BTreeSet<String>,
    pub(crate) procedure_ids: BTreeSet<String>,
    pub(crate) forms: BTreeSet<String>,
    /// Procedures that clauses name, built or not: a handling rule may ask for a permit nobody can give here yet.
    pub(crate) planned_procedures: BTreeSet<String>,
    /// Checks and duties that open cases: file, line, `check:<id>` or `duty:<id>`; looked up when all are known.
    pub(crate) openers: Vec<(String, usize, String)>,
    /// Mechanisms that clauses name: file, line, mechanism; looked at when everything is known.
    pub(crate) bindings: Vec<(String, usize, MechanismRef)>,
}

impl Known {
    /// Names every condition about items may read: class, zone, personal-data mark and device.
    pub(crate) fn item_env(&self) -> Env {
        let mut env = Env::new();
        for (id, axis) in &self.classification.axes {
            env.declare(&format!("class.{id}"), Type::class_of(axis), None);
        }
        for mark in ["zone", "personal"] {
            let columns = self.registers.values().flat_map(|r| &r.columns).filter(|c| c.id == mark);
            let codes: BTreeSet<&str> = columns.flat_map(|c| &c.choices).map(|c| c.code.as_str()).collect();
            if !codes.is_empty() {
                env.declare(mark, Type::List(Some(codes.into_iter().map(str::to_owned).collect())), None);
            }
        }
        env.declare("device", Type::Choice(DEVICES.map(str::to_owned).to_vec()), None);
        env
    }

    /// Puts a derived check in, or says that its id is taken.
    pub(crate) fn derive(&mut self, t: &Table<'_>, key: &str, check: Check) {
        if let Some((_, file)) = self.derived.get(&check.id) {
            let text = format!("点検「{}」は {file} からも作られます", check.id);
            t.error(key, text, "check = \"…\" で別の名前を付けてください");
            return;
        }
        self.derived.insert(check.id.clone(), (check, t.src.file.to_owned()));
    }
}

/// Reports a reference to something that is not there.
pub(crate) fn dangling<'k>(
    t: &Table<'_>,
    at: &At<String>,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) {
    let remedy = match nearest(&at.value, known.clone()) {
        Some(meant) => format!("「{meant}」の書き間違いではありませんか"),
        None => {
            let all: Vec<&str> = known.take(30).collect();
            if all.is_empty() {
                format!("{what}がまだ一つもありません。先に作ってください")
            } else {
                format!("今ある{what}: {}", all.join("、"))
            }
        }
    };
    t.src.error(at.line, &at.key, format!("{what}「{}」はありません", at.value), remedy);
}

/// A reference that must be among the known ones; `None` after a message.
pub(crate) fn reference<'k>(
    t: &Table<'_>,
    at: Option<At<String>>,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Option<String> {
    let at = at?;
    if known.clone().any(|k| k == at.value) {
        return Some(at.value);
    }
    dangling(t, &at, what, known);
    None
}

/// An identifier that must be there and may name a table or column.
pub(crate) fn ident(t: &Table<'_>, name: &str) -> Option<At<String>> {
    let at = t.need(name)?;
    if valid_ident(&at.value) {
        return Some(at);
    }
    let text = format!("「{}」は識別子に使えません", at.value);
    t.src.error(at.line, &at.key, text, "英小文字で始まり、英小文字・数字・_ だけの41文字までにしてください");
    None
}

/// An id that must equal the file's stem.
pub(crate) fn file_id(t: &Table<'_>, stem: &str) {
    if let Some(at) = ident(t, "id").filter(|at| at.value != stem) {
        let text = format!("id「{}」がファイル名「{stem}.toml」と違います", at.value);
        t.src.error(at.line, &at.key, text, "id とファイル名を同じにしてください");
    }
}

/// One of a closed list of words.
pub(crate) fn word<T: Copy>(t: &Table<'_>, at: Option<At<String>>, words: &[(&str, T)]) -> Option<T> {
    let at = at?;
    if let Some((_, v)) = words.iter().find(|(w, _)| *w == at.value) {
        return Some(*v);
    }
    let known: Vec<&str> = words.iter().map(|(w, _)| *w).collect();
    let remedy = match nearest(&at.value, known.iter().copied()) {
        Some(meant) => format!("「{meant}」の書き間違いではありませんか"),
        None => format!("書けるのは {} です", known.join("、")),
    };
    t.src.error(at.line, &at.key, format!("「{}」は選べません", at.value), remedy);
    None
}

/// A length of time: `3 business days`, `12 months`.
pub(crate) fn period(t: &Table<'_>, name: &str) -> Option<Period> {
    let at = t.text(name)?;
    let parsed = parse_period(&at.value);
    if parsed.is_none() {
        let text = format!("「{}」は期間として読めません", at.value);
        t.src.error(
            at.line,
            &at.key,
            text,
            "\"24 hours\"、\"14 days\"、\"3 business days\"、\"12 months\" のように書いてください",
        );
    }
    parsed
}

fn parse_period(s: &str) -> Option<Period> {
    let (n, unit) = s.trim().split_once(' ')?;
    let n: u32 = n.parse().ok().filter(|n| (1..=3_650).contains(n))?;
    match unit.trim() {
        "hour" | "hours" => Some(Period::Hours(n)),
        "day" | "days" => Some(Period::Days(n)),
        "business day" | "business days" => Some(Period::BusinessDays(n)),
        "month" | "months" => Some(Period::Months(n)),
        _ => None,
    }
}

/// A condition.
pub(crate) fn condition(t: &Table<'_>, name: &str, env: &Env) -> Option<Expr> {
    let at = t.text(name)?;
    match Expr::parse_here(&at.value, env) {
        Ok(e) => Some(e),
        Err(e) => {
            t.src.error(at.line, &at.key, format!("条件の{}文字目: {}", e.column, e.problem), e.remedy);
            None
        }
    }
}

/// The `clauses` of a duty, document or notice: each exists and names it; a thing that no clause names is a warning.
pub(crate) fn bound(t: &Table<'_>, id: Option<&At<String>>, kind: MechanismKind, clauses: &[Clause]) {
    let named = t.texts("clauses");
    let Some(id) = id else { return };
    let names = |c: &Clause| c.mechanisms.iter().any(|m| m.kind == kind && m.name == id.value);
    for at in &named {
        match clauses.iter().find(|c| c.id == at.value) {
            None => dangling(t, at, "条項", clauses.iter().map(|c| c.id.as_str())),
            Some(c) if !names(c) => {
                let text = format!("条項「{}」は {}:{} と結び付いていません", c.id, kind.word(), id.value);
                let remedy = format!(
                    "条項の mechanisms に \"{}:{}\" を加えるか、ここから消してください",
                    kind.word(),
                    id.value
                );
                t.src.error(at.line, &at.key, text, remedy);
            }
            Some(_) => {}
        }
    }
    if !clauses.iter().any(names) {
        t.src.warn(
            id.line,
            &id.key,
            format!("「{}」と結び付いた条項がありません", id.value),
            format!("条項の mechanisms に \"{}:{}\" を加えてください", kind.word(), id.value),
        );
    }
}

/// A string that must be there, or an empty one after a message.
pub(crate) fn need(t: &Table<'_>, name: &str) -> String {
    t.need(name).map(|a| a.value).unwrap_or_default()
}
