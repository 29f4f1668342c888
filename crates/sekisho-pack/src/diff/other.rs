//! Everything else: roles, classification, duties, documents, clauses, calendar, forms.

use super::{Area, Change, Found, Side, pairs, yes};
use crate::expr::Expr;
use crate::model::{Clause, HandlingEffect, HandlingRule, Pack, Role};
use crate::words::{Words, period, scope_name};

pub(super) fn roles(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    for side in pairs(old.roles.values(), new.roles.values(), |r| &r.id) {
        match side {
            Side::Old(r) => {
                let said = found.old.held_by(r);
                found.removed(Area::Role, &r.title, "役割", said);
            }
            Side::New(r) => {
                let said = found.new.held_by(r);
                found.added(Area::Role, &r.title, "役割", said);
            }
            Side::Both(o, n) => role(o, n, found),
        }
    }
}

fn role(o: &Role, n: &Role, found: &mut Found<'_>) {
    let place = n.title.as_str();
    let area = Area::Role;
    found.value(area, place, "名前", &o.title, &n.title);
    found.value(area, place, "及ぶ範囲", scope_name(o.scope), scope_name(n.scope));
    let (before, after) = (found.old.held_by(o), found.new.held_by(n));
    found.value(area, place, "担う人", &before, &after);
    let before = o.escalates_to.as_deref().map(|r| found.old.role(r).to_owned());
    let after = n.escalates_to.as_deref().map(|r| found.new.role(r).to_owned());
    found.option(area, place, "上位の役割", before, after);
    found.value(area, place, "代決する職", &o.deputies.join("、次に "), &n.deputies.join("、次に "));
    let list = |ids: &[String], w: &Words<'_>| ids.iter().map(|id| w.role(id)).collect::<Vec<_>>().join("、");
    let (before, after) = (list(&o.not_with, &found.old), list(&n.not_with, &found.new));
    found.value(area, place, "一緒に担えない役割", &before, &after);
    found.value(area, place, "空席を不適合とするか", yes(o.must_be_filled), yes(n.must_be_filled));
}

pub(super) fn classification(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    let area = Area::Classification;
    let ids: std::collections::BTreeSet<&String> =
        old.classification.axes.keys().chain(new.classification.axes.keys()).collect();
    for id in ids {
        let words = |p: &Pack| {
            let a = p.classification.axes.get(id)?;
            let levels = a.levels.iter().map(|l| {
                let schemes = l.schemes.join("・");
                format!("{}（{}、強さ{}、{schemes}）", l.title, l.code, l.rank)
            });
            Some(levels.collect::<Vec<_>>().join("、"))
        };
        let title =
            [new, old].into_iter().find_map(|p| p.classification.axes.get(id)).map(|a| a.title.clone());
        found.option(area, &title.unwrap_or_default(), "段階", words(old), words(new));
    }
    for side in pairs(&old.classification.handling, &new.classification.handling, |r| &r.id) {
        match side {
            Side::Old(r) => {
                let said = rule(r, &found.old, old);
                found.removed(area, &r.says, "取扱いの決まり", said);
            }
            Side::New(r) => {
                let said = rule(r, &found.new, new);
                found.added(area, &r.says, "取扱いの決まり", said);
            }
            Side::Both(o, n) => {
                let (before, after) = (rule(o, &found.old, old), rule(n, &found.new, new));
                found.value(area, &n.says, "取扱いの決まり", &before, &after);
                found.value(area, &n.says, "説明", &o.says, &n.says);
                found.value(area, &n.says, "根拠の条項", &o.clause, &n.clause);
            }
        }
    }
}

fn rule(r: &HandlingRule, words: &Words<'_>, pack: &Pack) -> String {
    let when = |e: &Expr| format!("{}とき", e.japanese(&words.item_labels()));
    let effect = match &r.effect {
        HandlingEffect::Safeguard => "対策を取る".to_owned(),
        HandlingEffect::Permit(p) => {
            let title = pack.procedures.get(p).map_or(p.as_str(), |p| p.title.as_str());
            format!("「{title}」の許可が要る")
        }
        HandlingEffect::Prohibited => "してはならない".to_owned(),
    };
    format!(
        "{}: {}: {effect}",
        r.acts.join("・"),
        r.when.as_ref().map_or_else(|| "いつでも".to_owned(), when)
    )
}

