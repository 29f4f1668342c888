//! Invariant 1: who may act comes from role, scope and date, and nothing else.

use sekisho_case::Code;
use sekisho_case::authority::{Capacity, Path, Seat};
use sekisho_case::case::{Resume, Status, StepStatus};
use sekisho_case::decide::Command;
use sekisho_pack::expr::{Env, Expr, Type};
use sekisho_pack::model::StepKind;
use serde_json::json;

use crate::world::*;

#[test]
fn the_section_manager_permits() {
    let w = World::new();
    let mut c = w.clerk_applies();
    assert_eq!(c.state().status, Status::Open);
    c.permit(&w, "manager").unwrap();
    let state = c.state();
    assert_eq!(state.status, Status::InForce);
    let decided = c.last_of("decided");
    assert_eq!((decided.person.as_str(), decided.post.as_str()), ("manager", "zeimu.head"));
    assert_eq!(decided.held.len(), 1);
    assert_eq!((decided.held[0].capacity, &decided.held[0].path), (Capacity::Holder, &Path::Holder));
    assert_eq!(decided.held[0].role, "section_security_manager");
    assert_eq!(decided.held[0].unit, "zeimu");
}

#[test]
fn everybody_else_is_refused_and_told_who_permits() {
    let w = World::new();
    let mut c = w.clerk_applies();
    for wrong in [
        "clerk2", "other", "outsider", "director", "deputy", "chief", "officer", "sysman", "mayor2", "nobody",
    ] {
        let r = c.permit(&w, wrong).expect_err(wrong);
        assert!(matches!(r.code, Code::NotAuthorized | Code::NotInOffice), "{wrong}: {r:?}");
        assert!(r.message.contains("課野 長子"), "{wrong}: {}", r.message);
    }
    assert_eq!(c.state().status, Status::Open);
}

#[test]
fn the_manager_of_another_section_permits_only_there() {
    let w = World::new();
    let mut c = w.apply("outsider", "shimin.staff", draft());
    assert_eq!(code(c.permit(&w, "manager")), Code::NotAuthorized);
    c.permit(&w, "other").unwrap();
}

#[test]
fn the_application_is_made_from_a_post_that_is_held() {
    let w = World::new();
    assert_eq!(code(w.try_apply("clerk", "shimin.staff", draft())), Code::NotAuthorized);
    assert_eq!(code(w.try_apply("nobody", "zeimu.staff", draft())), Code::NotInOffice);
    assert!(w.try_apply("clerk", "zeimu.staff", draft()).is_ok());
}

#[test]
fn a_concurrent_post_routes_to_the_section_applied_from() {
    let mut w = World::new();
    w.lists.appointments.push(holds("clerk", "shimin.staff"));
    let mut c = w.apply("clerk", "shimin.staff", draft());
    assert_eq!(code(c.permit(&w, "manager")), Code::NotAuthorized);
    c.permit(&w, "other").unwrap();
}

#[test]
fn the_post_is_pinned_and_its_holder_on_the_day_acts() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    assert_eq!(
        c.state().step("permit").unwrap().parts[0].levels[0].seats,
        vec![Seat::Post("zeimu.head".into())]
    );
    // The manager moves on; clerk2 is appointed.
    for a in &mut w.lists.appointments {
        if a.person == "manager" {
            a.until = Some(d("2026-07-01"));
        }
    }
    let mut new = holds("clerk2", "zeimu.head");
    new.from = d("2026-07-02");
    w.lists.appointments.push(new);
    w.go_to("2026-07-02");
    assert_eq!(code(c.permit(&w, "manager")), Code::NotInOffice);
    c.permit(&w, "clerk2").unwrap();
}

