//! What is on the printed page, and what a template may not do.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what the tests share may fail them too"
)]

mod sample;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use sample::{own, permit, templates};
use sekisho_forms::{Act, Fault, Field, FormData, FormError, Step, render, unprintable};
use serde_json::json;

fn print(data: &FormData) -> Vec<u8> {
    render(&templates(), "take_out", &serde_json::to_value(data).expect("json")).expect("renders")
}

/// Runs a tool of poppler-utils over a PDF given on its standard input.
fn poppler(tool: &str, args: &[&str], pdf: &[u8]) -> String {
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{tool} of poppler-utils is needed: {e}"));
    child.stdin.take().expect("stdin").write_all(pdf).expect("write");
    let output = child.wait_with_output().expect("output");
    assert!(output.status.success(), "{tool}: {}", output.status);
    String::from_utf8(output.stdout).expect("utf-8")
}

/// The text in the order it was written, without spaces and line breaks: lines wrap where the column ends.
fn text(pdf: &[u8]) -> String {
    poppler("pdftotext", &["-raw", "-", "-"], pdf).split_whitespace().collect()
}

fn pages(pdf: &[u8]) -> usize {
    let info = poppler("pdfinfo", &["-"], pdf);
    let line = info.lines().find_map(|line| line.strip_prefix("Pages:")).expect("pages");
    line.trim().parse().expect("number")
}

fn faults(source: &str) -> Vec<Fault> {
    match render(&own(source), "own", &json!({})) {
        Err(FormError::Template { faults }) => faults,
        other => panic!("a faulty template gave {other:?}"),
    }
}

#[test]
fn the_usual_permit_is_one_page() {
    for items in 1..=3 {
        let mut data = permit(items);
        data.fields.iter_mut().filter(|f| f.id == "blanket").for_each(|f| f.value.clear());
        data.movements.clear();
        for item in &mut data.items {
            item.key = item.key.replace("ZEIMU-USB-2026", "M-0405");
            item.name = "暗号化機能付きUSBメモリ".to_owned();
            item.fields.retain(|f| f.id != "serial");
        }
        data.records.iter_mut().for_each(|r| r.rows.clear());
        if let Some(permit) = &mut data.permit {
            permit.blanket = false;
            permit.conditions.clear();
        }
        let pdf = print(&data);
        assert_eq!(pages(&pdf), 1, "{items}");
        assert!(text(&pdf).contains("台帳による証明"), "with everything on it");
    }
}

#[test]
fn names_and_numbers_are_on_the_page_with_every_character() {
    let text = text(&print(&permit(1)));
    for wanted in [
        "情報資産等持出許可書（兼申請書）",
        "様式第5号",
        "令和8年度",
        "持出-R8-0042",
        "さくら野市",
        "髙橋葛\u{E0101}子",
        "たかはしかつこ",
        "渡邉﨑男",
        "代決",
        "令和8年7月2日から令和8年7月31日まで",
        "■包括許可",
        "□一回の持出し",
        "第5章第1節(1)③(イ)",
        "車内に置いたまま離れないこと。",
        "10482／10496",
        "決裁欄",
        "６返却の確認",
    ] {
        assert!(text.contains(wanted), "「{wanted}」 is missing in: {text}");
    }
    assert!(!text.contains("none"), "an empty value must print nothing");
}

#[test]
fn both_fonts_are_embedded_and_the_page_is_a4() {
    let pdf = print(&permit(1));
    assert!(pdf.starts_with(b"%PDF-"));
    let fonts = poppler("pdffonts", &["-"], &pdf);
    for family in ["IPAexMincho", "IPAexGothic"] {
        let line = fonts.lines().find(|line| line.contains(family)).unwrap_or_else(|| panic!("{fonts}"));
        // Columns: emb sub uni.
        assert!(line.contains("yes yes yes"), "{line}");
    }
    assert!(poppler("pdfinfo", &["-"], &pdf).contains("(A4)"));
}

#[test]
fn fifty_items_take_several_pages_each_with_the_heading_and_its_number() {
    let pdf = print(&permit(50));
    let count = pages(&pdf);
    assert!(count >= 3, "{count} pages");
    let text = text(&pdf);
    assert!(text.contains(&format!("1／{count}頁")) && text.contains(&format!("{count}／{count}頁")));
    assert!(text.contains("持ち出すもの（50件）"));
    // 番号 heads this table and the safeguards; 完全性 heads this table alone, once a page.
    assert!(text.matches("完全性").count() >= 3, "the heading repeats on each page");
}

#[test]
fn the_same_case_gives_the_same_bytes_and_another_case_another_id() {
    let once = print(&permit(2));
    assert_eq!(once, print(&permit(2)));
    let mut other = permit(2);
    other.number = "持出-R8-0043".into();
    assert_ne!(once, print(&other));
    let info = poppler("pdfinfo", &["-isodates", "-"], &once);
    assert!(info.contains("2026-07-01T"), "the date of the document, not of the clock: {info}");
}

