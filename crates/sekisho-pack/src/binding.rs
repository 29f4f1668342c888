//! Bindings: which clauses of the pack answer which clause of the city's own standard. A person confirms them
//! (`sekisho policy match`, `sekisho policy bind`); they live in `bindings.toml` of the pack.

use std::fmt::Write as _;

use sekisho_base::Date;
use serde::{Deserialize, Serialize};

/// Name of the file in the pack folder.
pub const FILE: &str = "bindings.toml";

/// One clause of the city's own standard with the clauses of the pack that answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Id of the city's own clause, as `sekisho policy parse` gives it.
    pub own: String,
    /// Its citation as a reader writes it (第3条第2項), for people and printed matter.
    pub citation: String,
    /// Ids of the pack's clauses; empty when a person found that the pack has none.
    pub clauses: Vec<String>,
    /// Who confirmed it.
    pub by: String,
    /// When it was confirmed.
    pub on: Date,
    /// What the city's own clause says, with its heading; empty in bindings from before texts were kept.
    #[serde(default)]
    pub text: String,
}

/// The text of `bindings.toml`.
#[must_use]
pub fn to_toml(bindings: &[Binding]) -> String {
    let mut out = String::from(
        "# 市の対策基準の条項と、このパックの条項の対応です。`sekisho policy bind` が書きます。\n\
         #   own       市の条項（`sekisho policy parse` の番号）   citation  その条番号\n\
         #   clauses   対応するパックの条項。[] は、対応するものがないと確かめたことを表します\n\
         #   by, on    確かめた人と日   text  市の条項の見出しと文（画面でパックの言葉と並べて出します）\n",
    );
    for b in bindings {
        let clauses: Vec<String> = b.clauses.iter().map(|c| quoted(c)).collect();
        let _ = write!(
            out,
            "\n[[binding]]\nown = {}\ncitation = {}\nclauses = [{}]\nby = {}\non = \"{}\"\ntext = {}\n",
            quoted(&b.own),
            quoted(&b.citation),
            clauses.join(", "),
            quoted(&b.by),
            b.on,
            quoted(&b.text)
        );
    }
    out
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
