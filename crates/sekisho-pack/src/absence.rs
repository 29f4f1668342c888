//! What counts as 不在: cities differ, so the pack says it (`[absence]` in `roles.toml`).

use sekisho_base::Date;
use sekisho_base::table::Value;
use serde::{Deserialize, Serialize};

use crate::expr::{Bindings, Env, Expr, Type};
use crate::model::Choice;

/// Kinds of absence, and which of them count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceRule {
    /// Kinds that a person may record, in order.
    pub kinds: Vec<Choice>,
    /// A stretch counts as 不在 when this holds, over `kind` and `days`; without it every stretch counts.
    pub when: Option<Expr>,
}

impl Default for AbsenceRule {
    /// What holds where a pack says nothing: five kinds, and each counts.
    fn default() -> Self {
        let kinds = [
            ("leave", "休暇"),
            ("trip", "出張"),
            ("training", "研修"),
            ("sick", "病気"),
            ("other", "その他"),
        ];
        let kinds =
            kinds.map(|(code, label)| Choice { code: code.to_owned(), label: label.to_owned() }).to_vec();
        Self { kinds, when: None }
    }
}

impl AbsenceRule {
    /// Names that the condition may read: the kind, and the length in calendar days, the first and the last counted.
    pub(crate) fn env(kinds: &[Choice]) -> Env {
        Env::new().with("kind", Type::choice_of(kinds)).with("days", Type::Int)
    }

    /// Whether a stretch of absence counts as 不在; `today` of the condition is its first day, so that the answer never changes. A condition
    /// that gives null does not count: absence gives deputies power, and nobody gets it by an accident.
    #[must_use]
    pub fn counts(&self, kind: &str, from: Date, until: Date) -> bool {
        let days = until.epoch_days() - from.epoch_days() + 1;
        let facts =
            Bindings::on(from).with("kind", Value::Text(kind.to_owned())).with("days", Value::Int(days));
        self.when.as_ref().is_none_or(|when| when.eval_bool(&facts) == Some(true))
    }

    /// What a kind is called; the code itself when the pack no longer has it.
    #[must_use]
    pub fn label<'a>(&'a self, kind: &'a str) -> &'a str {
        self.kinds.iter().find(|k| k.code == kind).map_or(kind, |k| k.label.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: &str) -> AbsenceRule {
        let kinds = AbsenceRule::default().kinds;
        let when = Expr::parse(when, &AbsenceRule::env(&kinds)).unwrap();
        AbsenceRule { kinds, when: Some(when) }
    }

    fn counts(rule: &AbsenceRule, kind: &str, from: &str, until: &str) -> bool {
        rule.counts(kind, from.parse().unwrap(), until.parse().unwrap())
    }

    #[test]
    fn without_a_condition_every_stretch_counts() {
        let rule = AbsenceRule::default();
        assert!(
            counts(&rule, "trip", "2026-07-01", "2026-07-01")
                && counts(&rule, "gone", "2026-07-01", "2026-07-09")
        );
        assert_eq!((rule.label("sick"), rule.label("gone")), ("病気", "gone"));
    }

    #[test]
    fn a_condition_sees_the_kind_and_the_days_counted_at_both_ends() {
        let rule = rule("kind != \"trip\" || days >= 3");
        assert!(!counts(&rule, "trip", "2026-07-01", "2026-07-02"));
        assert!(counts(&rule, "trip", "2026-07-01", "2026-07-03"));
        assert!(counts(&rule, "leave", "2026-07-01", "2026-07-01"));
    }

    #[test]
    fn today_is_the_first_day_and_null_does_not_count() {
        let first = rule("today < date(\"2026-07-02\")");
        assert!(counts(&first, "leave", "2026-07-01", "2026-07-30"));
        assert!(!counts(&first, "leave", "2026-07-02", "2026-07-30"));
        assert!(!counts(&rule("kind == \"leave\""), "", "2026-07-01", "2026-07-01"));
    }
}
