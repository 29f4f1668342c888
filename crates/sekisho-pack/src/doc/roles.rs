//! Chapters on roles, on classification and on handling.

use super::Book;
use super::page::Page;
use crate::files::ACTS;
use crate::model::{HandlingEffect, HandlingRule, Role};
use crate::words::{act_name, scope_name};

pub(super) fn write(book: &Book<'_>, page: &mut Page) {
    page.heading(2, "役割");
    page.text("だれが基準の役割を担うかです。人の名前は「組織」で職に任命します。".to_owned());
    let row = |r: &Role| {
        vec![
            r.title.clone(),
            scope_name(r.scope).to_owned(),
            book.words.held_by(r),
            or_dash(r.escalates_to.as_deref().map(|id| book.words.role(id).to_owned()).unwrap_or_default()),
            or_dash(r.deputies.join("、次に ")),
            or_dash(r.not_with.iter().map(|id| book.words.role(id)).collect::<Vec<_>>().join("、")),
            (if r.must_be_filled { "空席は不適合" } else { "―" }).to_owned(),
            sight(r).to_owned(),
        ]
    };
    let head = vec![
        "役割",
        "及ぶ範囲",
        "担う人",
        "上位の役割",
        "不在のとき代決する職",
        "一緒に担えない役割",
        "空席",
        "見られる記録",
    ];
    page.table(head, book.pack.roles.values().map(row).collect());
}

fn sight(r: &Role) -> &'static str {
    match (r.sees_all, r.sees_personal) {
        (true, true) => "全庁（個人情報の欄も）",
        (true, false) => "全庁",
        (false, true) => "自分の所属（個人情報の欄も）",
        (false, false) => "自分の所属",
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "―".to_owned() } else { text }
}

pub(super) fn classification(book: &Book<'_>, page: &mut Page) {
    page.heading(2, "分類と取扱い");
    let axes = &book.pack.classification.axes;
    let rows = axes.values().flat_map(|a| {
        a.levels.iter().map(|l| {
            let schemes: Vec<&str> = l.schemes.iter().map(|s| scheme(s)).collect();
            vec![a.title.clone(), l.title.clone(), l.code.clone(), l.rank.to_string(), schemes.join("・")]
        })
    });
    page.table(vec!["軸", "段階", "記号", "強さ", "使う方式"], rows.collect());
    for act in ACTS {
        let rules: Vec<&HandlingRule> =
            book.pack.classification.handling.iter().filter(|r| r.acts.iter().any(|a| a == act)).collect();
        if !rules.is_empty() {
            page.heading(3, &format!("{}とき", act_name(act)));
            page.bullets(rules.into_iter().map(|r| rule(book, r)).collect());
        }
    }
}

fn rule(book: &Book<'_>, r: &HandlingRule) -> String {
    let labels = book.words.item_labels();
    let when = match &r.when {
        Some(e) => format!("{}とき", e.japanese(&labels)),
        None => "いつでも".to_owned(),
    };
    let effect = match &r.effect {
        HandlingEffect::Safeguard => "次の対策を取る".to_owned(),
        HandlingEffect::Permit(p) => {
            let title = book.pack.procedures.get(p).map_or(p.as_str(), |p| p.title.as_str());
            format!("「{title}」の許可が要る")
        }
        HandlingEffect::Prohibited => "してはならない".to_owned(),
    };
    format!("{when}: {effect}。{}（条項 {}）", r.says, r.clause)
}

fn scheme(code: &str) -> &str {
    match code {
        "classic" => "3・2・1の方式",
        "2024" => "3A・3B・3C・2・1の方式",
        other => other,
    }
}
