//! Which clause of a model does each clause of a text correspond to?
//!
//! Cities word the same rules differently, number them otherwise and move chapters about. What is compared is therefore
//! never an id or a number, but what a clause says (`similar`), under which headings, who acts and how strongly; then
//! the neighbourhood decides (`order`): a clause stands most likely where its parent and the clauses before and behind
//! it stand. Order is a hint: a jump costs something and is never forbidden.
//!
//! The engine knows nothing of packs: its caller gives it a list of [`Target`]s.

mod entry;
mod order;
mod similar;

use serde::Serialize;

use crate::model::{Modality, PolicyText};
use entry::Entry;
use similar::Matrix;

/// Pairs of own clause and target that are compared, at most: memory and time grow with them.
pub const MAX_PAIRS: usize = 8_000_000;
/// From this certainty on the best candidate is proposed; below it the clause counts as unmatched.
pub const PROPOSE: f32 = 0.5;
/// Candidates given for one clause, the best included.
const CANDIDATES: usize = 4;

/// A clause that clauses of a text may correspond to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// What the caller calls it; handed back and never compared.
    pub id: String,
    /// Index of the target above it, which comes before it in the list.
    pub parent: Option<usize>,
    /// Its heading, empty when it has none.
    pub heading: String,
    /// What it says.
    pub text: String,
    /// Role ids of those who act.
    pub actors: Vec<String>,
    /// What it asks for.
    pub modality: Modality,
}

/// A target that a clause may correspond to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Index among the targets.
    pub target: usize,
    /// How certain it is, from 0 to 1: of a hundred candidates with 0.9 about ninety are right, in texts like those it was
    /// measured on.
    pub certainty: f32,
}

/// A clause of the text with its candidates, the best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Index among [`PolicyText::nodes`]. An article and its only paragraph are one clause: the article's index.
    pub node: usize,
    /// Index of the node that holds its text, the only paragraph of an article; else the same.
    pub text_of: usize,
    /// The candidates, best first; never empty where there are targets.
    pub candidates: Vec<Candidate>,
}

impl Row {
    /// The candidate that is certain enough to be proposed.
    #[must_use]
    pub fn proposed(&self) -> Option<Candidate> {
        self.candidates.first().copied().filter(|c| c.certainty >= PROPOSE)
    }
}

/// What corresponds to what.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Alignment {
    /// The clauses of the text in their order.
    pub rows: Vec<Row>,
    /// Targets that no clause is proposed for, by index.
    pub unmatched: Vec<usize>,
}

/// Why texts were not compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// More than [`MAX_PAIRS`].
    #[error(
        "条項が多すぎて照合できません（{clauses}件と{targets}件）。文書を章ごとに分けて照合してください。"
    )]
    TooLarge {
        /// Clauses of the text.
        clauses: usize,
        /// Clauses it was to be compared with.
        targets: usize,
    },
}

impl MatchError {
    /// A code that outlives the wording.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "policy_match_too_large",
        }
    }
}

/// Finds for every clause of `text` the targets that it may correspond to.
///
/// # Errors
/// [`MatchError::TooLarge`] when there are too many of both.
pub fn align(text: &PolicyText, targets: &[Target]) -> Result<Alignment, MatchError> {
    let own = entry::of_text(text);
    if own.len().saturating_mul(targets.len()) > MAX_PAIRS {
        return Err(MatchError::TooLarge { clauses: own.len(), targets: targets.len() });
    }
    let model: Vec<Entry> = entry::of_targets(targets);
    let words = similar::compare(&own, &model, |e| e.words.as_str());
    let placed = place(&own, &model, &words);
    let rows: Vec<Row> = own
        .iter()
        .enumerate()
        .map(|(i, e)| Row {
            node: e.node,
            text_of: e.text_of,
            candidates: candidates(words.row(i), placed.row(i)),
        })
        .collect();
    let mut matched = vec![false; targets.len()];
    for target in rows.iter().filter_map(Row::proposed).map(|c| c.target) {
        if let Some(slot) = matched.get_mut(target) {
            *slot = true;
        }
    }
    let unmatched = matched.iter().enumerate().filter(|(_, m)| !**m).map(|(j, _)| j).collect();
    Ok(Alignment { rows, unmatched })
}

