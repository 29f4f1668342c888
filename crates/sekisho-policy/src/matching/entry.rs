//! Clauses of both sides in one form.

use std::collections::HashMap;

use super::Target;
use crate::model::{Form, Modality, Node, PolicyText};
use crate::sentence::ancestors;

/// Characters of a clause without heading that stand for one where it is above others.
const LEAD_CHARS: usize = 40;

/// One clause, as it is compared.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Index of its node.
    pub node: usize,
    /// Index of the node that holds its text.
    pub text_of: usize,
    /// Index of the entry above it.
    pub parent: Option<usize>,
    /// Heading and text.
    pub words: String,
    /// The headings above it, the nearest last.
    pub above: String,
    /// What it gives to those below it: its heading, or the beginning of its text.
    name: String,
    pub actors: Vec<String>,
    pub modality: Modality,
}

/// The clauses of a text. An article and its only paragraph, which have one citation, are one clause.
pub(super) fn of_text(text: &PolicyText) -> Vec<Entry> {
    let divisions = division_headings(text);
    let mut entries: Vec<Entry> = Vec::with_capacity(text.nodes.len());
    let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(text.nodes.len());
    let mut division = "";
    for (i, node) in text.nodes.iter().enumerate() {
        division = divisions.get(node.id.as_str()).map_or(division, String::as_str);
        let parent = ancestors(&node.id).find_map(|id| by_id.get(id)).copied();
        if let Some(article) = parent.filter(|p| is_sole_paragraph(text, entries.get(*p), node)) {
            by_id.insert(&node.id, article);
            if let Some(entry) = entries.get_mut(article) {
                entry.take_text(i, node);
            }
            continue;
        }
        by_id.insert(&node.id, entries.len());
        let mut entry = Entry { node: i, parent, ..Entry::default() };
        entry.words.clone_from(&node.heading);
        entry.take_text(i, node);
        entry.above = match parent.and_then(|p| entries.get(p)) {
            Some(above) => below(&above.above, &above.name),
            None => division.to_owned(),
        };
        entries.push(entry);
    }
    entries
}

impl Entry {
    fn take_text(&mut self, i: usize, node: &Node) {
        self.text_of = i;
        self.name = if self.words.is_empty() { name(&node.heading, &node.text) } else { self.words.clone() };
        self.words = format!("{}\n{}", self.words, node.text);
        for actor in node.sentences.iter().flat_map(|s| &s.actors) {
            if !self.actors.contains(actor) {
                self.actors.push(actor.clone());
            }
        }
        let asked = node.sentences.iter().map(|s| s.modality).find(|m| *m != Modality::None);
        self.modality = asked.unwrap_or_default();
    }
}

/// The clauses of the model.
pub(super) fn of_targets(targets: &[Target]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::with_capacity(targets.len());
    for (i, target) in targets.iter().enumerate() {
        let parent = target.parent.filter(|p| *p < i);
        let above = parent.and_then(|p| entries.get(p)).map(|above| below(&above.above, &above.name));
        entries.push(Entry {
            node: i,
            text_of: i,
            parent,
            words: format!("{}\n{}", target.heading, target.text),
            above: above.unwrap_or_default(),
            name: name(&target.heading, &target.text),
            actors: target.actors.clone(),
            modality: target.modality,
        });
    }
    entries
}

fn is_sole_paragraph(text: &PolicyText, above: Option<&Entry>, node: &Node) -> bool {
    text.form == Form::Articles
        && node.label.is_empty()
        && above.and_then(|a| text.nodes.get(a.node)).is_some_and(|a| a.citation == node.citation)
}

/// Id of the first clause of a 章 or 節 → the headings that its clauses stand under.
fn division_headings(text: &PolicyText) -> HashMap<&str, String> {
    let mut open: Vec<(&str, &str)> = Vec::new();
    let mut out = HashMap::new();
    for division in &text.divisions {
        // 第2章第1節 stands under 第2章.
        open.retain(|(citation, _)| {
            division.citation.len() > citation.len() && division.citation.starts_with(citation)
        });
        open.push((&division.citation, &division.heading));
        if let Some(first) = &division.first {
            out.insert(first.as_str(), open.iter().map(|(_, h)| *h).collect::<Vec<_>>().join("\n"));
        }
    }
    out
}

fn name(heading: &str, text: &str) -> String {
    if heading.is_empty() { text.chars().take(LEAD_CHARS).collect() } else { heading.to_owned() }
}

fn below(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}\n{name}") }
}
