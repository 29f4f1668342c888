//! `documents/*.toml` and `notices/*.toml`.

use std::collections::BTreeMap;

use crate::document::{Document, Notice, Readers};
use crate::files::doc::Table;
use crate::files::duties::month_day;
use crate::files::{Known, bound, dangling, ident, need, period, reference};
use crate::model::{Clause, MechanismKind, Period};

/// Share that is asked for when a notice says none.
const GOOD_FROM: u8 = 90;

pub(crate) fn documents(
    t: &Table<'_>,
    known: &Known,
    clauses: &[Clause],
    all: &mut BTreeMap<String, Document>,
) {
    for d in t.tables("document") {
        let id = ident(&d, "id");
        let (title, says) = (need(&d, "title"), need(&d, "says"));
        let role = |name: &str| reference(&d, d.need(name), "役割", known.roles.keys().map(String::as_str));
        let (decided_by, kept_by) = (role("decided_by"), role("kept_by"));
        if !d.has("review") {
            d.error("review", "見直しの間隔がありません", "review = \"12 months\" のように書いてください");
        }
        let review = period(&d, "review");
        let readers = readers(&d, known);
        bound(&d, id.as_ref(), MechanismKind::Document, clauses);
        d.finish();
        let (Some(id), Some(decided_by), Some(kept_by)) = (id, decided_by, kept_by) else { continue };
        let (Some(review), Some(readers)) = (review, readers) else { continue };
        let document = Document { id: id.value.clone(), title, says, decided_by, kept_by, review, readers };
        if all.insert(id.value.clone(), document).is_some() {
            let text = format!("文書「{}」が二度あります", id.value);
            d.src.error(id.line, &id.key, text, "どちらか一つにしてください");
        }
    }
    t.finish();
}

fn readers(d: &Table<'_>, known: &Known) -> Option<Readers> {
    let list = d.texts("readers");
    if list.is_empty() {
        d.error(
            "readers",
            "読む人が書かれていません",
            "readers = [\"public\"]（誰でも）、[\"staff\"]（職員）、または役割の id の並びにしてください",
        );
        return None;
    }
    match list.as_slice() {
        [one] if one.value == "public" => return Some(Readers::Public),
        [one] if one.value == "staff" => return Some(Readers::Staff),
        _ => {}
    }
    for r in list.iter().filter(|r| !known.roles.contains_key(&r.value)) {
        dangling(d, r, "役割", known.roles.keys().map(String::as_str));
    }
    Some(Readers::Roles(list.into_iter().map(|r| r.value).collect()))
}

pub(crate) fn notices(t: &Table<'_>, clauses: &[Clause], all: &mut BTreeMap<String, Notice>) {
    for n in t.tables("notice") {
        let id = ident(&n, "id");
        let (title, says, question) = (need(&n, "title"), need(&n, "says"), need(&n, "question"));
        let asked = n.need("asked").and_then(|at| {
            let day = month_day(&at.value);
            if day.is_none() {
                let text = format!("「{}」は月日として読めません", at.value);
                n.src.error(at.line, &at.key, text, "asked = \"10-01\" のように書いてください");
            }
            day
        });
        if !n.has("within") {
            n.error(
                "within",
                "回答の期間がありません",
                "within = \"20 business days\" のように書いてください",
            );
        }
        let within: Option<Period> = period(&n, "within");
        let good_from = match n.int("good_from") {
            None => Some(GOOD_FROM),
            Some(at) => {
                let share = u8::try_from(at.value).ok().filter(|s| (1..=100).contains(s));
                if share.is_none() {
                    let text = format!("{} は割合になりません", at.value);
                    n.src.error(at.line, &at.key, text, "1 から 100 までの整数（％）で書いてください");
                }
                share
            }
        };
        bound(&n, id.as_ref(), MechanismKind::Notice, clauses);
        n.finish();
        let (Some(id), Some(asked), Some(within), Some(good_from)) = (id, asked, within, good_from) else {
            continue;
        };
        let notice = Notice { id: id.value.clone(), title, says, question, asked, within, good_from };
        if all.insert(id.value.clone(), notice).is_some() {
            let text = format!("周知「{}」が二度あります", id.value);
            n.src.error(id.line, &id.key, text, "どちらか一つにしてください");
        }
    }
    t.finish();
}
