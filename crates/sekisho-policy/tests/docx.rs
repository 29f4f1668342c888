//! .docx built here: typed and automatic numbers, tables, tracked changes, table of contents.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Cursor, Write as _};

use sekisho_policy::{Form, PolicyError, parse};
use zip::write::{SimpleFileOptions, ZipWriter};

const NS: &str = r#"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main""#;

fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn document(body: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><w:document {NS}><w:body>{body}</w:body></w:document>"#)
}

fn p(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn listed(list: u8, level: u8, text: &str) -> String {
    format!(
        r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list}"/></w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"#
    )
}

fn numbering() -> String {
    let level = |i: u8, format: &str, text: &str| {
        format!(
            r#"<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{format}"/><w:lvlText w:val="{text}"/></w:lvl>"#
        )
    };
    format!(
        r#"<w:numbering {NS}><w:abstractNum w:abstractNumId="0">{}{}{}{}</w:abstractNum><w:abstractNum w:abstractNumId="1">{}</w:abstractNum>
        <w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num></w:numbering>"#,
        level(0, "decimal", "第%1章"),
        level(1, "decimalFullWidth", "（%2）"),
        level(2, "decimalEnclosedCircle", "%3"),
        level(3, "aiueoFullWidth", "（%4）"),
        level(0, "bullet", "●"),
    )
}

#[test]
fn automatic_numbers() {
    let body = [
        p("紅葉市情報セキュリティ対策基準"),
        listed(1, 0, "体制"),
        listed(1, 1, "責任者"),
        listed(1, 2, "統括情報セキュリティ責任者は、市の対策を統括する。"),
        listed(1, 2, "職員等は、次の事項を守らなければならない。"),
        listed(1, 3, "許可なく持ち出さないこと。"),
        listed(1, 3, "席を離れるときは画面を閉じること。"),
        listed(2, 0, "端末の画面"),
        listed(2, 0, "共用の画面"),
        listed(1, 0, "雑則"),
        listed(1, 1, "見直し"),
        p("委員会は、毎年度この基準を見直すものとする。"),
    ]
    .concat();
    let bytes = package(&[("word/document.xml", &document(&body)), ("word/numbering.xml", &numbering())]);
    let text = parse(&bytes, Some("基準.docx")).unwrap();
    let got: Vec<(&str, &str, &str)> =
        text.nodes.iter().map(|n| (n.id.as_str(), n.citation.as_str(), n.heading.as_str())).collect();
    assert_eq!(
        got,
        [
            ("1", "第1章", "体制"),
            ("1.0.1", "第1章(1)", "責任者"),
            ("1.0.1.1", "第1章(1)①", ""),
            ("1.0.1.2", "第1章(1)②", ""),
            ("1.0.1.2.ア", "第1章(1)②(ア)", ""),
            ("1.0.1.2.イ", "第1章(1)②(イ)", ""),
            ("1.0.1.2.イ.1", "第1章(1)②(イ)の1番目", ""),
            ("1.0.1.2.イ.2", "第1章(1)②(イ)の2番目", ""),
            ("2", "第2章", "雑則"),
            ("2.0.1", "第2章(1)", "見直し"),
        ]
    );
    assert_eq!(text.title.as_deref(), Some("紅葉市情報セキュリティ対策基準"));
}

#[test]
fn typed_numbers_tables_changes_and_contents() {
    let styles = format!(
        r#"<w:styles {NS}><w:style w:styleId="a1"><w:name w:val="toc 1"/></w:style><w:style w:styleId="h1"><w:name w:val="heading 1"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style></w:styles>"#
    );
    let cell = |t: &str| format!("<w:tc>{}</w:tc>", p(t));
    let body = [
        p("港町情報機器取扱規程"),
        r#"<w:p><w:pPr><w:pStyle w:val="a1"/></w:pPr><w:r><w:t>第1章　総則</w:t></w:r></w:p>"#.into(),
        r#"<w:p><w:pPr><w:pStyle w:val="h1"/></w:pPr><w:r><w:t>第1章　総則</w:t></w:r></w:p>"#.into(),
        p("（目的）"),
        "<w:p><w:r><w:t>第1条</w:t></w:r><w:r><w:tab/><w:t>この規程は、機器の取扱いを定める。</w:t></w:r></w:p>".into(),
        p("（許可）"),
        "<w:p><w:r><w:t>第2条　職員は、機器を持ち出すときは、</w:t></w:r><w:del><w:r><w:delText>係長</w:delText></w:r></w:del><w:ins><w:r><w:t>課長</w:t></w:r></w:ins><w:r><w:t>の許可を得なければならない。A&amp;B</w:t></w:r></w:p>".into(),
        p("２　課長は、次の表により許可する。"),
        format!("<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>", cell("機器"), cell("期間"), cell("端末"), cell("7日以内")),
        p("<w:br w:type=\"page\"/>"),
    ]
    .concat();
    let bytes = package(&[("word/document.xml", &document(&body)), ("word/styles.xml", &styles)]);
    let text = parse(&bytes, None).unwrap();
    assert_eq!(text.form, Form::Articles);
    let got: Vec<(&str, &str, &str)> =
        text.nodes.iter().map(|n| (n.id.as_str(), n.heading.as_str(), n.text.as_str())).collect();
    assert_eq!(
        got,
        [
            ("1", "目的", ""),
            ("1.1", "", "この規程は、機器の取扱いを定める。"),
            ("2", "許可", ""),
            ("2.1", "", "職員は、機器を持ち出すときは、課長の許可を得なければならない。A&B"),
            ("2.2", "", "課長は、次の表により許可する。\n機器\t期間\n端末\t7日以内"),
        ]
    );
    assert_eq!(text.dropped.len(), 1);
    assert_eq!(text.divisions[0].heading, "総則");
}

#[test]
fn broken_and_foreign_packages_are_refused() {
    assert!(matches!(parse(b"PK\x03\x04 not a zip", Some("x.docx")), Err(PolicyError::BrokenDocx { .. })));
    let sheet = package(&[("xl/workbook.xml", "<workbook/>")]);
    assert!(matches!(parse(&sheet, Some("x.xlsx")), Err(PolicyError::UnsupportedFormat { .. })));
    let broken = package(&[("word/document.xml", "<w:document><w:body><w:p attr=\"></w:p>")]);
    assert!(matches!(
        parse(&broken, Some("x.docx")),
        Err(PolicyError::BrokenDocx { .. } | PolicyError::NotAStandard { .. })
    ));
    let deep = package(&[("word/document.xml", &document(&"<w:sdt>".repeat(5_000)))]);
    assert!(matches!(parse(&deep, Some("x.docx")), Err(PolicyError::BrokenDocx { .. })));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bytes = package(&[("word/document.xml", &" ".repeat(33 * 1024 * 1024))]);
    assert!(bytes.len() < 1024 * 1024);
    assert!(matches!(parse(&bytes, Some("x.docx")), Err(PolicyError::TooLarge { .. })));
}
