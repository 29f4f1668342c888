//! What pages show: offers, explanations, inbox rows.

use sekisho_case::case::TaskKind;
use sekisho_case::decide::{explain, offers};

use crate::world::*;

/// What is offered beside a remark, which everybody who sees the case may add while it runs.
fn offered(w: &World, c: &Case, person: &str) -> Vec<String> {
    let state = c.state();
    let all: Vec<String> = w.with(person, |ctx| offers(&state, ctx)).into_iter().map(|o| o.action).collect();
    assert_eq!(all.iter().any(|a| a == "comment"), !state.status.ended());
    all.into_iter().filter(|a| a != "comment").collect()
}

#[test]
fn offers_are_what_would_be_accepted() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    assert_eq!(offered(&w, &c, "manager"), ["permit", "refuse", "send_back", "see"]);
    assert_eq!(offered(&w, &c, "clerk"), ["withdraw"]);
    for nobody in ["clerk2", "deputy", "director", "outsider"] {
        assert!(offered(&w, &c, nobody).is_empty(), "{nobody}");
    }
    c.permit(&w, "manager").unwrap();
    assert_eq!(offered(&w, &c, "clerk"), ["perform", "see", "ask_extension"]);
    assert_eq!(offered(&w, &c, "manager"), ["revoke", "extend", "close"]);
    w.go_to("2026-07-02");
    assert!(offered(&w, &c, "clerk").contains(&"move_out".to_owned()));
    assert!(offered(&w, &c, "manager").contains(&"move_out".to_owned()));
    assert!(!offered(&w, &c, "clerk2").contains(&"move_out".to_owned()));
    c.give_back(&w, "clerk").unwrap();
    assert!(offered(&w, &c, "manager").contains(&"confirm".to_owned()));
    c.confirm(&w, "manager").unwrap();
    assert!(offered(&w, &c, "manager").is_empty() && offered(&w, &c, "clerk").is_empty());
}

#[test]
fn an_own_decision_is_offered_with_its_reason_only_when_alone() {
    let mut w = World::new();
    let c = w.apply("manager", "zeimu.head", draft());
    assert_eq!(offered(&w, &c, "manager"), ["withdraw"]);
    for post in ["soumu.head", "kikaku.head", "deputy_mayor"] {
        w.vacate(post);
    }
    let state = c.state();
    let own = w.with("manager", |ctx| offers(&state, ctx));
    let decision: Vec<_> = own.iter().filter(|o| o.step == "permit" && o.action != "see").collect();
    assert_eq!(decision.len(), 1);
    assert!(decision[0].needs_reason && decision[0].action == "permit");
}

#[test]
fn the_explanation_names_persons_and_reasons() {
    let mut w = World::new();
    let c = w.apply("manager", "zeimu.head", draft());
    let state = c.state();
    let all = w.with("manager", |ctx| explain(&state, ctx));
    let of = |p: &str| all.iter().find(|e| e.person == p).unwrap();
    assert!(!of("manager").may && of("manager").why.contains("自分が関わった"));
    assert!(of("director").may && of("director").post == "総務部 部長");
    w.absent("director");
    let all = w.with("manager", |ctx| explain(&state, ctx));
    assert!(all.iter().any(|e| e.person == "vicedir" && e.may && e.why.contains("代決")), "{all:?}");
}

#[test]
fn whoever_might_expect_to_act_is_told_why_not() {
    let w = World::new();
    let c = w.clerk_applies();
    let state = c.state();
    let all = w.with("clerk", |ctx| explain(&state, ctx));
    let why = |p: &str| {
        let e = all.iter().find(|e| e.person == p).unwrap_or_else(|| panic!("{p}: {all:#?}"));
        assert_eq!(e.may, p == "manager", "{e:?}");
        e.why.clone()
    };
    assert!(why("manager").contains("としてこの手順を行います"));
    assert!(why("deputy").contains("在席しているので、代決はできません"));
    assert!(why("director").contains("期限を過ぎると"));
    assert!(why("clerk").contains("申請者なので"));
    assert!(all.iter().all(|e| e.person != "outsider"));
}

#[test]
fn inbox_rows_need_neither_organization_nor_cedar() {
    let w = World::new();
    let c = w.apply(
        "clerk",
        "zeimu.staff",
        draft_of(&[item("asset", "1"), item("device", "9"), item("asset", "2")]),
    );
    let rows: Vec<(TaskKind, String)> = c.tasks().into_iter().map(|t| (t.kind, t.post)).collect();
    let act = |p: &str| (TaskKind::Act, p.to_owned());
    let stand_in = |p: &str| (TaskKind::ActInAbsence, p.to_owned());
    assert_eq!(rows, [act("joho.head"), act("zeimu.head"), stand_in("zeimu.vice"), stand_in("zeimu1.head")]);
    let task = c.tasks().remove(0);
    assert_eq!(
        (task.step.as_str(), task.title.as_str(), task.due),
        ("permit", "許可", Some(d("2026-07-06")))
    );
}

#[test]
fn the_inbox_row_of_a_part_goes_away_when_it_has_acted() {
    let w = World::new();
    let mut c = w.apply("clerk", "zeimu.staff", draft_of(&[item("asset", "1"), item("device", "9")]));
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.tasks().into_iter().map(|t| t.post).collect::<Vec<_>>(), ["joho.head"]);
    c.permit(&w, "sysman").unwrap();
    assert_eq!(c.tasks().into_iter().map(|t| t.person).collect::<Vec<_>>(), ["clerk"]);
}
