//! Invariant 3: a decision binds to the content it was made on.

use sekisho_case::Code;
use sekisho_case::case::{Attachment, ReviewCause, Snapshot, Status, StepStatus, TaskKind};
use sekisho_case::decide::{Command, reclassified};
use sekisho_pack::model::StepKind;
use serde_json::json;

use crate::world::*;

fn reclassify(w: &World, c: &mut Case, key: &str, class: &str) -> usize {
    let snapshot = Snapshot {
        class: [("confidentiality".to_owned(), class.to_owned())].into(),
        ..item("asset", "1").snapshot
    };
    let acts = w.with("system", |ctx| reclassified(&c.state(), ctx, key, snapshot)).unwrap();
    let n = acts.len();
    c.acts.extend(acts);
    n
}

#[test]
fn a_stale_hash_is_refused() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let command = act("permit", &"0".repeat(64));
    let r = c.run(&w, "manager", command).unwrap_err();
    assert_eq!(r.code, Code::StaleContent);
    let other = World::new().apply("clerk", "zeimu.staff", draft_of(&[item("asset", "2")]));
    let command = act("permit", &other.hash("permit"));
    assert_eq!(c.refused(&w, "manager", command), Code::StaleContent);
    c.permit(&w, "manager").unwrap();
}

#[test]
fn the_hash_covers_fields_items_attachments_class_and_pack() {
    let w = World::new();
    let base = w.clerk_applies().hash("permit");
    let hash = |change: &dyn Fn(&mut sekisho_case::decide::Draft)| {
        let mut changed = draft();
        change(&mut changed);
        w.apply("clerk", "zeimu.staff", changed).hash("permit")
    };
    let mut all = vec![base.clone()];
    all.push(hash(&|d| d.fields.extend([("purpose".into(), json!("別"))])));
    all.push(hash(&|d| d.items = vec![item("asset", "2")]));
    all.push(hash(&|d| d.items[0].snapshot.owner = "shimin".into()));
    all.push(hash(&|d| d.items[0].snapshot.class = [("confidentiality".to_owned(), "3".to_owned())].into()));
    all.push(hash(&|d| d.attachments.push(Attachment { name: "a.pdf".into(), sha256: "a".repeat(64) })));
    let mut newer = World::new();
    newer.pack.hash = "q".repeat(64);
    all.push(newer.clerk_applies().hash("permit"));
    all.push(w.apply("clerk2", "zeimu.staff", draft()).hash("permit"));
    let n = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), n, "every change changes the hash");
    assert_eq!(w.clerk_applies().hash("permit"), base, "and the same content has the same");
}

#[test]
fn the_act_records_the_hash_it_was_made_on() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let hash = c.hash("permit");
    c.permit(&w, "manager").unwrap();
    assert_eq!(c.last_of("decided").content, hash);
    assert_eq!(c.last_of("decided").pack, w.pack.hash);
    assert_eq!(c.hash("permit"), hash, "the content of a decision does not change with what follows");
}

#[test]
fn evidence_of_a_later_step_is_content_of_its_own() {
    let w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let permit = c.hash("permit");
    let confirm = c.hash("confirm_return");
    c.give_back(&w, "clerk").unwrap();
    assert_eq!(c.hash("permit"), permit);
    assert_ne!(c.hash("confirm_return"), confirm, "the confirmation binds to the evidence of the return");
    assert_eq!(
        c.last_of("decided").content,
        c.hash("return"),
        "the return itself binds to what was there before it"
    );
    let stale = act("confirm_return", &confirm);
    assert_eq!(c.refused(&w, "manager", stale), Code::StaleContent);
}

