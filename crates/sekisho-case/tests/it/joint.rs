//! Invariant 4, and how several holders are joined.

use sekisho_case::Code;
use sekisho_case::authority::Path;
use sekisho_case::case::{Status, Verdict};
use sekisho_case::decide::Command;
use sekisho_pack::by::By;
use sekisho_pack::model::{FieldType, StepKind};
use serde_json::json;

use crate::world::*;

fn world(by: &str) -> World {
    let mut w = World::new();
    let step = &mut w.pack.procedures.get_mut("take_out").unwrap().steps[0];
    step.by = By::parse(by).unwrap();
    step.each = None;
    w
}

const BOTH: &str = "section_security_manager of applicant.section and information_system_manager";

#[test]
fn both_must_act() {
    let w = world(BOTH);
    let mut c = w.clerk_applies();
    c.permit(&w, "sysman").unwrap();
    assert_eq!(c.state().status, Status::Open);
    assert_eq!(code(c.permit(&w, "sysman")), Code::NotAuthorized, "one act for one part");
    assert_eq!(code(c.permit(&w, "other")), Code::NotAuthorized);
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().status, Status::InForce);
}

#[test]
fn one_person_in_both_capacities_is_one_act_recorded_in_both() {
    let mut w = world(BOTH);
    w.vacate("joho.head");
    w.lists.appointments.push(holds("manager", "joho.head"));
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().status, Status::InForce);
    let decided: Vec<_> = c.acts.iter().filter(|a| a.what.code() == "decided").collect();
    assert_eq!(decided.len(), 1);
    let roles: Vec<(&str, &str)> =
        decided[0].held.iter().map(|h| (h.role.as_str(), h.post.as_str())).collect();
    assert_eq!(
        roles,
        [("section_security_manager", "zeimu.head"), ("information_system_manager", "joho.head")]
    );
}

#[test]
fn a_joint_permission_of_an_applicant_who_holds_one_of_both_goes_up_for_that_part() {
    let w = world(BOTH);
    let mut c = w.apply("sysman", "joho.head", draft());
    // As head of 情報政策課 the applicant would hold both parts; both go up, to one and the same person.
    assert_eq!(code(c.permit(&w, "sysman")), Code::SelfDecision);
    c.permit(&w, "officer").unwrap();
    assert_eq!(c.state().status, Status::InForce);
    let held = &c.last_of("decided").held;
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(|h| h.path == Path::Escalated));
}

#[test]
fn either_may_act() {
    let by = "section_security_manager of applicant.section or information_system_manager";
    for who in ["manager", "sysman"] {
        let w = world(by);
        let mut c = w.clerk_applies();
        assert_eq!(code(c.permit(&w, "other")), Code::NotAuthorized);
        c.permit(&w, who).unwrap();
        assert_eq!(c.state().status, Status::InForce, "{who}");
    }
}

#[test]
fn one_refusal_ends_a_joint_permission() {
    let w = world(BOTH);
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let refuse = Command::Refuse {
        step: "permit".into(),
        shown: c.hash("permit"),
        items: vec![],
        says: "端末が足りない".into(),
    };
    c.run(&w, "sysman", refuse).unwrap();
    let state = c.state();
    assert_eq!(state.status, Status::Refused);
    assert_eq!(state.step("permit").unwrap().decisions.last().unwrap().verdict, Verdict::Refuse);
}

#[test]
fn nested_joins_are_satisfied_as_written() {
    let w = world("(section_security_manager of applicant.section and information_system_manager) or ciso");
    let mut c = w.clerk_applies();
    c.permit(&w, "mayor2").unwrap();
    assert_eq!(c.state().status, Status::InForce);
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().status, Status::Open);
    c.permit(&w, "sysman").unwrap();
    assert_eq!(c.state().status, Status::InForce);
}

#[test]
fn what_each_manager_recorded_stays_with_the_items() {
    let mut w = World::new();
    let mut hand = step("hand", "引渡し", StepKind::Confirm, "item.managed_by of item.owner.section");
    hand.each = Some("items".into());
    hand.evidence = vec![field("note", FieldType::Text, true)];
    w.pack.procedures.get_mut("take_out").unwrap().steps.insert(1, hand);
    let handed = |first: &str, second: &str| {
        let mut c = w.apply("clerk", "zeimu.staff", draft_of(&[item("asset", "1"), item("device", "9")]));
        for who in ["manager", "sysman"] {
            c.permit(&w, who).unwrap();
        }
        for (who, note) in [("manager", first), ("sysman", second)] {
            let mut command = act("hand", &c.hash("hand"));
            if let Command::Act { evidence, .. } = &mut command {
                *evidence = fields(&[("note", json!(note))]);
            }
            c.run(&w, who, command).unwrap();
        }
        c
    };
    let c = handed("良好", "傷あり");
    let state = c.state();
    let by_item = state.step("hand").unwrap().evidence_by_item();
    assert_eq!(by_item["asset/1"], json!({"note": "良好"}), "the later act took nothing away");
    assert_eq!(by_item["device/9"], json!({"note": "傷あり"}));
    let other = handed("汚れあり", "傷あり").state();
    assert_eq!(state.step("hand").unwrap().evidence, other.step("hand").unwrap().evidence);
    assert_ne!(state.decided_content(Some("return")), other.decided_content(Some("return")));
}
