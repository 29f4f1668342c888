//! CSV in: UTF-8 with or without byte order mark, or code page 932.
//!
//! A reader of our own, because row numbers must be those a spreadsheet shows (blank lines count, lines inside
//! quotation marks do not) and an unclosed quotation mark must be an error at its row, not a cell of half a file.

use sekisho_base::limits::{IMPORT_COLUMNS, IMPORT_ROWS};

use super::cell::{Cell, Encoding, Grid, Source, cell_name};
use super::read::{CELL_CHARS, CELLS, ReadError};
use super::{cp932, guard};

/// Reads the one table of a CSV file.
pub(super) fn read(bytes: &[u8]) -> Result<Grid, ReadError> {
    let (text, encoding) = decode(bytes)?;
    let separator = separator(&text);
    let mut parser = Parser { rows: Vec::new(), row: Vec::new(), field: String::new(), cells: 0 };
    parser.run(&text, separator)?;
    Ok(Grid { name: None, rows: parser.rows, source: Source::Csv, encoding: Some(encoding) })
}

/// Strict UTF-8 first: text in code page 932 is practically never valid UTF-8.
fn decode(bytes: &[u8]) -> Result<(String, Encoding), ReadError> {
    let (body, marked) = bytes.strip_prefix(b"\xef\xbb\xbf").map_or((bytes, false), |rest| (rest, true));
    match (std::str::from_utf8(body), marked) {
        (Ok(text), true) => Ok((text.to_owned(), Encoding::Utf8Bom)),
        (Ok(text), false) => Ok((text.to_owned(), Encoding::Utf8)),
        (Err(_), true) => Err(ReadError::UnknownEncoding),
        (Err(_), false) => {
            cp932::decode(bytes).map(|text| (text, Encoding::Cp932)).ok_or(ReadError::UnknownEncoding)
        }
    }
}

/// Comma; TAB when the first line with something has TABs and no comma.
fn separator(text: &str) -> char {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    if first.contains('\t') && !first.contains(',') { '\t' } else { ',' }
}

struct Parser {
    rows: Vec<Vec<Cell>>,
    row: Vec<Cell>,
    field: String,
    cells: usize,
}

impl Parser {
    fn run(&mut self, text: &str, separator: char) -> Result<(), ReadError> {
        let mut chars = text.chars().peekable();
        // Whether the field was opened by a quotation mark, and whether it is closed again.
        let (mut quoted, mut closed) = (false, false);
        while let Some(c) = chars.next() {
            if quoted && !closed {
                match c {
                    '"' if chars.next_if_eq(&'"').is_some() => self.push('"')?,
                    '"' => closed = true,
                    c => self.push(c)?,
                }
                continue;
            }
            match c {
                '\r' | '\n' => {
                    if c == '\r' {
                        chars.next_if_eq(&'\n');
                    }
                    self.end_field()?;
                    self.end_row()?;
                    (quoted, closed) = (false, false);
                }
                c if c == separator => {
                    self.end_field()?;
                    (quoted, closed) = (false, false);
                }
                '"' if self.field.is_empty() && !quoted => quoted = true,
                _ if closed => return Err(ReadError::Quote { row: self.rows.len() + 1 }),
                c => self.push(c)?,
            }
        }
        if quoted && !closed {
            return Err(ReadError::Quote { row: self.rows.len() + 1 });
        }
        if quoted || !self.field.is_empty() || !self.row.is_empty() {
            self.end_field()?;
            self.end_row()?;
        }
        Ok(())
    }

    fn push(&mut self, c: char) -> Result<(), ReadError> {
        self.field.push(c);
        // Bytes bound characters; the exact count is taken at the end of the field.
        if self.field.len() > CELL_CHARS * 4 { Err(self.too_long()) } else { Ok(()) }
    }

    fn too_long(&self) -> ReadError {
        ReadError::CellTooLong { cell: cell_name(self.row.len(), self.rows.len()) }
    }

