//! The proofs: each claim holds for all organizations, and each is refuted where the rule behind it is broken.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::LazyLock;

use cedar_policy::{EntityUid, EvalResult, PolicySet};
use sekisho_case::authority::CORE;
use sekisho_pack::model::Pack;
use sekisho_prove::{
    CLAIMS, Claim, Counterexample, ONLY_SEATS, Prover, Verdict, all_rules, core_with_anything, parse, schema,
    with_anything,
};

fn claim(id: &str) -> Claim {
    *CLAIMS.iter().find(|c| c.id == id).unwrap()
}

fn prover() -> Prover {
    Prover::start().unwrap_or_else(|e| panic!("{e}"))
}

fn acts() -> usize {
    schema().unwrap().request_envs().count()
}

fn proved(verdict: Verdict, says: &str) {
    match verdict {
        Verdict::Proved { acts: proved } => assert_eq!(proved, acts(), "{says}: for every act"),
        Verdict::Refuted(c) => panic!("{says}: does not hold:\n{c}"),
    }
}

fn refuted(verdict: Verdict) -> Counterexample {
    match verdict {
        Verdict::Refuted(c) => *c,
        Verdict::Proved { acts } => panic!("must be refuted, but holds for {acts} acts"),
    }
}

/// The core with one place changed; fails where the core no longer says it.
fn broken(from: &str, to: &str) -> String {
    assert_eq!(CORE.matches(from).count(), 1, "the core says exactly once: {from}");
    CORE.replace(from, to)
}

/// The core without one rule.
fn without(rule: &str) -> String {
    let (before, rest) = CORE.split_once(&format!("@id(\"{rule}\")")).unwrap();
    let (_, after) = rest.split_once(";\n").unwrap();
    format!("{before}{after}")
}

/// A broken core lets the claim's situation happen; real Cedar agrees with the solver that the broken rules allow it,
/// and that the true core denies exactly that by exactly this rule.
fn shown_wrong(claim: &Claim, broken: &str, rule: &str) -> Counterexample {
    let rules = with_anything(broken).unwrap();
    let situation = parse(claim.situation).unwrap();
    let c = refuted(prover().never(&rules, &situation).unwrap());
    assert!(c.allowed_by(&rules), "{c}");
    assert!(c.allowed_by(&situation), "{c}");
    let core = core_with_anything().unwrap();
    assert!(!c.allowed_by(&core), "{c}");
    assert_eq!(c.decided_by(&core), [rule], "{c}");
    c
}

fn yes() -> Option<EvalResult> {
    Some(EvalResult::Bool(true))
}

fn text(s: &str) -> Option<EvalResult> {
    Some(EvalResult::String(s.to_owned()))
}

fn unit(id: &str) -> EntityUid {
    format!("Sekisho::Unit::\"{id}\"").parse().unwrap()
}

/// The rules of the model pack's procedures; building them takes longer than a proof.
fn model_city() -> &'static PolicySet {
    static RULES: LazyLock<PolicySet> = LazyLock::new(|| {
        let pack = Pack::model_city().unwrap_or_else(|messages| panic!("{messages:?}"));
        all_rules(&pack).unwrap()
    });
    &RULES
}

#[test]
fn every_claim_holds_whatever_a_pack_permits() {
    let mut prover = prover();
    let rules = core_with_anything().unwrap();
    for claim in CLAIMS {
        let situation = parse(claim.situation).unwrap();
        proved(prover.never(&rules, &situation).unwrap(), claim.says);
    }
}

