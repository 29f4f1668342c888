//! Property tests: nothing panics, and no text is lost or counted twice.

use proptest::prelude::*;

use crate::clean::clean;
use crate::source::{self, Line};
use crate::token::is_space;
use crate::tree::build;

/// Beginnings, middles and ends of lines as standards have them, in any order.
fn line() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "第1条　",
        "第2条",
        "第２条の２ ",
        "第十条　",
        "第1章 ",
        "第1節　",
        "（目的）",
        "(1)",
        "（２）",
        "① ",
        "②",
        "ア　",
        "(イ)",
        "ロ　",
        "一　",
        "1 ",
        "２　",
        "1.1 ",
        "1-2 ",
        "・",
        "- ",
        "# ",
        "## ",
        "附　則",
        "別表第1（第1条関係）",
        "目次",
        "序章 はじめに",
        "\u{c}",
        "  ",
        "|",
        "第3条から第5条まで　削除",
        "",
    ]);
    let body = prop::sample::select(vec![
        "職員は、報告しなければならない。",
        "目的",
        "情報を",
        "前項の規定による第2条第1項第3号の許可",
        "区分\t例",
        "C I S Oは",
        "……… 3",
        "（平31訓令2・一部改正）",
        "（第1条―第3条）",
        "- 3 -",
        "12",
        "。",
        "「（",
        "",
    ]);
    (token, body, any::<bool>()).prop_map(|(t, b, gap)| format!("{t}{b}{}", if gap { "\n" } else { "" }))
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 0..60).prop_map(|lines| lines.join("\n"))
}

fn squash(s: &str) -> String {
    s.chars().filter(|c| !is_space(*c)).collect()
}

/// Every line that was kept is found, whole and in order, in exactly one place of the tree.
fn assert_nothing_lost(lines: &[Line]) {
    let tree = build(lines).unwrap();
    let mut found: Vec<Vec<(usize, String)>> = vec![Vec::new(); lines.len()];
    let mut order = 0;
    for branch in &tree.branches {
        for raw in std::iter::once(&branch.front).chain(&branch.clauses) {
            for piece in &raw.pieces {
                order += 1;
                found[piece.line].push((order, piece.text.clone()));
            }
        }
        for (line, ..) in &branch.divisions {
            order += 1;
            found[*line].push((order, lines[*line].text.clone()));
        }
    }
    for (line, pieces) in lines.iter().zip(found) {
        let got: String = pieces.iter().map(|(_, t)| squash(t)).collect();
        assert_eq!(got, squash(&line.text), "line {}", line.no);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = crate::parse(&bytes, None);
        let _ = crate::parse(&bytes, Some("x.html"));
    }

    #[test]
    fn arbitrary_strings_never_panic(s in "\\PC{0,400}", name in prop::sample::select(vec!["x.txt", "x.md", "x.html"])) {
        let _ = crate::parse(s.as_bytes(), Some(name));
    }

    #[test]
    fn texts_never_panic_and_ids_are_unique(s in text()) {
        if let Ok(parsed) = crate::parse(s.as_bytes(), None) {
            let mut ids: Vec<&str> = parsed.nodes.iter().map(|n| n.id.as_str()).collect();
            let count = ids.len();
            ids.sort_unstable();
            ids.dedup();
            prop_assert_eq!(ids.len(), count);
            for node in &parsed.nodes {
                prop_assert!(node.lines[0] >= 1 && node.lines[0] <= node.lines[1], "{:?}", node);
            }
        }
    }

    #[test]
    fn every_line_lands_in_exactly_one_place(s in text()) {
        let source = source::read(s.as_bytes(), Some("x.txt")).unwrap();
        let all: Vec<(usize, String)> = source.lines.iter().map(|l| (l.no, l.text.clone())).collect();
        let (kept, dropped) = clean(source.lines);
        // Kept and dropped lines together are all lines.
        let mut seen: Vec<(usize, String)> = kept.iter().map(|l| (l.no, squash(&l.text))).chain(dropped.iter().map(|d| (d.line, squash(&d.text)))).collect();
        seen.sort();
        let all: Vec<(usize, String)> = all.into_iter().map(|(n, t)| (n, squash(&t))).collect();
        prop_assert_eq!(seen, all);
        assert_nothing_lost(&kept);
    }
}

#[test]
fn nothing_of_the_sample_texts_is_lost_in_the_nodes() {
    // Beyond the tree: labels, headings and texts of the finished nodes hold every character of the kept lines.
    let folder = std::path::Path::new("tests/data");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "ids") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let name = path.to_str();
        let (kept, _) = clean(source::read(&bytes, name).unwrap().lines);
        let parsed = crate::parse(&bytes, name).unwrap();
        let all =
            parsed.nodes.iter().chain(&parsed.supplementary).chain(&parsed.annexes).chain(&parsed.preamble);
        let mut words: String =
            all.map(|n| format!("{}{}{}{}", n.label, n.heading, n.text, n.history.concat())).collect();
        words.extend(parsed.divisions.iter().map(|d| d.heading.as_str()));
        for line in &kept {
            let tail = crate::token::recognize(&line.text, line.heading, 0)
                .map_or(line.text.as_str(), |t| &line.text[t.len..]);
            for part in tail.split(['\t', '（', '）', '(', ')', '\u{3000}']).filter(|p| p.chars().count() > 1)
            {
                assert!(
                    squash(&words).contains(&squash(part)),
                    "{} line {}: {part}",
                    path.display(),
                    line.no
                );
            }
        }
    }
}
