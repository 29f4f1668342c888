//! Step kinds and how they are held: quorum, 専決, bars of 代決, titled posts, rounds, acknowledged reports.

use sekisho_case::Code;
use sekisho_case::authority::Capacity;
use sekisho_case::case::{Due, Status, StepStatus, TaskKind};
use sekisho_case::decide::{Command, offers};
use sekisho_pack::by::By;
use sekisho_pack::expr::{Env, Expr, Type};
use sekisho_pack::model::{FieldType, HeldBy, OnEmpty, OnRefusal, Period, Quorum, Scope, StepKind};
use serde_json::json;

use crate::world::*;

/// A committee of three, whose members are appointed from their posts, decides in place of the section's manager.
fn committee(quorum: Quorum) -> World {
    let mut w = World::new();
    let member = role("member", "委員", Scope::Body, HeldBy::Appointment, Some("ciso"), &[]);
    w.pack.roles.insert("member".into(), member);
    for (person, post) in [("director", "soumu.head"), ("officer", "kikaku.head"), ("sysman", "joho.head")] {
        let mut a = holds(person, post);
        a.role = Some("member".into());
        w.lists.appointments.push(a);
    }
    let permit = &mut w.pack.procedures.get_mut("take_out").unwrap().steps[0];
    *permit = step("permit", "許可", StepKind::Permit, "member");
    permit.quorum = quorum;
    w
}

#[test]
fn a_quorum_counts_persons_and_nobody_twice() {
    let w = committee(Quorum::AtLeast(2));
    let mut c = w.clerk_applies();
    c.permit(&w, "director").unwrap();
    assert_eq!(c.state().status, Status::Open);
    assert_eq!(code(c.permit(&w, "director")), Code::NothingToDo);
    assert!(!c.tasks().iter().any(|t| t.post == "soumu.head"), "who has decided has no task");
    assert!(c.tasks().iter().any(|t| t.post == "kikaku.head"));
    let state = c.state();
    let offered = |who: &str| w.with(who, |ctx| offers(&state, ctx)).iter().any(|o| o.action == "permit");
    assert!(offered("officer") && !offered("director"));
    c.permit(&w, "sysman").unwrap();
    assert_eq!(c.state().status, Status::InForce);
}

#[test]
fn all_means_every_seat() {
    let w = committee(Quorum::All);
    let mut c = w.clerk_applies();
    c.permit(&w, "director").unwrap();
    c.permit(&w, "sysman").unwrap();
    assert_eq!(c.state().status, Status::Open);
    c.permit(&w, "officer").unwrap();
    assert_eq!(c.state().status, Status::InForce);
}

#[test]
fn one_refusal_of_a_committee_refuses() {
    let w = committee(Quorum::AtLeast(2));
    let mut c = w.clerk_applies();
    c.permit(&w, "director").unwrap();
    let says = "認められない".to_owned();
    let refuse = Command::Refuse { step: "permit".into(), shown: c.hash("permit"), items: vec![], says };
    c.run(&w, "officer", refuse).unwrap();
    assert_eq!(c.state().status, Status::Refused);
}

#[test]
fn a_committee_member_does_not_decide_the_own_case() {
    let w = committee(Quorum::AtLeast(2));
    let mut c = w.apply("director", "soumu.head", draft());
    assert_eq!(code(c.permit(&w, "director")), Code::SelfDecision);
    c.permit(&w, "officer").unwrap();
    c.permit(&w, "sysman").unwrap();
    assert_eq!(c.state().status, Status::InForce);
}

#[test]
fn senketsu_is_recorded_with_the_role_it_stands_for() {
    let mut w = World::new();
    w.pack.procedures.get_mut("take_out").unwrap().steps[0].instead_of = Some("ciso".into());
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let held = c.last_of("decided").held[0].clone();
    assert_eq!((held.capacity, held.instead_of.as_deref()), (Capacity::DelegatedDecision, Some("ciso")));
    let mut c = w.clerk_applies();
    assert_eq!(
        code(c.permit(&w, "mayor2")),
        Code::NotAuthorized,
        "who gave the power away does not take it back case by case"
    );
}

