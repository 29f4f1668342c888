//! A document as blocks, written out as Markdown or HTML.

use std::fmt::Write as _;

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    Heading(usize, String),
    Text(String),
    Numbered(Vec<String>),
    Bullets(Vec<String>),
    Table(Vec<&'static str>, Vec<Vec<String>>),
}

/// A document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    blocks: Vec<Block>,
}

impl Page {
    pub fn heading(&mut self, level: usize, text: &str) {
        self.blocks.push(Block::Heading(level, text.to_owned()));
    }

    pub fn text(&mut self, text: String) {
        self.blocks.push(Block::Text(text));
    }

    /// A numbered list; an empty one is left out.
    pub fn numbered(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::Numbered(items));
        }
    }

    /// A list; an empty one is left out.
    pub fn bullets(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::Bullets(items));
        }
    }

    /// A table; one without rows is left out.
    pub fn table(&mut self, head: Vec<&'static str>, rows: Vec<Vec<String>>) {
        if !rows.is_empty() {
            self.blocks.push(Block::Table(head, rows));
        }
    }

    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            // Writing to a String cannot fail.
            let _ = match block {
                Block::Heading(level, text) => writeln!(out, "{} {}\n", "#".repeat(*level), line(text)),
                Block::Text(text) => writeln!(out, "{}\n", line(text)),
                Block::Numbered(items) => {
                    let lines = items.iter().enumerate().map(|(i, t)| format!("{}. {}\n", i + 1, line(t)));
                    writeln!(out, "{}", lines.collect::<String>())
                }
                Block::Bullets(items) => {
                    let lines = items.iter().map(|t| format!("- {}\n", line(t)));
                    writeln!(out, "{}", lines.collect::<String>())
                }
                Block::Table(head, rows) => {
                    let row = |cells: &mut dyn Iterator<Item = String>| {
                        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
                    };
                    let mut text = row(&mut head.iter().map(|c| (*c).to_owned()));
                    text.push_str(&row(&mut head.iter().map(|_| "---".to_owned())));
                    for r in rows {
                        text.push_str(&row(&mut r.iter().map(|c| line(c).replace('|', "\\|"))));
                    }
                    writeln!(out, "{text}")
                }
            };
        }
        out
    }

    pub fn html(&self, title: &str) -> String {
        let mut out = format!(
            "<!doctype html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n<style>\nbody{{font-family:sans-serif;font-size:16px;line-height:1.7;color:#1a1a1a;max-width:60rem;margin:2rem auto;padding:0 1rem}}\ntable{{border-collapse:collapse;width:100%;margin:1rem 0}}\nth,td{{border:1px solid #767676;padding:.3rem .6rem;text-align:left;vertical-align:top}}\nth{{background:#f2f2f2}}\n@media print{{body{{max-width:none;font-size:10.5pt}}}}\n</style>\n</head>\n<body>\n",
            escape(title)
        );
        for block in &self.blocks {
            match block {
                Block::Heading(level, text) => {
                    let _ = writeln!(out, "<h{level}>{}</h{level}>", escape(text));
                }
                Block::Text(text) => {
                    let _ = writeln!(out, "<p>{}</p>", escape(text));
                }
                Block::Numbered(items) => list(&mut out, "ol", items),
                Block::Bullets(items) => list(&mut out, "ul", items),
                Block::Table(head, rows) => table(&mut out, head, rows),
            }
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

fn list(out: &mut String, tag: &str, items: &[String]) {
    let lines: String = items.iter().map(|t| format!("<li>{}</li>\n", escape(t))).collect();
    let _ = write!(out, "<{tag}>\n{lines}</{tag}>\n");
}

fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    out.push_str("<table>\n<thead><tr>");
    for c in head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(c));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for r in rows {
        let cells: String = r.iter().map(|c| format!("<td>{}</td>", escape(c))).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</tbody>\n</table>\n");
}

/// One line: a pack's texts may hold line breaks, which would end a paragraph or a row.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
