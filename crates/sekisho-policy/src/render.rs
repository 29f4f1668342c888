//! A parsed text for people: as Markdown and as plain text.

use std::fmt::Write as _;

use crate::model::{Form, Node, PolicyText};

/// The text as Markdown: headings for clauses with a heading, list items for the others, warnings at the end.
#[must_use]
pub fn to_markdown(text: &PolicyText) -> String {
    let mut out = String::new();
    if let Some(title) = &text.title {
        let _ = writeln!(out, "# {title}\n");
    }
    let mut divisions = text.divisions.iter().peekable();
    for node in all(text) {
        while let Some(division) = divisions.next_if(|d| d.first.as_deref() == Some(node.id.as_str())) {
            let _ = writeln!(out, "## {} {}\n", division.citation, division.heading);
        }
        let depth = node.id.split('.').count();
        let name = if node.heading.is_empty() {
            node.citation.clone()
        } else {
            format!("{} {}", node.citation, node.heading)
        };
        if node.heading.is_empty() {
            let _ = writeln!(out, "**{name}**\n");
        } else {
            let base = if text.form == Form::Articles { 2 } else { 1 };
            let _ = writeln!(out, "{} {name}\n", "#".repeat((depth + base).min(6)));
        }
        body(&mut out, &node.text);
    }
    if !text.warnings.is_empty() {
        let _ = writeln!(out, "---\n\n## 読み取り時の注意\n");
        for w in &text.warnings {
            let _ = writeln!(out, "- {}行目: {}", w.line, w.message);
        }
    }
    out
}

/// Paragraphs, and rows of cells as a table.
fn body(out: &mut String, text: &str) {
    let mut rows = 0usize;
    for line in text.lines() {
        if line.contains('\t') {
            let cells: Vec<String> = line.split('\t').map(|c| c.replace('|', "\\|")).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
            if rows == 0 {
                let _ = writeln!(out, "|{}", "---|".repeat(cells.len()));
            }
            rows += 1;
        } else {
            if rows > 0 {
                out.push('\n');
            }
            rows = 0;
            let _ = writeln!(out, "{line}\n");
        }
    }
    if rows > 0 {
        out.push('\n');
    }
}

/// The text as plain text: one clause a paragraph, with its citation and lines of the source.
#[must_use]
pub fn to_text(text: &PolicyText) -> String {
    let mut out = String::new();
    if let Some(title) = &text.title {
        let _ = writeln!(out, "{title}\n");
    }
    for node in all(text) {
        let indent = "  ".repeat(node.id.split('.').count().saturating_sub(1));
        let [first, last] = node.lines;
        let span = if first == last { format!("{first}行目") } else { format!("{first}～{last}行目") };
        let _ = writeln!(out, "{indent}{}  [{}]  {}（{span}）", node.citation, node.id, node.heading);
        for line in node.text.lines() {
            let _ = writeln!(out, "{indent}  {}", line.replace('\t', "｜"));
        }
    }
    if !text.warnings.is_empty() {
        let _ = writeln!(out, "\n読み取り時の注意");
        for w in &text.warnings {
            let _ = writeln!(out, "  {}行目: {}", w.line, w.message);
        }
    }
    out
}

fn all(text: &PolicyText) -> impl Iterator<Item = &Node> {
    text.nodes.iter().chain(&text.supplementary).chain(&text.annexes)
}