#[test]
fn reclassification_before_the_permit_voids_what_was_decided() {
    let mut w = World::new();
    let p = w.pack.procedures.get_mut("take_out").unwrap();
    p.steps.insert(1, step("second", "統括の許可", StepKind::Permit, "head_security_officer"));
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    let old = c.hash("second");
    assert!(reclassify(&w, &mut c, "asset/1", "3") > 0);
    let state = c.state();
    assert_eq!(state.open_step().unwrap().id, "permit");
    assert!(state.step("permit").unwrap().decisions.is_empty());
    assert_eq!(state.content.items[0].snapshot.class["confidentiality"], "3");
    let stale = act("second", &old);
    assert_eq!(c.refused(&w, "officer", stale), Code::NotOpen);
    c.permit(&w, "manager").unwrap();
    let command = act("second", &c.hash("second"));
    c.run(&w, "officer", command).unwrap();
    assert_eq!(c.state().status, Status::InForce);
}

#[test]
fn reclassification_after_the_permit_opens_a_review() {
    let w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    assert_eq!(reclassify(&w, &mut c, "asset/1", "3"), 2);
    let state = c.state();
    assert_eq!(state.reviews[0].cause, ReviewCause::Reclassified);
    assert_eq!(state.content.items[0].snapshot.class["confidentiality"], "2", "what was decided on stays");
    assert!(c.tasks().iter().any(|t| t.kind == TaskKind::Review && t.post == "zeimu.head"));
    assert_eq!(reclassify(&w, &mut c, "asset/1", "3A"), 1, "noted, but one review at a time");
    assert_eq!(c.state().reviews.len(), 1);
    let uphold = |c: &Case| Command::Review {
        of: c.state().reviews[0].of,
        shown: c.whole(),
        says: "暗号化しているので続けてよい".into(),
    };
    let wrong = uphold(&c);
    assert_eq!(c.refused(&w, "clerk", wrong), Code::SelfDecision);
    let right = uphold(&c);
    c.run(&w, "manager", right).unwrap();
    assert!(c.state().reviews.iter().all(|r| r.done.is_some()));
}

#[test]
fn revoking_answers_the_review_of_a_reclassification() {
    let w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    reclassify(&w, &mut c, "asset/1", "3");
    let revoke = Command::Revoke { shown: c.whole(), says: "機密性が上がったため".into() };
    c.run(&w, "manager", revoke).unwrap();
    let state = c.state();
    assert_eq!(state.status, Status::Revoked);
    assert!(state.reviews.iter().all(|r| r.done.is_some()));
}

#[test]
fn a_change_that_is_none_or_concerns_something_else_does_nothing() {
    let w = World::new();
    let mut c = w.clerk_applies();
    assert_eq!(reclassify(&w, &mut c, "asset/1", "2"), 0);
    assert_eq!(reclassify(&w, &mut c, "asset/999", "3"), 0);
    assert_eq!(c.state().step("permit").unwrap().status, StepStatus::Open);
}

#[test]
fn what_became_prohibited_is_not_permitted() {
    let w = World::new();
    let mut c = w.clerk_applies();
    let mut now = item("asset", "1").snapshot;
    now.class = [("confidentiality".to_owned(), "3".to_owned())].into();
    now.facts.insert("zone".into(), json!("mynumber"));
    let acts = w.with("system", |ctx| reclassified(&c.state(), ctx, "asset/1", now)).unwrap();
    c.acts.extend(acts);
    assert_eq!(code(c.permit(&w, "manager")), Code::Prohibited);
    let refuse = Command::Refuse {
        step: "permit".into(),
        shown: c.hash("permit"),
        items: vec![],
        says: "持ち出せない情報のため".into(),
    };
    c.run(&w, "manager", refuse).unwrap();
    assert_eq!(c.state().status, Status::Refused);
}

#[test]
fn the_review_of_a_reclassified_permit_is_moot_when_the_case_has_ended() {
    let w = World::new();
    let mut c = w.clerk_applies();
    c.permit(&w, "manager").unwrap();
    reclassify(&w, &mut c, "asset/1", "3");
    c.give_back(&w, "clerk").unwrap();
    c.confirm(&w, "manager").unwrap();
    assert!(c.tasks().is_empty());
}
