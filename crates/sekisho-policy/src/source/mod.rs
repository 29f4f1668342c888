//! From bytes to lines: format, encoding, and what each format marks up.

mod decode;
mod docx;
mod docx_number;
mod html;
mod html_token;
mod markdown;
mod plain;

use crate::PolicyError;

/// One line of a text, without the white space around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Line of the source, from 1. For .docx and HTML: line of the text as extracted.
    pub no: usize,
    /// Its text, trimmed; table rows have their cells separated by tabs.
    pub text: String,
    /// Width of the white space before it (a full-width space counts 2).
    pub indent: u16,
    /// A blank line or a page break stands before it.
    pub blank_before: bool,
    /// A page break stands before it.
    pub page_break: bool,
    /// A row of a table.
    pub table: bool,
    /// Level of a marked-up heading, 0 for none.
    pub heading: u8,
    /// An entry of a table of contents, as the format itself marks it.
    pub contents: bool,
}

/// The lines of a file and what was noticed while decoding it.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// Lines that hold text.
    pub lines: Vec<Line>,
    /// Characters that could not be decoded.
    pub undecodable: usize,
}

/// Collects lines; keeps count of numbers, blank lines and page breaks.
#[derive(Debug, Default)]
pub(crate) struct LineSink {
    lines: Vec<Line>,
    no: usize,
    blank: bool,
    page_break: bool,
}

impl LineSink {
    /// Takes one line of the source; form feeds in it are page breaks.
    pub(crate) fn push(&mut self, raw: &str, mark: impl FnOnce(&mut Line)) {
        self.no += 1;
        if raw.contains('\u{c}') {
            self.page_break = true;
        }
        let text = raw.trim_matches(is_trim);
        if text.is_empty() {
            self.blank = true;
            return;
        }
        let mut line = Line {
            no: self.no,
            text: if text.contains(is_invisible) { text.replace(is_invisible, "") } else { text.to_owned() },
            indent: indent(raw),
            blank_before: self.blank || self.page_break || self.lines.is_empty(),
            page_break: self.page_break,
            ..Line::default()
        };
        mark(&mut line);
        self.blank = false;
        self.page_break = false;
        self.lines.push(line);
    }

    /// A page break before the next line.
    pub(crate) fn page_break(&mut self) {
        self.page_break = true;
    }

    /// A blank space before the next line, without a line of its own.
    pub(crate) fn gap(&mut self) {
        self.blank = true;
    }

    /// The lines.
    pub(crate) fn finish(self) -> Vec<Line> {
        self.lines
    }
}

fn is_trim(c: char) -> bool {
    crate::token::is_space(c) || c.is_control() || is_invisible(c)
}

/// Control and zero-width characters carry no text (tabs separate cells and stay; variation selectors belong to names).
fn is_invisible(c: char) -> bool {
    // Kana and kanji, which most characters are, need no closer look.
    !matches!(c, '\u{3000}'..='\u{9fff}')
        && ((c.is_control() && c != '\t') || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{ad}'))
}

fn indent(raw: &str) -> u16 {
    let width: usize = raw
        .chars()
        .take_while(|c| is_trim(*c))
        .take(200)
        .map(|c| match c {
            '\u{3000}' => 2,
            '\t' => 4,
            c if c.is_control() => 0,
            _ => 1,
        })
        .sum();
    u16::try_from(width).unwrap_or(u16::MAX)
}

/// A row of a marked-up table as a line, and whether it is a row of a table at all: old 例規 pages lay out text as rows of
/// number and text.
fn row(cells: &[&str]) -> (String, bool) {
    let filled: Vec<&str> = cells.iter().copied().filter(|c| !c.is_empty()).collect();
    match filled.as_slice() {
        [] => (String::new(), false),
        [only] => ((*only).to_owned(), false),
        [number, text] if cells.len() == 2 => {
            let line = format!("{number}\u{3000}{text}");
            let numbered = crate::token::recognize(&line, 0, 0).is_some_and(|t| {
                t.len > number.len() && !t.style.is_bullet() && (t.style.is_strong() || text.ends_with('。'))
            });
            if numbered { (line, false) } else { (cells.join("\t"), true) }
        }
        _ => (cells.join("\t"), true),
    }
}

/// Reads the lines of a file of any supported format.
pub(crate) fn read(bytes: &[u8], name_hint: Option<&str>) -> Result<Source, PolicyError> {
    if bytes.len() > crate::MAX_BYTES {
        return Err(PolicyError::TooLarge { limit: crate::MAX_BYTES });
    }
    let extension =
        name_hint.and_then(|n| n.rsplit_once('.')).map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
    if bytes.starts_with(b"PK\x03\x04") {
        return docx::read(bytes).map(|lines| Source { lines, undecodable: 0 });
    }
    if let Some(kind) = decode::foreign(bytes) {
        return Err(PolicyError::UnsupportedFormat { kind: kind.to_owned() });
    }
    let markup = matches!(extension.as_str(), "html" | "htm" | "xhtml") || html::looks_like(bytes);
    let (text, undecodable) = decode::decode(bytes, markup);
    let lines = if markup {
        html::read(&text)
    } else if matches!(extension.as_str(), "md" | "markdown") || markdown::looks_like(&text) {
        markdown::read(&text)
    } else {
        plain::read(&text)
    };
    Ok(Source { lines, undecodable })
}