#[test]
fn a_lent_device_goes_to_the_system_manager_item_by_item() {
    let w = World::new();
    let mut c = w.apply(
        "clerk",
        "zeimu.staff",
        draft_of(&[item("asset", "1"), item("device", "9"), item("asset", "2")]),
    );
    c.permit(&w, "manager").unwrap();
    // The manager permitted both assets in one act; the device still waits.
    let state = c.state();
    assert_eq!(state.status, Status::Open);
    assert_eq!(state.step("permit").unwrap().unsettled().count(), 1);
    assert_eq!(code(c.permit(&w, "manager")), Code::NotAuthorized);
    c.permit(&w, "sysman").unwrap();
    let state = c.state();
    assert_eq!(state.permit.unwrap().items, ["asset/1", "device/9", "asset/2"]);
}

#[test]
fn an_item_chosen_by_name_must_be_the_persons_to_decide() {
    let w = World::new();
    let mut c = w.apply("clerk", "zeimu.staff", draft_of(&[item("asset", "1"), item("device", "9")]));
    let with = |items: &[&str], c: &Case| match act("permit", &c.hash("permit")) {
        Command::Act { step, shown, says, conditions, evidence, override_reason, .. } => Command::Act {
            step,
            shown,
            items: items.iter().map(|s| (*s).into()).collect(),
            says,
            conditions,
            evidence,
            override_reason,
        },
        other => other,
    };
    let both = with(&["asset/1", "device/9"], &c);
    assert_eq!(c.refused(&w, "manager", both), Code::NotAuthorized);
    let unknown = with(&["asset/77"], &c);
    assert_eq!(c.refused(&w, "manager", unknown), Code::NotOpen);
    let own = with(&["asset/1"], &c);
    c.run(&w, "manager", own).unwrap();
}

#[test]
fn some_items_can_be_refused_and_the_rest_permitted() {
    let w = World::new();
    let mut c = w.apply("clerk", "zeimu.staff", draft_of(&[item("asset", "1"), item("asset", "2")]));
    let refuse = Command::Refuse {
        step: "permit".into(),
        shown: c.hash("permit"),
        items: vec!["asset/2".into()],
        says: "不要".into(),
    };
    c.run(&w, "manager", refuse).unwrap();
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().permit.unwrap().items, ["asset/1"]);
}

#[test]
fn a_refusal_needs_a_reason_and_ends_the_case() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let refuse = |says: &str, c: &Case| Command::Refuse {
        step: "permit".into(),
        shown: c.hash("permit"),
        items: vec![],
        says: says.into(),
    };
    let empty = refuse("  ", &c);
    assert_eq!(c.refused(&w, "manager", empty), Code::ReasonRequired);
    let wrong = refuse("理由", &c);
    assert_eq!(c.refused(&w, "clerk2", wrong), Code::NotAuthorized);
    let right = refuse("持ち出す必要がない", &c);
    c.run(&w, "manager", right).unwrap();
    let state = c.state();
    assert_eq!((state.status, state.permit), (Status::Refused, None));
    assert!(c.tasks().is_empty());
    assert_eq!(code(c.permit(&w, "manager")), Code::NotOpen);
}

#[test]
fn the_whole_way_to_the_end() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    w.go_to("2026-07-10");
    assert_eq!(code(c.give_back(&w, "clerk2")), Code::NotAuthorized);
    c.give_back(&w, "clerk").unwrap();
    assert_eq!(code(c.confirm(&w, "clerk")), Code::SelfDecision);
    assert_eq!(code(c.confirm(&w, "clerk2")), Code::NotAuthorized);
    c.confirm(&w, "manager").unwrap();
    let state = c.state();
    assert_eq!(state.status, Status::Closed);
    assert!(state.steps.iter().all(|s| s.status == StepStatus::Done));
    assert_eq!(state.step("return").unwrap().evidence["returned_at"], json!("2026-07-10"));
    assert!(c.tasks().is_empty());
}

#[test]
fn evidence_is_asked_for() {
    let w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let bare = act("return", &c.hash("return"));
    let r = c.run(&w, "clerk", bare).unwrap_err();
    assert_eq!(r.code, Code::InvalidForm);
    assert_eq!(
        r.fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(),
        ["returned_at", "erasure_checked"]
    );
}

