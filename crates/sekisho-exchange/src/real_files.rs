//! Files that other programs made: LibreOffice (`tests/data/*-libreoffice.xlsx`), a system that writes code page 932,
//! and the parts of Excel's own files that differ.

use std::collections::BTreeMap;

use sekisho_base::Date;

use super::container::tests::zip_of_many;
use super::org::{OrgRecords, OrgSheet, plan_org};
use super::*;

const STAFF: &[u8] = include_bytes!("../tests/data/staff-libreoffice.xlsx");
const ORGANIZATION: &[u8] = include_bytes!("../tests/data/organization-libreoffice.xlsx");
const STAFF_CP932: &[u8] = include_bytes!("../tests/data/staff-cp932.csv");

fn text(s: &str) -> Cell {
    Cell::Text(s.into())
}

fn day(year: i16, month: i8, day: i8) -> Cell {
    Cell::Date { date: Date::new(year, month, day).unwrap(), time: None }
}

#[test]
fn libreoffice_keeps_names_zeros_and_dates() {
    let grid = read_grid(STAFF).unwrap();
    assert_eq!(
        grid.rows[1],
        [
            text("00123"),
            text("髙﨑 邉\u{e0101}"),
            text("たかさき あたり"),
            day(1980, 2, 29),
            day(2003, 4, 1),
            text("○"),
            Cell::Int(12),
            text("1行目\n2行目")
        ]
    );
    assert_eq!((grid.cell(2, 1), grid.cell(2, 7)), (&text("𠮷田 﨑子"), &text("=1+1 ではない文字")));
    assert_eq!((grid.cell(3, 0), grid.cell(3, 7)), (&text("A0007"), &text("ｶﾅ　全角")));
}

#[test]
fn an_organization_written_in_libreoffice_imports() {
    let grids = read_workbook(ORGANIZATION).unwrap();
    let roles = [("information_system_manager".to_owned(), "情報システム管理者".to_owned())];
    let plan = plan_org(&grids, &OrgRecords::default(), &roles);
    assert!(plan.can_apply(), "{:?}", plan.all_errors().collect::<Vec<_>>());
    // The sheet of explanations is none of the four; the hidden sheet is not read.
    assert_eq!(plan.ignored, ["記入要領"]);
    assert_eq!(plan.sheets.values().map(|p| p.counts.add).collect::<Vec<_>>(), [4, 3, 2, 3]);
    assert_eq!(plan.sheets[&OrgSheet::Units].unknown_columns, ["備考"]);
    let values = |sheet: OrgSheet, row: usize| match &plan.sheets[&sheet].rows[row].action {
        RowAction::Add(record) => record.clone(),
        other => panic!("{other:?}"),
    };
    // A date shown in the Japanese calendar, a staff number typed as a number, the result of a formula.
    assert_eq!(values(OrgSheet::Units, 1)["from"].as_text(), Some("2019-05-01"));
    let person = values(OrgSheet::Persons, 1);
    assert_eq!((person["number"].as_text(), person["name"].as_text()), (Some("4567"), Some("𠮷田　﨑子")));
    // Logins are issued on the page of accounts, never by a file.
    assert_eq!(plan.sheets[&OrgSheet::Persons].unknown_columns, ["ログイン名"]);
    assert_eq!(values(OrgSheet::Appointments, 2)["role"].as_text(), Some("information_system_manager"));
}

#[test]
fn code_page_932_with_gaiji_imports() {
    let grid = read_grid(STAFF_CP932).unwrap();
    assert_eq!(grid.encoding, Some(Encoding::Cp932));
    let nobody: BTreeMap<Vec<String>, Record> = BTreeMap::new();
    struct Nothing;
    impl References for Nothing {
        fn exists(&self, _: &str, _: &str) -> bool {
            false
        }
    }
    let plan = plan(&OrgSheet::Persons.schema(&[]), &grid, &nobody, &Nothing);
    let names: Vec<_> = plan.rows.iter().map(|r| r.result(&nobody).unwrap()["name"].clone()).collect();
    assert_eq!(
        names.iter().filter_map(|n| n.as_text()).collect::<Vec<_>>(),
        ["髙﨑 花子", "渡邊 齋", "\u{e000}山 一郎"]
    );
    assert_eq!((plan.rows[0].row, plan.rows[0].key[0].as_str()), (4, "00123"));
}

