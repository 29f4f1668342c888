//! Fictional texts in many styles: each must give exactly the clauses that stand in its `.ids` file.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use std::path::Path;

use sekisho_policy::{Form, Modality, Node, PolicyText, WarningCode, parse};

fn data() -> &'static Path {
    Path::new("tests/data")
}

fn read(name: &str) -> PolicyText {
    let bytes = std::fs::read(data().join(name)).unwrap();
    parse(&bytes, Some(name)).unwrap()
}

fn node<'a>(text: &'a PolicyText, id: &str) -> &'a Node {
    text.nodes.iter().find(|n| n.id == id).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn every_text_gives_its_clauses() {
    let mut seen = 0;
    for entry in std::fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "ids") {
            continue;
        }
        let want = std::fs::read_to_string(path.with_extension("ids")).unwrap();
        let text = read(path.file_name().unwrap().to_str().unwrap());
        let got: String = text.nodes.iter().map(|n| format!("{}\t{}\n", n.id, n.citation)).collect();
        assert_eq!(got, want, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 13, "{seen} texts");
}

#[test]
fn headings_text_lines_and_history_of_articles() {
    let text = read("articles.txt");
    assert_eq!(text.form, Form::Articles);
    assert_eq!(text.title.as_deref(), Some("青葉台市情報セキュリティ規程"));
    assert_eq!(node(&text, "2").heading, "用語の意義");
    assert_eq!(node(&text, "2").label, "第2条");
    assert_eq!(node(&text, "2.1.1").heading, "端末");
    assert_eq!(node(&text, "2.1.1").text, "職員が業務に用いる電子計算機をいう。");
    assert_eq!(node(&text, "5").lines, [41, 42]);
    assert_eq!(node(&text, "5.1").history, ["令5訓令4・一部改正"]);
    let divisions: Vec<(&str, &str, Option<&str>)> = text
        .divisions
        .iter()
        .map(|d| (d.citation.as_str(), d.heading.as_str(), d.first.as_deref()))
        .collect();
    assert_eq!(
        divisions,
        [
            ("第1章", "総則", Some("1")),
            ("第2章", "管理体制", Some("4")),
            ("第2章第1節", "責任者", Some("4")),
            ("第2章第2節", "記録", Some("5")),
            ("第3章", "持出しの手続", Some("6")),
        ]
    );
    assert_eq!(text.annexes[0].text, "台帳の種類\t保管する課\n端末台帳\t情報政策課\n媒体台帳\t総務課");
    assert!(text.preamble.unwrap().text.contains("改正　令和5年3月31日訓令第4号"));
}

#[test]
fn sentences_of_articles() {
    let text = read("articles.txt");
    let s = &node(&text, "6.1").sentences[0];
    assert_eq!((s.actors.as_slice(), s.modality), (&["staff".to_owned()][..], Modality::Must));
    assert_eq!(s.deadline.as_deref(), Some("あらかじめ"));
    assert_eq!(s.condition.as_deref(), Some("機密性2以上の情報を庁外へ持ち出すときは"));
    assert_eq!(s.threshold.as_deref(), Some("機密性2以上"));
    let refs = |id: &str| {
        node(&text, id).sentences[0]
            .refs
            .iter()
            .map(|r| (r.citation.as_str(), r.target.as_deref()))
            .collect::<Vec<_>>()
    };
    assert_eq!(refs("4.2.2"), [("第6条第1項", Some("6.1"))]);
    assert_eq!(refs("3.2"), [("前項", Some("3.1"))]);
    assert_eq!(refs("5.1"), [("別表", Some("T.1"))]);
    assert_eq!(refs("6.2"), [("前項", Some("6.1")), ("第9条", None)]);
    assert_eq!(node(&text, "5-2.1").sentences[0].modality, Modality::MustNot);
    let dangling: Vec<usize> =
        text.warnings.iter().filter(|w| w.code == WarningCode::DanglingReference).map(|w| w.line).collect();
    assert_eq!(dangling, [53]);
}

#[test]
fn members_of_a_prohibiting_list_are_prohibitions() {
    let text = read("reiki.html");
    assert_eq!(node(&text, "2.1.1").sentences[0].modality, Modality::MustNot);
    assert_eq!(node(&text, "2.1.1").sentences[0].actors, ["staff"]);
    assert_eq!(node(&text, "1.1").text, "この規程は、瑕疵のない機器の取扱いについて定める。");
    assert_eq!(node(&text, "2.1.2").text, "機器を\"私用\"に使うこと。");
}

#[test]
fn words_and_sentences_broken_by_lines_and_pages_are_whole() {
    let pages = read("pages.txt");
    assert_eq!(node(&pages, "1.1.1.1").text, "ＣＩＳＯは、市の情報セキュリティを統括する。");
    assert_eq!(node(&pages, "1.1.1.1").sentences[0].actors, ["ciso"]);
    assert_eq!(
        node(&pages, "1.1.1.2").text,
        "ＣＩＳＯは、必要があると認めるときは、③の職員を置くことができる。"
    );
    assert_eq!(node(&pages, "1.1.1.2").sentences[0].refs[0].target.as_deref(), Some("1.1.1.3"));
    let decimal = read("decimal.txt");
    assert_eq!(node(&decimal, "1.2.2").text, "市の全てのネットワーク");
    assert_eq!(
        node(&decimal, "1.1").text,
        "この基準は、市の情報資産を守るため、職員等が守るべき事項を定める。"
    );
    assert_eq!(node(&decimal, "2.2").sentences[0].refs[0].target.as_deref(), Some("2.1.1"));
}

