//! 代決, 職務代理, 後閲: who stands in, and who does not.

use sekisho_case::Code;
use sekisho_case::authority::{Capacity, Path};
use sekisho_case::case::{ReviewCause, TaskKind};
use sekisho_case::decide::Command;
use sekisho_case::org::Delegation;
use sekisho_pack::model::{OnAbsent, OnEmpty, StepKind};

use crate::world::*;

#[test]
fn the_deputy_acts_only_while_the_holder_is_absent() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    assert_eq!(code(c.permit(&w, "deputy")), Code::NotAuthorized);
    w.absent("manager");
    c.permit(&w, "deputy").unwrap();
    let decided = c.last_of("decided");
    assert_eq!(decided.held[0].capacity, Capacity::Acting);
    assert_eq!(decided.held[0].path, Path::Deputy { for_post: "zeimu.head".into() });
    assert_eq!(decided.post, "zeimu.vice");
}

#[test]
fn a_decision_in_absence_is_put_before_the_holder_afterwards() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    w.absent("manager");
    c.permit(&w, "deputy").unwrap();
    let review = c.state().reviews[0].clone();
    assert_eq!((review.cause, review.author.as_str()), (ReviewCause::Acting, "deputy"));
    assert!(c.tasks().iter().any(|t| t.kind == TaskKind::PostReview && t.post == "zeimu.head"));
    w.lists.absences.clear();
    let read = Command::Review { of: review.of, shown: c.whole(), says: String::new() };
    assert_eq!(c.refused(&w, "deputy", read.clone()), Code::OwnPerformance);
    c.run(&w, "manager", read).unwrap();
    let last = c.acts.last().unwrap();
    assert_eq!(last.held[0].capacity, Capacity::PostReview);
    assert!(!c.tasks().iter().any(|t| t.kind == TaskKind::PostReview));
}

#[test]
fn deputies_act_in_order() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    w.absent("manager");
    assert_eq!(code(c.permit(&w, "chief")), Code::NotAuthorized);
    w.absent("deputy");
    c.permit(&w, "chief").unwrap();
    assert_eq!(c.last_of("decided").post, "zeimu1.head");
}

#[test]
fn a_deputy_has_no_deputies() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    for person in ["manager", "deputy", "chief"] {
        w.absent(person);
    }
    // A delegation of the deputy's own post gives no way to the manager's decision.
    w.lists.delegations.push(Delegation {
        id: "D1".into(),
        post: "zeimu.vice".into(),
        person: "clerk2".into(),
        role: None,
        from: d("2026-01-01"),
        until: d("2026-12-31"),
    });
    assert_eq!(code(c.permit(&w, "clerk2")), Code::NotAuthorized);
    // Nobody present stands in, so the next role decides.
    c.permit(&w, "director").unwrap();
}

#[test]
fn an_applicant_who_is_the_deputy_is_passed_over() {
    let mut w = World::new();
    w.absent("manager");
    let mut c = w.apply("deputy", "zeimu.vice", draft());
    assert_eq!(code(c.permit(&w, "deputy")), Code::SelfDecision);
    c.permit(&w, "chief").unwrap();
}

#[test]
fn an_absent_holder_may_still_act() {
    let mut w = World::new();
    w.absent("manager");
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.last_of("decided").held[0].capacity, Capacity::Holder);
}

#[test]
fn where_absence_means_waiting_nobody_stands_in() {
    let mut w = World::new();
    w.pack.procedures.get_mut("take_out").unwrap().steps[0].on_absent = OnAbsent::Wait;
    w.absent("manager");
    let mut c = w.clerk_applies();
    for person in ["deputy", "chief", "director"] {
        assert_eq!(code(c.permit(&w, person)), Code::NotAuthorized, "{person}");
    }
    c.permit(&w, "manager").unwrap();
}

#[test]
fn a_confirmation_is_no_final_decision_and_waits() {
    let mut w = World::new();
    w.pack.procedures.get_mut("take_out").unwrap().steps[2].on_absent = OnAbsent::Daiketsu;
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    c.give_back(&w, "clerk").unwrap();
    w.absent("manager");
    assert_eq!(code(c.confirm(&w, "deputy")), Code::NotAuthorized);
    c.confirm(&w, "manager").unwrap();
}

#[test]
fn a_vacancy_escalates_or_blocks_as_the_pack_says() {
    let mut w = World::new();
    w.vacate("zeimu.head");
    let mut c = w.clerk_applies();
    assert_eq!(code(c.permit(&w, "deputy")), Code::NotAuthorized);
    c.permit(&w, "director").unwrap();

    w.pack.procedures.get_mut("take_out").unwrap().steps[0].on_empty = OnEmpty::Block;
    let mut c = w.clerk_applies();
    let r = c.permit(&w, "director").unwrap_err();
    assert_eq!(r.code, Code::NotAuthorized);
    assert!(r.message.contains("欠員"), "{}", r.message);
    w.lists.appointments.push(holds("clerk2", "zeimu.head"));
    c.permit(&w, "clerk2").unwrap();
}

#[test]
fn a_delegate_acts_for_a_vacant_or_absent_holder_within_dates() {
    let mut w = World::new();
    w.lists.delegations.push(Delegation {
        id: "D7".into(),
        post: "zeimu.head".into(),
        person: "clerk2".into(),
        role: None,
        from: d("2026-06-01"),
        until: d("2026-07-01"),
    });
    let mut c = w.clerk_applies();
    assert_eq!(code(c.permit(&w, "clerk2")), Code::NotAuthorized, "the holder is present");
    w.vacate("zeimu.head");
    let mut late = c.clone();
    c.permit(&w, "clerk2").unwrap();
    let decided = c.last_of("decided");
    assert_eq!(decided.held[0].capacity, Capacity::Delegate);
    assert_eq!(
        decided.held[0].path,
        Path::Delegate { delegation: "D7".into(), for_post: "zeimu.head".into() }
    );
    w.go_to("2026-07-02");
    assert_eq!(code(late.permit(&w, "clerk2")), Code::NotAuthorized);
}

#[test]
fn a_delegation_for_another_role_does_not_help() {
    let mut w = World::new();
    w.vacate("zeimu.head");
    w.lists.delegations.push(Delegation {
        id: "D8".into(),
        post: "zeimu.head".into(),
        person: "clerk2".into(),
        role: Some("auditor".into()),
        from: d("2026-06-01"),
        until: d("2026-12-01"),
    });
    let mut c = w.clerk_applies();
    assert_eq!(code(c.permit(&w, "clerk2")), Code::NotAuthorized);
}

#[test]
fn an_intermediate_step_is_passed_over_and_read_afterwards() {
    let mut w = World::new();
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    let mut review = step("check", "審査", StepKind::Review, "information_system_manager");
    review.on_absent = OnAbsent::PostReview;
    p.steps.insert(0, review);
    let c = w.clerk_applies();
    assert_eq!(c.state().open_step().unwrap().id, "check");
    w.absent("sysman");
    let mut c = w.clerk_applies();
    assert_eq!(c.state().open_step().unwrap().id, "permit");
    assert_eq!(c.state().reviews[0].cause, ReviewCause::PassedOver);
    c.permit(&w, "manager").unwrap();
    let read = Command::Review { of: c.state().reviews[0].of, shown: c.whole(), says: String::new() };
    assert_eq!(c.refused(&w, "officer", read.clone()), Code::NotAuthorized);
    c.run(&w, "sysman", read).unwrap();
}