#[test]
fn an_application_prints_with_everything_optional_left_out() {
    let data = json!({
        "document_date": "2026-06-30", "document_date_text": "令和8年6月30日", "body": "さくら野市",
        "title": "情報資産等の持出", "fiscal_year": "令和8年度",
        "applicant": { "unit": "税務課", "title": "主事", "name": "邉見 太郎" },
        "fields": [], "items": [],
        "steps": [{ "id": "permit", "title": "許可", "role": "情報セキュリティ管理者", "stamp": true }],
    });
    let read: FormData = serde_json::from_value(data.clone()).expect("the shape says what is optional");
    let text = text(&print(&read));
    assert!(text.contains("許可を申請します") && text.contains("邉見太郎"), "{text}");
    assert!(text.contains("情報セキュリティ管理者様"));
    assert!(text.contains("３持出し・返却の記録"), "sections that are not printed are not counted: {text}");
    // The template bears the short JSON as well as the full one with its nulls.
    render(&templates(), "take_out", &data).expect("renders");
}

#[test]
fn a_revocation_an_added_field_and_markup_are_printed_as_written() {
    let mut data = permit(1);
    data.notices.push("この許可は令和8年7月10日に取り消されました。".into());
    data.fields.push(Field { id: "escort".into(), label: "同行者".into(), value: "邉見 太郎".into() });
    data.items[0].name = "#panic(\"x\") *a* $b$".into();
    data.fields[1].value = "x".repeat(400);
    data.records[0].rows = vec![vec!["ZEIMU-USB-2026-0001".into()], vec![String::new(); 4]];
    let text = text(&print(&data));
    assert!(text.contains("#panic(\"x\")*a*$b$"), "what a person typed is never run: {text}");
    assert!(text.contains(&"x".repeat(400)), "a long word wraps and stays whole");
    assert!(text.contains("取り消されました"));
    assert!(text.contains("同行者") && text.contains("邉見太郎"));
}

/// Every template of the pack's folder, by stem, and those of them that are forms of their own.
fn pack_forms() -> (BTreeMap<String, String>, Vec<String>) {
    let folder = Path::new("../../packs/model-city/forms");
    let files = std::fs::read_dir(folder).expect("the folder of forms").map(|f| f.expect("a file").path());
    let stem = |p: &Path| p.file_stem().expect("a stem").to_string_lossy().into_owned();
    let all: BTreeMap<String, String> =
        files.map(|p| (stem(&p), std::fs::read_to_string(&p).expect("text"))).collect();
    // Labels and reports are made from other facts than a case's.
    let parts = |k: &&String| !["base", "case", "labels"].contains(&k.as_str()) && !k.starts_with("report");
    let forms = all.keys().filter(parts).cloned().collect();
    (all, forms)
}

#[test]
fn every_form_of_the_pack_prints_applications_and_permits() {
    let (templates, forms) = pack_forms();
    assert!(forms.len() >= 7, "{forms:?}");
    // Printing takes all of a processor: as many at a time as there are.
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for some in forms.chunks(forms.len().div_ceil(at_once)) {
            let templates = &templates;
            scope
                .spawn(move || some.iter().for_each(|form| prints_applications_and_permits(templates, form)));
        }
    });
}

fn prints_applications_and_permits(templates: &BTreeMap<String, String>, form: &str) {
    let print = |data: &FormData| {
        let json = serde_json::to_value(data).expect("json");
        render(templates, form, &json).unwrap_or_else(|e| panic!("{form}: {e}"))
    };
    let mut data = permit(2);
    data.steps.push(Step {
        id: "added".into(),
        title: "足した段".into(),
        acts: vec![Act { note: "足した段の意見".into(), ..data.steps[0].acts[0].clone() }],
        ..Step::default()
    });
    data.fields
        .push(Field { id: "added".into(), label: "足した項目".into(), value: "足した値".into() });
    let pdf = print(&data);
    assert!(poppler("pdfinfo", &["-"], &pdf).contains("(A4)"), "{form}");
    let text = text(&pdf);
    let wanted = [
        "様式第",
        "持出-R8-0042",
        "渡邉﨑男",
        "足した項目",
        "足した値",
        "ZEIMU-USB-2026-0002",
        "10482／10496",
    ];
    let lists = templates[form].contains("#items-list(");
    for wanted in wanted.into_iter().filter(|w| lists || *w != "ZEIMU-USB-2026-0002") {
        assert!(text.contains(wanted), "{form}: 「{wanted}」 is missing in: {text}");
    }
    // These have one step before the end and no place for what is said between application and decision.
    assert!(
        ["take_out", "reclassification"].contains(&form) || text.contains("足した段の意見"),
        "{form}: {text}"
    );

    data.permit = None;
    data.ledger = None;
    data.steps.iter_mut().for_each(|s| s.acts.clear());
    data.steps[0].role = "最高情報セキュリティ責任者（CISO）・統括情報セキュリティ責任者".into();
    let text = self::text(&print(&data));
    if templates[form].contains("#record-head") {
        // Nobody applied: it is addressed to nobody.
        assert!(text.contains("始まった日") && !text.contains("渡邉﨑男"), "{form}: {text}");
        return;
    }
    assert!(
        text.contains("受付番号") && text.contains("決裁欄") && !text.contains("渡邉﨑男"),
        "{form}: {text}"
    );
    assert!(
        text.matches("統括情報セキュリティ責").count() >= 2,
        "{form}: addressed, and a box for each: {text}"
    );
}

