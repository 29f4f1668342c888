//! The expression language: what it means, what it refuses and that it is bounded.

#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use sekisho_base::table::Value;
use sekisho_pack::expr::{Bindings, Env, Expr, MAX_BYTES, Type};

fn env() -> Env {
    let ranks = [("3A", 3), ("3B", 3), ("2", 2), ("1", 1)].map(|(c, r)| (c.to_owned(), r)).to_vec();
    Env::new()
        .with("class.confidentiality", Type::Class(ranks))
        .with("return_by", Type::Date)
        .with("from", Type::Date)
        .with("count", Type::Int)
        .with("blanket", Type::Bool)
        .with("purpose", Type::Text)
        .with("method", Type::Choice(vec!["bag".to_owned(), "car".to_owned()]))
        .with("zone", Type::List(Some(vec!["lgwan".to_owned(), "mynumber".to_owned()])))
}

fn text(s: &str) -> Value {
    Value::Text(s.to_owned())
}

fn list(items: &[&str]) -> Value {
    Value::List(items.iter().map(|s| (*s).to_owned()).collect())
}

fn on() -> Bindings {
    Bindings::on("2026-11-25".parse().unwrap_or_else(|e| panic!("{e}")))
}

#[track_caller]
fn is(source: &str, b: &Bindings, want: Option<bool>) {
    let e = Expr::parse(source, &env()).unwrap_or_else(|e| panic!("{source}: {e:?}"));
    assert_eq!(e.eval_bool(b), want, "{source}");
}

#[test]
fn the_designs_example_of_a_limit() {
    let limit = "return_by <= fiscal_year_end(today)";
    is(limit, &on().with("return_by", text("2027-03-31")), Some(true));
    is(limit, &on().with("return_by", text("2027-04-01")), Some(false));
    is(limit, &on(), None);
}

#[test]
fn classes_compare_by_rank_and_by_code() {
    let b = on().with("class.confidentiality", text("3A"));
    is("class.confidentiality >= 3", &b, Some(true));
    is("2 < class.confidentiality", &b, Some(true));
    is("class.confidentiality == \"3B\"", &b, Some(false));
    is("class.confidentiality >= \"3B\"", &b, Some(true));
    let mixed = on().with("class.confidentiality", list(&["3A", "3B"]));
    is("class.confidentiality == \"3A\" && class.confidentiality == \"3B\"", &mixed, Some(true));
    is("class.confidentiality in [\"3B\", \"2\"]", &mixed, Some(true));
    is("class.confidentiality == 3", &mixed, Some(true));
    let unknown_code = on().with("class.confidentiality", text("9"));
    is("class.confidentiality >= 2", &unknown_code, None);
    is("has(class.confidentiality)", &unknown_code, Some(true));
    is("has(class.confidentiality)", &on(), Some(false));
}

#[test]
fn null_is_neither_true_nor_false() {
    let b = on().with("blanket", Value::Bool(true));
    is("count > 3", &b, None);
    is("count > 3 || blanket", &b, Some(true));
    is("count > 3 && blanket", &b, None);
    is("count > 3 && !blanket", &b, Some(false));
    is("!(count > 3)", &b, None);
    is("count > 3 ? true : true", &b, None);
    is("count == null", &b, Some(true));
    is("purpose == null", &b.clone().with("purpose", text("")), Some(true));
    is("purpose != null", &b.clone().with("purpose", text("訪問")), Some(true));
    is("count > 3", &b.clone().with("count", text("5")), None);
    is("return_by > from", &b.with("return_by", text("soon")).with("from", text("2026-01-01")), None);
}

#[test]
fn a_list_that_is_not_bound_is_unknown_and_an_empty_one_is_not() {
    is("\"mynumber\" in zone", &on(), None);
    is("\"mynumber\" in zone", &on().with("zone", list(&[])), Some(false));
    is("\"mynumber\" in zone", &on().with("zone", text("mynumber")), Some(true));
    is("size(zone) == 2", &on().with("zone", list(&["lgwan", "mynumber"])), Some(true));
    is("size(zone) == 0", &on(), None);
}

#[test]
fn dates_shift_by_days_and_months() {
    let b = on().with("from", text("2027-01-31"));
    is("from + months(1) == date(\"2027-02-28\")", &b, Some(true));
    is("from - days(31) == date(\"2026-12-31\")", &b, Some(true));
    is("today - months(12) == date(\"2025-11-25\")", &b, Some(true));
    is("fiscal_year_end(from + months(3)) == date(\"2028-03-31\")", &b, Some(true));
}

