//! Invariant 2: the applicant never decides without an override, and the engine alone finds that there is ground for one.

use sekisho_case::Code;
use sekisho_case::authority::{Path, Seat};
use sekisho_case::case::{Status, TaskKind};
use sekisho_case::decide::Command;

use crate::world::*;

#[test]
fn a_managers_own_case_goes_to_the_next_role() {
    let w = World::new();
    let mut c = w.apply("manager", "zeimu.head", draft());
    let posts: Vec<String> =
        c.tasks().into_iter().filter(|t| t.kind == TaskKind::Act).map(|t| t.post).collect();
    assert_eq!(posts, ["soumu.head"]);
    let r = c.permit(&w, "manager").unwrap_err();
    assert_eq!(r.code, Code::SelfDecision);
    assert!(r.message.contains("髙橋 部"), "{}", r.message);
    // The deputy of the manager is no way around it, and neither is a role above the next one.
    assert_eq!(code(c.permit(&w, "deputy")), Code::NotAuthorized);
    assert_eq!(code(c.permit(&w, "officer")), Code::NotAuthorized);
    c.permit(&w, "director").unwrap();
    let decided = c.last_of("decided");
    assert_eq!(decided.held[0].path, Path::Escalated);
    assert_eq!(decided.held[0].by_role, "department_security_officer");
}

#[test]
fn a_reason_from_the_client_is_no_power() {
    let w = World::new();
    let mut c = w.apply("manager", "zeimu.head", draft());
    let command = overriding("permit", &c.hash("permit"), "急ぐので");
    assert_eq!(c.refused(&w, "manager", command), Code::SelfDecision);
}

#[test]
fn another_post_of_the_same_person_is_the_same_person() {
    let mut w = World::new();
    // The clerk also heads 市民課, and applies from the clerk's post there.
    w.vacate("shimin.head");
    w.lists.appointments.push(holds("outsider", "shimin.head"));
    let mut c = w.apply("outsider", "shimin.staff", draft());
    assert_eq!(code(c.permit(&w, "outsider")), Code::SelfDecision);
    c.permit(&w, "director").unwrap();
}

#[test]
fn a_person_in_two_levels_of_the_chain_is_skipped_twice() {
    let mut w = World::new();
    w.vacate("soumu.head");
    w.lists.appointments.push(holds("manager", "soumu.head"));
    let mut c = w.apply("manager", "zeimu.head", draft());
    assert_eq!(code(c.permit(&w, "manager")), Code::SelfDecision);
    assert_eq!(code(c.permit(&w, "mayor2")), Code::NotAuthorized);
    c.permit(&w, "officer").unwrap();
}

#[test]
fn whoever_becomes_the_holder_afterwards_still_does_not_decide_the_own_case() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    w.vacate("zeimu.head");
    w.lists.appointments.push(holds("clerk", "zeimu.head"));
    assert_eq!(code(c.permit(&w, "clerk")), Code::SelfDecision);
    c.permit(&w, "director").unwrap();
}

fn alone() -> World {
    let mut w = World::new();
    for post in ["soumu.head", "kikaku.head", "deputy_mayor"] {
        w.vacate(post);
    }
    w
}

