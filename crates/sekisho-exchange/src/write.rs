//! Tables out: xlsx with styled header, and CSV in UTF-8 or code page 932.

use rust_xlsxwriter::{
    Color, DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};
use sekisho_base::Date;
use sekisho_base::table::Value;

use super::column::{Column, Kind, Record, Schema};
use super::read::CELL_CHARS;
use super::{cp932, guard};

/// Rows of one sheet, header included.
const SHEET_ROWS: usize = 1_048_576;
/// Cells that an error lists.
const LISTED: usize = 100;
/// Rows from which the width of columns is taken.
const MEASURED: usize = 200;
/// Whole numbers that a spreadsheet keeps exactly; larger ones are written as text.
const EXACT: i64 = 9_007_199_254_740_992;

/// A table to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name of the sheet.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Rows, one value a column.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// The records in the order of a schema's columns. Without records it is an empty form to fill in.
    #[must_use]
    pub fn new<'a>(schema: &Schema, records: impl IntoIterator<Item = &'a Record>) -> Self {
        let row = |r: &Record| {
            schema.columns.iter().map(|c| r.get(&c.id).cloned().unwrap_or(Value::Null)).collect()
        };
        Self {
            name: schema.title.clone(),
            columns: schema.columns.clone(),
            rows: records.into_iter().map(row).collect(),
        }
    }
}

/// Encoding of a CSV file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvEncoding {
    /// UTF-8 with byte order mark, which Excel opens without asking.
    Utf8Bom,
    /// Windows code page 932, for old systems.
    Cp932,
}

/// A character that code page 932 cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmappableCell {
    /// Row of the file, from 1; the header is row 1.
    pub row: usize,
    /// Zero-based column.
    pub column: usize,
    /// Header of the column.
    pub label: String,
    /// The character.
    pub character: char,
}

/// Why a table cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Characters that the encoding lacks; nothing was replaced.
    #[error(
        "Shift_JIS（CP932）にない文字が{total}か所あります。CSV（UTF-8）またはExcel（.xlsx）で出力してください。"
    )]
    Unmappable {
        /// The first cells, at most 100.
        cells: Vec<UnmappableCell>,
        /// How many cells there are.
        total: usize,
    },
    /// A text longer than a cell of a workbook can hold.
    #[error(
        "{row}行目の「{label}」が長すぎてExcelのセルに入りません（上限 {CELL_CHARS}字）。CSV（UTF-8）で出力してください。"
    )]
    CellTooLong {
        /// Row of the file, from 1.
        row: usize,
        /// Header of the column.
        label: String,
    },
    /// More rows than a sheet of a workbook has.
    #[error("行数がExcelのシートの上限を超えています。絞り込むか、CSV（UTF-8）で出力してください。")]
    TooManyRows,
    /// The workbook could not be made.
    #[error("Excelファイルを作れませんでした。")]
    Workbook(#[from] XlsxError),
    /// The CSV could not be made.
    #[error("CSVファイルを作れませんでした。")]
    Csv(#[from] csv::Error),
}

impl WriteError {
    /// Code that stays when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unmappable { .. } => "export.unmappable",
            Self::CellTooLong { .. } => "export.cell_too_long",
            Self::TooManyRows => "export.too_many_rows",
            Self::Workbook(_) => "export.workbook",
            Self::Csv(_) => "export.csv",
        }
    }
}

