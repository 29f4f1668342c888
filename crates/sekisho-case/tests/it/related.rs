//! Cases that a step opens, cases without applicant, remarks.

use sekisho_case::Code;
use sekisho_case::case::{Cause, SYSTEM, Status, fold};
use sekisho_case::decide::{
    Application, Command, Draft, Opening, apply, child_moved, may_open, open_without_applicant, opened,
};
use sekisho_pack::model::StepKind;

use crate::world::*;

/// After the return, the manager has the thing disposed of: a case of its own.
fn with_disposal() -> World {
    let mut w = World::new();
    let mut disposal = take_out();
    disposal.id = "disposal".into();
    disposal.steps.truncate(1);
    disposal.permit = None;
    w.pack.procedures.insert("disposal".into(), disposal);
    let mut dispose =
        step("dispose", "廃棄の申請", StepKind::Perform, "section_security_manager of applicant.section");
    dispose.opens = Some("disposal".into());
    w.pack.procedures.get_mut("take_out").unwrap().steps.insert(1, dispose);
    w
}

fn child(w: &World, parent: &mut Case, who: &str, post: &str) -> Case {
    let state = parent.state();
    let link = w.with(who, |ctx| may_open(&state, ctx, "dispose")).unwrap();
    assert_eq!((link.case.as_str(), link.step.as_str()), ("C1", "dispose"));
    let application = Application {
        case: "C2".into(),
        number: "廃棄-R8-0001".into(),
        post: post.into(),
        draft: draft(),
        parent: Some(link),
    };
    let acts = w.with(who, |ctx| apply("disposal", ctx, application)).unwrap();
    let linked = w.with(who, |ctx| opened(&state, ctx, "dispose", "C2", "廃棄-R8-0001")).unwrap();
    parent.acts.extend(linked);
    Case { acts }
}

#[test]
fn a_step_that_opens_a_case_waits_for_it() {
    let w = with_disposal();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let done = |c: &Case| act("dispose", &c.hash("dispose"));
    let command = done(&c);
    assert_eq!(c.refused(&w, "manager", command), Code::WrongState, "nothing was opened yet");
    let state = c.state();
    assert_eq!(code(w.with("clerk", |ctx| may_open(&state, ctx, "dispose"))), Code::NotAuthorized);
    assert_eq!(code(w.with("manager", |ctx| may_open(&state, ctx, "permit"))), Code::NotOpen);
    let mut sub = child(&w, &mut c, "manager", "zeimu.head");
    assert_eq!(sub.state().parent.as_ref().map(|p| p.case.as_str()), Some("C1"));
    assert_eq!(c.state().children[0].status, Status::Open);
    let command = done(&c);
    assert_eq!(c.refused(&w, "manager", command), Code::WrongState, "it is not decided yet");
    let shown = sub.hash("permit");
    sub.run(&w, "director", act("permit", &shown)).unwrap();
    assert_eq!(sub.state().status, Status::Closed);
    let state = c.state();
    let told = w.with(SYSTEM, |ctx| child_moved(&state, ctx, "C2", Status::Closed)).unwrap();
    c.acts.extend(told);
    let state = c.state();
    assert!(w.with(SYSTEM, |ctx| child_moved(&state, ctx, "C2", Status::Closed)).unwrap().is_empty());
    let command = done(&c);
    c.run(&w, "manager", command).unwrap();
    assert_eq!(c.state().open_step().map(|s| s.id.as_str()), Some("return"));
}

/// Something a check found: the section's manager puts it right, the department's officer confirms.
fn correction() -> World {
    let mut w = World::new();
    let mut p = take_out();
    p.id = "correction".into();
    p.fields.clear();
    p.permit = None;
    p.handling = None;
    p.opened_by = vec!["check:media_sighting_stale".into()];
    p.steps = vec![
        step("put_right", "是正", StepKind::Perform, "section_security_manager of case.section"),
        step("confirm", "確認", StepKind::Confirm, "department_security_officer of case.department"),
    ];
    w.pack.procedures.insert("correction".into(), p);
    w
}

fn opening(by: &str) -> Opening {
    let cause = Cause { by: by.into(), row: "media/1".into(), says: "現物確認が1年ない".into() };
    Opening {
        case: "C9".into(),
        number: "是正-R8-0001".into(),
        unit: "zeimu".into(),
        cause,
        about: "現物確認が古い媒体".into(),
        draft: Draft::default(),
    }
}

#[test]
fn a_check_opens_a_case_that_nobody_applied_for() {
    let w = correction();
    let open = |by: &str| w.with(SYSTEM, |ctx| open_without_applicant("correction", ctx, opening(by)));
    assert_eq!(code(open("check:another")), Code::WrongPack);
    assert_eq!(
        code(w.with(SYSTEM, |ctx| open_without_applicant("take_out", ctx, opening("check:another")))),
        Code::WrongPack
    );
    let mut c = Case { acts: open("check:media_sighting_stale").unwrap() };
    assert!(c.state().title.ends_with("（現物確認が古い媒体）"), "{}", c.state().title);
    let state = c.state();
    assert_eq!(state.cause.as_ref().map(|x| x.row.as_str()), Some("media/1"));
    assert!(state.parties.is_empty(), "the program is nobody");
    let done = act("put_right", &c.hash("put_right"));
    assert_eq!(c.refused(&w, "clerk", done.clone()), Code::NotAuthorized);
    assert_eq!(c.refused(&w, "other", done.clone()), Code::NotAuthorized);
    c.run(&w, "manager", done).unwrap();
    let confirm = act("confirm", &c.hash("confirm"));
    assert_eq!(c.refused(&w, "manager", confirm.clone()), Code::OwnPerformance);
    assert_eq!(c.refused(&w, "officer", confirm.clone()), Code::NotAuthorized);
    c.run(&w, "director", confirm).unwrap();
    assert_eq!(c.state().status, Status::Closed);
    assert_eq!(fold(&c.acts).unwrap(), c.state());
}

#[test]
fn a_remark_decides_nothing_and_voids_nothing() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let shown = c.hash("permit");
    let says = |s: &str| Command::Comment { shown: c.whole(), says: s.into() };
    let (empty, real) = (says(" "), says("持出先の住所は別紙のとおりです"));
    assert_eq!(c.refused(&w, "clerk", empty), Code::ReasonRequired);
    c.run(&w, "clerk", real).unwrap();
    assert_eq!(c.state().comments[0].says, "持出先の住所は別紙のとおりです");
    assert_eq!(c.hash("permit"), shown);
    c.permit(&w, "manager").unwrap();
    let ended = w.clerk_applies();
    let mut ended = ended;
    let withdraw = Command::Withdraw { shown: ended.whole(), says: String::new() };
    ended.run(&w, "clerk", withdraw).unwrap();
    let late = Command::Comment { shown: ended.whole(), says: "追記".into() };
    assert_eq!(ended.refused(&w, "clerk", late), Code::NotOpen);
}
