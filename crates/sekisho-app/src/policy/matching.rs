//! A city's own text beside a pack: what may correspond to what, for a person to confirm.

use std::collections::HashMap;
use std::fmt::Write as _;

use sekisho_base::table::Value;
use sekisho_pack::model::{Clause, Pack};
use sekisho_policy::matching::{Alignment, Candidate, MatchError, Row, Target, align};
use sekisho_policy::{Modality, Node, PolicyText};
use serde::Serialize;

use crate::exchange::{Column, CsvEncoding, Kind, Table, WriteError, write_csv};

/// Headers of the table that a person fills, in order.
pub(super) const COLUMNS: [&str; 7] = ["条番号", "本文", "候補", "候補の文", "確度", "次の候補", "確定"];

/// A text and a pack, aligned.
#[derive(Debug)]
pub struct Matching<'a> {
    pack: &'a Pack,
    text: &'a PolicyText,
    alignment: Alignment,
}

/// Aligns the clauses of a text with those of a pack. Ids and numbers play no part.
///
/// # Errors
/// [`MatchError`] when both are too long to be compared.
pub fn match_with<'a>(pack: &'a Pack, text: &'a PolicyText) -> Result<Matching<'a>, MatchError> {
    let alignment = align(text, &targets(pack))?;
    Ok(Matching { pack, text, alignment })
}

/// The pack's clauses as the engine takes them. Ids serve to find the clause above, and for nothing else.
fn targets(pack: &Pack) -> Vec<Target> {
    let places: HashMap<&str, usize> =
        pack.clauses.iter().enumerate().map(|(i, c)| (c.id.as_str(), i)).collect();
    let above = |id: &str| {
        std::iter::successors(id.rsplit_once('.'), |(head, _)| head.rsplit_once('.'))
            .find_map(|(head, _)| places.get(head).copied())
    };
    pack.clauses
        .iter()
        .map(|c| Target {
            id: c.id.clone(),
            parent: above(&c.id),
            heading: c.title.clone().unwrap_or_default(),
            text: c.says.clone(),
            actors: c.actors.clone(),
            modality: match c.modality.as_str() {
                "must" => Modality::Must,
                "must_not" => Modality::MustNot,
                "may" => Modality::May,
                "should" => Modality::Should,
                _ => Modality::None,
            },
        })
        .collect()
}

#[derive(Serialize)]
struct JsonMatching<'a> {
    clauses: Vec<JsonClause<'a>>,
    unmatched: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonClause<'a> {
    id: &'a str,
    citation: &'a str,
    heading: &'a str,
    text: &'a str,
    proposed: Option<&'a str>,
    candidates: Vec<JsonCandidate<'a>>,
}

#[derive(Serialize)]
struct JsonCandidate<'a> {
    id: &'a str,
    says: &'a str,
    certainty: f32,
}

