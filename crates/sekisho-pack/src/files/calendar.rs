//! `calendar.toml`: national holidays and the body's own closed days.

use std::collections::BTreeSet;

use sekisho_base::Date;
use sekisho_base::calendar::Calendar;

use crate::files::doc::Table;

pub(crate) fn calendar(t: &Table<'_>) -> Calendar {
    let known_until = t.need("known_until").and_then(|at| day(t, &at.value, at.line, &at.key));
    let mut closed = BTreeSet::new();
    for name in ["holidays", "own"] {
        let Some(list) = t.table(name) else { continue };
        for (text, at) in list.entries() {
            if let Some(d) = day(t, &text, list.line_of(&text), &at.key) {
                closed.insert(d);
            }
        }
        list.finish();
    }
    if !t.has("holidays") {
        t.error(
            "holidays",
            "祝日の表がありません",
            "[holidays] の下に \"2026-01-01\" = \"元日\" のように並べてください",
        );
    }
    t.finish();
    Calendar { closed, known_until }
}

fn day(t: &Table<'_>, text: &str, line: usize, key: &str) -> Option<Date> {
    let parsed = text.parse().ok();
    if parsed.is_none() {
        t.src.error(
            line,
            key,
            format!("「{text}」は日付ではありません"),
            "\"2026-01-01\" のように書いてください",
        );
    }
    parsed
}
