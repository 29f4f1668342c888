//! The model pack answers as its tests say, and a changed pack is caught by them.

use std::collections::BTreeMap;

use sekisho_pack::model::Pack;
use sekisho_pack::test::{Answer, Oracle, TestPerson, run};
use serde_json::{Value, json};

use super::PackOracle;

/// Failures of the model pack with one text of one file exchanged.
fn failures(file: &str, from: &str, to: &str) -> String {
    let mut files = Pack::model_city_files();
    let text = files.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} no longer says {from}");
    *text = text.replace(from, to);
    let pack = Pack::load_files(&files).unwrap();
    let failures = run(&pack, &PackOracle::new(&pack));
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn facts(list: &[(&str, Value)]) -> BTreeMap<String, Value> {
    list.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

fn manager(own: bool) -> TestPerson<'static> {
    TestPerson::Role { role: "section_security_manager", own }
}

fn permit(
    oracle: &PackOracle<'_>,
    person: TestPerson<'_>,
    given: &[(&str, Value)],
) -> Result<Answer, String> {
    oracle.who_may("take_out", "permit", person, &facts(given))
}

#[test]
fn the_model_pack_passes_its_own_tests() {
    let pack = Pack::model_city().unwrap();
    assert!(pack.tests.len() > 20);
    let failures: Vec<String> = run(&pack, &PackOracle::new(&pack)).iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_changed_route_fails_and_says_what_differs() {
    let by = "by = \"section_security_manager of applicant.section\"";
    let failed = failures(
        "procedures/take_out.toml",
        by,
        "by = \"department_security_officer of applicant.department\"",
    );
    assert_eq!(failed.matches("が期待と違います").count(), 1, "{failed}");
    assert!(failed.contains("「返却の確認は課室の管理者」"), "{failed}");
    assert!(failed.contains("結果は「できる」のはずが「できない」でした"), "{failed}");
    assert!(failed.contains("この手順は第一部 部長"), "the explanation names who may: {failed}");
}

#[test]
fn a_changed_manager_or_rule_fails() {
    let managed = "managed_by = \"section_security_manager\"";
    let failed = failures("registers/media.toml", managed, "managed_by = \"information_system_manager\"");
    assert!(failed.contains("「媒体の持出しは、課室の管理者が許可する」"), "{failed}");
    let failed = failures("classification.toml", "effect = \"prohibited\"", "effect = \"safeguard\"");
    assert!(failed.contains("結果は「してはならない」のはずが「対策を取ればできる」でした"), "{failed}");
}

#[test]
fn the_owner_of_the_item_decides_whose_manager_permits() {
    let pack = Pack::model_city().unwrap();
    let oracle = PackOracle::new(&pack);
    let outcome = |own, owner: &str| {
        permit(&oracle, manager(own), &[("register", json!("media")), ("owner", json!(owner))])
            .unwrap()
            .outcome
    };
    assert_eq!([outcome(true, "own"), outcome(false, "own")], ["allowed", "refused"]);
    assert_eq!([outcome(true, "other"), outcome(false, "other")], ["refused", "allowed"]);
}

#[test]
fn absence_is_explained_and_does_not_escalate_while_a_deputy_is_there() {
    let pack = Pack::model_city().unwrap();
    let oracle = PackOracle::new(&pack);
    let given = [("register", json!("media")), ("absent", json!(["section_security_manager"]))];
    let told = permit(&oracle, manager(true), &given).unwrap();
    assert!(told.says.iter().any(|s| s.contains("この日は不在")), "{told:?}");
    let officer = TestPerson::Role { role: "department_security_officer", own: true };
    let told = permit(&oracle, officer, &given).unwrap();
    assert_eq!(told.outcome, "refused", "{told:?}");
    assert!(told.says.iter().any(|s| s.contains("課長補佐")), "{told:?}");
}

#[test]
fn whoever_applies_is_answered_and_never_permits_the_own_case() {
    let pack = Pack::model_city().unwrap();
    let oracle = PackOracle::new(&pack);
    for role in pack.roles.keys() {
        let given = [("register", json!("device")), ("applicant", json!(role))];
        let told = permit(&oracle, TestPerson::Applicant, &given).unwrap();
        assert_eq!(told.outcome, "refused", "{role}: {told:?}");
        let confirms =
            oracle.who_may("take_out", "confirm_return", TestPerson::Applicant, &facts(&given)).unwrap();
        assert_eq!(confirms.outcome, "refused", "{role}: {confirms:?}");
    }
}

#[test]
fn a_question_without_answer_says_why() {
    let pack = Pack::model_city().unwrap();
    let oracle = PackOracle::new(&pack);
    let vacant = permit(&oracle, manager(true), &[("vacant", json!(["section_security_manager"]))]);
    assert!(vacant.unwrap_err().contains("空席"));
    let everyone = permit(&oracle, manager(true), &[("absent", json!(["staff"]))]);
    assert!(everyone.unwrap_err().contains("全ての職員"));
    let uneven =
        facts(&[("zone", json!(["lgwan", "none"])), ("class.confidentiality", json!(["1", "2", "3"]))]);
    assert!(oracle.handling("send", &uneven).unwrap_err().contains("個数をそろえる"));
}

/// Files that a guide shows: a line with the pack's folder and the place in backticks, then the text.
fn shown(guide: &str) -> BTreeMap<String, String> {
    let parts: Vec<&str> = guide.split("\n```toml\n").collect();
    let places = parts.iter().map(|p| p.trim_end().lines().last().unwrap_or_default().trim_matches('`'));
    let texts = parts.iter().skip(1).map(|p| format!("{}\n", p.split("\n```").next().unwrap()));
    let files =
        places.zip(texts).filter_map(|(place, text)| Some((place.split_once('/')?.1.to_owned(), text)));
    files.collect()
}

/// The worked example of the guide does what the guide says.
#[test]
fn the_guides_worked_example_works() {
    let guide = include_str!("../../../../docs/guide/pack.md");
    let example = shown(guide);
    assert_eq!(example.len(), 2, "{:?}", example.keys());
    let mut files = Pack::model_city_files();
    let planned = |files: &BTreeMap<String, String>| {
        let pack = Pack::load_files(files).unwrap();
        let all = sekisho_pack::coverage::coverage(&pack, &crate::pack_tools::built());
        let clause = all.clauses.into_iter().find(|c| c.id == "5.1.1.3.カ").unwrap();
        clause.planned.contains(&"procedure:media_bring_in".to_owned())
    };
    assert!(planned(&files));
    files.extend(example);
    let left = Pack::load_files(&files).unwrap_err();
    assert!(left.iter().all(|m| m.file == "planned.toml" && m.remedy.contains("この行を消して")), "{left:?}");
    let titles = files.get_mut("planned.toml").unwrap();
    *titles =
        titles.lines().filter(|l| !l.starts_with("media_bring_in =")).map(|l| format!("{l}\n")).collect();
    assert!(!planned(&files));
    let pack = Pack::load_files(&files).unwrap();
    assert_eq!(run(&pack, &PackOracle::new(&pack)), vec![]);
    assert!(pack.tests.iter().filter(|t| t.file == "tests/media_bring_in.toml").count() == 3);

    let text = files.get_mut("procedures/media_bring_in.toml").unwrap();
    *text = text.replace("section_security_manager", "section_security_manger");
    let told = Pack::load_files(&files).unwrap_err();
    assert!(
        guide.contains(&format!("    {}", told[0].to_string().split('。').next().unwrap())),
        "{}",
        told[0]
    );
}