#[test]
fn no_rule_ever_fails_to_evaluate() {
    let mut prover = prover();
    proved(prover.never_fails(model_city()).unwrap(), "rules evaluate");
    for claim in CLAIMS.iter().chain([&ONLY_SEATS]) {
        proved(prover.never_fails(&parse(claim.situation).unwrap()).unwrap(), claim.says);
    }
    let careless =
        parse(r#"@id("careless") forbid (principal, action, resource) when { context.depth + 1 > 1 };"#);
    let c = refuted(prover.never_fails(&careless.unwrap()).unwrap());
    assert_eq!(c.number("depth"), Some(i64::MAX));
}

#[test]
fn an_applicant_who_decides_is_found() {
    let c = shown_wrong(&claim("applicant"), &without("core.self_decision"), "core.self_decision");
    let person = c.person().unwrap().clone();
    assert_eq!(c.step("applicant"), Some(EvalResult::EntityUid(person)));
    let by_the_engine = [c.context("overridden"), c.context("reason"), c.step("nobody_else")];
    assert!(c.context("path") != text("override") || by_the_engine.iter().any(|v| *v != yes()), "{c}");
}

#[test]
fn a_core_that_believes_the_engine_about_judging_is_found() {
    let flag_alone = broken(
        "  && (resource.judging\n    || action in [",
        "  && (resource.judging\n    || resource.judging && action in [",
    );
    let c = shown_wrong(&claim("applicant"), &flag_alone, "core.self_decision");
    assert_eq!(c.step("judging"), Some(EvalResult::Bool(false)), "{c}");
}

#[test]
fn an_override_without_need_is_found() {
    let c = shown_wrong(&claim("override"), &without("core.override_not_needed"), "core.override_not_needed");
    assert_eq!(c.step("nobody_else"), Some(EvalResult::Bool(false)), "{c}");
    assert_eq!(c.context("reason"), yes(), "{c}");
}

#[test]
fn somebody_who_confirms_the_own_work_is_found() {
    let c = shown_wrong(&claim("own_work"), &without("core.own_performance"), "core.own_performance");
    let person = EvalResult::EntityUid(c.person().unwrap().clone());
    let Some(EvalResult::Set(performers)) = c.step("performers") else { panic!("{c}") };
    assert!(performers.iter().any(|p| *p == person), "{c}");
}

#[test]
fn a_deputy_of_a_deputy_is_found() {
    let deeper = broken("context.depth > 1", "context.depth > 2");
    let c = shown_wrong(&claim("deputy_of_deputy"), &deeper, "core.deputy_of_deputy");
    assert_eq!(c.number("depth"), Some(2), "{c}");

    let seatless = broken(" || (context.path == \"deputy\" && !(principal in resource.acting))", "");
    let c = shown_wrong(&claim("deputy_of_deputy"), &seatless, "core.deputy_of_deputy");
    assert_eq!(c.context("path"), text("deputy"), "{c}");
    let Some(EvalResult::Set(acting)) = c.step("acting") else { panic!("{c}") };
    assert!(
        acting.iter().all(|seat| matches!(seat, EvalResult::EntityUid(seat) if !c.is_in(seat))),
        "sits in no deputy's seat: {c}"
    );
}

#[test]
fn a_deputy_beside_a_holder_is_found() {
    let careless = broken(
        r#"(context.path == "deputy" || context.path == "delegate") && resource.holder_present"#,
        r#"context.path == "delegate" && resource.holder_present"#,
    );
    let c = shown_wrong(&claim("deputy"), &careless, "core.holder_present");
    assert_eq!(c.step("holder_present"), yes(), "{c}");
}

#[test]
fn a_barred_deputy_without_a_reason_is_found() {
    let unbarred = without("core.daiketsu_barred");
    let c = shown_wrong(&claim("barred_deputy"), &unbarred, "core.daiketsu_barred");
    assert_eq!(
        (c.step("daiketsu_barred"), c.context("reason")),
        (yes(), Some(EvalResult::Bool(false))),
        "{c}"
    );
}

#[test]
fn an_auditor_of_an_own_section_is_found() {
    // Whoever is appointed to the step is trusted: the usual mistake.
    let trusting = broken(
        "when { principal in resource.judged_units };",
        "when { principal in resource.judged_units } unless { principal in resource.holders };",
    );
    let c = shown_wrong(&claim("own_audit"), &trusting, "core.own_audit");
    assert_eq!(c.action(), "audit");
    let Some(EvalResult::Set(sections)) = c.step("judged_units") else { panic!("{c}") };
    let own = |s: &EvalResult| matches!(s, EvalResult::EntityUid(s) if c.is_in(s));
    assert!(sections.iter().any(own), "belongs to what is audited: {c}");
}

#[test]
fn an_auditor_from_a_unit_within_the_section_is_found() {
    // An exception for a unit below the section.
    let excepted = broken(
        "when { principal in resource.judged_units };",
        r#"when { principal in resource.judged_units } unless { principal in Sekisho::Unit::"subsection" };"#,
    );
    let c = shown_wrong(&claim("own_audit_within"), &excepted, "core.own_audit");
    assert!(c.is_in(&unit("subsection")) && c.is_in(&unit("section")), "{c}");
}

#[test]
fn a_delegation_used_before_its_first_day_is_found() {
    let open_start = broken("context.delegation.from <= context.date && ", "");
    let c = shown_wrong(&claim("lapsed_delegation"), &open_start, "core.lapsed_delegation");
    assert!(c.number("date").unwrap() < c.delegation("from").unwrap(), "{c}");
}

#[test]
fn a_delegation_used_after_its_last_day_is_found() {
    let a_day_more = broken(
        "context.date <= context.delegation.until",
        "(context.date <= context.delegation.until || context.date == context.delegation.from)",
    );
    let c = shown_wrong(&claim("lapsed_delegation"), &a_day_more, "core.lapsed_delegation");
    assert!(c.number("date").unwrap() > c.delegation("until").unwrap(), "{c}");
}

#[test]
fn a_delegation_of_somebody_else_is_found() {
    let anybody = broken(
        "context has delegation && context.delegation.person == principal\n  &&",
        "context has delegation &&",
    );
    let c = shown_wrong(&claim("other_delegation"), &anybody, "core.other_delegation");
    let Some(EvalResult::Record(delegation)) = c.context("delegation") else { panic!("{c}") };
    assert_ne!(delegation.get("person"), Some(&EvalResult::EntityUid(c.person().unwrap().clone())), "{c}");
}

#[test]
fn a_pack_never_loosens_the_core() {
    let most = core_with_anything().unwrap();
    let mut prover = prover();
    proved(prover.no_looser(model_city(), &most).unwrap(), "the model pack allows nothing the core forbids");

    // A loader that let a pack's text take the place of a rule of the core.
    let mut loosened = PolicySet::new();
    for rule in model_city().policies().filter(|p| p.id().to_string() != "core.stale_content") {
        loosened.add(rule.clone()).unwrap();
    }
    let c = refuted(prover.no_looser(&loosened, &most).unwrap());
    assert!(c.allowed_by(&loosened) && !c.allowed_by(&most), "{c}");
    assert_eq!(c.decided_by(&most), ["core.stale_content"]);
    assert_ne!(c.context("shown"), c.step("content"), "{c}");
}

#[test]
fn the_model_pack_lets_nobody_act_who_sits_in_no_seat() {
    let mut prover = prover();
    let situation = parse(ONLY_SEATS.situation).unwrap();
    proved(prover.never(model_city(), &situation).unwrap(), ONLY_SEATS.says);

    // A generator that forgot to ask for the seat.
    let mut careless = model_city().clone();
    let rule = r#"@id("careless") permit (principal, action == Sekisho::Action::"permit", resource)
        when { resource.step == "permit" && context.path == "holder" };"#;
    careless.add(parse(rule).unwrap().policies().next().unwrap().clone()).unwrap();
    let c = refuted(prover.never(&careless, &situation).unwrap());
    assert!(c.allowed_by(&careless) && !c.allowed_by(model_city()), "{c}");
    assert_eq!(c.decided_by(&careless), ["careless"]);
    let Some(EvalResult::Set(holders)) = c.step("holders") else { panic!("{c}") };
    assert!(holders.iter().all(|seat| matches!(seat, EvalResult::EntityUid(seat) if !c.is_in(seat))), "{c}");
}

/// What denies everything satisfies every claim: each way to act must be open to somebody.
#[test]
fn the_rules_are_not_simply_shut() {
    let mut prover = prover();
    let rules = model_city();
    for path in ["holder", "escalated", "deputy", "delegate", "override"] {
        let way = format!(
            r#"@id("way") permit (principal, action == Sekisho::Action::"permit", resource) when {{ context.path == "{path}" }};"#
        );
        let c = refuted(prover.never(rules, &parse(&way).unwrap()).unwrap());
        assert_eq!(c.context("path"), text(path));
        let by = c.decided_by(rules);
        assert!(c.allowed_by(rules) && by.iter().all(|id| !id.starts_with("core.")), "{path}: {by:?}");
    }
}

#[test]
fn without_a_solver_nothing_is_proved_and_the_message_says_what_to_install() {
    let error = Prover::with_program("cvc5-that-is-not-installed").unwrap_err().to_string();
    assert!(
        error.contains("cvc5-that-is-not-installed") && error.contains("apt-get install cvc5"),
        "{error}"
    );
}

#[test]
fn a_program_that_is_no_solver_proves_nothing() {
    let mut mute = Prover::with_program("true").unwrap();
    let situation = parse(claim("applicant").situation).unwrap();
    assert!(mute.never(&core_with_anything().unwrap(), &situation).is_err());
}