#[test]
fn labels_fill_sheets_of_twenty_four_and_begin_where_the_sheet_is_unused() {
    let (templates, _) = pack_forms();
    let qr = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\"><path d=\"M1 1h7v7h-7z\"/></svg>";
    let label = |n: usize| serde_json::json!({"code": format!("PC-{n:04}"), "name": "窓口の端末", "qr": qr});
    for (count, skip, sheets) in [(1, 0, 1), (24, 0, 1), (25, 0, 2), (19, 5, 1), (20, 5, 2)] {
        let labels: Vec<_> = (1..=count).map(label).collect();
        let data = serde_json::json!({"document_date": "2026-07-01", "body": "みなと野市", "register": "端末管理台帳", "skip": skip, "labels": labels});
        let pdf = render(&templates, "labels", &data).expect("labels");
        assert_eq!(pages(&pdf), sheets, "{count} behind {skip}");
        let text = text(&pdf);
        for says in ["PC-0001", &format!("PC-{count:04}"), "窓口の端末", "みなと野市"] {
            assert!(text.contains(says), "{says}: {text}");
        }
    }
}

#[test]
fn characters_without_a_shape_are_named_on_the_form() {
    assert!(unprintable("髙﨑邉德㐂\u{2000B}葛\u{E0100}葛\u{E0101}\n").is_empty());
    let found: Vec<String> =
        unprintable("a\u{2A6D6}辻\u{E01EF}\u{20BB7}\u{20BB7}\u{E0100}").into_iter().collect();
    assert_eq!(found, ["辻\u{E01EF}", "\u{20BB7}", "\u{2A6D6}"]);
    let mut data = permit(1);
    data.applicant.name = "\u{2A6D6}辻\u{E01EF} 花子".into();
    let page = text(&print(&data));
    assert!(page.contains("U+8FBB+U+E01EF、U+2A6D6"), "{page}");
    assert!(page.contains("辻"), "the plain shape stands in for the missing one");
    assert!(!text(&print(&permit(1))).contains("U+"));
}

#[test]
fn a_faulty_template_is_told_by_file_line_and_remedy() {
    let found = faults("#let a = 1\n\n本文 #nobody\n");
    let [fault] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((fault.file.as_str(), fault.line), ("own.typ", 3));
    assert!(fault.message.contains("unknown variable"));
    assert!(fault.remedy.contains("綴り"), "{}", fault.remedy);
    assert!(fault.to_string().starts_with("own.typ の 3 行目 5 文字目"), "{fault}");

    let unclosed = faults("一行目\n#table(columns: 2\n");
    assert_eq!((unclosed[0].file.as_str(), unclosed[0].line), ("own.typ", 2));
    assert!(unclosed[0].remedy.contains("かっこ"), "{}", unclosed[0].remedy);

    let key = faults("#let d = json(\"/data.json\")\n#d.applicant\n");
    assert_eq!(key[0].line, 2);
    assert!(key[0].remedy.contains("default"), "{key:?}");
}

#[test]
fn a_fault_in_a_shared_part_names_that_file() {
    let templates = BTreeMap::from([
        ("own".to_owned(), "#import \"part.typ\": *\n#stamp()".to_owned()),
        ("part".to_owned(), "\n#let stamp() = 1 + \"二\"".to_owned()),
    ]);
    let Err(FormError::Template { faults }) = render(&templates, "own", &json!({})) else {
        panic!("no fault")
    };
    assert_eq!((faults[0].file.as_str(), faults[0].line), ("part.typ", 2));
}

#[test]
fn a_template_reads_no_file_package_or_clock() {
    for source in [
        "#read(\"/etc/passwd\")",
        "#read(\"../../../etc/passwd\")",
        "#image(\"/proc/self/exe\")",
        "#include \"/etc/hostname\"",
        "#plugin(\"/lib.wasm\")",
        "#json(\"other.json\")",
    ] {
        let found = faults(source);
        assert!(found[0].remedy.contains("forms フォルダー"), "{source}: {found:?}");
    }
    let package = faults("#import \"@preview/cetz:0.3.0\"");
    assert!(package[0].remedy.contains("パッケージ"), "{package:?}");
    let clock = faults("#datetime.today().display()");
    assert!(clock[0].remedy.contains("今日"), "{clock:?}");
}

#[test]
fn a_missing_template_and_too_much_input_are_refused() {
    let missing = render(&own("x"), "take_in", &json!({})).expect_err("missing");
    assert_eq!(missing.code(), "form.no_template");
    assert!(missing.to_string().contains("take_in.typ") && missing.to_string().contains("own"));
    let big = render(&own(&"あ".repeat(3_000_000)), "own", &json!({})).expect_err("big");
    assert_eq!(big.code(), "form.too_large");
    let name = BTreeMap::from([("..\\x".to_owned(), String::new())]);
    assert_eq!(render(&name, "..\\x", &json!({})).expect_err("name").code(), "form.bad_name");
}