pub(super) fn duties(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    for side in pairs(old.duties.values(), new.duties.values(), |d| &d.id) {
        match side {
            Side::Old(d) => found.removed(Area::Duty, &format!("「{}」", d.title), "仕事", d.says.clone()),
            Side::New(d) => found.added(Area::Duty, &format!("「{}」", d.title), "仕事", d.says.clone()),
            Side::Both(o, n) => {
                let place = format!("「{}」", n.title);
                found.value(Area::Duty, &place, "すること", &o.says, &n.says);
                let (before, after) =
                    (found.old.role(&o.role).to_owned(), found.new.role(&n.role).to_owned());
                found.value(Area::Duty, &place, "行う役割", &before, &after);
                found.option(Area::Duty, &place, "期限", o.within.map(period), n.within.map(period));
                whole(Area::Duty, &place, o == n, found);
            }
        }
    }
    for side in pairs(old.documents.values(), new.documents.values(), |d| &d.id) {
        match side {
            Side::Old(d) => {
                found.removed(Area::Document, &format!("「{}」", d.title), "文書", d.says.clone())
            }
            Side::New(d) => found.added(Area::Document, &format!("「{}」", d.title), "文書", d.says.clone()),
            Side::Both(o, n) => {
                let place = format!("「{}」", n.title);
                found.value(Area::Document, &place, "定めること", &o.says, &n.says);
                found.value(Area::Document, &place, "見直し", &period(o.review), &period(n.review));
                whole(Area::Document, &place, o == n, found);
            }
        }
    }
    for side in pairs(old.notices.values(), new.notices.values(), |n| &n.id) {
        match side {
            Side::Old(x) => {
                found.removed(Area::Document, &format!("「{}」", x.title), "周知", x.says.clone())
            }
            Side::New(x) => found.added(Area::Document, &format!("「{}」", x.title), "周知", x.says.clone()),
            Side::Both(o, n) => {
                let place = format!("「{}」", n.title);
                found.value(Area::Document, &place, "職員への言葉", &o.says, &n.says);
                found.value(Area::Document, &place, "自己点検の問い", &o.question, &n.question);
                whole(Area::Document, &place, o == n, found);
            }
        }
    }
}

/// Says that something changed when no single change has said it.
fn whole(area: Area, place: &str, same: bool, found: &mut Found<'_>) {
    if !same && !found.changes.iter().any(|c| c.area == area && c.place == place) {
        let what = "細部（回数、記録すること、知らせる時期など）が変わる".to_owned();
        found.changes.push(Change { area, place: place.to_owned(), what, old: None, new: None });
    }
}

pub(super) fn clauses(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    for side in pairs(&old.clauses, &new.clauses, |c| &c.id) {
        match side {
            Side::Old(c) => found.removed(Area::Clause, &c.id, "条項", text(c)),
            Side::New(c) => found.added(Area::Clause, &c.id, "条項", text(c)),
            Side::Both(o, n) => {
                found.value(Area::Clause, &n.id, "求められること", &text(o), &text(n));
                let actors = |c: &Clause, w: &Words<'_>| {
                    let between = if c.actor_mode == "all" { "及び" } else { "又は" };
                    c.actors.iter().map(|a| w.role(a)).collect::<Vec<_>>().join(between)
                };
                let (before, after) = (actors(o, &found.old), actors(n, &found.new));
                found.value(Area::Clause, &n.id, "守る人", &before, &after);
                found.value(Area::Clause, &n.id, "義務の強さ", &o.modality, &n.modality);
                let only = |a: &Clause, b: &Clause, w: &Words<'_>| {
                    let list = a.mechanisms.iter().filter(|m| !b.mechanisms.contains(m));
                    list.map(|m| w.mechanism(m)).collect::<Vec<_>>().join("、")
                };
                let (gone, come) = (only(o, n, &found.old), only(n, o, &found.new));
                found.value(Area::Clause, &n.id, "支える仕組み", &gone, &come);
            }
        }
    }
}

fn text(c: &Clause) -> String {
    if c.says.is_empty() { c.title.clone().unwrap_or_default() } else { c.says.clone() }
}

pub(super) fn rest(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    let area = Area::Other;
    found.value(area, "パック", "題名", &old.meta.title, &new.meta.title);
    found.value(area, "パック", "名前", &old.meta.name, &new.meta.name);
    found.value(area, "パック", "版", &old.meta.version, &new.meta.version);
    let days = |a: &Pack, b: &Pack| {
        let only = a.calendar.closed.iter().filter(|d| !b.calendar.closed.contains(d));
        only.map(|d| d.japanese()).collect::<Vec<_>>().join("、")
    };
    let (gone, come) = (days(old, new), days(new, old));
    if !gone.is_empty() {
        found.removed(area, "閉庁日", "日", gone);
    }
    if !come.is_empty() {
        found.added(area, "閉庁日", "日", come);
    }
    let until = |p: &Pack| p.calendar.known_until.map(|d| d.japanese());
    found.option(area, "閉庁日", "祝日の分かる終わりの日", until(old), until(new));
    let kinds = |p: &Pack| {
        let kinds: Vec<&str> = p.absence.kinds.iter().map(|k| k.label.as_str()).collect();
        let when = p.absence.when.as_ref().map_or("", Expr::source);
        format!("{}（{when}）", kinds.join("、"))
    };
    found.value(area, "不在", "種類と条件", &kinds(old), &kinds(new));
    for id in old.forms.keys().chain(new.forms.keys().filter(|k| !old.forms.contains_key(*k))) {
        let place = format!("様式 forms/{id}.typ");
        match (old.forms.get(id), new.forms.get(id)) {
            (Some(a), Some(b)) if a != b => {
                let what = "中身が変わる".to_owned();
                found.changes.push(Change { area, place, what, old: None, new: None });
            }
            (Some(_), None) => found.removed(area, &place, "ファイル", id.clone()),
            (None, Some(_)) => found.added(area, &place, "ファイル", id.clone()),
            _ => {}
        }
    }
    for (m, title) in &new.planned {
        if let Some(before) = old.planned.get(m) {
            let place = format!("まだない{}「{title}」", m.kind.japanese());
            found.value(area, &place, "題名", before, title);
        }
    }
    let tests = |p: &Pack| format!("{}件", p.tests.len());
    found.value(area, "パックの例（tests）", "件数", &tests(old), &tests(new));
}
