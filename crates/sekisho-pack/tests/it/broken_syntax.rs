//! Files that are no TOML, conditions and SQL that are none: each is answered in Japanese, with file, line, key and remedy.

use sekisho_pack::model::Pack;

use crate::broken::{TAKE_OUT, broken};

/// What was said about a broken file: line, key, text and remedy.
#[track_caller]
fn told(file: &str, old: &str, new: &str) -> (usize, String, String, String) {
    let (files, line) = broken(file, old, new);
    let found = Pack::load_files(&files).unwrap_err();
    let m = found.iter().find(|m| m.file == file).unwrap_or_else(|| panic!("{new:?}: {found:#?}"));
    (m.line.abs_diff(line), m.key.clone(), m.text.clone(), m.remedy.clone())
}

/// Words of English: three letters or more that are no name of the pack's own language.
fn english(text: &str) -> Vec<&str> {
    const OURS: [&str; 12] = [
        "true",
        "false",
        "permit",
        "step",
        "class",
        "confidentiality",
        "destination",
        "home",
        "SELECT",
        "TOML",
        "CRLF",
        "SQL",
    ];
    let words = text.split(|c: char| !c.is_ascii_alphabetic());
    words.filter(|w| w.len() >= 3 && !OURS.contains(w)).collect()
}

#[test]
fn toml_that_cannot_be_read() {
    let title = "title = \"情報資産等の持出\"";
    let mut other = Vec::new();
    for (new, line, key, text, remedy) in [
        ("title = \"情報資産等の持出", 0, "title", "引用符が閉じていない", "\"…\" と閉じて"),
        ("title = 情報資産等の持出", 0, "title", "引用符で囲まれていません", "半角の引用符"),
        ("title = “情報資産等の持出”", 0, "title", "引用符で囲まれていません", "半角の引用符"),
        ("title \"情報資産等の持出\"", 0, "", "= と値がありません", "項目 = 値"),
        ("title =", 0, "title", "値がありません", "= の後に値"),
        ("title = \"甲\" \"乙\"", 0, "title", "一行に二つのこと", "一行に一つずつ"),
        ("title = \"甲\" number = 1", 0, "title", "一行に二つのこと", "一行に一つずつ"),
        ("題名 = \"甲\"", 0, "", "使えない文字", "英数字"),
        ("title = \"甲\"\ntitle = \"乙\"", 1, "title", "同じ項目が二度", "どちらか一つ"),
        ("title = \"甲\"\nx = [\"a\" \"b\"]", 1, "x", ", が抜けて", ", を入れて"),
        ("title = \"甲\"\nx = [\"a\",, \"b\"]", 1, "x", "余分な ,", ", を一つ消して"),
        ("title = \"甲\"\nx = { a = 1", 2, "wish", ", が抜けて", "かっこの閉じ忘れ"),
        ("title = \"甲\"\nx = 01", 1, "x", "0で始まって", "0を消して"),
        ("title = \"甲\"\nx = 12人", 1, "x", "引用符で囲まれていません", "引用符"),
        ("title = \"甲\"\nx = 2026-13-01", 1, "x", "日付や時刻", "引用符で囲んで"),
        ("title = \"甲\"\nx = tru", 1, "x", "true か false", "小文字"),
        ("title = \"甲\\q乙\"", 0, "title", "\\ の後の文字", "\\\\"),
        ("title = \"甲\"\n[step", 1, "", "[ が閉じて", "]"),
        ("title = \"甲\"\n[[step]", 1, "", "[[ が閉じて", "]]"),
        ("title.x = 1\ntitle = \"甲\"\n", 1, "title", "同じ項目が二度", "どちらか一つ"),
        ("title = \"甲\"\ntitle.x = 1\n", 1, "title.x", "点で区切った項目", "別の名前"),
    ] {
        let (at, named, said, do_this) = told(TAKE_OUT, title, new);
        let whole = format!("{said}。{do_this}");
        let here = (at, named.as_str()) == (line, key) && english(&whole).is_empty();
        if !here || !said.contains(text) || !do_this.contains(remedy) {
            other.push(format!("{new:?}: {at} {named} {whole}"));
        }
    }
    assert_eq!(other, [] as [String; 0]);
}

#[test]
fn conditions_that_cannot_be_read() {
    for (new, text, remedy) in [
        ("from >= (today", "( が閉じて", ") を書いて"),
        ("from >= today)", "「)」がここに", "かっこ"),
        ("from >=", "途中で終わって", "続き"),
        ("from >= today &&", "途中で終わって", "続き"),
        ("from >= 'today", "引用符が閉じて", "引用符"),
        ("from ≧ today", "使えない文字", "半角"),
        ("from >= today かつ until >= today", "使えない文字", "&&"),
        ("from >= today until", "「until」がここに", "&&"),
        ("from = today", "使えない文字", "=="),
        ("from >= today & until >= today", "使えない文字", "&&"),
        ("from in [today", "[ が閉じて", "] を書いて"),
        ("for >= today", "決まった意味", "別の名前"),
    ] {
        let (at, key, said, do_this) =
            told(TAKE_OUT, "limit = \"from >= today\"", &format!("limit = \"{new}\""));
        assert!(said.contains(text) && do_this.contains(remedy), "{new:?}: {said}。{do_this}");
        assert!(said.starts_with("条件の") && at == 0 && key.ends_with(".limit"), "{new:?}: {key} {said}");
        let whole = format!("{said}。{do_this}");
        let left: Vec<&str> = english(&whole).into_iter().filter(|w| !new.contains(*w)).collect();
        assert_eq!(left, [] as [&str; 0], "{new:?}: {said}");
    }
}

#[test]
fn sql_that_cannot_be_read() {
    let files = Pack::model_city_files();
    let text = &files["checks/queries.toml"];
    let select = text.lines().find(|l| l.starts_with("SELECT ")).unwrap();
    for (new, said, remedy) in [
        ("SELEC 'x'", "「SELEC」が、ここでは読めません", "つづり"),
        ("SELECT 'x FROM v_case", "引用符が閉じて", "閉じて"),
        ("SELECT (1 FROM", "ここでは読めません", "かっこ"),
    ] {
        let (_, key, text, do_this) = told("checks/queries.toml", select, new);
        assert!(text.contains(said) && do_this.contains(remedy), "{new:?}: {text}。{do_this}");
        assert!(key.starts_with("check["), "{key}");
    }
}