/// Writes a CSV file, lines ending CR LF. Texts that a spreadsheet would run as a formula are written with an
/// apostrophe in front; the import takes it off.
///
/// # Errors
/// [`WriteError::Unmappable`] names every cell with a character that the encoding lacks.
pub fn write_csv(table: &Table, encoding: CsvEncoding) -> Result<Vec<u8>, WriteError> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    let (mut cells, mut total) = (Vec::new(), 0);
    let header = table.columns.iter().map(|c| c.label().to_owned()).collect();
    let rows = table.rows.iter().map(|row| texts(table, row));
    for (number, row) in std::iter::once(header).chain(rows).enumerate() {
        let row: Vec<String> = row;
        let mut fields = Vec::with_capacity(row.len());
        for (column, text) in row.into_iter().enumerate() {
            match encoding {
                CsvEncoding::Utf8Bom => fields.push(text.into_bytes()),
                CsvEncoding::Cp932 => match cp932::encode(&text) {
                    Ok(bytes) => fields.push(bytes),
                    Err(character) => {
                        total += 1;
                        if cells.len() < LISTED {
                            let label = table.columns.get(column).map_or("", |c| c.label()).to_owned();
                            cells.push(UnmappableCell { row: number + 1, column, label, character });
                        }
                    }
                },
            }
        }
        writer.write_byte_record(&csv::ByteRecord::from(fields))?;
    }
    if total > 0 {
        return Err(WriteError::Unmappable { cells, total });
    }
    let body = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(match encoding {
        CsvEncoding::Utf8Bom => [b"\xef\xbb\xbf".as_slice(), &body].concat(),
        CsvEncoding::Cp932 => body,
    })
}

/// The texts of one row; numbers are no formula and need no protection.
fn texts(table: &Table, row: &[Value]) -> Vec<String> {
    let pairs = table.columns.iter().zip(row.iter().chain(std::iter::repeat(&Value::Null)));
    pairs
        .map(|(column, value)| match value {
            Value::Int(n) => n.to_string(),
            value => guard::protect(&column.show(value)).into_owned(),
        })
        .collect()
}

/// Writes a workbook with one sheet a table: header frozen and filtered, texts as text, dates as dates. `created` is
/// the date in the file's properties.
///
/// # Errors
/// [`WriteError`] when a table does not fit into a sheet.
pub fn write_xlsx(tables: &[Table], created: Date) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let created = excel_date(created)?.unwrap_or_default();
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    for table in tables {
        let sheet = book.add_worksheet();
        sheet.set_name(sheet_name(&table.name))?;
        write_sheet(sheet, table)?;
    }
    Ok(book.save_to_buffer()?)
}

struct Formats {
    header: Format,
    text: Format,
    lines: Format,
    date: Format,
    number: Format,
}