#[test]
fn important_cases_are_decided_in_absence_only_for_a_reason() {
    let mut w = World::new();
    let env = Env::new().with("blanket", Type::Bool);
    let permit = &mut w.pack.procedures.get_mut("take_out").unwrap().steps[0];
    permit.no_daiketsu_when = Some(Expr::parse("blanket", &env).unwrap());
    w.absent("manager");
    let mut important = draft();
    important.fields.insert("blanket".into(), json!(true));
    let mut c = w.apply("clerk", "zeimu.staff", important);
    assert_eq!(code(c.permit(&w, "deputy")), Code::ReasonRequired);
    let shown = c.hash("permit");
    c.run(&w, "deputy", overriding("permit", &shown, "課長から電話で指示を受けた")).unwrap();
    let decided = c.last_of("decided");
    assert_eq!(decided.urgent.as_deref(), Some("課長から電話で指示を受けた"));
    assert_eq!((decided.held[0].capacity, &decided.overridden), (Capacity::Acting, &None));
    // An ordinary case needs none, and an unknown answer counts as important.
    let mut ordinary = draft();
    ordinary.fields.insert("blanket".into(), json!(false));
    let mut c = w.apply("clerk", "zeimu.staff", ordinary);
    c.permit(&w, "deputy").unwrap();
    assert_eq!(c.last_of("decided").urgent, None);
    let mut c = w.apply("clerk", "zeimu.staff", draft());
    assert_eq!(code(c.permit(&w, "deputy")), Code::ReasonRequired);
}

#[test]
fn the_chief_of_the_own_subsection_reviews_first() {
    let mut w = World::new();
    let chief = role("chief", "係長", Scope::Section, HeldBy::Titled("係長".into()), Some("vice"), &[]);
    let vice = role("vice", "課長補佐", Scope::Section, HeldBy::Titled("課長補佐".into()), None, &[]);
    w.pack.roles.insert("chief".into(), chief);
    w.pack.roles.insert("vice".into(), vice);
    w.lists.posts.push(post("zeimu1.staff", "zeimu1", "主事", false));
    w.lists.appointments.push(holds("clerk2", "zeimu1.staff"));
    let mut review = step("look", "審査", StepKind::Review, "chief of applicant.section");
    review.on_empty = OnEmpty::Escalate;
    w.pack.procedures.get_mut("take_out").unwrap().steps.insert(0, review);
    let mut c = w.apply("clerk2", "zeimu1.staff", draft());
    assert_eq!(code(c.permit(&w, "manager")), Code::NotOpen);
    let look = act("look", &c.hash("look"));
    assert_eq!(c.refused(&w, "deputy", look.clone()), Code::NotAuthorized);
    c.run(&w, "chief", look).unwrap();
    c.permit(&w, "manager").unwrap();
    // Of the section itself, which has no 係長 post of its own, the next role reviews.
    let mut c = w.apply("clerk", "zeimu.staff", draft());
    let look = act("look", &c.hash("look"));
    assert_eq!(c.refused(&w, "chief", look.clone()), Code::NotAuthorized);
    c.run(&w, "deputy", look).unwrap();
}

/// A step that is done again every month while the permit runs.
fn monthly() -> World {
    let mut w = World::new();
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    let mut status = step("status", "状況の報告", StepKind::Perform, "applicant");
    status.every = Some(Period::Months(1));
    status.evidence = vec![field("note", FieldType::Text, true)];
    p.steps.insert(1, status);
    w
}

fn report(c: &mut Case, w: &World, note: &str) {
    let mut command = act("status", &c.hash("status"));
    if let Command::Act { evidence, .. } = &mut command {
        *evidence = fields(&[("note", json!(note))]);
    }
    c.run(w, "clerk", command).unwrap();
}

