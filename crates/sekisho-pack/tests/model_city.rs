//! The model pack: it loads without a word, and holds what the rest of the program builds on.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_pack::coverage::{Built, coverage};
use sekisho_pack::expr::Bindings;
use sekisho_pack::model::{CheckRule, HandlingEffect, HeldBy, MechanismKind, Pack, Scope};

fn pack() -> Pack {
    let (pack, messages) = Pack::examine(&Pack::model_city_files());
    assert_eq!(messages, []);
    pack.unwrap()
}

#[test]
fn take_out_gives_its_checks_to_the_clauses() {
    let p = pack();
    for id in [
        "overdue_return",
        "media_sighting_stale",
        "media_encryption_missing",
        "asset_review_stale",
        "asset_backup_missing",
        "self_approval",
        "role_vacant_ciso",
    ] {
        assert!(p.checks.get(id).is_some_and(|c| c.derived), "{id}");
    }
    assert!(
        matches!(&p.checks["overdue_return"].rule, CheckRule::Overdue { procedure, step: Some(step) } if procedure == "take_out" && step == "return")
    );
    assert!(
        matches!(&p.checks["asset_unclassified"].rule, CheckRule::Rows { register, .. } if register == "asset")
    );
}

#[test]
fn posts_of_the_roles() {
    let p = pack();
    assert_eq!(p.roles["ciso"].held_by, HeldBy::Post("deputy_mayor".to_owned()));
    assert_eq!(p.roles["section_security_manager"].held_by, HeldBy::HeadOf(Scope::Section));
    let mut chain = vec!["section_security_manager"];
    while let Some(next) = p.roles[*chain.last().unwrap()].escalates_to.as_deref() {
        chain.push(next);
    }
    assert_eq!(
        chain,
        ["section_security_manager", "department_security_officer", "head_security_officer", "ciso", "mayor"]
    );
}

#[test]
fn both_classification_schemes_cover_every_axis() {
    let p = pack();
    for axis in p.classification.axes.values() {
        for scheme in ["classic", "2024"] {
            let ranks: BTreeSet<i64> = axis
                .levels
                .iter()
                .filter(|l| l.schemes.iter().any(|s| s == scheme))
                .map(|l| l.rank)
                .collect();
            assert!(ranks.contains(&1) && ranks.contains(&2), "{} {scheme}", axis.title);
        }
    }
    let levels = &p.classification.axes["confidentiality"].levels;
    assert!(levels.iter().filter(|l| l.code.starts_with('3')).all(|l| l.rank == 3));
}

#[test]
fn coverage_tells_built_from_planned() {
    let p = pack();
    let c = coverage(&p, &Built { gates: &["ledger", "handling"] });
    assert_eq!(c.clauses.len(), p.clauses.len());
    let of = |id: &str| c.clauses.iter().find(|c| c.id == id).unwrap();
    let take_out = of("5.1.1.3.イ");
    for m in
        ["procedure:take_out", "register:asset", "register:device", "register:media", "check:overdue_return"]
    {
        assert!(take_out.mechanisms.iter().any(|x| x == m), "{m}");
    }
    for m in ["procedure:loan", "register:software", "check:take_out_without_permit"] {
        assert!(take_out.planned.iter().any(|x| x == m), "{m}");
    }
    // Without the gate's engine the binding is planned.
    let none = coverage(&p, &Built::default());
    assert!(none.clauses.iter().all(|c| c.mechanisms.iter().all(|m| !m.starts_with("gate:"))));
    for (clause, covered) in p.clauses.iter().zip(&c.clauses) {
        assert_eq!(clause.mechanisms.len(), covered.mechanisms.len() + covered.planned.len());
        assert!(
            covered
                .mechanisms
                .iter()
                .all(|m| !["duty", "document", "notice"].iter().any(|k| m.starts_with(k)))
        );
    }
    let json = serde_json::to_value(&c).unwrap();
    assert!(
        json["clauses"][0]["id"].is_string()
            && json["clauses"][0]["mechanisms"].is_array()
            && json["clauses"][0]["planned"].is_array()
    );
    let summary = c.summary();
    assert!(
        summary.contains("未整備")
            && summary.contains("第5章")
            && summary.contains(MechanismKind::Notice.japanese()),
        "{summary}"
    );
}

