//! Invariant 7: deadlines in business days, lateness, and what time alone changes.

use sekisho_case::Code;
use sekisho_case::case::{Due, Status, TaskKind, next_change_on};
use sekisho_case::decide::{refresh, tick};
use sekisho_pack::model::Period;

use crate::world::*;

fn ticked(w: &World, c: &mut Case) -> usize {
    let acts = w.with("system", |ctx| tick(&c.state(), ctx)).unwrap();
    let n = acts.len();
    c.acts.extend(acts);
    n
}

#[test]
fn business_days_skip_weekends_and_holidays() {
    // Friday; Monday 20 July is 海の日.
    let w = World::new().on("2026-07-17");
    let mut draft = draft();
    draft.fields.insert("return_by".into(), serde_json::json!("2026-08-10"));
    let c = w.apply("clerk", "zeimu.staff", draft);
    assert_eq!(c.state().step("permit").unwrap().due, Some(Due::On(d("2026-07-23"))));
}

#[test]
fn other_periods() {
    let due = |p: Period| {
        let mut w = World::new();
        w.pack.procedures.get_mut("take_out").unwrap().steps[0].within = Some(p);
        w.clerk_applies().state().step("permit").unwrap().due
    };
    assert_eq!(due(Period::Hours(5)), Some(Due::At(at(DAY).plus_millis(5 * 3_600_000))));
    assert_eq!(due(Period::Days(2)), Some(Due::On(d("2026-07-03"))));
    assert_eq!(due(Period::Days(3)), Some(Due::On(d("2026-07-06"))), "Saturday rolls on to Monday");
    assert_eq!(due(Period::Months(1)), Some(Due::On(d("2026-08-03"))), "Saturday 1 August rolls on");
}

#[test]
fn hours_are_wall_time() {
    let mut w = World::new();
    w.pack.procedures.get_mut("take_out").unwrap().steps[0].within = Some(Period::Hours(1));
    let c = w.clerk_applies();
    let state = c.state();
    assert!(state.overdue(w.now.plus_millis(3_600_000)).is_empty());
    assert_eq!(state.overdue(w.now.plus_millis(3_600_001)).len(), 1);
}

#[test]
fn a_late_decision_is_told_to_the_next_role_and_never_approved() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    assert_eq!(next_change_on(&c.state()), Some(d("2026-07-07")));
    w.go_to("2026-07-06");
    assert_eq!(ticked(&w, &mut c), 0);
    assert_eq!(code(c.permit(&w, "director")), Code::NotAuthorized);
    w.go_to("2026-07-07");
    assert_eq!(ticked(&w, &mut c), 1);
    assert_eq!(ticked(&w, &mut c), 0, "noted once");
    assert_eq!(next_change_on(&c.state()), None);
    let state = c.state();
    assert_eq!((state.status, state.overdue(w.now).len()), (Status::Open, 1));
    assert!(c.tasks().iter().any(|t| t.kind == TaskKind::Overdue && t.post == "soumu.head"));
    let mut by_director = c.clone();
    by_director.permit(&w, "director").unwrap();
    // The manager still may.
    c.permit(&w, "manager").unwrap();
}

#[test]
fn a_late_return_is_overdue_until_it_comes_and_no_longer() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    w.go_to("2026-07-10");
    assert!(c.state().overdue(w.now).is_empty());
    w.go_to("2026-07-11");
    assert_eq!(c.state().overdue(w.now).iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["return"]);
    assert_eq!(ticked(&w, &mut c), 2, "overdue, and the permit expired");
    let kinds = c.kinds();
    assert!(kinds.contains(&"overdue") && kinds.contains(&"expired"));
    let told: Vec<_> =
        c.tasks().into_iter().filter(|t| t.kind == TaskKind::Overdue).map(|t| t.post).collect();
    assert_eq!(told, ["zeimu.head"]);
    // Being told is no power to return for somebody else.
    assert_eq!(code(c.give_back(&w, "manager")), Code::NotAuthorized);
    c.give_back(&w, "clerk").unwrap();
    assert!(c.state().overdue(w.now).is_empty());
}

#[test]
fn a_managers_own_late_case_escalates_one_further() {
    let mut w = World::new();
    let mut c = w.apply("manager", "zeimu.head", draft());
    w.go_to("2026-07-07");
    ticked(&w, &mut c);
    assert_eq!(code(c.permit(&w, "manager")), Code::SelfDecision);
    let told: Vec<_> = c.tasks().into_iter().map(|t| (t.kind, t.post)).collect();
    assert!(
        told.contains(&(TaskKind::Act, "soumu.head".into()))
            && told.contains(&(TaskKind::Overdue, "kikaku.head".into())),
        "{told:?}"
    );
    c.permit(&w, "officer").unwrap();
}

#[test]
fn the_permits_end_is_a_change_of_its_own() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    assert_eq!(next_change_on(&c.state()), Some(d("2026-07-11")));
    c.give_back(&w, "clerk").unwrap();
    // The confirmation is due 6 July, before the permit ends.
    assert_eq!(next_change_on(&c.state()), Some(d("2026-07-07")));
    c.confirm(&w, "manager").unwrap();
    assert_eq!(next_change_on(&c.state()), None);
    w.go_to("2026-08-01");
    assert_eq!(ticked(&w, &mut c), 0, "an ended case changes no more");
}

#[test]
fn an_abolished_section_is_resolved_anew_and_recorded() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    let refreshed = |w: &World, c: &mut Case| {
        let acts = w.with("system", |ctx| refresh(&c.state(), ctx)).unwrap();
        let n = acts.len();
        c.acts.extend(acts);
        n
    };
    assert_eq!(refreshed(&w, &mut c), 0);
    // A new holder of the same post needs no new resolution.
    w.vacate("zeimu.head");
    w.lists.appointments.push(holds("clerk2", "zeimu.head"));
    assert_eq!(refreshed(&w, &mut c), 0);
    // The head post moves away with a reorganization; the section gets another one.
    w.lists.posts.retain(|p| p.code != "zeimu.head");
    w.lists.posts.push(post("zeimu.new", "zeimu", "課長", true));
    w.lists.appointments.push(holds("chief", "zeimu.new"));
    assert_eq!(refreshed(&w, &mut c), 1);
    assert_eq!(c.kinds().last(), Some(&"repinned"));
    assert_eq!(code(c.permit(&w, "clerk2")), Code::NotAuthorized);
    c.permit(&w, "chief").unwrap();
}
