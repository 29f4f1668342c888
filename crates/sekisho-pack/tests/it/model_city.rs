//! The model pack: it loads without a word, and holds what the rest of the program builds on.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_pack::coverage::{Built, coverage};
use sekisho_pack::expr::Bindings;
use sekisho_pack::model::{
    CheckRule, HandlingEffect, HeldBy, MechanismKind, MechanismRef, OnAbsent, OnEmpty, OnRefusal, Pack,
    PackTest, Scope, StepKind,
};

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
fn the_procedures_of_the_pack_are_whole() {
    let p = pack();
    let ids: Vec<&str> = p.procedures.keys().map(String::as_str).collect();
    for id in [
        "cloud_service",
        "disposal",
        "emergency_exception",
        "exception",
        "external_connection",
        "loan",
        "take_out",
    ] {
        assert!(ids.contains(&id), "{id} in {ids:?}");
    }
    for x in p.procedures.values() {
        assert!(x.form.is_some() && x.register.is_some() && !x.clauses.is_empty(), "{}", x.id);
        for id in &x.clauses {
            let clause = p.clauses.iter().find(|c| c.id == *id).unwrap();
            let named = |m: &MechanismRef| m.kind == MechanismKind::Procedure && m.name == x.id;
            assert!(clause.mechanisms.iter().any(named), "clause {id} does not name {}", x.id);
        }
        let tests: Vec<_> = p.tests.iter().filter(|t| t.given.act == x.id).collect();
        let outcome = |o: &str| tests.iter().filter(|t| t.expect.outcome == o).count();
        assert!(
            tests.len() >= 5 && outcome("allowed") > 1 && outcome("refused") > 1,
            "{}: {}",
            x.id,
            tests.len()
        );
        for step in x.steps.iter().filter(|s| s.kind == StepKind::Permit) {
            let own =
                |t: &&&PackTest| t.given.step.as_deref() == Some(&step.id) && t.given.person == "applicant";
            assert!(tests.iter().any(|t| own(&t) && t.expect.outcome == "refused"), "{} {}", x.id, step.id);
        }
    }
}

/// Ids that stand in quotes after `call` in a template, up to the closing bracket.
fn ids_after<'t>(template: &'t str, call: &str) -> Vec<&'t str> {
    let calls = template.split(call).skip(1).map(|rest| rest.split(')').next().unwrap());
    calls.flat_map(|inside| inside.split('"').skip(1).step_by(2)).collect()
}