#[test]
fn withdrawal_ends_when_the_next_actor_has_opened_it() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let withdraw = |c: &Case| Command::Withdraw { shown: c.whole(), says: String::new() };
    let wrong = withdraw(&c);
    assert_eq!(c.refused(&w, "clerk2", wrong), Code::NotAuthorized);
    let mut taken_back = c.clone();
    let right = withdraw(&taken_back);
    taken_back.run(&w, "clerk", right).unwrap();
    assert_eq!(taken_back.state().status, Status::Withdrawn);
    // Somebody without authority looking at it changes nothing.
    assert_eq!(c.refused(&w, "clerk2", Command::See { step: "permit".into() }), Code::NotAuthorized);
    c.run(&w, "manager", Command::See { step: "permit".into() }).unwrap();
    let late = withdraw(&c);
    assert_eq!(c.refused(&w, "clerk", late), Code::AlreadySeen);
}

#[test]
fn sent_back_to_the_applicant_and_applied_again() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let back = Command::SendBack {
        step: "permit".into(),
        shown: c.hash("permit"),
        to: None,
        resume: Resume::InOrder,
        says: "目的を詳しく".into(),
    };
    assert_eq!(c.refused(&w, "clerk2", back.clone()), Code::NotAuthorized);
    c.run(&w, "manager", back).unwrap();
    assert_eq!(c.state().status, Status::SentBack);
    assert_eq!(c.tasks().iter().map(|t| t.person.as_str()).collect::<Vec<_>>(), ["clerk"]);
    let mut better = draft();
    better.fields.insert("purpose".into(), json!("訪問調査（滞納者宅）"));
    let again = Command::Resubmit { shown: c.whole(), draft: better };
    assert_eq!(c.refused(&w, "clerk2", again.clone()), Code::NotAuthorized);
    c.run(&w, "clerk", again).unwrap();
    assert_eq!(c.state().content.fields["purpose"], json!("訪問調査（滞納者宅）"));
    c.permit(&w, "manager").unwrap();
}

#[test]
fn the_confirmer_sends_back_to_the_return_and_never_behind_the_permit() {
    let w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    c.give_back(&w, "clerk").unwrap();
    let back = |to: Option<&str>, c: &Case| Command::SendBack {
        step: "confirm_return".into(),
        shown: c.hash("confirm_return"),
        to: to.map(Into::into),
        resume: Resume::JumpBack,
        says: "現物がない".into(),
    };
    for behind in [None, Some("permit"), Some("confirm_return"), Some("nonsense")] {
        let command = back(behind, &c);
        assert_eq!(c.refused(&w, "manager", command), Code::WrongState, "{behind:?}");
    }
    let command = back(Some("return"), &c);
    c.run(&w, "manager", command).unwrap();
    let state = c.state();
    assert_eq!(state.step("return").unwrap().status, StepStatus::Open);
    assert!(state.step("return").unwrap().evidence.is_empty());
    c.give_back(&w, "clerk").unwrap();
    c.confirm(&w, "manager").unwrap();
}

fn two_permits() -> World {
    let mut w = World::new();
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    p.steps.insert(1, step("second", "統括の許可", StepKind::Permit, "head_security_officer"));
    w
}

#[test]
fn unchanged_content_jumps_back_and_changed_content_goes_through_all() {
    let w = two_permits();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let back = Command::SendBack {
        step: "second".into(),
        shown: c.hash("second"),
        to: None,
        resume: Resume::JumpBack,
        says: "確認".into(),
    };
    c.run(&w, "officer", back).unwrap();
    let mut same = c.clone();
    let again = Command::Resubmit { shown: same.whole(), draft: draft() };
    same.run(&w, "clerk", again).unwrap();
    assert_eq!(same.state().open_step().unwrap().id, "second");
    let mut changed = draft();
    changed.fields.insert("purpose".into(), json!("別の目的"));
    let again = Command::Resubmit { shown: c.whole(), draft: changed };
    c.run(&w, "clerk", again).unwrap();
    assert_eq!(c.state().open_step().unwrap().id, "permit");
}

