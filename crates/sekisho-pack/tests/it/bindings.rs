//! `bindings.toml`: read back as written, and every defect named with its line.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use sekisho_pack::binding::{Binding, FILE, to_toml};
use sekisho_pack::model::Pack;
use sekisho_pack::{Message, Severity};

fn binding(own: &str, citation: &str, clauses: &[&str]) -> Binding {
    Binding {
        own: own.to_owned(),
        citation: citation.to_owned(),
        clauses: clauses.iter().map(|c| (*c).to_owned()).collect(),
        by: "情報政策課 山田\"花子\"".to_owned(),
        on: "2026-11-25".parse().expect("a date"),
        text: "第1条の「文」\n二行目".to_owned(),
    }
}

fn load(text: &str) -> Result<Pack, Vec<Message>> {
    let mut files = Pack::model_city_files();
    files.insert(FILE.to_owned(), text.to_owned());
    Pack::load_files(&files)
}

#[test]
fn what_is_written_is_read_back() {
    let all = vec![
        binding("3.1", "第3条", &["5.1.1.3.イ"]),
        binding("4.1.2", "第4条第1項第2号", &["5.1.1.1", "5.1.1.2"]),
        binding("9", "第9条\t「廃止\\」", &[]),
    ];
    let pack = load(&to_toml(&all)).unwrap_or_else(|m| panic!("{m:?}"));
    assert_eq!(pack.bindings, all);
    assert!(Pack::model_city().expect("loads").bindings.is_empty(), "a pack need not have any");
}

/// Exactly one message, in this line.
#[track_caller]
fn one(text: &str, line: usize, says: &str, remedy: &str) {
    let found = load(text).expect_err("the file is broken");
    let [m] = found.as_slice() else { panic!("one message expected: {found:#?}") };
    assert_eq!((m.file.as_str(), m.line, m.severity), (FILE, line, Severity::Error), "{m}");
    assert!(m.text.contains(says) && m.remedy.contains(remedy), "{m}");
}

const GOOD: &str = "[[binding]]\nown = \"3.1\"\ncitation = \"第3条\"\nclauses = [\"5.1.1.1\"]\nby = \"山田\"\non = \"2026-11-25\"\n";

#[test]
fn every_defect_has_its_line_and_a_remedy() {
    assert!(load(GOOD).is_ok());
    one(&GOOD.replace("5.1.1.1", "5.1.1.1a"), 4, "5.1.1.1a", "5.1.1.1");
    one(&GOOD.replace("clauses = [\"5.1.1.1\"]\n", ""), 1, "clauses がありません", "clauses = []");
    one(&GOOD.replace("2026-11-25", "きのう"), 6, "きのう", "2026-04-01");
    one(&GOOD.replace("by = \"山田\"\n", ""), 1, "by", "by = ");
    one(&GOOD.replace("by = ", "who = \"x\"\nby = "), 5, "who", "citation");
    one(&format!("{GOOD}\n{GOOD}"), 9, "二度", "どちらか一つ");
}
