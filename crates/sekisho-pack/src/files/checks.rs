//! `checks/*.toml`: written checks.

use std::collections::BTreeMap;

use crate::files::doc::Table;
use crate::files::registers::env_of;
use crate::files::{Known, condition, ident, need, period, reference, sql, word};
use crate::model::{Check, CheckRule, ColumnType, Register};

#[derive(Clone, Copy)]
enum Kind {
    Rows,
    Required,
    Stale,
    Overdue,
    Vacant,
    Sql,
}

const KINDS: [(&str, Kind); 6] = [
    ("rows", Kind::Rows),
    ("required", Kind::Required),
    ("stale", Kind::Stale),
    ("overdue", Kind::Overdue),
    ("vacant", Kind::Vacant),
    ("sql", Kind::Sql),
];

pub(crate) fn checks(t: &Table<'_>, known: &Known, all: &mut BTreeMap<String, Check>) {
    for c in t.tables("check") {
        let id = ident(&c, "id");
        let (title, remedy) = (need(&c, "title"), need(&c, "remedy"));
        let rule = word(&c, c.need("kind"), &KINDS).and_then(|kind| rule(&c, kind, known));
        c.finish();
        let Some(id) = id else { continue };
        if let Some((_, file)) = known.derived.get(&id.value) {
            let text = format!("点検「{}」は {file} から自動で作られます", id.value);
            c.src.error(id.line, &id.key, text, "この点検を消すか、別の id にしてください");
            continue;
        }
        let Some(rule) = rule else { continue };
        let check = Check { id: id.value.clone(), title, remedy, rule, derived: false };
        if all.insert(id.value.clone(), check).is_some() {
            c.src.error(
                id.line,
                &id.key,
                format!("点検「{}」が二度あります", id.value),
                "どちらか一つにしてください",
            );
        }
    }
    t.finish();
}

fn rule(c: &Table<'_>, kind: Kind, known: &Known) -> Option<CheckRule> {
    let register = |known: &Known| -> Option<Register> {
        let id = reference(c, c.need("register"), "台帳", known.register_ids.iter().map(String::as_str))?;
        known.registers.get(&id).cloned()
    };
    let column = |r: &Register| reference(c, c.need("column"), "列", r.columns.iter().map(|x| x.id.as_str()));
    match kind {
        Kind::Rows => {
            let r = register(known);
            if !c.has("when") {
                c.error(
                    "when",
                    "条件がありません",
                    "when = \"…\" に、決まりに反する行の条件を書いてください",
                );
            }
            let r = r?;
            Some(CheckRule::Rows { when: condition(c, "when", &env_of(&r, known))?, register: r.id })
        }
        Kind::Required => {
            let r = register(known)?;
            let column = column(&r)?;
            let when = condition(c, "when", &env_of(&r, known));
            Some(CheckRule::Required { register: r.id, column, when })
        }
        Kind::Stale => {
            let after = period(c, "after");
            let r = register(known)?;
            let column = column(&r)?;
            if r.columns.iter().any(|x| x.id == column && x.kind != ColumnType::Date) {
                c.error(
                    "column",
                    format!("列「{column}」は日付ではありません"),
                    "type が \"date\" の列を選んでください",
                );
            }
            if after.is_none() && !c.has("after") {
                c.error("after", "after がありません", "after = \"12 months\" のように書いてください");
            }
            Some(CheckRule::Stale { register: r.id, column, after: after? })
        }
        Kind::Overdue => {
            let id =
                reference(c, c.need("procedure"), "手続", known.procedure_ids.iter().map(String::as_str))?;
            let p = known.procedures.get(&id)?;
            let step = reference(c, c.text("step"), "段", p.steps.iter().map(|s| s.id.as_str()));
            (step.is_some() || !c.has("step")).then_some(CheckRule::Overdue { procedure: id, step })
        }
        Kind::Vacant => {
            let role = reference(c, c.need("role"), "役割", known.roles.keys().map(String::as_str))?;
            Some(CheckRule::Vacant { role })
        }
        Kind::Sql => {
            let at = c.need("select")?;
            if let Some((problem, remedy)) = sql::refuse(&at.value, &known.register_ids) {
                c.src.error(at.line, &at.key, problem, remedy);
                return None;
            }
            Some(CheckRule::Sql { select: at.value })
        }
    }
}