#[test]
fn odd_numbers_are_reported_with_their_line() {
    let codes = |name: &str| read(name).warnings.iter().map(|w| (w.line, w.code)).collect::<Vec<_>>();
    assert_eq!(codes("pages.txt"), [(27, WarningCode::SkippedNumber), (33, WarningCode::DuplicateNumber)]);
    assert_eq!(codes("mixed.txt"), [(33, WarningCode::BackwardNumber)]);
    assert_eq!(codes("kanji.txt"), [(7, WarningCode::SkippedNumber)]);
    assert_eq!(codes("hyphen.txt"), []);
}

#[test]
fn tables_belong_to_the_clause_above_them() {
    let text = read("markdown.md");
    assert_eq!(
        node(&text, "2.2").text,
        "区分\t対策\n端末\t暗号化\n通信\t認証\n職員等は、上の表の対策を外してはならない。"
    );
    assert_eq!(node(&text, "2.2").sentences.len(), 1);
    let mixed = read("mixed.txt");
    assert_eq!(
        (node(&mixed, "2").heading.as_str(), node(&mixed, "2").text.lines().count()),
        ("情報資産の分類", 3)
    );
}

#[test]
fn the_same_page_in_every_encoding() {
    let page = std::fs::read_to_string(data().join("reiki.html")).unwrap();
    let want = read("reiki.html");
    for (encoding, label) in [
        (encoding_rs::SHIFT_JIS, "Shift_JIS"),
        (encoding_rs::EUC_JP, "EUC-JP"),
        (encoding_rs::ISO_2022_JP, "ISO-2022-JP"),
    ] {
        let (bytes, _, lossy) = encoding.encode(&page);
        assert!(!lossy);
        let bytes = bytes.into_owned();
        let declared = String::from_utf8_lossy(&bytes).contains("Shift_JIS");
        assert!(declared, "the page declares Shift_JIS");
        // EUC-JP pages that declare another charset do not exist; the label is made to fit.
        let fitted: Vec<u8> = replace(&bytes, b"Shift_JIS", label.as_bytes());
        assert_eq!(parse(&fitted, Some("x.html")).unwrap(), want, "{label}");
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn json_follows_the_contract() {
    let json = serde_json::to_value(read("articles.txt")).unwrap();
    let node = json["nodes"].as_array().unwrap().iter().find(|n| n["id"] == "4.2.2").unwrap();
    assert_eq!(node["citation"], "第4条第2項第2号");
    assert_eq!(node["lines"], serde_json::json!([36, 36]));
    let sentence = &node["sentences"][0];
    assert_eq!(sentence["refs"], serde_json::json!(["第6条第1項"]));
    assert_eq!(sentence["refs_resolved"][0]["target"], "6.1");
    assert_eq!(sentence["modality"], "must");
    assert!(sentence["deadline"].is_null());
    let warning = &json["warnings"][0];
    assert!(warning["line"].is_number() && warning["message"].is_string());
}

#[test]
fn markdown_and_text_show_every_clause() {
    for name in ["articles.txt", "mixed.txt", "markdown.md"] {
        let text = read(name);
        let (md, plain) = (sekisho_policy::to_markdown(&text), sekisho_policy::to_text(&text));
        for node in &text.nodes {
            assert!(
                md.contains(&node.citation) && plain.contains(&format!("[{}]", node.id)),
                "{name} {}",
                node.id
            );
            for line in node.text.lines().filter(|l| !l.contains('\t')) {
                assert!(md.contains(line) && plain.contains(line), "{name} {}", node.id);
            }
        }
    }
}

/// Titles marked by ○, contents without page numbers before a foreword, headings with brackets or without, narrow gaps.
#[test]
fn headings_as_collections_of_rules_on_the_web_have_them() {
    let text = read("front.txt");
    assert_eq!(text.title.as_deref(), Some("海辺市情報セキュリティ規準"));
    assert!(text.preamble.as_ref().unwrap().text.contains("一つにまとめたものである。"));
    assert_eq!(
        node(&text, "2.1.1").heading,
        "最高責任者(CISO:Chief Information Security Officer、以下「CISO」という。)"
    );
    assert_eq!(node(&text, "1.2.1").heading, "端末");
    assert_eq!(node(&text, "1.2.2").text, "端末に差して使う記録媒体をいう。");
    let broken = node(&text, "2.2.1");
    assert_eq!((broken.heading.as_str(), broken.sentences[0].modality), ("", Modality::MustNot));
    assert!(broken.text.contains("という。)は、許可なく"), "{}", broken.text);
    let numbers: Vec<_> = text.warnings.iter().map(|w| (w.line, w.code)).collect();
    assert_eq!(numbers, [(41, WarningCode::SkippedNumber)]);

    let text = read("bare.txt");
    assert_eq!((node(&text, "1").heading.as_str(), node(&text, "1.1").heading.as_str()), ("対象", ""));
    assert!(node(&text, "1.1").text.starts_with("この規準の対象は、"));
    assert_eq!(node(&text, "2").heading, "体制");
    // A sentence that is broken by the width of the page has no heading.
    assert_eq!(node(&text, "3").heading, "");
    assert!(node(&text, "3.1").text.contains("資料を作らなければならない。"));
    assert_eq!(node(&text, "4.1").text, "削除");

    let text = read("opening.txt");
    assert_eq!(
        (node(&text, "P").label.as_str(), node(&text, "P").heading.as_str()),
        ("序", "文書の組み立て")
    );
    assert!(node(&text, "P").text.starts_with("この文書は"));
    assert_eq!(node(&text, "2.1.1.0.イ").sentences[0].modality, Modality::Must);
}