#[test]
fn forms_print_only_what_their_procedure_asks() {
    let p = pack();
    let mut seen = 0;
    for x in p.procedures.values() {
        let template = &p.forms[x.form.as_ref().unwrap()];
        let fields: Vec<&str> = x.fields.iter().map(|f| f.id.as_str()).collect();
        let steps: Vec<&str> = x.steps.iter().map(|s| s.id.as_str()).collect();
        for (call, known) in [
            ("value(", &fields),
            ("period(", &fields),
            ("field(fields, ", &fields),
            ("known: (", &fields),
            ("let conditions = (", &fields),
            ("only: (", &steps),
        ] {
            for id in ids_after(template, call) {
                assert!(known.contains(&id), "{}: {call}{id}", x.id);
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

/// What the standard asks of the routes, read from the steps themselves.
#[test]
fn the_routes_are_those_of_the_standard() {
    let p = pack();
    let step = |procedure: &str, id: &str| {
        p.procedures[procedure].steps.iter().find(|s| s.id == id).unwrap().clone()
    };
    let by = |procedure: &str, id: &str| step(procedure, id).by.to_string();
    assert_eq!(by("external_connection", "permit"), "ciso and head_security_officer");
    assert_eq!(
        by("external_connection", "consult"),
        "department_security_officer of applicant.department and information_system_manager"
    );
    let position =
        |procedure: &str, id: &str| p.procedures[procedure].steps.iter().position(|s| s.id == id).unwrap();
    for (procedure, first, then) in [
        ("external_connection", "consult", "permit"),
        ("external_connection", "confirm_no_effect", "permit"),
        ("external_connection", "permit", "connect"),
        ("exception", "advise", "decide"),
        ("emergency_exception", "report", "decide"),
        ("cloud_service", "consult", "permit"),
        ("cloud_service", "trust", "permit"),
        ("disposal", "permit", "erase"),
        ("disposal", "erase", "witness"),
        ("disposal", "verify", "handover"),
        ("loan", "secure", "return"),
    ] {
        assert!(position(procedure, first) < position(procedure, then), "{procedure}: {first} {then}");
    }
    // What the CISO alone decides is not decided in absence.
    for (procedure, id) in
        [("exception", "decide"), ("emergency_exception", "decide"), ("external_connection", "permit")]
    {
        assert_eq!(step(procedure, id).on_absent, OnAbsent::Wait, "{procedure}");
    }
    assert_eq!(step("cloud_service", "permit").on_empty, OnEmpty::Block);
    for procedure in ["external_connection", "exception", "emergency_exception"] {
        let by = p.procedures[procedure].apply_by.as_ref().unwrap().to_string();
        assert_eq!(
            by, "section_security_manager of applicant.section or information_system_manager",
            "{procedure}"
        );
    }
    for procedure in ["exception", "emergency_exception"] {
        assert_eq!(p.procedures[procedure].permit.as_ref().unwrap().excepts.as_deref(), Some("clauses_off"));
    }
    assert_eq!(step("emergency_exception", "decide").on_refusal, OnRefusal::GoOn);
    assert_eq!(step("emergency_exception", "report_read").by.to_string(), "ciso");
    assert!(p.procedures["loan"].permit.as_ref().unwrap().within_fiscal_year);
    for (check, procedure, id) in [
        ("late_emergency_exception_report", "emergency_exception", "report"),
        ("cut_off_overdue", "external_connection", "cut_off"),
        ("overdue_loan_return", "loan", "return"),
    ] {
        let rule = &p.checks[check].rule;
        assert!(
            matches!(rule, CheckRule::Overdue { procedure: of, step: Some(s) } if of == procedure && s == id),
            "{check}: {rule:?}"
        );
    }
}

/// The kinds of medium and the ways of erasing that the form of disposal accepts together.
#[test]
fn a_medium_is_erased_in_a_way_that_fits_it() {
    let p = pack();
    let field = p.procedures["disposal"].fields.iter().find(|f| f.id == "method").unwrap();
    let accepted = |medium: &str, method: &str, class: &str| {
        let b = Bindings::on("2026-07-01".parse().unwrap())
            .with("medium", Value::Text(medium.to_owned()))
            .with("method", Value::Text(method.to_owned()))
            .with("class.confidentiality", Value::List(vec![class.to_owned()]));
        field.limit.as_ref().unwrap().eval_bool(&b) == Some(true)
    };
    for medium in ["hdd", "ssd", "flash", "optical", "tape", "paper"] {
        for class in ["1", "2", "3", "3A"] {
            assert!(accepted(medium, "destroy", class), "{medium} {class}");
            assert!(!accepted(medium, "none", class), "{medium} {class}");
        }
        assert!(!accepted(medium, "overwrite", "2"), "{medium}");
    }
    let ways = |medium: &str, class: &str| -> Vec<&str> {
        ["destroy", "command", "crypto", "degauss", "overwrite"]
            .into_iter()
            .filter(|m| accepted(medium, m, class))
            .collect()
    };
    assert_eq!(ways("hdd", "3B"), ["destroy", "command", "crypto", "degauss"]);
    assert_eq!(ways("ssd", "3B"), ["destroy", "command", "crypto"]);
    assert_eq!(ways("flash", "2"), ["destroy"]);
    assert_eq!(ways("optical", "1"), ["destroy"]);
    assert_eq!(ways("hdd", "1"), ["destroy", "command", "crypto", "degauss", "overwrite"]);
}

#[test]
fn coverage_tells_built_from_planned() {
    let p = pack();
    let c = coverage(&p, &Built { gates: &["ledger", "handling"] });
    assert_eq!(c.clauses.len(), p.clauses.len());
    let of = |id: &str| c.clauses.iter().find(|c| c.id == id).unwrap();
    let take_out = of("5.1.1.3.イ");
    for m in [
        "procedure:take_out",
        "procedure:loan",
        "register:asset",
        "register:device",
        "register:media",
        "check:overdue_return",
        "check:overdue_loan_return",
    ] {
        assert!(take_out.mechanisms.iter().any(|x| x == m), "{m}");
    }
    for m in ["register:software", "check:take_out_without_permit"] {
        assert!(take_out.planned.iter().any(|x| x == m), "{m}");
    }
    // Without the gate's engine the binding is planned.
    let none = coverage(&p, &Built::default());
    assert!(none.clauses.iter().all(|c| c.mechanisms.iter().all(|m| !m.starts_with("gate:"))));
    for (clause, covered) in p.clauses.iter().zip(&c.clauses) {
        assert_eq!(clause.mechanisms.len(), covered.mechanisms.len() + covered.planned.len());
        let defined = |m: &str| match m.split_once(':') {
            Some(("duty", id)) => p.duties.contains_key(id),
            Some(("document", id)) => p.documents.contains_key(id),
            Some(("notice", id)) => p.notices.contains_key(id),
            Some(("procedure", id)) => p.procedures.contains_key(id),
            Some(("register", id)) => p.registers.contains_key(id),
            _ => true,
        };
        assert!(covered.mechanisms.iter().all(|m| defined(m)), "{}", clause.id);
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
    let dir = std::path::Path::new("../../packs/model-city");
    assert_eq!(Pack::load_dir(dir).unwrap().hash, pack().hash);
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