#[test]
fn clauses_stand_in_document_order() {
    let p = pack();
    let mut chapters: Vec<&str> = p.clauses.iter().map(|c| c.id.split('.').next().unwrap()).collect();
    chapters.dedup();
    assert_eq!(chapters, ["P", "1", "2", "3", "4", "5", "6", "7", "8", "9", "B"]);
}

#[test]
fn holidays_are_those_of_the_law() {
    let p = pack();
    assert_eq!(p.calendar.known_until.map(|d| d.to_string()).as_deref(), Some("2028-12-31"));
    let mut day: Date = "2024-01-01".parse().unwrap();
    while day.to_string().as_str() <= "2028-12-31" {
        let (y, m, d) = day.ymd();
        let there = jpholiday::chrono::NaiveDate::from_ymd_opt(
            i32::from(y),
            m.unsigned_abs().into(),
            d.unsigned_abs().into(),
        )
        .unwrap();
        assert_eq!(
            p.calendar.closed.contains(&day),
            jpholiday::jpholiday::JPHoliday::new().is_holiday(&there),
            "{day}"
        );
        day = day.plus_days(1);
    }
}

#[test]
fn a_version_has_one_hash() {
    let files = Pack::model_city_files();
    let mut other = files.clone();
    other.get_mut("pack.toml").unwrap().push('\n');
    let (a, b) = (Pack::load_files(&files).unwrap(), Pack::load_files(&other).unwrap());
    assert_eq!(a.hash, pack().hash);
    assert_ne!(a.hash, b.hash);
    assert_eq!(a.hash.len(), 64);
}

#[test]
fn the_folder_gives_the_same_pack() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/model-city");
    assert_eq!(Pack::load_dir(&dir).unwrap().hash, pack().hash);
    let missing = Pack::load_dir(&dir.join("nowhere")).unwrap_err();
    assert!(missing[0].text.contains("フォルダーを読めません"));
}

/// The handling decision, written a second time and as short as it can be.
fn handling(
    pack: &Pack,
    act: &str,
    facts: &BTreeMap<String, serde_json::Value>,
) -> (&'static str, Vec<String>) {
    let mut b = Bindings::on("2026-07-01".parse().unwrap());
    for (name, v) in facts {
        let words = |l: &Vec<serde_json::Value>| l.iter().map(|x| x.as_str().unwrap().to_owned()).collect();
        b = b.with(
            name,
            v.as_array()
                .map_or_else(|| Value::Text(v.as_str().unwrap().to_owned()), |l| Value::List(words(l))),
        );
    }
    let mut outcome = 0;
    let mut says = vec![];
    for r in pack.classification.handling.iter().filter(|r| r.acts.iter().any(|a| a == act)) {
        if r.when.as_ref().is_none_or(|e| e.eval_bool(&b) != Some(false)) {
            says.push(r.says.clone());
            outcome = outcome.max(match r.effect {
                HandlingEffect::Safeguard => 1,
                HandlingEffect::Permit(_) => 2,
                HandlingEffect::Prohibited => 3,
            });
        }
    }
    (["allowed", "safeguards", "permit", "prohibited"].get(outcome).unwrap(), says)
}

#[test]
fn the_handling_rules_answer_their_data_tests() {
    let p = pack();
    let mut acts = BTreeSet::new();
    for t in p.tests.iter().filter(|t| sekisho_pack::ACTS.contains(&t.given.act.as_str())) {
        let (outcome, says) = handling(&p, &t.given.act, &t.given.facts);
        assert_eq!(outcome, t.expect.outcome, "{}: {says:?}", t.name);
        for word in &t.expect.says {
            assert!(says.iter().any(|s| s.contains(word.as_str())), "{}: {word} in {says:?}", t.name);
        }
        acts.insert(t.given.act.as_str());
    }
    assert_eq!(acts.len(), sekisho_pack::ACTS.len(), "every act has a test: {acts:?}");
}

#[test]
fn every_condition_of_a_register_has_sql() {
    let p = pack();
    let today = "2026-07-01".parse().unwrap();
    let mut seen = 0;
    for c in p.checks.values() {
        if let CheckRule::Rows { when, .. } | CheckRule::Required { when: Some(when), .. } = &c.rule {
            sekisho_pack::expr::sql::to_sql(when, today).unwrap();
            seen += 1;
        }
    }
    assert!(seen >= 12, "{seen}");
}
