//! Workbooks in, cell by cell: never the reader's own rectangle, which a single cell in the last corner makes huge.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx};
use sekisho_base::Date;
use sekisho_base::limits::{IMPORT_COLUMNS, IMPORT_ROWS};

use super::cell::{Cell, Grid, Source, cell_name};
use super::read::{CELL_CHARS, CELLS, ReadError, TEXT_BYTES};

/// Sheets of one workbook that are read.
const SHEETS: usize = 60;
/// Whole numbers that a spreadsheet keeps exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads every visible worksheet.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Grid>, ReadError> {
    // The container has been bounded before; a panic of the reader on odd XML must still not end the request.
    catch_unwind(AssertUnwindSafe(|| read_sheets(bytes))).unwrap_or(Err(ReadError::Broken))
}

fn read_sheets(bytes: &[u8]) -> Result<Vec<Grid>, ReadError> {
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(|_| ReadError::Broken)?;
    let names: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|s| s.typ == SheetType::WorkSheet && s.visible == SheetVisible::Visible)
        .map(|s| s.name.clone())
        .collect();
    if names.len() > SHEETS {
        return Err(ReadError::TooMuch);
    }
    let mut budget = Budget { cells: CELLS, text: TEXT_BYTES };
    names.into_iter().map(|name| read_sheet(&mut book, name, &mut budget)).collect()
}

/// What is left for the whole file.
struct Budget {
    cells: usize,
    text: usize,
}

fn read_sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: String, budget: &mut Budget) -> Result<Grid, ReadError> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut cells = book.worksheet_cells_reader(&name).map_err(|_| ReadError::Broken)?;
    while let Some(found) = cells.next_cell().map_err(|_| ReadError::Broken)? {
        let (row, column) = found.get_position();
        let (row, column) = (row as usize, column as usize);
        let cell = convert(found.get_value());
        if cell == Cell::Empty {
            continue;
        }
        // One more than the limit, for the row of headers.
        if row > IMPORT_ROWS {
            return Err(ReadError::TooManyRows { limit: IMPORT_ROWS });
        }
        if column >= IMPORT_COLUMNS {
            return Err(ReadError::TooManyColumns { row: row + 1, limit: IMPORT_COLUMNS });
        }
        if let Cell::Text(text) = &cell {
            if text.chars().count() > CELL_CHARS {
                return Err(ReadError::CellTooLong { cell: cell_name(column, row) });
            }
            budget.text = budget.text.checked_sub(text.len()).ok_or(ReadError::TooMuch)?;
        }
        if rows.len() <= row {
            rows.resize_with(row + 1, Vec::new);
        }
        let Some(target) = rows.get_mut(row) else { return Err(ReadError::Broken) };
        let more = (column + 1).saturating_sub(target.len());
        budget.cells = budget.cells.checked_sub(more).ok_or(ReadError::TooMuch)?;
        if more > 0 {
            target.resize(column + 1, Cell::Empty);
        }
        if let Some(place) = target.get_mut(column) {
            *place = cell;
        }
    }
    Ok(Grid { name: Some(name), rows, source: Source::Xlsx, encoding: None })
}

fn convert(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(s) => text(s),
        DataRef::SharedString(s) => text(s),
        DataRef::Int(n) => Cell::Int(*n),
        DataRef::Float(n) => number(*n),
        DataRef::Bool(b) => Cell::Bool(*b),
        DataRef::DateTime(d) if d.is_duration() => Cell::Text(duration(d.as_f64())),
        DataRef::DateTime(d) => {
            let (year, month, day, hour, minute, second, _) = d.to_ymd_hms_milli();
            let time = format!("{hour:02}:{minute:02}:{second:02}");
            match i16::try_from(year)
                .ok()
                .and_then(|y| Date::new(y, i8::try_from(month).ok()?, i8::try_from(day).ok()?))
            {
                // A time of day without a day counts from the day before the first.
                _ if d.as_f64() < 1.0 => Cell::Text(time),
                Some(date) => Cell::Date { date, time: (time != "00:00:00").then_some(time) },
                // 29 February 1900, which only spreadsheets know.
                None => Cell::Fault(format!("{year}-{month:02}-{day:02}")),
            }
        }
        DataRef::DateTimeIso(s) => iso(s),
        DataRef::DurationIso(s) => text(s),
        DataRef::Error(e) => Cell::Fault(e.to_string()),
    }
}

fn text(s: &str) -> Cell {
    if s.is_empty() { Cell::Empty } else { Cell::Text(s.to_owned()) }
}

/// A number with the 15 significant digits that a spreadsheet shows.
fn number(n: f64) -> Cell {
    if n.fract() == 0.0 && n.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return Cell::Int(n as i64);
    }
    let rounded: f64 = format!("{n:.14e}").parse().unwrap_or(n);
    Cell::Decimal(rounded.to_string())
}

/// A span of time as `H:MM:SS`.
fn duration(days: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the clamp")]
    let seconds = (days * 86_400.0).round().clamp(-1e12, 1e12) as i64;
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.abs();
    format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// ISO 8601 dates of strict workbooks.
fn iso(s: &str) -> Cell {
    let (day, time) = s.split_once('T').unwrap_or((s, ""));
    let time: String = time.chars().take(8).collect();
    match day.parse() {
        Ok(date) => Cell::Date { date, time: (!time.is_empty() && time != "00:00:00").then_some(time) },
        Err(_) => text(s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_on_screen() {
        assert_eq!(number(12.0), Cell::Int(12));
        assert_eq!(number(-3.0), Cell::Int(-3));
        assert_eq!(number(0.1 + 0.2), Cell::Decimal("0.3".into()));
        assert_eq!(number(1e300).text().len(), 301);
        assert_eq!(number(f64::NAN), Cell::Decimal("NaN".into()));
    }

    #[test]
    fn times_and_iso_dates() {
        assert_eq!(duration(1.5), "36:00:00");
        assert_eq!(duration(-0.25), "-6:00:00");
        let date = Date::new(2026, 7, 1).unwrap();
        assert_eq!(iso("2026-07-01T00:00:00"), Cell::Date { date, time: None });
        assert_eq!(iso("2026-07-01T09:05:00.000"), Cell::Date { date, time: Some("09:05:00".into()) });
    }
}
