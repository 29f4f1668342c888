//! Chapters on registers and on checks.

use super::Book;
use super::page::Page;
use crate::model::{Column, Register};
use crate::words::period;

pub(super) fn write(book: &Book<'_>, page: &mut Page) {
    page.heading(2, "台帳");
    for r in book.pack.registers.values() {
        one(book, r, page);
    }
}

fn one(book: &Book<'_>, r: &Register, page: &mut Page) {
    page.heading(3, &r.title);
    let label = |id: &str| r.columns.iter().find(|c| c.id == id).map_or(id, |c| c.label.as_str()).to_owned();
    let mut facts = vec![
        format!("一行を見分ける列: {}（名前として出す列: {}）", label(&r.key), label(&r.name)),
        format!("所管を表す列: {}", label(&r.owner)),
        format!("記入する役割: {}", book.words.role(&r.kept_by)),
    ];
    facts.extend(r.managed_by.as_ref().map(|m| format!("持出しなどを許可する役割: {}", book.words.role(m))));
    facts.extend(r.confirmed_on.as_ref().map(|c| format!("棚卸しで確かめた日を入れる列: {}", label(c))));
    page.bullets(facts);
    let labels = book.words.register_labels(r);
    let row = |c: &Column| {
        let mut notes: Vec<String> = Vec::new();
        notes.extend(c.stale_after.map(|p| format!("{}たつと古い", period(p))));
        if c.personal {
            notes.push("個人に関する情報".to_owned());
        }
        notes.extend(c.help.clone());
        vec![
            c.label.clone(),
            book.words.column_type(c),
            book.words.required(c.required, c.required_when.as_ref(), &labels),
            notes.join("。"),
        ]
    };
    page.table(vec!["列", "書き方", "必須", "備考"], r.columns.iter().map(row).collect());
}

pub(super) fn checks(book: &Book<'_>, page: &mut Page) {
    page.heading(2, "点検");
    page.text(
        "決まりに合わない行や案件を毎日見つけます。見つかったものは、関係する条項を「不適合」にします。"
            .to_owned(),
    );
    let rows = book.pack.checks.values().map(|c| {
        let made = if c.derived { "自動で作られる" } else { "checks に書いた" };
        vec![c.title.clone(), book.words.check(c), c.remedy.clone(), made.to_owned()]
    });
    page.table(vec!["点検", "見つけるもの", "直し方", "作られ方"], rows.collect());
}