#[test]
fn a_recurring_step_comes_back_until_the_permit_ends() {
    let mut w = monthly();
    let mut long = draft();
    long.fields.insert("return_by".into(), json!("2026-10-20"));
    let mut c = w.apply("clerk", "zeimu.staff", long);
    c.permit(&w, "manager").unwrap();
    let due = |c: &Case| c.state().step("status").unwrap().due;
    let first = due(&c).unwrap();
    report(&mut c, &w, "7月分");
    let second = due(&c).unwrap();
    assert!(second.date() > first.date());
    w.go_to("2026-08-03");
    report(&mut c, &w, "8月分");
    let state = c.state();
    let run = state.step("status").unwrap();
    assert_eq!(run.rounds.len(), 2);
    assert_eq!(run.rounds[0].evidence["note"], json!("7月分"));
    // The days follow the first one, not the day on which somebody was late or early.
    assert_eq!(
        run.due.map(Due::date),
        Some(second.date().plus_months(1)).map(|d| w.pack.calendar.roll_on(d))
    );
    w.go_to("2026-10-10");
    report(&mut c, &w, "9月分");
    assert_eq!(
        c.state().open_step().map(|s| s.id.as_str()),
        Some("return"),
        "the next round would lie after the permit"
    );
    assert!(c.state().performers_before("confirm_return").contains("clerk"));
}

#[test]
fn a_late_round_is_overdue_like_any_other() {
    let mut w = monthly();
    let mut long = draft();
    long.fields.insert("return_by".into(), json!("2026-09-20"));
    let mut c = w.apply("clerk", "zeimu.staff", long);
    c.permit(&w, "manager").unwrap();
    report(&mut c, &w, "7月分");
    w.go_to("2026-09-15");
    let state = c.state();
    let acts = w.with("system", |ctx| sekisho_case::decide::tick(&state, ctx)).unwrap();
    c.acts.extend(acts);
    assert!(c.kinds().contains(&"overdue"));
    assert!(c.tasks().iter().any(|t| t.step == "status" && t.kind == TaskKind::Act));
}

#[test]
fn a_round_nobody_owes_holds_nothing_back() {
    // The first one would be due after the permit has ended.
    let mut w = monthly();
    let mut short = draft();
    short.fields.insert("return_by".into(), json!("2026-07-10"));
    let mut c = w.apply("clerk", "zeimu.staff", short);
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().step("status").map(|s| s.status), Some(StepStatus::NotApplicable));
    assert_eq!(c.state().open_step().map(|s| s.id.as_str()), Some("return"));
    // An open one falls away with the permit: revoked, or over.
    let mut long = draft();
    long.fields.insert("return_by".into(), json!("2026-09-20"));
    let mut c = w.apply("clerk", "zeimu.staff", long.clone());
    c.permit(&w, "manager").unwrap();
    report(&mut c, &w, "7月分");
    let revoke = Command::Revoke { shown: c.whole(), says: "使い方が違った".into() };
    c.run(&w, "manager", revoke).unwrap();
    assert_eq!(c.state().open_step().map(|s| s.id.as_str()), Some("return"));
    let mut c = w.apply("clerk", "zeimu.staff", long);
    c.permit(&w, "manager").unwrap();
    w.go_to("2026-09-21");
    let state = c.state();
    c.acts.extend(w.with("system", |ctx| sekisho_case::decide::tick(&state, ctx)).unwrap());
    assert_eq!(c.state().open_step().map(|s| s.id.as_str()), Some("return"));
}

