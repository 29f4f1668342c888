//! .docx (ECMA-376): the body of `word/document.xml` as lines, with automatic numbers spelled out.

use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::docx_number::{Numbering, ParagraphMark, attr};
use super::{Line, LineSink, row};
use crate::PolicyError;

/// Bytes of one unpacked part; a bigger one is a bomb, not a standard.
const MAX_PART: usize = 32 * 1024 * 1024;
/// Files in the package.
const MAX_FILES: usize = 5_000;
/// Open elements.
const MAX_DEPTH: usize = 200;

fn broken(detail: impl Into<String>) -> PolicyError {
    PolicyError::BrokenDocx { detail: detail.into() }
}

/// The lines of a .docx.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Line>, PolicyError> {
    let mut package =
        ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(format!("展開できません: {e}")))?;
    if package.len() > MAX_FILES {
        return Err(broken("中のファイルが多すぎます"));
    }
    if package.index_for_name("word/document.xml").is_none() {
        return Err(PolicyError::UnsupportedFormat {
            kind: "Word（.docx）ではないZIP形式のファイル".into()
        });
    }
    let mut numbering = Numbering::default();
    if let Some(xml) = part(&mut package, "word/numbering.xml")? {
        numbering.read_lists(&xml);
    }
    if let Some(xml) = part(&mut package, "word/styles.xml")? {
        numbering.read_styles(&xml);
    }
    let body = part(&mut package, "word/document.xml")?.ok_or_else(|| broken("本文がありません"))?;
    Body { numbering, ..Body::default() }.read(&body)
}

/// One part of the package as text, bounded.
fn part(package: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Option<String>, PolicyError> {
    if package.index_for_name(name).is_none() {
        return Ok(None);
    }
    let file = package.by_name(name).map_err(|e| broken(format!("{name}: {e}")))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_PART).unwrap_or(u64::MAX);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| broken(format!("{name}: {e}")))?;
    if bytes.len() > MAX_PART {
        return Err(PolicyError::TooLarge { limit: MAX_PART });
    }
    Ok(Some(super::decode::decode(&bytes, true).0))
}

/// What the reader of the body is inside of.
#[derive(Default)]
struct Body {
    numbering: Numbering,
    sink: LineSink,
    /// Names of the open elements.
    open: Vec<String>,
    /// Elements open below one whose text is not printed.
    hidden: usize,
    mark: ParagraphMark,
    text: String,
    /// Paragraphs of the cells of the row being read, per nested table.
    rows: Vec<Vec<String>>,
    /// Depth of structured tags that hold a generated table of contents.
    contents_at: Option<usize>,
}

