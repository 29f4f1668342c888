//! The state of a clause: the worst of its mechanisms' states, computed from evidence (design: the state of a clause).

use serde::{Deserialize, Serialize};

/// The state of a clause or of one mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClauseState {
    /// 適合.
    Met,
    /// 注意: something is about to fall due.
    Due,
    /// 不適合.
    Broken,
    /// 未評価: no evidence yet.
    Unknown,
    /// 例外: a valid exception covers it.
    Excepted,
    /// 対象外: neutral.
    NotApplicable,
}

impl ClauseState {
    /// How much it weighs when the worst is taken: broken, unknown, due, excepted, met. An exception hides nothing that is
    /// worse, and what is met hides no exception. What is not applicable weighs nothing.
    #[must_use]
    pub fn weight(self) -> u8 {
        match self {
            Self::Broken => 5,
            Self::Unknown => 4,
            Self::Due => 3,
            Self::Excepted => 2,
            Self::Met => 1,
            Self::NotApplicable => 0,
        }
    }

    /// Stable code, as stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Due => "due",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
            Self::Excepted => "excepted",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn japanese(self) -> &'static str {
        match self {
            Self::Met => "適合",
            Self::Due => "注意",
            Self::Broken => "不適合",
            Self::Unknown => "未評価",
            Self::Excepted => "例外",
            Self::NotApplicable => "対象外",
        }
    }
}

/// The worst of states. An exception replaces only what it covers, so an excepted state hides none that is worse; not
/// applicable is neutral; an empty set is unknown.
pub fn worst_of(states: impl IntoIterator<Item = ClauseState>) -> ClauseState {
    let mut worst: Option<ClauseState> = None;
    for state in states {
        worst = Some(match worst {
            None => state,
            Some(w) if state.weight() > w.weight() => state,
            Some(ClauseState::NotApplicable) => state,
            Some(w) => w,
        });
    }
    worst.unwrap_or(ClauseState::Unknown)
}

/// The state of one mechanism, with the number of rows that cause it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MechanismState {
    /// `kind:name`.
    pub mechanism: String,
    /// State.
    pub state: ClauseState,
    /// Rows that cause it.
    pub rows: u64,
    /// Why, in Japanese.
    pub reason: String,
}

/// What was counted for a check or another mechanism that lists what breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows looked at; none when it never ran or its facts are too old.
    pub looked_at: Option<u64>,
    /// Rows that break it.
    pub broken: u64,
    /// Rows about to fall due.
    pub due: u64,
    /// Broken rows that a valid exception covers.
    pub excepted: u64,
}

impl MechanismState {
    /// The state that counts give: nothing looked at is unknown, never met.
    #[must_use]
    pub fn from_counts(mechanism: impl Into<String>, c: Counts) -> Self {
        let open = c.broken.saturating_sub(c.excepted);
        let (state, rows, reason) = match c.looked_at {
            None => (ClauseState::Unknown, 0, "まだ評価していません。".to_owned()),
            Some(_) if open > 0 => {
                (ClauseState::Broken, open, format!("基準に合わないものが{open}件あります。"))
            }
            Some(0) => (ClauseState::Unknown, 0, "対象となる記録がありません。".to_owned()),
            Some(_) if c.due > 0 => {
                (ClauseState::Due, c.due, format!("期限の近いものが{}件あります。", c.due))
            }
            Some(_) if c.excepted > 0 => (
                ClauseState::Excepted,
                c.excepted,
                format!("例外措置で認めたものが{}件あります。", c.excepted),
            ),
            Some(n) => (ClauseState::Met, 0, format!("{n}件を確かめ、基準に合わないものはありません。")),
        };
        Self { mechanism: mechanism.into(), state, rows, reason }
    }
}

/// The state of a clause, with what it was computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Clause id.
    pub clause: String,
    /// Worst state of the mechanisms built.
    pub state: ClauseState,
    /// States of the mechanisms built.
    pub mechanisms: Vec<MechanismState>,
    /// Mechanisms that the pack names and nobody has built yet (未整備).
    pub planned: Vec<String>,
}

impl Evaluation {
    /// Computes it. A valid exception that covers the whole clause replaces whatever is not met.
    #[must_use]
    pub fn of(
        clause: impl Into<String>,
        mechanisms: Vec<MechanismState>,
        planned: Vec<String>,
        excepted: bool,
    ) -> Self {
        let worst = worst_of(mechanisms.iter().map(|m| m.state));
        let covered =
            excepted && matches!(worst, ClauseState::Broken | ClauseState::Due | ClauseState::Unknown);
        let state = if covered { ClauseState::Excepted } else { worst };
        Self { clause: clause.into(), state, mechanisms, planned }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClauseState::{Broken, Due, Excepted, Met, NotApplicable, Unknown};

    #[test]
    fn the_order_is_broken_unknown_due_met() {
        assert_eq!(worst_of([Met, Due, Unknown, Broken]), Broken);
        assert_eq!(worst_of([Due, Unknown, Met]), Unknown);
        assert_eq!(worst_of([Met, Due]), Due);
        assert_eq!(worst_of([Met, Met]), Met);
    }

    #[test]
    fn nothing_is_unknown_and_not_applicable_is_neutral() {
        assert_eq!(worst_of([]), Unknown);
        assert_eq!(worst_of([NotApplicable]), NotApplicable);
        assert_eq!(worst_of([NotApplicable, Met]), Met);
        assert_eq!(worst_of([Due, NotApplicable]), Due);
    }

    #[test]
    fn an_exception_hides_nothing_else() {
        assert_eq!(worst_of([Excepted, Broken]), Broken);
        assert_eq!(worst_of([Excepted, Due]), Due);
        assert_eq!(worst_of([Met, Excepted]), Excepted, "and what is met hides no exception");
        assert_eq!(worst_of([NotApplicable, Excepted]), Excepted);
        assert_eq!(worst_of([Excepted, NotApplicable]), Excepted);
    }

    #[test]
    fn the_order_in_which_states_come_does_not_matter() {
        let all = [Met, Due, Broken, Unknown, Excepted, NotApplicable];
        for a in all {
            for b in all {
                assert_eq!(worst_of([a, b]), worst_of([b, a]), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn counts_without_rows_are_unknown() {
        let state = |c| MechanismState::from_counts("check:x", c).state;
        assert_eq!(state(Counts::default()), Unknown);
        assert_eq!(state(Counts { looked_at: Some(0), ..Counts::default() }), Unknown);
        assert_eq!(state(Counts { looked_at: Some(9), ..Counts::default() }), Met);
        assert_eq!(state(Counts { looked_at: Some(9), due: 1, ..Counts::default() }), Due);
        assert_eq!(state(Counts { looked_at: Some(9), due: 1, broken: 2, excepted: 1 }), Broken);
        assert_eq!(state(Counts { looked_at: Some(9), due: 0, broken: 2, excepted: 2 }), Excepted);
    }

    #[test]
    fn a_clause_without_built_mechanisms_is_unknown_and_says_what_is_planned() {
        let e = Evaluation::of("1.0.1", vec![], vec!["duty:drill".into()], false);
        assert_eq!((e.state, e.planned.len()), (Unknown, 1));
        let broken = MechanismState::from_counts(
            "check:x",
            Counts { looked_at: Some(1), broken: 1, ..Counts::default() },
        );
        assert_eq!(Evaluation::of("1.0.1", vec![broken.clone()], vec![], false).state, Broken);
        assert_eq!(Evaluation::of("1.0.1", vec![broken], vec![], true).state, Excepted);
    }
}
