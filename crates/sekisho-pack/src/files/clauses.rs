//! `clauses/*.toml`.

use crate::files::doc::{At, Table};
use crate::files::{Known, dangling, word};
use crate::model::{Clause, MechanismKind, MechanismRef};

pub(super) const KINDS: [(&str, MechanismKind); 8] = [
    ("role", MechanismKind::Role),
    ("register", MechanismKind::Register),
    ("procedure", MechanismKind::Procedure),
    ("duty", MechanismKind::Duty),
    ("check", MechanismKind::Check),
    ("gate", MechanismKind::Gate),
    ("document", MechanismKind::Document),
    ("notice", MechanismKind::Notice),
];

const MODALITIES: [(&str, &str); 5] =
    [("must", "must"), ("must_not", "must_not"), ("may", "may"), ("should", "should"), ("none", "none")];

pub(crate) fn clauses(t: &Table<'_>, known: &mut Known) -> Vec<Clause> {
    let mut out = Vec::new();
    for c in t.tables("clause") {
        let id = c.need("id");
        let kind = c.need("kind").map(|a| a.value).unwrap_or_default();
        let actors = c.texts("actor");
        for a in actors.iter().filter(|a| !known.roles.contains_key(&a.value)) {
            dangling(&c, a, "役割", known.roles.keys().map(String::as_str));
        }
        let mode = word(&c, c.text("actor_mode"), &[("all", "all"), ("any", "any")]);
        if actors.len() > 1 && mode.is_none() && !c.has("actor_mode") {
            c.error(
                "actor_mode",
                "担当が二つ以上あるのに actor_mode がありません",
                "「及び」なら \"all\"、「又は」なら \"any\" を書いてください",
            );
        }
        let modality = word(&c, c.need("modality"), &MODALITIES).unwrap_or("none");
        let area = c.int("area");
        match &area {
            Some(at) if !(1..=8).contains(&at.value) => {
                c.src.error(
                    at.line,
                    &at.key,
                    format!("area {} はありません", at.value),
                    "1 から 8 までで書いてください",
                );
            }
            None if !c.has("area") => {
                c.error("area", "area がありません", "施行規則16条の3の区分を 1 から 8 までで書いてください")
            }
            _ => {}
        }
        let title = c.text("title").map(|a| a.value);
        let says = c.text("says").map(|a| a.value).unwrap_or_default();
        if kind == "heading" && title.is_none() {
            c.error("title", "見出しに title がありません", "見出しの言葉を title に書いてください");
        }
        if kind != "heading" && says.is_empty() && !c.has("says") {
            c.error("says", "says がありません", "条項の内容をわかりやすい言葉で書いてください");
        }
        let mechanisms = mechanisms(&c, known);
        c.finish();
        let Some(id) = id else { continue };
        if !valid_clause_id(&id.value) {
            c.src.error(
                id.line,
                &id.key,
                format!("「{}」は条項の id として読めません", id.value),
                "\"5.1.1.3.イ\" のように、点で区切って書いてください",
            );
            continue;
        }
        if !known.clauses.insert(id.value.clone()) {
            c.src.error(
                id.line,
                &id.key,
                format!("条項「{}」が二度あります", id.value),
                "どちらか一つにしてください",
            );
            continue;
        }
        out.push(Clause {
            id: id.value,
            kind,
            actors: actors.into_iter().map(|a| a.value).collect(),
            actor_mode: mode.unwrap_or("any").to_owned(),
            modality: modality.to_owned(),
            area: area.and_then(|a| u8::try_from(a.value).ok()).unwrap_or(0),
            title,
            says,
            mechanisms,
        });
    }
    t.finish();
    out
}

fn valid_clause_id(s: &str) -> bool {
    s.len() <= 80 && s.split('.').all(|p| !p.is_empty() && p.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

fn mechanisms(c: &Table<'_>, known: &mut Known) -> Vec<MechanismRef> {
    let mut out: Vec<MechanismRef> = Vec::new();
    for at in c.texts("mechanisms") {
        match parse_mechanism(&at) {
            Ok(m) if out.contains(&m) => c.src.error(
                at.line,
                &at.key,
                format!("「{}」が二度あります", at.value),
                "どちらか一つにしてください",
            ),
            Ok(m) => {
                known.bindings.push((c.src.file.to_owned(), at.line, m.clone()));
                out.push(m);
            }
            Err(problem) => {
                let kinds: Vec<&str> = KINDS.iter().map(|(w, _)| *w).collect();
                c.src.error(
                    at.line,
                    &at.key,
                    problem,
                    format!("「種類:名前」と書いてください。種類は {} です", kinds.join("、")),
                );
            }
        }
    }
    out
}

fn parse_mechanism(at: &At<String>) -> Result<MechanismRef, String> {
    let (kind, name) =
        at.value.split_once(':').ok_or_else(|| format!("「{}」に : がありません", at.value))?;
    let (_, kind) = KINDS
        .iter()
        .find(|(w, _)| *w == kind)
        .ok_or_else(|| format!("「{kind}」という種類の仕組みはありません"))?;
    if mechanism_name(name) {
        Ok(MechanismRef { kind: *kind, name: name.to_owned() })
    } else {
        Err(format!("「{name}」は仕組みの名前に使えません"))
    }
}

/// Whether a word can be the name of a mechanism.
pub(super) fn mechanism_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name.len() <= 80
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