impl Body {
    fn read(mut self, xml: &str) -> Result<Vec<Line>, PolicyError> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_end_names = false;
        loop {
            match reader.read_event().map_err(|e| broken(format!("本文のXML: {e}")))? {
                Event::Start(e) => self.start(&e, true)?,
                Event::Empty(e) => self.start(&e, false)?,
                Event::End(e) => self.end(e.local_name().as_ref()),
                Event::Text(t) if self.in_text() => self.text.push_str(&t.xml10_content()),
                Event::CData(t) if self.in_text() => self.text.push_str(&t.xml10_content()),
                Event::GeneralRef(r) if self.in_text() => {
                    self.text.push_str(&super::html_token::entities(&format!("&{};", r.xml10_content())))
                }
                Event::Eof => break,
                _ => {}
            }
        }
        self.end_paragraph();
        Ok(self.sink.finish())
    }

    fn in_text(&self) -> bool {
        self.hidden == 0 && self.open.last().is_some_and(|n| n == "t")
    }

    fn start(&mut self, e: &BytesStart<'_>, opens: bool) -> Result<(), PolicyError> {
        let name = e.local_name().as_ref().to_owned();
        if opens {
            if self.open.len() >= MAX_DEPTH {
                return Err(broken("入れ子が深すぎます"));
            }
            self.open.push(name.clone());
            // Deleted text, ruby readings, the second form of alternate content and old versions of properties.
            if self.hidden > 0
                || matches!(name.as_str(), "del" | "moveFrom" | "rt" | "Fallback" | "pPrChange" | "rPrChange")
            {
                self.hidden += 1;
                return Ok(());
            }
        }
        if self.hidden > 0 {
            return Ok(());
        }
        match name.as_str() {
            "p" if opens => {
                // A paragraph inside a paragraph is a text box: it ends the line it stands in.
                self.end_paragraph();
                self.mark = ParagraphMark::default();
            }
            "pStyle" => {
                if let Some(id) = attr(e, "val") {
                    let style = self.numbering.style(&id);
                    self.mark.num_id = self.mark.num_id.take().or(style.num_id);
                    self.mark.level = self.mark.level.or(style.level);
                    self.mark.outline = self.mark.outline.max(style.outline);
                    self.mark.contents |= style.contents;
                }
            }
            "numId" | "ilvl" | "outlineLvl" => self.mark.take(e),
            "docPartGallery" if attr(e, "val").is_some_and(|v| v == "Table of Contents") => {
                let depth = self.open.iter().rposition(|n| n == "sdt");
                self.contents_at = self.contents_at.or(depth);
            }
            "tab" if self.open.iter().any(|n| n == "r") => self.text.push('\t'),
            "br" if attr(e, "type").is_some_and(|t| t == "page") => {
                self.end_paragraph();
                self.sink.page_break();
            }
            "br" | "cr" => {
                // A line break: the next line belongs to the same paragraph but is not numbered again.
                let mut rest = self.mark.clone();
                rest.num_id = None;
                self.end_paragraph();
                self.mark = rest;
            }
            "noBreakHyphen" => self.text.push('-'),
            "tbl" if opens => {
                self.end_paragraph();
                self.rows.push(Vec::new());
            }
            "tc" if opens => {
                if let Some(cells) = self.rows.last_mut() {
                    cells.push(String::new());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        self.open.pop();
        if self.hidden > 0 {
            self.hidden -= 1;
            return;
        }
        match name {
            "p" => self.end_paragraph(),
            "tr" => self.end_row(),
            "tbl" => {
                self.rows.pop();
                self.sink.gap();
            }
            "sdt" if self.contents_at == Some(self.open.len()) => self.contents_at = None,
            _ => {}
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        let mark = std::mem::take(&mut self.mark);
        let label = match (&mark.num_id, text.trim().is_empty()) {
            (Some(id), false) if id != "0" => self.numbering.label(id, mark.level.unwrap_or(0)),
            _ => None,
        };
        let full = label.map_or_else(|| text.clone(), |l| format!("{l}\u{3000}{text}"));
        if let Some(cells) = self.rows.last_mut() {
            let trimmed = full.trim();
            if let (Some(cell), false) = (cells.last_mut(), trimmed.is_empty()) {
                if !cell.is_empty() {
                    cell.push(' ');
                }
                cell.push_str(&trimmed.replace('\t', " "));
            }
            return;
        }
        let contents = mark.contents || self.contents_at.is_some();
        self.sink.push(&full, |l| {
            l.heading = mark.outline;
            l.contents = contents;
        });
    }

    fn end_row(&mut self) {
        self.end_paragraph();
        let nested = self.rows.len() > 1;
        let Some(cells) = self.rows.last_mut().map(std::mem::take) else { return };
        if nested {
            let outer =
                self.rows.len().checked_sub(2).and_then(|i| self.rows.get_mut(i)).and_then(|r| r.last_mut());
            if let Some(cell) = outer {
                cell.push(' ');
                cell.push_str(&cells.join(" "));
            }
        } else {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let (text, table) = row(&cells);
            if !text.is_empty() {
                self.sink.push(&text, |l| l.table = table);
            }
        }
    }
}
