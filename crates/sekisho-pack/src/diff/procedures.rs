//! Procedures: form, route, permit.

use super::{Area, Found, Side, pairs, yes};
use crate::expr::{Expr, Labels};
use crate::model::{Field, Pack, PermitSpec, Procedure, Quorum, Step};
use crate::words::{absent, choice_words, deadline, empty, period, verb};

const AREA: Area = Area::Procedure;

pub(super) fn compare(old: &Pack, new: &Pack, found: &mut Found<'_>) {
    for side in pairs(old.procedures.values(), new.procedures.values(), |p| &p.id) {
        match side {
            Side::Old(p) => found.removed(AREA, &format!("「{}」", p.title), "手続", route(p)),
            Side::New(p) => found.added(AREA, &format!("「{}」", p.title), "手続", route(p)),
            Side::Both(o, n) => procedure(o, n, found),
        }
    }
}

fn route(p: &Procedure) -> String {
    p.steps.iter().map(|s| s.title.as_str()).collect::<Vec<_>>().join("、")
}

fn procedure(o: &Procedure, n: &Procedure, found: &mut Found<'_>) {
    let place = format!("「{}」", n.title);
    found.value(AREA, &place, "名前", &o.title, &n.title);
    found.value(AREA, &place, "探すときの言葉", &o.wish.join("、"), &n.wish.join("、"));
    found.value(AREA, &place, "番号の形", &o.number, &n.number);
    found.option(AREA, &place, "管理簿", o.register.clone(), n.register.clone());
    found.value(AREA, &place, "根拠の条項", &o.clauses.join("、"), &n.clauses.join("、"));
    found.option(AREA, &place, "取扱判定の行為", o.handling.clone(), n.handling.clone());
    found.option(AREA, &place, "様式", o.form.clone(), n.form.clone());
    let (before, after) = (found.old.openers(o).join("、"), found.new.openers(n).join("、"));
    found.value(AREA, &place, "自動で始まるとき", &before, &after);
    found.option(AREA, &place, "始まるまで待つ長さ", o.opened_after.map(period), n.opened_after.map(period));
    let told = |p: &Procedure, w: &crate::words::Words<'_>| p.tells.as_ref().map(|by| w.by(by, p));
    let (before, after) = (told(o, &found.old), told(n, &found.new));
    found.option(AREA, &place, "決まったことを知らせる人", before, after);
    let (old_labels, new_labels) = (found.old.labels(o), found.new.labels(n));
    fields(&place, "申請の項目", (&o.fields, &old_labels), (&n.fields, &new_labels), found);
    let order = |a: &Procedure, b: &Procedure| -> String {
        let both = a.steps.iter().filter(|s| b.steps.iter().any(|x| x.id == s.id));
        both.map(|s| n.steps.iter().find(|x| x.id == s.id).map_or(s.title.as_str(), |x| x.title.as_str()))
            .collect::<Vec<_>>()
            .join("、")
    };
    found.value(AREA, &place, "手順の並び", &order(o, n), &order(n, o));
    for side in pairs(&o.steps, &n.steps, |s| &s.id) {
        match side {
            Side::Old(s) => {
                let said = found.old.step(s, o);
                found.removed(AREA, &place, &format!("手順「{}」", s.title), said);
            }
            Side::New(s) => {
                let said = found.new.step(s, n);
                found.added(AREA, &place, &format!("手順「{}」", s.title), said);
            }
            Side::Both(a, b) => step(&place, (o, a, &old_labels), (n, b, &new_labels), found),
        }
    }
    permit(&place, o, n, found);
}

fn when(e: Option<&Expr>, labels: &Labels) -> String {
    e.map(|e| format!("{}とき", e.japanese(labels))).unwrap_or_default()
}