#[test]
fn each_round_of_a_report_is_read() {
    let mut w = monthly();
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    p.steps[1].kind = StepKind::Report;
    let by = "section_security_manager of applicant.section";
    p.steps.insert(2, step("status_read", "受領", StepKind::Inform, by));
    let mut long = draft();
    long.fields.insert("return_by".into(), json!("2026-09-20"));
    let mut c = w.apply("clerk", "zeimu.staff", long);
    c.permit(&w, "manager").unwrap();
    let open = |c: &Case| c.state().open_step().map(|s| s.id.clone());
    for (month, then) in [("7月分", "status"), ("8月分", "return")] {
        assert_eq!(open(&c).as_deref(), Some("status"), "{month}");
        report(&mut c, &w, month);
        assert_eq!(open(&c).as_deref(), Some("status_read"), "{month}");
        let early = act("status", &c.hash("status"));
        assert_eq!(c.refused(&w, "clerk", early), Code::NotOpen, "{month}");
        let read = act("status_read", &c.hash("status_read"));
        assert_eq!(c.refused(&w, "clerk2", read.clone()), Code::NotAuthorized, "{month}");
        c.run(&w, "manager", read).unwrap();
        assert_eq!(open(&c).as_deref(), Some(then), "{month}");
    }
    let state = c.state();
    assert_eq!(state.step("status_read").unwrap().rounds.len(), 1);
    assert_eq!(sekisho_case::case::fold(&c.acts).unwrap(), state);
}

#[test]
fn only_the_role_that_may_apply_applies() {
    let mut w = World::new();
    let by = "section_security_manager of applicant.section or information_system_manager";
    w.pack.procedures.get_mut("take_out").unwrap().apply_by = Some(By::parse(by).unwrap());
    assert_eq!(code(w.try_apply("clerk", "zeimu.staff", draft())), Code::NotAuthorized);
    assert!(w.try_apply("manager", "zeimu.head", draft()).is_ok());
    assert!(w.try_apply("sysman", "joho.head", draft()).is_ok());
}

#[test]
fn a_refusal_may_leave_work_to_do() {
    let mut w = World::new();
    let env = Env::new().with("refused_permit", Type::Bool);
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    p.steps[0].on_refusal = OnRefusal::GoOn;
    let mut stop = step("stop", "中止", StepKind::Perform, "applicant");
    stop.when = Some(Expr::parse("refused_permit", &env).unwrap());
    p.steps.truncate(1);
    p.steps.push(stop);
    let mut c = w.clerk_applies();
    let says = "続けられない".to_owned();
    let refuse = Command::Refuse { step: "permit".into(), shown: c.hash("permit"), items: vec![], says };
    c.run(&w, "manager", refuse).unwrap();
    let state = c.state();
    assert_eq!((state.status, state.permit.is_none()), (Status::Open, true));
    assert_eq!(state.open_step().map(|s| s.id.as_str()), Some("stop"));
    let stop = act("stop", &c.hash("stop"));
    c.run(&w, "clerk", stop).unwrap();
    assert_eq!(c.state().status, Status::Closed);
    // Permitted, the step does not apply.
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().status, Status::Closed);
}

#[test]
fn a_joint_permit_is_not_extended_by_one_of_both() {
    let mut w = World::new();
    let permit = &mut w.pack.procedures.get_mut("take_out").unwrap().steps[0];
    permit.by =
        By::parse("section_security_manager of applicant.section and information_system_manager").unwrap();
    permit.each = None;
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    c.permit(&w, "sysman").unwrap();
    let until = d("2026-07-20");
    let extend = |c: &Case| Command::Extend { shown: c.whole(), until, says: "長引いた".into() };
    let command = extend(&c);
    assert_eq!(c.refused(&w, "manager", command.clone()), Code::NotAuthorized);
    w.vacate("joho.head");
    w.lists.appointments.push(holds("manager", "joho.head"));
    c.run(&w, "manager", command).unwrap();
}

#[test]
fn a_permit_without_movements_offers_none() {
    let mut w = World::new();
    w.pack.procedures.get_mut("take_out").unwrap().permit.as_mut().unwrap().movements = false;
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let (shown, direction) = (c.whole(), sekisho_case::case::Direction::Out);
    let out = Command::Move { shown, items: vec![], direction, note: String::new() };
    assert_eq!(c.refused(&w, "clerk", out), Code::NotCovered);
}
