//! The core's rules, asked directly with facts that the engine would never prepare: Cedar alone must hold.

use std::collections::BTreeSet;

use sekisho_case::Code;
use sekisho_case::authority::{CORE, Lent, Question, Rules};
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
        Code::DeputyOfDeputy,
        "whoever does not sit in a deputy's seat stands in for the deputy"
    );
    assert_eq!(
        denied(|q| {
            deputy(q);
            q.applicant = "deputy".into()
        }),
        Code::SelfDecision
    );
}

/// Somebody of another section acts for the manager's vacant post in July.
fn by_delegation() -> Question {
    let mut q = question();
    q.person = "other".into();
    q.sits_in.clear();
    q.path = "delegate".into();
    q.depth = 1;
    q.holder_present = false;
    q.date = Some(d("2026-07-31"));
    q.delegation = Some(Lent {
        person: "other".into(),
        seat: "post/zeimu.head".into(),
        from: d("2026-07-01"),
        until: d("2026-07-31"),
    });
    q
}

#[test]
fn a_delegation_holds_for_its_days_person_and_seat() {
    assert!(by_delegation().ask(&rules()).unwrap().allowed);
    let denied = |change: fn(&mut Question, &mut Lent)| {
        let mut q = by_delegation();
        let mut lent = q.delegation.take().unwrap();
        change(&mut q, &mut lent);
        q.delegation = Some(lent);
        q.require(&rules(), "").expect_err("must be denied").code
    };
    assert_eq!(denied(|q, _| q.date = Some(d("2026-08-01"))), Code::LapsedDelegation);
    assert_eq!(denied(|q, _| q.date = Some(d("2026-06-30"))), Code::LapsedDelegation);
    assert_eq!(denied(|q, _| q.date = None), Code::LapsedDelegation);
    assert_eq!(denied(|_, lent| lent.person = "outsider".into()), Code::OtherDelegation);
    assert_eq!(denied(|_, lent| lent.seat = "post/shimin.head".into()), Code::OtherDelegation);
    assert_eq!(denied(|q, _| q.holder_present = true), Code::HolderPresent);
    assert_eq!(denied(|q, _| q.applicant = "other".into()), Code::SelfDecision);
    let mut q = by_delegation();
    q.delegation = None;
    assert_eq!(q.require(&rules(), "").unwrap_err().code, Code::LapsedDelegation);
}

#[test]
fn nobody_audits_an_own_section() {
    let audit = |units: &[&str], judged: &[&str]| {
        let mut q = question();
        q.action = "audit".into();
        q.units = set(units);
        q.judged_units = set(judged);
        q.require(&rules(), "").expect_err("no procedure asks for it yet").code
    };
    assert_eq!(audit(&["joho", "kikaku", "city"], &["zeimu"]), Code::NotAuthorized);
    assert_eq!(audit(&["zeimu1", "zeimu", "soumu", "city"], &["shimin", "zeimu"]), Code::OwnAudit);
    let mut other = question();
    other.units = set(&["zeimu", "soumu", "city"]);
    other.judged_units = set(&["zeimu"]);
    assert!(other.ask(&rules()).unwrap().allowed, "a manager permits in the own section");
}

#[test]
fn acts_that_judge_are_barred_to_the_applicant_whatever_the_engine_says_of_the_step() {
    for action in ["permit", "refuse", "send_back", "revoke", "extend", "decline_extension", "close"] {
        let code = denied(|q| {
            q.action = action.into();
            q.applicant = "manager".into();
            q.judging = false;
        });
        assert_eq!(code, Code::SelfDecision, "{action}");
    }
}

#[test]
fn a_pack_without_daiketsu_generates_no_rule_for_deputies() {
    let mut w = World::new();
    let with = Rules::for_pack(&w.pack).unwrap().text("take_out").unwrap();
    w.pack.procedures.get_mut("take_out").unwrap().steps[0].on_absent = OnAbsent::Wait;
    let without = Rules::for_pack(&w.pack).unwrap().text("take_out").unwrap();
    let named = |text: &str| text.matches("resource.acting").count();
    // One generated rule for each role that may manage an item, beside the core's own rule.
    assert_eq!((named(&with), named(&without)), (3, 1));
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
    assert_eq!(forbids, CORE.matches("\nforbid (").count(), "one for each core rule");
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
