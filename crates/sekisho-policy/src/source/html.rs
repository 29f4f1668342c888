//! 例規 HTML: blocks become lines, tables become rows, ruby readings and page furniture are left out.

use super::html_token::{Piece, attribute, entities, pieces};
use super::{Line, LineSink, row};

/// Lists nested deeper than this are read as one.
const MAX_LISTS: usize = 12;

/// True for bytes that begin like a page.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let head: Vec<u8> = bytes.iter().take(1024).map(u8::to_ascii_lowercase).collect();
    let head = String::from_utf8_lossy(&head);
    let head = head.trim_start_matches(['\u{feff}', '\u{fffd}', ' ', '\r', '\n', '\t']);
    head.starts_with("<!doctype html")
        || head.contains("<html")
        || (head.starts_with('<') && head.contains("<body"))
}

/// What the reader is inside of.
#[derive(Default)]
struct State {
    sink: LineSink,
    text: String,
    heading: u8,
    /// Depth inside elements whose text is not part of the document.
    hidden: usize,
    /// Cells of the row being read, per nested table.
    rows: Vec<Vec<String>>,
    /// Open lists: the next number for `ol`, none for `ul`.
    lists: Vec<Option<u32>>,
}

impl State {
    /// Ends the line being read. Inside a table cell the text goes to the cell.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if let Some(cells) = self.rows.last_mut() {
            let trimmed = text.trim();
            if let (Some(cell), false) = (cells.last_mut(), trimmed.is_empty()) {
                if !cell.is_empty() {
                    cell.push(' ');
                }
                cell.push_str(trimmed);
            }
            return;
        }
        if !text.trim().is_empty() {
            let heading = self.heading;
            self.sink.push(&text, |l| l.heading = heading);
        }
    }

    fn end_row(&mut self) {
        self.flush();
        let Some(cells) = self.rows.last_mut().map(std::mem::take) else { return };
        let cells: Vec<&str> = cells.iter().map(|c| c.trim()).collect();
        if self.rows.len() > 1 {
            self.text.push_str(&cells.join(" "));
            return;
        }
        let (text, table) = row(&cells);
        if !text.is_empty() {
            self.sink.push(&text, |l| l.table = table);
        }
    }

    fn open(&mut self, name: &str, attributes: &str) {
        match name {
            "head" | "nav" | "footer" | "rt" | "rp" | "select" | "button" | "title" => self.hidden += 1,
            "br" => self.flush(),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush();
                self.sink.gap();
                self.heading = name.get(1..).and_then(|n| n.parse().ok()).unwrap_or(0);
            }
            "table" if self.rows.len() < MAX_LISTS => {
                self.flush();
                self.rows.push(Vec::new());
            }
            "tr" => self.end_row(),
            "td" | "th" => {
                self.flush();
                if let Some(cells) = self.rows.last_mut() {
                    cells.push(String::new());
                }
            }
            "ol" | "ul" if self.lists.len() < MAX_LISTS => {
                self.flush();
                let start = attribute(attributes, "start").and_then(|s| s.parse().ok()).unwrap_or(1);
                self.lists.push((name == "ol").then_some(start));
            }
            "li" => {
                self.flush();
                self.text.push_str(&list_label(self.lists.last_mut(), attributes));
            }
            _ if is_block(name) => self.flush(),
            _ => {}
        }
        if attribute(attributes, "style").is_some_and(|s| s.contains("page-break-before")) {
            self.sink.page_break();
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "head" | "nav" | "footer" | "rt" | "rp" | "select" | "button" | "title" => {
                self.hidden = self.hidden.saturating_sub(1)
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush();
                self.heading = 0;
            }
            "tr" => self.end_row(),
            "table" => {
                self.end_row();
                self.rows.pop();
                self.sink.gap();
            }
            "ol" | "ul" => {
                self.flush();
                self.lists.pop();
            }
            "p" => {
                self.flush();
                self.sink.gap();
            }
            _ if is_block(name) => self.flush(),
            _ => {}
        }
    }

    fn text(&mut self, raw: &str) {
        if self.hidden > 0 {
            return;
        }
        // White space of the source is one space, and none at a line end between Japanese characters;
        // full-width space is text.
        let mut space = false;
        let mut newline = false;
        for c in entities(raw).chars() {
            if c.is_ascii_whitespace() {
                space = true;
                newline |= c == '\n' || c == '\r';
                continue;
            }
            let last = self.text.chars().next_back();
            let joined = last.is_none_or(|l| l == ' ' || (newline && !l.is_ascii() && !c.is_ascii()));
            if space && !joined {
                self.text.push(' ');
            }
            self.text.push(c);
            (space, newline) = (false, false);
        }
        if space && !newline && !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }
}

/// The number or bullet a browser would show before a list item.
fn list_label(list: Option<&mut Option<u32>>, attributes: &str) -> String {
    match list {
        Some(Some(next)) => {
            let n = attribute(attributes, "value").and_then(|v| v.parse().ok()).unwrap_or(*next);
            *next = n.saturating_add(1);
            format!("{n}. ")
        }
        _ => "・".to_owned(),
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "main"
            | "header"
            | "aside"
            | "body"
            | "html"
            | "dl"
            | "dt"
            | "dd"
            | "blockquote"
            | "pre"
            | "hr"
            | "center"
            | "fieldset"
            | "form"
            | "figure"
            | "figcaption"
            | "caption"
            | "thead"
            | "tbody"
            | "tfoot"
            | "address"
            | "li"
            | "td"
            | "th"
    )
}

/// The lines of a page.
pub(super) fn read(page: &str) -> Vec<Line> {
    let mut state = State::default();
    for piece in pieces(page) {
        match piece {
            Piece::Text(text) => state.text(text),
            Piece::Open(name, attributes) => state.open(&name, attributes),
            Piece::Close(name) => state.close(&name),
        }
    }
    state.end_row();
    state.rows.clear();
    state.flush();
    state.sink.finish().into_iter().map(without_own_number).collect()
}

/// `<li>第1条…` and `<li>(1) …` already carry their number: the list's own is dropped.
fn without_own_number(mut line: Line) -> Line {
    let stripped = line.text.strip_prefix('・').or_else(|| {
        let (number, rest) = line.text.split_once(". ")?;
        (!number.is_empty() && number.chars().all(|c| c.is_ascii_digit())).then_some(rest)
    });
    if let Some(rest) = stripped
        && crate::token::recognize(rest, 0, 0).is_some_and(|t| t.style.is_strong())
    {
        line.text = rest.trim_start().to_owned();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_tables_lists_and_ruby() {
        let page = "<html><head><title>x</title></head><body><h1>規程</h1><p>(目的)<p>第1条　<ruby>瑕疵<rt>かし</rt></ruby>の\n管理</p>\
            <ol><li>一番<li>二番</ol><ul><li>(1) 号</ul><table><tr><td>区分</td><td>例<br>など</td></tr><tr><td>一つ</table></body>";
        let lines = read(page);
        let seen: Vec<(&str, u8, bool)> =
            lines.iter().map(|l| (l.text.as_str(), l.heading, l.table)).collect();
        assert_eq!(
            seen,
            [
                ("規程", 1, false),
                ("(目的)", 0, false),
                ("第1条　瑕疵の管理", 0, false),
                ("1. 一番", 0, false),
                ("2. 二番", 0, false),
                ("(1) 号", 0, false),
                ("区分\t例 など", 0, true),
                ("一つ", 0, false),
            ]
        );
    }
}