/// How well every pair fits, its surroundings taken into account.
fn place(own: &[Entry], model: &[Entry], words: &Matrix) -> Matrix {
    /// Weights of the words themselves, the headings above, who acts, and how strongly.
    const WORDS: f32 = 0.61;
    const HEADINGS: f32 = 0.28;
    const ACTORS: f32 = 0.07;
    const MODALITY: f32 = 0.04;
    /// Weight of how well the clauses above fit each other.
    const ABOVE: f32 = 0.25;
    let headings = similar::compare(own, model, |e| e.above.as_str());
    let mut fit = Matrix::new(own.len(), model.len());
    for (i, a) in own.iter().enumerate() {
        let pairs = words.row(i).iter().zip(headings.row(i)).zip(model);
        for (slot, ((w, h), b)) in fit.row_mut(i).iter_mut().zip(pairs) {
            let strength = if a.modality == b.modality { MODALITY } else { 0.0 };
            *slot = WORDS * w + HEADINGS * h + ACTORS * same_actors(a, b) + strength;
        }
    }
    let mut whole = Matrix::new(own.len(), model.len());
    for (i, a) in own.iter().enumerate() {
        let above = a.parent.map_or(&[][..], |p| fit.row(p));
        for (slot, (f, b)) in whole.row_mut(i).iter_mut().zip(fit.row(i).iter().zip(model)) {
            let above = b.parent.and_then(|q| above.get(q)).copied().unwrap_or(0.0);
            *slot = f + ABOVE * above;
        }
    }
    order::best_through(&whole)
}

/// Share of the roles that both name; where neither names one, little can be said.
fn same_actors(a: &Entry, b: &Entry) -> f32 {
    let both = a.actors.iter().filter(|r| b.actors.contains(r)).count();
    match a.actors.len() + b.actors.len() - both {
        0 => 0.3,
        either => ratio(both, either),
    }
}

fn ratio(part: usize, whole: usize) -> f32 {
    let narrow = |n: usize| f32::from(u16::try_from(n).unwrap_or(u16::MAX));
    narrow(part) / narrow(whole)
}

/// The best targets of a clause, from how alike the words are and how well each fits its surroundings.
fn candidates(words: &[f32], placed: &[f32]) -> Vec<Candidate> {
    let mut best: Vec<usize> = (0..placed.len()).collect();
    let at = |row: &[f32], j: usize| row.get(j).copied().unwrap_or(0.0);
    let by_fit = |a: &usize, b: &usize| at(placed, *b).total_cmp(&at(placed, *a)).then(a.cmp(b));
    if best.len() > CANDIDATES {
        best.select_nth_unstable_by(CANDIDATES, by_fit);
        best.truncate(CANDIDATES);
    }
    best.sort_unstable_by(by_fit);
    let first = best.first().map_or(0.0, |j| at(placed, *j));
    let second = best.get(1).map_or(first, |j| at(placed, *j));
    let lead = |j: usize| if at(placed, j) < first { at(placed, j) - first } else { first - second };
    let mut bound = 1.0f32;
    best.into_iter()
        .map(|j| {
            // Words alone may speak for a later one; it stays behind the one that fits better.
            bound = bound.min(certainty(at(words, j), lead(j)));
            Candidate { target: j, certainty: bound }
        })
        .collect()
}

/// Certainty from the likeness of the words (0 to 1) and the lead over the next candidate. The coefficients were fitted by
/// logistic regression on perturbed copies of a real standard; see "Matching a city's text" in the performance figures.
fn certainty(words: f32, lead: f32) -> f32 {
    const BASE: f32 = -3.8;
    const WORDS: f32 = 10.3;
    const LEAD: f32 = 17.0;
    let z = BASE + WORDS * words + LEAD * lead.clamp(-1.0, 1.0);
    1.0 / (1.0 + (-z).exp())
}

#[cfg(test)]
mod tests;
