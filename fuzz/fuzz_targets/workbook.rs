//! Uploaded spreadsheets: never a panic, never more than the limits allow, and what an organization's export writes
//! reads back as no change.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use sekisho_exchange::org::{OrgRecords, plan_org};
use sekisho_exchange::{CsvEncoding, Grid, Table, read_workbook, write_csv, write_xlsx};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const TYPES: &[u8] = br#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#;
const RELS: &[u8] = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &[u8] = br#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELS: &[u8] = br#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const SHEET: &[u8] = br#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>45000</v></c></row></sheetData></worksheet>"#;
const STRINGS: &[u8] = br#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>a</t></si></sst>"#;
const STYLES: &[u8] = br#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts><numFmt numFmtId="164" formatCode="yyyy/mm/dd"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;

/// A workbook in which one member is the fuzzer's: checksums and compression would hide it otherwise.
fn workbook(which: u8, member: &[u8]) -> Vec<u8> {
    let members = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/worksheets/sheet1.xml", SHEET),
        ("xl/sharedStrings.xml", STRINGS),
        ("xl/styles.xml", STYLES),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (name, bytes)) in members.iter().enumerate() {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a member begins");
        zip.write_all(if i == usize::from(which) { member } else { bytes }).expect("it is written");
    }
    zip.finish().expect("the archive ends").into_inner()
}

fn read(bytes: &[u8]) -> Option<Vec<Grid>> {
    read_workbook(bytes).ok()
}

/// The reader of workbooks turns a panic of the foreign crate behind it into a refusal; any other panic is a finding.
fn foreign_panics_are_refusals() {
    std::panic::set_hook(Box::new(|info| {
        if info.location().is_none_or(|l| !l.file().contains("calamine")) {
            eprintln!("{info}");
            std::process::abort();
        }
    }));
}

fuzz_target!(init: foreign_panics_are_refusals(), |data: &[u8]| {
    let Some((which, rest)) = data.split_first() else { return };
    let found = if *which < 7 { read(&workbook(*which, rest)) } else { read(rest) };
    let Some(grids) = found else { return };
    let nothing = OrgRecords::default();
    let plan = plan_org(&grids, &nothing, &[]);
    if !plan.can_apply() {
        return;
    }
    // What would be kept goes out and comes back as no change.
    let mut kept = OrgRecords::default();
    for (sheet, plan) in &plan.sheets {
        for row in &plan.rows {
            if let Some(record) = row.result(&nothing.sheet(*sheet)) {
                kept.insert(*sheet, record);
            }
        }
    }
    let day = sekisho_base::Date::from_epoch_days(20_000);
    let tables: Vec<Table> =
        plan.sheets.keys().map(|s| Table::new(&s.schema(&[]), kept.records(*s))).collect();
    let back = read(&write_xlsx(&tables, day).expect("what was read can be written")).expect("our own file can be read");
    let again = plan_org(&back, &kept, &[]);
    assert_eq!(again.all_errors().count(), 0, "{:?}", again.all_errors().collect::<Vec<_>>());
    assert!(again.sheets.values().all(|p| p.counts.add == 0 && p.counts.change == 0));
    for table in &tables {
        write_csv(table, CsvEncoding::Utf8Bom).expect("UTF-8 has every character");
    }
});