#[test]
fn an_override_needs_a_reason_is_recorded_and_goes_to_the_next_higher_role() {
    let mut w = alone();
    let mut c = w.apply("manager", "zeimu.head", draft());
    assert_eq!(code(c.permit(&w, "manager")), Code::ReasonRequired);
    let blank = overriding("permit", &c.hash("permit"), "  ");
    assert_eq!(c.refused(&w, "manager", blank), Code::ReasonRequired);
    let command = overriding("permit", &c.hash("permit"), "上位の役割がすべて欠員で、災害対応に間に合わない");
    c.run(&w, "manager", command).unwrap();
    let decided = c.last_of("decided");
    assert_eq!(decided.overridden.as_deref(), Some("上位の役割がすべて欠員で、災害対応に間に合わない"));
    assert_eq!(decided.held[0].path, Path::Override);
    let state = c.state();
    assert_eq!(state.status, Status::InForce);
    let reviews = state.unreviewed_overrides();
    assert_eq!(reviews.len(), 1);
    assert_eq!(reviews[0].by.seats, [Seat::Post("soumu.head".into())]);
    let of = reviews[0].of;
    // The author never reviews, not even after becoming the next higher role; the new holder does.
    w.lists.appointments.push(holds("manager", "soumu.head"));
    let review = |c: &Case, says: &str| Command::Review { of, shown: c.whole(), says: says.into() };
    let own = review(&c, "問題ない");
    assert_eq!(c.refused(&w, "manager", own), Code::SelfDecision);
    w.lists.appointments.push(holds("director", "soumu.head"));
    let silent = review(&c, "");
    assert_eq!(c.refused(&w, "director", silent), Code::ReasonRequired);
    let wrong = review(&c, "見た");
    assert_eq!(c.refused(&w, "clerk2", wrong), Code::NotAuthorized);
    let right = review(&c, "やむを得ない事情を確認した");
    c.run(&w, "director", right).unwrap();
    assert!(c.state().unreviewed_overrides().is_empty());
}

#[test]
fn the_override_falls_away_as_soon_as_somebody_else_holds_office() {
    let mut w = alone();
    let mut c = w.apply("manager", "zeimu.head", draft());
    w.lists.appointments.push(holds("mayor2", "deputy_mayor"));
    let command = overriding("permit", &c.hash("permit"), "だれもいない");
    assert_eq!(c.refused(&w, "manager", command), Code::SelfDecision);
    c.permit(&w, "mayor2").unwrap();
}

#[test]
fn an_override_is_only_for_one_who_holds_the_role() {
    let mut w = alone();
    w.vacate("zeimu.head");
    let mut c = w.clerk_applies();
    let command = overriding("permit", &c.hash("permit"), "だれもいない");
    assert_eq!(c.refused(&w, "clerk", command), Code::SelfDecision);
}

#[test]
fn an_override_is_for_the_decision_and_not_for_refusing_oneself() {
    let w = alone();
    let mut c = w.apply("manager", "zeimu.head", draft());
    let refuse = Command::Refuse {
        step: "permit".into(),
        shown: c.hash("permit"),
        items: vec![],
        says: "自分で".into(),
    };
    assert_eq!(c.refused(&w, "manager", refuse), Code::ReasonRequired);
}

#[test]
fn the_top_of_the_chain_decides_the_own_case_only_when_the_chain_is_empty_of_others() {
    let mut w = World::new();
    // The CISO heads the body, so the roles of section and department fall to the CISO too; the head officer is left.
    let mut c = w.apply("mayor2", "deputy_mayor", draft());
    assert_eq!(code(c.permit(&w, "mayor2")), Code::SelfDecision);
    c.clone().permit(&w, "officer").unwrap();
    w.vacate("kikaku.head");
    assert_eq!(code(c.permit(&w, "mayor2")), Code::ReasonRequired);
    let command = overriding("permit", &c.hash("permit"), "ほかに決められる者がいない");
    c.run(&w, "mayor2", command).unwrap();
    // It is put before the next level of the chain, and never before its author.
    let review = c.state().unreviewed_overrides()[0].clone();
    let read = Command::Review { of: review.of, shown: c.whole(), says: "確認".into() };
    assert_eq!(c.refused(&w, "mayor2", read), Code::SelfDecision);
}

#[test]
fn whoever_performed_does_not_confirm() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    // The clerk leaves office; the manager records the return, and so cannot confirm it.
    w.vacate("zeimu.staff");
    c.give_back(&w, "manager").unwrap();
    assert_eq!(code(c.confirm(&w, "manager")), Code::OwnPerformance);
    c.confirm(&w, "director").unwrap();
}