/// A workbook with one sheet, written the way Excel does: ruby in shared strings, built-in Japanese date formats without
/// a format code, results of formulas, errors and inline strings.
fn excel(properties: &str, cells: &str) -> Vec<u8> {
    const MAIN: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let workbook = format!(
        "<workbook {MAIN} xmlns:r=\"{OFFICE}\">{properties}<sheets><sheet name=\"台帳\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
    };
    let relations = |inner: String| format!("<Relationships xmlns=\"{PACKAGE}\">{inner}</Relationships>");
    let strings = format!(
        "<sst {MAIN} count=\"1\" uniqueCount=\"1\"><si><t>髙﨑</t><rPh sb=\"0\" eb=\"2\"><t>タカサキ</t></rPh><phoneticPr fontId=\"1\"/></si></sst>"
    );
    let styles = format!(
        "<styleSheet {MAIN}><cellXfs count=\"3\"><xf numFmtId=\"0\"/><xf numFmtId=\"58\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
    );
    let sheet = format!(
        "<worksheet {MAIN}><dimension ref=\"A1:XFD1048576\"/><sheetData>{cells}</sheetData></worksheet>"
    );
    zip_of_many(&[
        ("_rels/.rels", &relations(relation("rId1", "officeDocument", "xl/workbook.xml"))),
        ("xl/workbook.xml", &workbook),
        ("xl/_rels/workbook.xml.rels", &relations(relation("rId1", "worksheet", "worksheets/sheet1.xml"))),
        ("xl/sharedStrings.xml", &strings),
        ("xl/styles.xml", &styles),
        ("xl/worksheets/sheet1.xml", &sheet),
    ])
}

#[test]
fn what_excel_writes_otherwise_is_understood() {
    let cells = "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\" s=\"1\"><v>46204</v></c><c r=\"C2\" s=\"2\"><v>46204.5</v></c>\
        <c r=\"D2\" t=\"str\"><f>A2&amp;\"様\"</f><v>髙﨑様</v></c><c r=\"E2\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>\
        <c r=\"F2\" t=\"inlineStr\"><is><t>_x000D_a</t></is></c><c r=\"G2\" t=\"b\"><v>1</v></c><c r=\"H2\"><v>0.30000000000000004</v></c></row>";
    let grid = read_grid(&excel("", cells)).unwrap();
    let noon = Cell::Date { date: Date::new(2026, 7, 1).unwrap(), time: Some("12:00:00".into()) };
    assert_eq!(
        grid.rows,
        [
            vec![],
            vec![
                text("髙﨑"),
                day(2026, 7, 1),
                noon,
                text("髙﨑様"),
                Cell::Fault("#DIV/0!".into()),
                text("\ra"),
                Cell::Bool(true),
                Cell::Decimal("0.3".into())
            ]
        ]
    );
    let mac =
        excel("<workbookPr date1904=\"1\"/>", "<row r=\"1\"><c r=\"A1\" s=\"2\"><v>44742</v></c></row>");
    assert_eq!(read_grid(&mac).unwrap().rows, [[day(2026, 7, 1)]]);
}

#[test]
fn a_single_cell_in_the_last_corner_costs_nothing() {
    let corner = |cell: &str| {
        read_grid(&excel(
            "",
            &format!("<row><c r=\"A1\"><v>1</v></c></row><row><c r=\"{cell}\"><v>1</v></c></row>"),
        ))
    };
    assert_eq!(corner("XFD2"), Err(ReadError::TooManyColumns { row: 2, limit: 200 }));
    assert_eq!(corner("A1048576"), Err(ReadError::TooManyRows { limit: 200_000 }));
    let many: String =
        (1..=200_000).step_by(2).map(|row| format!("<row><c r=\"GR{row}\"><v>1</v></c></row>")).collect();
    assert_eq!(read_grid(&excel("", &many)), Err(ReadError::TooMuch));
    // Formatted but empty cells to the last row, as LibreOffice leaves them.
    let styled = excel("", "<row><c r=\"A1\"><v>1</v></c></row><row><c r=\"XFD1048576\" s=\"2\"/></row>");
    assert_eq!(read_grid(&styled).unwrap().rows, [[Cell::Int(1)]]);
}