fn step(
    place: &str,
    (op, o, ol): (&Procedure, &Step, &Labels),
    (np, n, nl): (&Procedure, &Step, &Labels),
    found: &mut Found<'_>,
) {
    let place = format!("{place}の「{}」", n.title);
    found.value(AREA, &place, "名前", &o.title, &n.title);
    let (by_old, by_new) = (found.old.by(&o.by, op), found.new.by(&n.by, np));
    found.value(AREA, &place, "行う人", &by_old, &by_new);
    found.value(AREA, &place, "すること", verb(o.kind), verb(n.kind));
    let always = |s: String| if s.is_empty() { "いつでも".to_owned() } else { s };
    found.value(
        AREA,
        &place,
        "行う場合",
        &always(when(o.when.as_ref(), ol)),
        &always(when(n.when.as_ref(), nl)),
    );
    found.option(AREA, &place, "期限", deadline(o, op), deadline(n, np));
    found.option(AREA, &place, "くり返し", o.every.map(period), n.every.map(period));
    found.option(AREA, &place, "一つずつ行う項目", o.each.clone(), n.each.clone());
    found.value(AREA, &place, "不在のとき", absent(o), absent(n));
    found.value(AREA, &place, "空席のとき", empty(o.on_empty), empty(n.on_empty));
    found.value(AREA, &place, "必要な人数", &people(o.quorum), &people(n.quorum));
    let role = |id: &Option<String>, w: &crate::words::Words<'_>| id.as_deref().map(|r| w.role(r).to_owned());
    let (before, after) = (role(&o.instead_of, &found.old), role(&n.instead_of, &found.new));
    found.option(AREA, &place, "専決する決定の役割", before, after);
    let (before, after) = (when(o.no_daiketsu_when.as_ref(), ol), when(n.no_daiketsu_when.as_ref(), nl));
    found.value(AREA, &place, "代決に理由が要る場合", &before, &after);
    found.option(AREA, &place, "開く手続", o.opens.clone(), n.opens.clone());
    fields(&place, "記録の項目", (&o.evidence, ol), (&n.evidence, nl), found);
}

fn people(q: Quorum) -> String {
    match q {
        Quorum::One => "一人".to_owned(),
        Quorum::All => "全員".to_owned(),
        Quorum::AtLeast(n) => format!("{n}人以上"),
    }
}

fn fields(
    place: &str,
    what: &str,
    (old, ol): (&[Field], &Labels),
    (new, nl): (&[Field], &Labels),
    found: &mut Found<'_>,
) {
    for side in pairs(old, new, |f| &f.id) {
        match side {
            Side::Old(f) => {
                let said = field(&found.old, f, ol);
                found.removed(AREA, place, &format!("{what}「{}」", f.label), said);
            }
            Side::New(f) => {
                let said = field(&found.new, f, nl);
                found.added(AREA, place, &format!("{what}「{}」", f.label), said);
            }
            Side::Both(o, n) => {
                let place = format!("{place}の{what}「{}」", n.label);
                found.value(AREA, &place, "名前", &o.label, &n.label);
                let (before, after) = (found.old.field_type(o), found.new.field_type(n));
                found.value(AREA, &place, "書き方", &before, &after);
                let before = found.old.required(o.required, o.required_when.as_ref(), ol);
                let after = found.new.required(n.required, n.required_when.as_ref(), nl);
                found.value(AREA, &place, "必須", &before, &after);
                found.value(AREA, &place, "受け付ける値", &limit(o, ol), &limit(n, nl));
                found.option(AREA, &place, "合わないときの説明", o.limit_says.clone(), n.limit_says.clone());
                found.option(AREA, &place, "説明", o.help.clone(), n.help.clone());
                if o.kind == n.kind {
                    found.value(AREA, &place, "選択肢", &choice_words(&o.choices), &choice_words(&n.choices));
                }
            }
        }
    }
}

fn field(words: &crate::words::Words<'_>, f: &Field, labels: &Labels) -> String {
    format!("{}、{}", words.field_type(f), words.required(f.required, f.required_when.as_ref(), labels))
}

fn limit(f: &Field, labels: &Labels) -> String {
    f.limit.as_ref().map(|e| format!("{}こと", e.japanese(labels))).unwrap_or_default()
}

fn permit(place: &str, o: &Procedure, n: &Procedure, found: &mut Found<'_>) {
    let title = |p: &Option<PermitSpec>| p.as_ref().map(|p| p.title.clone());
    found.option(AREA, place, "許可書", title(&o.permit), title(&n.permit));
    let (Some(a), Some(b)) = (&o.permit, &n.permit) else { return };
    let label = |p: &Procedure, id: &str| {
        p.fields.iter().find(|f| f.id == id).map_or_else(|| id.to_owned(), |f| f.label.clone())
    };
    found.value(AREA, place, "許可の始まり", &label(o, &a.from), &label(n, &b.from));
    found.value(AREA, place, "許可の終わり", &label(o, &a.until), &label(n, &b.until));
    found.value(
        AREA,
        place,
        "年度の末日で終わる許可か",
        yes(a.within_fiscal_year),
        yes(b.within_fiscal_year),
    );
    let blanket = |p: &Procedure, s: &PermitSpec| s.blanket.as_ref().map(|b| label(p, b));
    found.option(AREA, place, "包括許可の項目", blanket(o, a), blanket(n, b));
}