#[test]
fn resuming_in_order_asks_everybody_again() {
    let w = two_permits();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let back = Command::SendBack {
        step: "second".into(),
        shown: c.hash("second"),
        to: None,
        resume: Resume::InOrder,
        says: "確認".into(),
    };
    c.run(&w, "officer", back).unwrap();
    let again = Command::Resubmit { shown: c.whole(), draft: draft() };
    c.run(&w, "clerk", again).unwrap();
    assert_eq!(c.state().open_step().unwrap().id, "permit");
}

#[test]
fn a_step_whose_condition_fails_to_evaluate_applies() {
    let mut w = two_permits();
    let env = Env::new().with("blanket", Type::Bool);
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    p.steps[1].when = Some(Expr::parse("blanket", &env).unwrap());
    // `blanket` is not filled in: null, so the second permit is asked for.
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().open_step().unwrap().id, "second");
    let mut no = draft();
    no.fields.insert("blanket".into(), json!(false));
    let mut c = w.apply("clerk", "zeimu.staff", no);
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.state().step("second").unwrap().status, StepStatus::NotApplicable);
    assert_eq!(c.state().open_step().unwrap().id, "return");
}

#[test]
fn a_path_on_which_nobody_decides_is_refused() {
    let mut w = World::new();
    let env = Env::new().with("blanket", Type::Bool);
    w.pack.procedures.get_mut("take_out").unwrap().steps[0].when =
        Some(Expr::parse("blanket", &env).unwrap());
    let mut no = draft();
    no.fields.insert("blanket".into(), json!(false));
    assert_eq!(code(w.try_apply("clerk", "zeimu.staff", no)), Code::NoDecision);
    assert!(w.try_apply("clerk", "zeimu.staff", draft()).is_ok());
}

#[test]
fn the_form_is_checked_field_by_field() {
    let w = World::new();
    let faults = |change: &dyn Fn(&mut sekisho_case::decide::Draft)| {
        let mut bad = draft();
        change(&mut bad);
        let r = w.try_apply("clerk", "zeimu.staff", bad).unwrap_err();
        assert_eq!(r.code, Code::InvalidForm);
        r.fields.into_iter().map(|f| f.field).collect::<Vec<_>>()
    };
    assert_eq!(faults(&|d| d.fields.clear()), ["purpose", "from", "return_by"]);
    assert_eq!(faults(&|d| d.items.clear()), ["items"]);
    assert_eq!(faults(&|d| d.fields.extend([("purpose".into(), json!(" "))])), ["purpose"]);
    assert_eq!(faults(&|d| d.fields.extend([("purpose".into(), json!("あ".repeat(201)))])), ["purpose"]);
    assert_eq!(faults(&|d| d.fields.extend([("from".into(), json!("2026-02-30"))])), ["from", "return_by"]);
    assert_eq!(faults(&|d| d.fields.extend([("blanket".into(), json!("はい"))])), ["blanket"]);
    assert_eq!(faults(&|d| d.fields.extend([("surprise".into(), json!("x"))])), ["surprise"]);
    assert_eq!(faults(&|d| d.items = vec![item("asset", "1"), item("asset", "1")]), ["items"]);
    assert_eq!(faults(&|d| d.items = vec![item("person", "1")]), ["items"]);
    assert_eq!(faults(&|d| d.items = (0..51).map(|i| item("asset", &i.to_string())).collect()), ["items"]);
}

#[test]
fn a_case_keeps_the_pack_version_it_started_with() {
    let mut w = World::new();
    let mut c = w.clerk_applies();
    w.pack.hash = "q".repeat(64);
    assert_eq!(code(c.permit(&w, "manager")), Code::WrongPack);
    w.pack.hash = "p".repeat(64);
    c.permit(&w, "manager").unwrap();
}