#[test]
fn texts_and_numbers() {
    let b =
        on().with("purpose", text("髙橋様 訪問")).with("count", Value::Int(4)).with("method", text("car"));
    is("purpose.startsWith(\"髙橋\") && purpose.contains(\"訪問\") && size(purpose) == 6", &b, Some(true));
    is("count + 1 == 5 && count - 5 == -1", &b, Some(true));
    is("count in [1, 4] && method in [\"car\"]", &b, Some(true));
}

#[test]
fn what_is_refused_says_why_and_where() {
    for (source, problem) in [
        ("count", "整数です"),
        ("nobody == 1", "「nobody」という名前はありません"),
        ("count == \"4\"", "整数と文字"),
        ("purpose < \"a\"", "大小は比べられません"),
        ("purpose == \"\"", "空の文字"),
        ("method == \"cart\"", "「cart」という選択肢"),
        ("method in [\"bag\", \"cart\"]", "「cart」という選択肢"),
        ("\"internet\" in zone", "「internet」という選択肢"),
        ("class.confidentiality == \"4\"", "「4」という選択肢"),
        ("class.confidentiality + 1 == 2", "足し引きできません"),
        ("zone == null", "一覧は null になりません"),
        ("return_by == \"2026-01-01\"", "日付と文字"),
        ("return_by + 1 == today", "足し引きできません"),
        ("date(\"2026-02-30\") == today", "日付ではありません"),
        ("today + days(-1) == today", "期間の長さ"),
        ("today + days(99999) == today", "期間の長さ"),
        ("count in []", "空です"),
        ("zone.exists(z, z == \"lgwan\")", "使えません"),
        ("count * 2 == 4", "「*」は使えません"),
        ("count == 1.5", "小数"),
        ("count == 99999999999999999", "大きすぎ"),
        ("now() == today", "「now」は使えません"),
        ("blanket &&", "途中で終わっています"),
        ("", "途中で終わっています"),
        ("{\"a\": 1} == null", "使えません"),
    ] {
        let e = Expr::parse(source, &env()).err().unwrap_or_else(|| panic!("{source} is accepted"));
        assert!(e.problem.contains(problem), "{source}: {e:?}");
        assert!(!e.remedy.is_empty() && e.column >= 1, "{source}: {e:?}");
    }
    let e = Expr::parse("blanket && nobody == 1", &env()).unwrap_err();
    assert!((12..=19).contains(&e.column), "{e:?}");
}

#[test]
fn size_and_depth_are_bounded() {
    let long = format!("blanket{}", " && blanket".repeat(MAX_BYTES / 10));
    assert!(Expr::parse(&long, &env()).is_err());
    for deep in
        [format!("{}blanket{}", "(".repeat(200), ")".repeat(200)), "[".repeat(900), "blanket?".repeat(100)]
    {
        assert!(Expr::parse(&deep, &env()).is_err(), "{deep}");
    }
    // Brackets in texts do not hide the depth of others.
    assert!(Expr::parse(&format!("{}blanket{}", "(\")\" == ".repeat(90), ")".repeat(90)), &env()).is_err());
    let fine = format!("{}blanket{}", "(".repeat(10), ")".repeat(10));
    assert!(Expr::parse(&fine, &env()).is_ok());
    // A row of negations is read without recursion.
    is(&format!("{}blanket", "!".repeat(401)), &on().with("blanket", Value::Bool(true)), Some(false));
}

#[test]
fn names_and_source_are_kept() {
    let e = Expr::parse("class.confidentiality >= 2 && (count > 1 || count < -1)", &env()).unwrap();
    assert_eq!(e.names(), ["class.confidentiality", "count"]);
    let back: Expr = serde_json::from_str(&serde_json::to_string(&e).unwrap()).unwrap();
    assert_eq!(back, e);
    assert_eq!(back.source(), "class.confidentiality >= 2 && (count > 1 || count < -1)");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(source in "\\PC{0,40}|[a-z0-9()\\[\\]{}\"'!?:.,&|<>=+ -]{0,60}|(blanket|count|null|\\?|:|&&|\\(|\\)|in|\\[|\\]|!| ){0,20}") {
        let _ = Expr::parse(&source, &env());
    }
}
