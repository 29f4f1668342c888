//! What is to be said of a code that somebody shows. The checker's script (`crates/sekisho-web/assets/checker.js`) says the same; both are
//! held to `crates/sekisho-ledger/tests/permit_vectors.json`.

use sekisho_base::Instant;

use super::statement::Signed;
use super::{End, EndedList, PermitKey, Statement};

/// How far a list may lie in the future: the clocks of two machines.
const CLOCKS_MS: i64 = 10 * 60 * 1000;

/// What is to be said of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Valid,
    /// Signed, and before its first day.
    NotYet,
    /// Signed, and after its last day.
    Expired,
    /// Signed, and the list says that it was revoked.
    Revoked,
    /// Signed, and the list says that everything came back.
    Returned,
    /// Signed, and the list says that its case ended.
    Closed,
    /// Signed and in its period, but the list is of another day: a revocation may be missing.
    ListOld,
    /// The list was made later than the clock says: a period cannot be judged.
    Clock,
    /// Names another body than the keys.
    OtherBody,
    /// Its signature does not fit: altered, or never issued.
    Forged,
    /// No permit's code.
    Unreadable,
}

impl Verdict {
    /// Stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Returned => "returned",
            Self::Closed => "closed",
            Self::ListOld => "list_old",
            Self::Clock => "clock",
            Self::OtherBody => "other_body",
            Self::Forged => "forged",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A verdict with what the code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The verdict.
    pub verdict: Verdict,
    /// What it says; only of a code whose signature fits, so that nothing forged is read out.
    pub statement: Option<Statement>,
}

/// Judges a text at a moment. Without a list nothing is known of revocations.
#[must_use]
pub fn check(text: &str, keys: &[PermitKey], list: Option<&EndedList>, at: Instant) -> Checked {
    let Some(signed) = Signed::read(text) else {
        return Checked { verdict: Verdict::Unreadable, statement: None };
    };
    if !keys.iter().any(|k| signed.signed_by(k)) {
        let known = keys.iter().any(|k| k.body() == signed.statement.body);
        let verdict = if known { Verdict::Forged } else { Verdict::OtherBody };
        return Checked { verdict, statement: None };
    }
    let statement = signed.statement;
    let list = list.filter(|l| l.body == statement.body);
    let day = at.date();
    let verdict = match list.and_then(|l| l.end_of(&statement.number)) {
        Some(End::Revoked) => Verdict::Revoked,
        Some(End::Returned) => Verdict::Returned,
        Some(End::Closed) => Verdict::Closed,
        None if list.is_some_and(|l| l.made_at > at.plus_millis(CLOCKS_MS)) => Verdict::Clock,
        None if day > statement.until => Verdict::Expired,
        None if day < statement.from => Verdict::NotYet,
        None if list.is_some_and(|l| at > l.good_until) => Verdict::ListOld,
        None => Verdict::Valid,
    };
    Checked { verdict, statement: Some(statement) }
}
