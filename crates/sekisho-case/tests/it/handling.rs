//! The handling decision.

use std::collections::BTreeMap;

use sekisho_base::table::Value;
use sekisho_case::Code;
use sekisho_case::facts::mixed_class;
use sekisho_case::handling::{Handling, HandlingFacts, Outcome, decide_handling, unknown_facts};
use sekisho_pack::expr::{Expr, Type};
use sekisho_pack::model::Choice;

use crate::world::*;

fn class(code: &str) -> BTreeMap<String, String> {
    [("confidentiality".to_owned(), code.to_owned())].into()
}

fn ask(contents: &[(&str, Option<&str>)]) -> Handling {
    let zone = |z: &Option<&str>| z.map(|z| ("zone".to_owned(), Value::Text(z.into()))).into_iter().collect();
    let facts = HandlingFacts {
        classes: contents.iter().map(|(c, _)| class(c)).collect(),
        facts: contents.iter().map(|(_, z)| zone(z)).collect(),
    };
    decide_handling(&World::new().pack, "carry_out", &facts, d(DAY)).unwrap()
}

#[test]
fn the_strictest_wins_and_every_part_names_its_clause() {
    let h = ask(&[("2", Some("lgwan"))]);
    assert_eq!(h.outcome, Outcome::NeedsPermit);
    assert_eq!((h.safeguards[0].rule.as_str(), h.safeguards[0].clause.as_str()), ("encrypt", "2.0.1"));
    assert_eq!(h.permits[0].procedure, "take_out");
    assert_eq!(ask(&[("1", Some("lgwan"))]).safeguards.len(), 0);
    let never = ask(&[("3", Some("mynumber"))]);
    assert_eq!((never.outcome, never.prohibitions[0].clause.as_str()), (Outcome::Prohibited, "2.0.1"));
    assert_eq!(never.safeguards.len(), 1, "safeguards are said even so");
}

#[test]
fn what_cannot_be_evaluated_holds() {
    assert_eq!(ask(&[("3", None)]).outcome, Outcome::Prohibited, "without a zone it could be that one");
    assert_eq!(ask(&[("1", None)]).outcome, Outcome::NeedsPermit, "but not below the class");
    let unclassified =
        decide_handling(&World::new().pack, "carry_out", &HandlingFacts::default(), d(DAY)).unwrap();
    assert_eq!(unclassified.outcome, Outcome::Prohibited);
}

#[test]
fn mixtures_take_the_highest_class_and_keep_its_codes_side_by_side() {
    let c = World::new().pack.classification;
    let mixed = |codes: &[&str]| {
        mixed_class(&c, &codes.iter().map(|c| class(c)).collect::<Vec<_>>())["confidentiality"].clone()
    };
    assert_eq!(mixed(&["1", "2", "1"]), ["2"]);
    assert_eq!(mixed(&["3B", "2", "3A", "3B"]), ["3A", "3B"]);
    assert_eq!(mixed(&["3", "unknown"]), ["unknown"], "an unknown code never lowers a class");
    let h = ask(&[("1", Some("mynumber")), ("3A", Some("lgwan"))]);
    assert_eq!(h.class["confidentiality"], ["3A"]);
    assert_eq!(h.outcome, Outcome::Prohibited, "one content in the zone, mixed with another of the class");
}

#[test]
fn an_unknown_list_could_hold_anything_and_an_empty_one_holds_nothing() {
    let mut w = World::new();
    let env = handling_env().with("marks", Type::List(Some(vec!["my_number".into()])));
    let rule = &mut w.pack.classification.handling[2];
    rule.when = Some(Expr::parse("\"my_number\" in marks && class.confidentiality >= 2", &env).unwrap());
    let choices = vec![Choice { code: "my_number".into(), label: "特定個人情報".into() }];
    w.pack.registers.get_mut("asset").unwrap().columns.push(column("marks", choices));
    let ask = |code: &str, marks: Option<Value>| {
        let facts = marks.map(|m| ("marks".to_owned(), m)).into_iter().collect();
        let facts = HandlingFacts { classes: vec![class(code)], facts: vec![facts] };
        decide_handling(&w.pack, "carry_out", &facts, d(DAY)).unwrap().outcome
    };
    assert_eq!(ask("2", None), Outcome::Prohibited);
    assert_eq!(ask("2", Some(Value::Text(String::new()))), Outcome::Prohibited);
    assert_eq!(ask("2", Some(Value::List(vec![]))), Outcome::NeedsPermit);
    assert_eq!(ask("2", Some(Value::List(vec!["my_number".into()]))), Outcome::Prohibited);
    assert_eq!(ask("1", None), Outcome::NeedsPermit, "whatever the marks, the class is too low");
}

#[test]
fn an_act_no_rule_knows_has_no_answer() {
    let c = World::new().pack;
    assert_eq!(decide_handling(&c, "carry_ouf", &HandlingFacts::default(), d(DAY)), None);
}

#[test]
fn the_order_of_contents_does_not_matter_to_the_outcome() {
    let a = ask(&[("1", Some("lgwan")), ("3", Some("mynumber"))]);
    let b = ask(&[("3", Some("mynumber")), ("1", Some("lgwan"))]);
    assert_eq!(a, b);
}

#[test]
fn what_is_prohibited_cannot_be_applied_for() {
    let w = World::new();
    let mut bad = item("asset", "1");
    bad.snapshot.class = class("3");
    bad.snapshot.facts.insert("zone".into(), serde_json::json!("mynumber"));
    let r = w.try_apply("clerk", "zeimu.staff", draft_of(&[bad])).unwrap_err();
    assert_eq!(r.code, Code::Prohibited);
    assert!(r.message.contains("neverのきまり") && r.message.contains("2.0.1"), "{}", r.message);
}

#[test]
fn the_result_is_part_of_the_content() {
    let w = World::new();
    let state = w.clerk_applies().state();
    let h = state.content.handling.unwrap();
    assert_eq!((h.outcome, h.act.as_str()), (Outcome::NeedsPermit, "carry_out"));
}

#[test]
fn what_rests_on_the_unknown_is_named() {
    let pack = World::new().pack;
    let names = |contents: &[(&str, Option<&str>)]| {
        let zone =
            |z: &Option<&str>| z.map(|z| ("zone".to_owned(), Value::Text(z.into()))).into_iter().collect();
        let facts = HandlingFacts {
            classes: contents.iter().map(|(c, _)| class(c)).collect(),
            facts: contents.iter().map(|(_, z)| zone(z)).collect(),
        };
        unknown_facts(&pack, "carry_out", &facts).into_iter().collect::<Vec<_>>()
    };
    assert!(names(&[("2", Some("lgwan"))]).is_empty());
    assert_eq!(names(&[("2", Some("lgwan")), ("1", None)]), ["zone"], "of one content is enough");
    assert_eq!(
        names(&[("2", Some("lgwan")), ("nobody classed it", Some("lgwan"))]),
        ["class.confidentiality"]
    );
    assert_eq!(names(&[("", Some(""))]), ["class.confidentiality", "zone"]);
}
