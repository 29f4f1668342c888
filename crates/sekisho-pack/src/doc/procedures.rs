//! Chapter on procedures: the form field by field, the route in sentences, the permit.

use super::Book;
use super::page::Page;
use crate::expr::Labels;
use crate::model::{Field, PermitSpec, Procedure};
use crate::words::period;

pub(super) fn write(book: &Book<'_>, page: &mut Page) {
    page.heading(2, "手続");
    for p in book.pack.procedures.values() {
        one(book, p, page);
    }
}

fn one(book: &Book<'_>, p: &Procedure, page: &mut Page) {
    page.heading(3, &p.title);
    let wishes: Vec<String> = p.wish.iter().map(|w| format!("「{w}」")).collect();
    if !wishes.is_empty() {
        page.text(format!("こんなときに使います: {}", wishes.concat()));
    }
    let mut facts = vec![format!("番号の形: {}", p.number)];
    facts.extend(book.words.openers(p).into_iter().map(|o| format!("自動で始まるとき: {o}")));
    facts.extend(p.opened_after.map(|wait| format!("始まるまで待つ長さ: {}", period(wait))));
    facts.extend(p.tells.as_ref().map(|by| format!("決まったことを知らせる人: {}", book.words.by(by, p))));
    facts.extend(p.register.as_ref().map(|r| format!("記録する管理簿: {r}")));
    if !p.clauses.is_empty() {
        facts.push(format!("根拠の条項: {}", p.clauses.join("、")));
    }
    facts.extend(p.form.as_ref().map(|f| format!("様式: forms/{f}.typ")));
    page.bullets(facts);
    let labels = book.words.labels(p);
    page.heading(4, "申請で書くこと");
    fields(book, &p.fields, &labels, page);
    page.heading(4, "進み方");
    page.numbered(p.steps.iter().map(|s| format!("{}: {}", s.title, book.words.step(s, p))).collect());
    for s in p.steps.iter().filter(|s| !s.evidence.is_empty()) {
        page.heading(4, &format!("「{}」で記録すること", s.title));
        fields(book, &s.evidence, &labels, page);
    }
    if let Some(permit) = &p.permit {
        page.heading(4, "許可");
        page.text(permit_words(permit, p));
    }
}

fn fields(book: &Book<'_>, list: &[Field], labels: &Labels, page: &mut Page) {
    let row = |f: &Field| {
        let limit = f.limit.as_ref().map(|e| format!("{}こと。", e.japanese(labels))).unwrap_or_default();
        let says = f.limit_says.as_deref().unwrap_or_default();
        vec![
            f.label.clone(),
            book.words.field_type(f),
            book.words.required(f.required, f.required_when.as_ref(), labels),
            format!("{limit}{says}"),
            f.help.clone().unwrap_or_default(),
        ]
    };
    page.table(vec!["項目", "書き方", "必須", "受け付ける値", "説明"], list.iter().map(row).collect());
}

fn permit_words(permit: &PermitSpec, p: &Procedure) -> String {
    let label = |id: &str| p.fields.iter().find(|f| f.id == id).map_or(id, |f| f.label.as_str()).to_owned();
    let year = if permit.within_fiscal_year {
        "長くても年度の末日（3月31日）で終わります。"
    } else {
        ""
    };
    let blanket = permit
        .blanket
        .as_ref()
        .map(|b| format!("「{}」を選ぶと、期間中の何度もの出し入れを一つの許可で行えます。", label(b)))
        .unwrap_or_default();
    format!(
        "「{}」を出します。期間は「{}」から「{}」までです。{year}{blanket}",
        permit.title,
        label(&permit.from),
        label(&permit.until)
    )
}