    fn end_field(&mut self) -> Result<(), ReadError> {
        if self.field.chars().count() > CELL_CHARS {
            return Err(self.too_long());
        }
        let cell = match guard::restore(&self.field) {
            "" => Cell::Empty,
            text => Cell::Text(text.to_owned()),
        };
        self.field.clear();
        if self.row.len() >= IMPORT_COLUMNS {
            // Trailing separators of a wide but empty table do no harm.
            return if cell == Cell::Empty {
                Ok(())
            } else {
                Err(ReadError::TooManyColumns { row: self.rows.len() + 1, limit: IMPORT_COLUMNS })
            };
        }
        self.cells += 1;
        if self.cells > CELLS {
            return Err(ReadError::TooMuch);
        }
        self.row.push(cell);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), ReadError> {
        // One more than the limit, for the row of headers.
        if self.rows.len() > IMPORT_ROWS {
            return Err(ReadError::TooManyRows { limit: IMPORT_ROWS });
        }
        while self.row.last().is_some_and(|c| *c == Cell::Empty) {
            self.row.pop();
        }
        self.rows.push(std::mem::take(&mut self.row));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<Vec<String>> {
        let grid = read(bytes).unwrap();
        grid.rows.iter().map(|r| r.iter().map(|c| c.text().into_owned()).collect()).collect()
    }

    #[test]
    fn encodings_are_told_apart() {
        let text = "氏名,番号\r\n髙﨑 邉,00123\r\n";
        let utf8 = read(text.as_bytes()).unwrap();
        assert_eq!(utf8.encoding, Some(Encoding::Utf8));
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(read(&marked).unwrap().encoding, Some(Encoding::Utf8Bom));
        let sjis = "氏名,番号\r\n髙﨑 花子,00123\r\n";
        let grid = read(&cp932::encode(sjis).unwrap()).unwrap();
        assert_eq!(grid.encoding, Some(Encoding::Cp932));
        assert_eq!(grid.cell(1, 0), &Cell::Text("髙﨑 花子".into()));
        assert_eq!(utf8.cell(1, 1), &Cell::Text("00123".into()));
        assert_eq!(read(b"a,\x81"), Err(ReadError::UnknownEncoding));
        assert_eq!(read(b"\xef\xbb\xbfa,\x82\xa0"), Err(ReadError::UnknownEncoding));
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        assert_eq!(
            texts(b"a,b\n\n\"x\ny\",\"say \"\"hi\"\"\"\rlast"),
            [vec!["a", "b"], vec![], vec!["x\ny", "say \"hi\""], vec!["last"]]
        );
        assert_eq!(texts(b"a\tb\n1\t2"), [["a", "b"], ["1", "2"]]);
        assert_eq!(texts(b"'=1,''@,'a"), [["=1", "'@", "'a"]]);
        assert_eq!(texts(b"a\"b,c"), [["a\"b", "c"]]);
    }

    #[test]
    fn wrong_quotation_marks_are_named_by_row() {
        assert_eq!(read(b"a\n\"b\nc"), Err(ReadError::Quote { row: 2 }));
        assert_eq!(read(b"a\n\"b\"c"), Err(ReadError::Quote { row: 2 }));
    }

    #[test]
    fn limits_hold() {
        let wide = vec!["x"; IMPORT_COLUMNS + 1].join(",");
        assert_eq!(read(wide.as_bytes()), Err(ReadError::TooManyColumns { row: 1, limit: IMPORT_COLUMNS }));
        assert!(read(",".repeat(1_000).as_bytes()).is_ok());
        let long = "x\n".repeat(IMPORT_ROWS + 2);
        assert_eq!(read(long.as_bytes()), Err(ReadError::TooManyRows { limit: IMPORT_ROWS }));
        let cell = "あ".repeat(CELL_CHARS + 1);
        assert_eq!(read(format!("a,{cell}").as_bytes()), Err(ReadError::CellTooLong { cell: "B1".into() }));
    }
}
