//! Proofs about who may act, for all possible organizations.
//!
//! The rules of `sekisho-case` are Cedar. `cedar-policy-symcc` turns a question about them ("is there any organization,
//! person, step and act for which these rules allow this situation?") into formulas, and the solver cvc5 answers: no,
//! which is a proof, or yes, with an organization to look at. Tests of this crate are the proofs; no other crate
//! depends on it. What is proved and what the proofs rest on: `docs/decisions/0010-proofs-of-authority.md`.

mod claims;
mod counterexample;
mod prover;
mod rulesets;

pub use claims::{CLAIMS, Claim, ONLY_SEATS};
pub use counterexample::Counterexample;
pub use prover::{ProveError, Prover, Verdict};
pub use rulesets::{all_rules, core_with_anything, parse, schema, with_anything};
