//! `bindings.toml`, which a pack need not have.

use std::collections::BTreeSet;

use sekisho_base::Date;

use crate::binding::Binding;
use crate::files::doc::Table;
use crate::files::{Known, dangling, need};

pub(crate) fn bindings(t: &Table<'_>, known: &Known) -> Vec<Binding> {
    let mut out: Vec<Binding> = Vec::new();
    let mut seen = BTreeSet::new();
    for b in t.tables("binding") {
        let own = b.need("own");
        let (citation, by) = (need(&b, "citation"), need(&b, "by"));
        let on = b.need("on").and_then(|at| {
            let date = at.value.parse::<Date>().ok();
            if date.is_none() {
                let text = format!("「{}」は日付として読めません", at.value);
                b.src.error(at.line, &at.key, text, "on = \"2026-04-01\" のように書いてください");
            }
            date
        });
        if !b.has("clauses") {
            let remedy = "対応するものがないときも clauses = [] と書いてください";
            b.error("clauses", "clauses がありません", remedy);
        }
        let text = b.text("text").map(|at| at.value).unwrap_or_default();
        let clauses = b.texts("clauses");
        for c in clauses.iter().filter(|c| !known.clauses.contains(&c.value)) {
            dangling(&b, c, "条項", known.clauses.iter().map(String::as_str));
        }
        b.finish();
        let (Some(own), Some(on)) = (own, on) else { continue };
        if !seen.insert(own.value.clone()) {
            let text = format!("市の条項「{}」の対応が二度あります", own.value);
            b.src.error(own.line, &own.key, text, "どちらか一つにしてください");
            continue;
        }
        let clauses = clauses.into_iter().map(|c| c.value).collect();
        out.push(Binding { own: own.value, citation, clauses, by, on, text });
    }
    t.finish();
    out
}
