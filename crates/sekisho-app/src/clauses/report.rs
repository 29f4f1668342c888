//! Clauses with state and evidence as other formats and printed reports take them.

use sekisho_base::Instant;
use sekisho_case::state::ClauseState;
use sekisho_pack::model::MechanismKind;

use super::view::MechanismLine;
use super::{citation, mechanism_line, state_words};
use crate::error::AppError;
use crate::office::Office;

/// A mechanism with what it is for programs.
#[derive(Debug, Clone)]
pub(crate) struct ToldMechanism {
    /// `register:media`.
    pub key: String,
    /// Kind.
    pub kind: MechanismKind,
    /// As on the clause's page.
    pub line: MechanismLine,
}

/// A clause with its state.
#[derive(Debug, Clone)]
pub(crate) struct ToldClause {
    /// Id in the pack.
    pub id: String,
    /// As people cite it.
    pub citation: String,
    /// Short name, or empty.
    pub title: String,
    /// The duty.
    pub says: String,
    /// Chapter it stands in.
    pub chapter: String,
    /// State; none where no mechanism is named.
    pub state: Option<ClauseState>,
    /// Mechanisms that nobody has built.
    pub planned: usize,
    /// Mechanisms.
    pub mechanisms: Vec<ToldMechanism>,
}

impl ToldClause {
    /// State in Japanese, or a dash.
    pub(crate) fn state_label(&self) -> &'static str {
        self.state.map_or("—", |s| state_words(s).1)
    }
}

impl Office {
    /// Every clause that says something, with its state as it was known at a moment.
    pub(crate) async fn told_clauses(&self, at: Instant) -> Result<Vec<ToldClause>, AppError> {
        let evidence = self.evidence(&self.directory().await?, at).await?;
        let pack = self.pack();
        let mut chapter = pack.meta.title.clone();
        let mut told = Vec::new();
        for c in &pack.clauses {
            if c.kind == "heading" {
                if !c.id.contains('.') {
                    chapter = super::browse::heading(c);
                }
                continue;
            }
            if c.says.is_empty() {
                continue;
            }
            let excepted = evidence.excepted(&c.id);
            let (state, planned) = evidence.clause(&pack, c);
            told.push(ToldClause {
                id: c.id.clone(),
                citation: citation(&c.id),
                title: c.title.clone().unwrap_or_default(),
                says: c.says.clone(),
                chapter: if c.id.starts_with("B.") { "基本方針".to_owned() } else { chapter.clone() },
                state: (!c.mechanisms.is_empty()).then_some(state),
                planned,
                mechanisms: c
                    .mechanisms
                    .iter()
                    .map(|m| ToldMechanism {
                        key: m.to_string(),
                        kind: m.kind,
                        line: mechanism_line(&pack, &evidence, m, &excepted),
                    })
                    .collect(),
            });
        }
        Ok(told)
    }
}
