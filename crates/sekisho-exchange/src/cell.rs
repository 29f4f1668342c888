//! What a spreadsheet holds once it is read: cells without formatting, and the rectangle around them.

use std::borrow::Cow;

use sekisho_base::Date;

/// One cell as it stood in the file. Text is never normalized here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Text, character for character.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Any other number, as its shortest decimal text (15 significant digits, as spreadsheets keep).
    Decimal(String),
    /// A real date of a workbook; `time` is `HH:MM:SS` when the cell carries a time other than midnight.
    Date {
        /// The day.
        date: Date,
        /// Time of day.
        time: Option<String>,
    },
    /// TRUE or FALSE of a workbook.
    Bool(bool),
    /// The error value of a formula, such as `#REF!`.
    Fault(String),
}

impl Cell {
    /// The cell as text: dates ISO 8601, whole numbers without `.0`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(s) | Self::Decimal(s) | Self::Fault(s) => Cow::Borrowed(s),
            Self::Int(n) => Cow::Owned(n.to_string()),
            Self::Date { date, time: None } => Cow::Owned(date.to_string()),
            Self::Date { date, time: Some(time) } => Cow::Owned(format!("{date} {time}")),
            Self::Bool(b) => Cow::Borrowed(if *b { "TRUE" } else { "FALSE" }),
        }
    }

    /// Nothing, or only white space.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(s) => s.trim().is_empty(),
            _ => false,
        }
    }
}

/// Kind of the file a grid came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Office Open XML workbook.
    Xlsx,
    /// Comma or tab separated text.
    Csv,
}

/// Character encoding of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 without byte order mark.
    Utf8,
    /// UTF-8 with byte order mark, as Excel writes 「CSV UTF-8」.
    Utf8Bom,
    /// Windows code page 932 (Shift_JIS with NEC and IBM extensions).
    Cp932,
}

/// One sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Name of the sheet; none for CSV.
    pub name: Option<String>,
    /// Rows from the first row of the sheet, blank ones included, so that index + 1 is the row number people see.
    pub rows: Vec<Vec<Cell>>,
    /// Kind of the file.
    pub source: Source,
    /// Encoding of a CSV file.
    pub encoding: Option<Encoding>,
}

impl Grid {
    /// The cell at zero-based row and column; outside the sheet everything is empty.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> &Cell {
        const EMPTY: &Cell = &Cell::Empty;
        self.rows.get(row).and_then(|r| r.get(column)).unwrap_or(EMPTY)
    }

    /// Whether no cell holds anything.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.rows.iter().flatten().all(Cell::is_blank)
    }
}

/// Name of a cell as spreadsheets show it; both numbers count from zero: (2, 11) is `C12`.
#[must_use]
pub fn cell_name(column: usize, row: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect::<String>() + &(row + 1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_on_screen() {
        assert_eq!(cell_name(0, 0), "A1");
        assert_eq!(cell_name(2, 11), "C12");
        assert_eq!(cell_name(25, 0), "Z1");
        assert_eq!(cell_name(26, 0), "AA1");
        assert_eq!(cell_name(701, 9), "ZZ10");
        assert_eq!(cell_name(702, 9), "AAA10");
    }

    #[test]
    fn text_of_cells_has_no_decoration() {
        let date = Date::new(2026, 7, 1).unwrap();
        assert_eq!(Cell::Int(12).text(), "12");
        assert_eq!(Cell::Date { date, time: None }.text(), "2026-07-01");
        assert_eq!(Cell::Date { date, time: Some("09:30:00".into()) }.text(), "2026-07-01 09:30:00");
        assert!(Cell::Text("　 ".into()).is_blank());
        assert!(!Cell::Bool(false).is_blank());
    }
}