impl Matching<'_> {
    /// Clauses of the text that something is proposed for, clauses without, and clauses of the pack that nothing
    /// corresponds to.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let proposed = self.alignment.rows.iter().filter(|r| r.proposed().is_some()).count();
        (proposed, self.alignment.rows.len() - proposed, self.alignment.unmatched.len())
    }

    /// For scripts: every clause of the text with its candidates, and the ids of the pack that are left.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, String> {
        let clauses = self.alignment.rows.iter().filter_map(|row| {
            let (name, body) = self.nodes(row)?;
            let candidates = row.candidates.iter().filter_map(|c| {
                self.clause(*c).map(|clause| JsonCandidate {
                    id: &clause.id,
                    says: words(clause),
                    certainty: c.certainty,
                })
            });
            Some(JsonClause {
                id: &name.id,
                citation: &name.citation,
                heading: &name.heading,
                text: &body.text,
                proposed: row.proposed().and_then(|c| self.clause(c)).map(|c| c.id.as_str()),
                candidates: candidates.collect(),
            })
        });
        let unmatched = self.unmatched().map(|c| c.id.as_str());
        let all = JsonMatching { clauses: clauses.collect(), unmatched: unmatched.collect() };
        serde_json::to_string(&all).map_err(|e| e.to_string())
    }

    /// For reading at the terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for row in &self.alignment.rows {
            let Some((name, body)) = self.nodes(row) else { continue };
            let _ = writeln!(out, "{}", label(name));
            let _ = writeln!(out, "  本文  {}", brief(&own_words(name, body)));
            match row.proposed().and_then(|c| self.clause(c).map(|clause| (c, clause))) {
                Some((c, clause)) => {
                    let _ =
                        writeln!(out, "  候補  {}  {}  {}", shown(clause), percent(c), brief(words(clause)));
                }
                None => {
                    let _ = writeln!(out, "  候補  なし（近いもの {}）", self.others(row));
                }
            }
        }
        let (proposed, without, left) = self.counts();
        if left > 0 {
            let _ = writeln!(out, "\nこの文書に見当たらないパックの条項");
            for clause in self.unmatched() {
                let _ = writeln!(out, "  {}  {}", shown(clause), brief(words(clause)));
            }
        }
        let _ = writeln!(
            out,
            "\n候補のある条項 {proposed}件、候補のない条項 {without}件、見当たらないパックの条項 {left}件。"
        );
        out
    }

    /// For confirming in a spreadsheet: the column 確定 is left to a person. Clauses of the pack that nothing corresponds to
    /// stand at the end, without 条番号.
    ///
    /// # Errors
    /// [`WriteError`] when it cannot be written.
    pub fn to_csv(&self) -> Result<Vec<u8>, WriteError> {
        let columns =
            COLUMNS.iter().map(|label| Column::new(label, &[*label], Kind::LongText)).collect::<Vec<_>>();
        let own = self.alignment.rows.iter().filter_map(|row| {
            let (name, body) = self.nodes(row)?;
            let best = row.proposed().and_then(|c| self.clause(c).map(|clause| (c, clause)));
            Some([
                label(name),
                own_words(name, body),
                best.map(|(_, clause)| shown(clause)).unwrap_or_default(),
                best.map(|(_, clause)| words(clause).to_owned()).unwrap_or_default(),
                best.map(|(c, _)| percent(c)).unwrap_or_default(),
                self.others(row),
                String::new(),
            ])
        });
        let left = self.unmatched().map(|clause| {
            let blank = String::new;
            let note = "（この文書に見当たりません）".to_owned();
            [blank(), note, shown(clause), words(clause).to_owned(), blank(), blank(), blank()]
        });
        let rows = own.chain(left).map(|cells| cells.into_iter().map(Value::Text).collect()).collect();
        write_csv(&Table { name: "照合".to_owned(), columns, rows }, CsvEncoding::Utf8Bom)
    }

    /// The node that names a clause and the one that holds its text.
    fn nodes(&self, row: &Row) -> Option<(&Node, &Node)> {
        Some((self.text.nodes.get(row.node)?, self.text.nodes.get(row.text_of)?))
    }

    fn clause(&self, c: Candidate) -> Option<&Clause> {
        self.pack.clauses.get(c.target)
    }

    fn unmatched(&self) -> impl Iterator<Item = &Clause> {
        self.alignment.unmatched.iter().filter_map(|j| self.pack.clauses.get(*j))
    }

    /// The candidates beside the proposed one.
    fn others(&self, row: &Row) -> String {
        let skip = usize::from(row.proposed().is_some());
        let others = row.candidates.iter().skip(skip).take(3);
        others
            .filter_map(|c| self.clause(*c).map(|clause| format!("{} {}", shown(clause), percent(*c))))
            .collect::<Vec<_>>()
            .join("、")
    }
}

/// 第5章第1節(1) [5.1.1]: the id in brackets is what the confirmed table is read back by.
fn label(node: &Node) -> String {
    format!("{} [{}]", node.citation, node.id)
}

/// In brackets, so that a spreadsheet does not take 6.10 for the number 6.1.
fn shown(clause: &Clause) -> String {
    format!("[{}]", clause.id)
}

fn own_words(name: &Node, body: &Node) -> String {
    match (name.heading.is_empty(), body.text.is_empty()) {
        (true, _) => body.text.clone(),
        (false, true) => name.heading.clone(),
        (false, false) => format!("{}\n{}", name.heading, body.text),
    }
}

/// What a clause of the pack says; of a heading, its title.
fn words(clause: &Clause) -> &str {
    if clause.says.is_empty() { clause.title.as_deref().unwrap_or("") } else { &clause.says }
}

fn percent(c: Candidate) -> String {
    format!("{:.0}%", f64::from(c.certainty) * 100.0)
}

/// The beginning, in one line.
fn brief(text: &str) -> String {
    let mut line: String = text.replace(['\n', '\t'], "　").chars().take(60).collect();
    if text.chars().nth(60).is_some() {
        line.push('…');
    }
    line
}
