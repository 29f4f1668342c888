//! `[absence]` of `roles.toml`.

use crate::absence::AbsenceRule;
use crate::files::doc::Table;
use crate::files::{condition, ident, need};
use crate::model::Choice;

/// Reads what counts as 不在; a pack without it has the five usual kinds, and each counts.
pub(crate) fn absence(t: &Table<'_>) -> AbsenceRule {
    let Some(a) = t.table("absence") else { return AbsenceRule::default() };
    let mut kinds: Vec<Choice> = Vec::new();
    for k in a.tables("kind") {
        let id = ident(&k, "id");
        let label = need(&k, "label");
        k.finish();
        let Some(id) = id else { continue };
        if kinds.iter().any(|known| known.code == id.value) {
            let text = format!("不在の種類「{}」が二度あります", id.value);
            k.src.error(id.line, &id.key, text, "どちらか一つにしてください");
            continue;
        }
        kinds.push(Choice { code: id.value, label });
    }
    if kinds.is_empty() {
        a.error("kind", "不在の種類が一つもありません", "[[absence.kind]] に id と label を書いてください");
    }
    let when = condition(&a, "when", &AbsenceRule::env(&kinds));
    a.finish();
    AbsenceRule { kinds, when }
}
