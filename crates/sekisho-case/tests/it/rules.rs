//! The core's rules, asked directly with facts that the engine would never prepare: Cedar alone must hold.

use std::collections::BTreeSet;

use sekisho_case::Code;
use sekisho_case::authority::{Question, Rules};
use sekisho_pack::model::OnAbsent;

use crate::world::*;

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|k| (*k).to_owned()).collect()
}

/// The manager permits a clerk's case: allowed.
fn question() -> Question {
    Question {
        action: "permit".into(),
        person: "manager".into(),
        in_office: true,
        sits_in: set(&["post/zeimu.head"]),
        procedure: "take_out".into(),
        step: "permit".into(),
        role: "section_security_manager".into(),
        applicant: "clerk".into(),
        holders: set(&["post/zeimu.head"]),
        open: true,
        judging: true,
        final_decision: true,
        holder_present: true,
        content: "h".into(),
        shown: "h".into(),
        path: "holder".into(),
        ..Question::default()
    }
}

fn rules() -> Rules {
    Rules::for_pack(&World::new().pack).unwrap()
}

fn denied(change: impl FnOnce(&mut Question)) -> Code {
    let mut q = question();
    change(&mut q);
    q.require(&rules(), "").expect_err("must be denied").code
}

#[test]
fn the_rightful_question_is_allowed() {
    let answer = question().ask(&rules()).unwrap();
    assert!(answer.allowed);
    assert_eq!(answer.rules, ["take_out.permit.section_security_manager"]);
}

#[test]
fn every_core_rule_denies_on_its_own() {
    assert_eq!(denied(|q| q.person = "clerk".into()), Code::SelfDecision);
    assert_eq!(denied(|q| q.performers = set(&["manager"])), Code::OwnPerformance);
    assert_eq!(denied(|q| q.shown = "other".into()), Code::StaleContent);
    assert_eq!(denied(|q| q.open = false), Code::NotOpen);
    assert_eq!(denied(|q| q.in_office = false), Code::NotInOffice);
    assert_eq!(denied(|q| q.depth = 2), Code::DeputyOfDeputy);
    assert_eq!(denied(|q| q.sits_in.clear()), Code::NotAuthorized);
    assert_eq!(denied(|q| q.role = "auditor".into()), Code::NotAuthorized);
    assert_eq!(denied(|q| q.step = "return".into()), Code::NotAuthorized);
    assert_eq!(denied(|q| q.action = "confirm".into()), Code::NotAuthorized);
    assert_eq!(denied(|q| q.path = "escalated".into()), Code::NotEscalated);
    assert_eq!(denied(|q| q.path.clear()), Code::NotAuthorized);
}

#[test]
fn deputies_are_held_to_absence_and_final_decisions() {
    let deputy = |q: &mut Question| {
        q.person = "deputy".into();
        q.sits_in = set(&["post/zeimu.vice"]);
        q.acting = set(&["post/zeimu.vice"]);
        q.path = "deputy".into();
        q.depth = 1;
        q.holder_present = false;
    };
    let mut q = question();
    deputy(&mut q);
    assert!(q.ask(&rules()).unwrap().allowed);
    assert_eq!(
        denied(|q| {
            deputy(q);
            q.holder_present = true
        }),
        Code::HolderPresent
    );
    assert_eq!(
        denied(|q| {
            deputy(q);
            q.final_decision = false
        }),
        Code::NotFinalDecision
    );
    assert_eq!(
        denied(|q| {
            deputy(q);
            q.depth = 2
        }),
        Code::DeputyOfDeputy
    );
    assert_eq!(
        denied(|q| {
            deputy(q);
            q.acting.clear()
        }),
        Code::NotAuthorized
    );
    assert_eq!(
        denied(|q| {
            deputy(q);
            q.applicant = "deputy".into()
        }),
        Code::SelfDecision
    );
}

#[test]
fn a_pack_without_daiketsu_generates_no_rule_for_deputies() {
    let mut w = World::new();
    let with = Rules::for_pack(&w.pack).unwrap().text("take_out").unwrap();
    w.pack.procedures.get_mut("take_out").unwrap().steps[0].on_absent = OnAbsent::Wait;
    let without = Rules::for_pack(&w.pack).unwrap().text("take_out").unwrap();
    assert!(with.contains("resource.acting") && !without.contains("resource.acting"));
}

#[test]
fn overrides_are_held_to_need_and_reason() {
    let over = |q: &mut Question| {
        q.applicant = "manager".into();
        q.path = "override".into();
        q.overridden = true;
        q.reason = true;
        q.nobody_else = true;
    };
    let mut q = question();
    over(&mut q);
    assert!(q.ask(&rules()).unwrap().allowed);
    assert_eq!(
        denied(|q| {
            over(q);
            q.reason = false
        }),
        Code::ReasonRequired
    );
    assert_eq!(
        denied(|q| {
            over(q);
            q.nobody_else = false
        }),
        Code::OverrideNotNeeded
    );
    assert_eq!(
        denied(|q| {
            over(q);
            q.overridden = false
        }),
        Code::SelfDecision
    );
    assert_eq!(
        denied(|q| {
            over(q);
            q.sits_in.clear()
        }),
        Code::NotAuthorized
    );
}

#[test]
fn a_pack_generates_permits_only() {
    let text = rules().text("take_out").unwrap();
    let of_pack: Vec<&str> = text.split("@id(").filter(|p| p.starts_with("\"take_out.")).collect();
    assert_eq!(of_pack.len(), 4, "{text}");
    assert!(of_pack.iter().all(|p| !p.contains("forbid")));
    let forbids = text.matches("forbid").count();
    assert_eq!(forbids, 11, "one for each core rule");
}

#[test]
fn an_id_that_would_be_cedar_text_cannot_break_out() {
    let mut w = World::new();
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    p.steps[0].id = "permit\" }; permit(principal, action, resource); //".into();
    assert!(Rules::for_pack(&w.pack).is_err());
}

#[test]
fn an_unknown_procedure_or_action_is_denied_with_a_reason() {
    assert_eq!(denied(|q| q.procedure = "nothing".into()), Code::WrongPack);
    assert_eq!(denied(|q| q.action = "fly".into()), Code::WrongPack);
}

#[test]
fn applicants_acts_are_the_applicants() {
    let own = |action: &str, person: &str| {
        let mut q = question();
        q.action = action.into();
        q.person = person.into();
        q.judging = false;
        q.ask(&rules()).unwrap().allowed
    };
    for action in ["withdraw", "resubmit", "move", "ask_extension"] {
        assert!(own(action, "clerk"), "{action}");
    }
    for action in ["withdraw", "resubmit", "ask_extension"] {
        assert!(!own(action, "clerk2") && !own(action, "manager"), "{action}");
    }
    assert!(own("move", "manager"), "whoever answers for the permit may record movements");
}