fn write_sheet(sheet: &mut Worksheet, table: &Table) -> Result<(), WriteError> {
    if table.rows.len() >= SHEET_ROWS {
        return Err(WriteError::TooManyRows);
    }
    let formats = Formats {
        header: Format::new()
            .set_bold()
            .set_font_color(Color::White)
            .set_background_color(Color::RGB(0x00_17_C1))
            .set_text_wrap(),
        text: Format::new().set_num_format("@").set_align(FormatAlign::Top),
        lines: Format::new().set_num_format("@").set_text_wrap().set_align(FormatAlign::Top),
        date: Format::new().set_num_format("yyyy/mm/dd").set_align(FormatAlign::Top),
        number: Format::new().set_num_format("0").set_align(FormatAlign::Top),
    };
    for (place, column) in (0u16..).zip(&table.columns) {
        // Formats of whole columns hold for the rows that people add: leading zeros stay.
        sheet.set_column_format(place, formats.of(column))?;
        sheet.set_column_width(place, width(table, column, usize::from(place)))?;
        sheet.write_string_with_format(0, place, column.label(), &formats.header)?;
        validate(sheet, column, place)?;
    }
    for (number, row) in (1u32..).zip(&table.rows) {
        for ((place, column), value) in (0u16..).zip(&table.columns).zip(row) {
            write_cell(sheet, (number, place), column, value, &formats)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    if let (Some(last), Ok(rows)) = (table.columns.len().checked_sub(1), u32::try_from(table.rows.len())) {
        sheet.autofilter(0, 0, rows, u16::try_from(last).unwrap_or(u16::MAX))?;
    }
    Ok(())
}

impl Formats {
    fn of(&self, column: &Column) -> &Format {
        match column.kind {
            _ if column.many => &self.lines,
            Kind::LongText => &self.lines,
            Kind::Date => &self.date,
            Kind::Integer => &self.number,
            _ => &self.text,
        }
    }
}

fn write_cell(
    sheet: &mut Worksheet,
    (row, place): (u32, u16),
    column: &Column,
    value: &Value,
    formats: &Formats,
) -> Result<(), WriteError> {
    match value {
        Value::Int(n) if (-EXACT..=EXACT).contains(n) => {
            #[expect(clippy::cast_precision_loss, reason = "within the exact range")]
            sheet.write_number_with_format(row, place, *n as f64, &formats.number)?;
        }
        Value::Text(s) if column.kind == Kind::Date && !column.many => match s.parse().map(excel_date) {
            Ok(date) => match date? {
                Some(date) => _ = sheet.write_datetime_with_format(row, place, &date, &formats.date)?,
                None => _ = sheet.write_string_with_format(row, place, s, &formats.text)?,
            },
            Err(_) => _ = sheet.write_string_with_format(row, place, s, &formats.text)?,
        },
        value => {
            let shown = column.show(value);
            if shown.chars().count() > CELL_CHARS {
                let row = usize::try_from(row).unwrap_or(usize::MAX).saturating_add(1);
                return Err(WriteError::CellTooLong { row, label: column.label().into() });
            }
            if !shown.is_empty() {
                let format =
                    if column.many || column.kind == Kind::LongText { &formats.lines } else { &formats.text };
                sheet.write_string_with_format(row, place, shown, format)?;
            }
        }
    }
    Ok(())
}

/// The date as a spreadsheet knows it; none before March 1900, where spreadsheets count a day that never was.
fn excel_date(date: Date) -> Result<Option<ExcelDateTime>, WriteError> {
    let (year, month, day) = date.ymd();
    if (year, month) < (1900, 3) {
        return Ok(None);
    }
    let part = |n: i8| u8::try_from(n).unwrap_or(1);
    Ok(Some(ExcelDateTime::from_ymd(u16::try_from(year).unwrap_or(1900), part(month), part(day))?))
}

/// A list to pick from for choices and yes-no columns, when it fits (255 characters).
fn validate(sheet: &mut Worksheet, column: &Column, place: u16) -> Result<(), WriteError> {
    let list: Vec<String> = match &column.kind {
        _ if column.many => return Ok(()),
        Kind::Bool => vec!["○".into(), "×".into()],
        Kind::Choice(choices) => {
            choices.iter().map(|(code, _)| column.show(&Value::Text(code.clone()))).collect()
        }
        _ => return Ok(()),
    };
    if list.is_empty() || list.join(",").chars().count() > 255 || list.iter().any(|l| l.contains([',', '"']))
    {
        return Ok(());
    }
    let list = DataValidation::new().allow_list_strings(&list)?;
    sheet.add_data_validation(1, place, u32::try_from(SHEET_ROWS).unwrap_or(u32::MAX) - 1, place, &list)?;
    Ok(())
}

/// Width in half-width characters, from the header and the first rows.
fn width(table: &Table, column: &Column, place: usize) -> f64 {
    let rows = table.rows.iter().take(MEASURED).filter_map(|row| row.get(place)).map(|v| column.show(v));
    let cells = rows.chain([column.label().to_owned()]);
    let line = |text: &str| text.chars().map(|c| if c.is_ascii() { 1u32 } else { 2 }).sum::<u32>();
    let widest = cells.flat_map(|text| text.lines().map(line).max()).max().unwrap_or(0);
    f64::from(widest.clamp(8, 50) + 3)
}

/// A name that a sheet may have: 31 characters, none of `[]:*?/\`, no apostrophe at the ends.
fn sheet_name(name: &str) -> String {
    let clean: String =
        name.chars().map(|c| if "[]:*?/\\".contains(c) || c.is_control() { '_' } else { c }).collect();
    let mut units = 0;
    let short: String = clean
        .trim_matches('\'')
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= 31
        })
        .collect();
    let short = short.trim_matches('\'').to_owned();
    if short.is_empty() { "Sheet1".into() } else { short }
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, read_grid};
    use super::*;

    fn table(rows: Vec<Vec<Value>>) -> Table {
        Table {
            name: "台帳".into(),
            columns: vec![
                Column::new("code", &["番号"], Kind::Code),
                Column::new("name", &["名称"], Kind::Text),
                Column::new("date", &["日"], Kind::Date),
                Column::new("n", &["数"], Kind::Integer),
                Column::new("b", &["印"], Kind::Bool),
            ],
            rows,
        }
    }

    fn text(s: &str) -> Value {
        Value::Text(s.into())
    }

    #[test]
    fn workbooks_hold_real_types() {
        let rows = vec![
            vec![text("00123"), text("=1+1"), text("2026-07-01"), Value::Int(-5), Value::Bool(true)],
            vec![text("2"), text("髙﨑\u{e0101}"), text("1899-01-01"), Value::Int(i64::MAX), Value::Null],
        ];
        let created = Date::new(2026, 4, 1).unwrap();
        let bytes = write_xlsx(&[table(rows)], created).unwrap();
        let grid = read_grid(&bytes).unwrap();
        assert_eq!(grid.name.as_deref(), Some("台帳"));
        let date = Date::new(2026, 7, 1).unwrap();
        let cell = |s: &str| Cell::Text(s.into());
        assert_eq!(
            grid.rows[1],
            [cell("00123"), cell("=1+1"), Cell::Date { date, time: None }, Cell::Int(-5), cell("○")]
        );
        assert_eq!(
            grid.rows[2],
            [cell("2"), cell("髙﨑\u{e0101}"), cell("1899-01-01"), cell("9223372036854775807")]
        );
    }

    #[test]
    fn csv_protects_formulas_and_never_writes_question_marks() {
        let rows =
            vec![vec![text("1"), text("=HYPERLINK(\"x\")"), Value::Null, Value::Int(-5), Value::Bool(false)]];
        let csv = write_csv(&table(rows), CsvEncoding::Utf8Bom).unwrap();
        assert_eq!(
            String::from_utf8(csv).unwrap(),
            "\u{feff}番号,名称,日,数,印\r\n1,\"'=HYPERLINK(\"\"x\"\")\",,-5,×\r\n"
        );
        let rows = vec![
            vec![text("1"), text("髙﨑")],
            vec![text("2"), text("渡邉\u{e0101}")],
            vec![text("𠮷"), text("?")],
        ];
        let Err(WriteError::Unmappable { cells, total }) =
            write_csv(&table(rows.clone()), CsvEncoding::Cp932)
        else {
            panic!("code page 932 has no such characters");
        };
        let found: Vec<_> = cells.iter().map(|c| (c.row, c.column, c.label.as_str(), c.character)).collect();
        assert_eq!((found, total), (vec![(3, 1, "名称", '\u{e0101}'), (4, 0, "番号", '𠮷')], 2));
        let csv = write_csv(&table(rows[..1].to_vec()), CsvEncoding::Cp932).unwrap();
        assert_eq!(cp932::decode(&csv).unwrap(), "番号,名称,日,数,印\r\n1,髙﨑,,,\r\n");
    }

    #[test]
    fn sheets_get_names_that_spreadsheets_accept() {
        assert_eq!(sheet_name("情報資産/台帳"), "情報資産_台帳");
        assert_eq!(sheet_name("'''"), "Sheet1");
        assert_eq!(sheet_name(&"課".repeat(40)).chars().count(), 31);
        assert!(
            write_xlsx(&[Table { name: "a:b".into(), ..table(vec![]) }], Date::new(2026, 4, 1).unwrap())
                .is_ok()
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let rows = vec![vec![text("1"), text(&"あ".repeat(CELL_CHARS + 1))]];
        let error = write_xlsx(&[table(rows)], Date::new(2026, 4, 1).unwrap()).unwrap_err();
        assert!(matches!(error, WriteError::CellTooLong { row: 2, .. }), "{error}");
    }
}
