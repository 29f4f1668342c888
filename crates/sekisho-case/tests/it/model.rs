//! Random organizations against a model written separately, from the words of the design: who may permit.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sekisho_case::case::{Direction, Resume, fold, open_tasks};
use sekisho_case::decide::{Command, offers, tick};
use sekisho_case::org::{Absence, OrgLists, UnitKind};
use sekisho_pack::model::{OnAbsent, OnEmpty};
use serde_json::json;

use crate::world::*;

const PEOPLE: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];
/// Section head, its deputies in order, department head, its deputy, head officer, CISO.
const POSTS: [&str; 7] = ["s.head", "s.vice", "s.chief", "d.head", "d.vice", "o.head", "deputy_mayor"];

#[derive(Debug, Clone)]
struct Case0 {
    /// For each post, who holds it (several, one, none).
    holders: Vec<BTreeSet<usize>>,
    absent: BTreeSet<usize>,
    applicant: usize,
    on_absent: OnAbsent,
    on_empty: OnEmpty,
}

fn case0() -> impl Strategy<Value = Case0> {
    let holders = prop::collection::vec(prop::collection::btree_set(0..PEOPLE.len(), 0..=2), POSTS.len());
    let absent = prop::collection::btree_set(0..PEOPLE.len(), 0..=4);
    let on_absent = prop::sample::select(vec![OnAbsent::Wait, OnAbsent::Daiketsu]);
    let on_empty = prop::sample::select(vec![OnEmpty::Block, OnEmpty::Escalate]);
    (holders, absent, 0..PEOPLE.len(), on_absent, on_empty).prop_map(
        |(holders, absent, applicant, on_absent, on_empty)| Case0 {
            holders,
            absent,
            applicant,
            on_absent,
            on_empty,
        },
    )
}

/// The model. Level by level: holders who are not the applicant may; when all of them are away and the pack allows
/// 代決, the first deputy post with somebody fit; up the chain when the holder is the applicant alone, when there is
/// nobody and the pack says so, or when nobody is there and nobody stands in. At the end of the chain, the applicant
/// where a post on the way was the applicant's.
fn may_permit(c: &Case0) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let levels: [(usize, &[usize]); 4] = [(0, &[1, 2]), (3, &[4]), (5, &[]), (6, &[])];
    let (mut may, mut own) = (BTreeSet::new(), BTreeSet::new());
    for (seat, deputies) in levels {
        let holders = &c.holders[seat];
        let others: BTreeSet<usize> = holders.iter().copied().filter(|p| *p != c.applicant).collect();
        if holders.contains(&c.applicant) {
            own.insert(c.applicant);
        }
        may.extend(&others);
        if holders.is_empty() {
            if c.on_empty == OnEmpty::Block {
                return (may, BTreeSet::new());
            }
            continue;
        }
        if others.is_empty() {
            continue;
        }
        if others.iter().any(|p| !c.absent.contains(p)) || c.on_absent == OnAbsent::Wait {
            return (may, BTreeSet::new());
        }
        let stands_in = deputies.iter().find_map(|d| {
            let fit: BTreeSet<usize> = c.holders[*d]
                .iter()
                .copied()
                .filter(|p| *p != c.applicant && !c.absent.contains(p))
                .collect();
            (!fit.is_empty()).then_some(fit)
        });
        if let Some(fit) = stands_in {
            may.extend(fit);
            return (may, BTreeSet::new());
        }
    }
    (may, own)
}

fn build(c: &Case0) -> World {
    let mut w = World::new();
    use UnitKind::{Body, Department, Section, Subsection};
    let units = vec![
        unit("city", "市", Body, None),
        unit("d", "部", Department, Some("city")),
        unit("s", "課", Section, Some("d")),
        unit("k", "係", Subsection, Some("s")),
        unit("o", "統括部", Department, Some("city")),
    ];
    let posts = vec![
        post("s.head", "s", "課長", true),
        post("s.vice", "s", "課長補佐", false),
        post("s.chief", "k", "係長", true),
        post("s.staff", "s", "主事", false),
        post("d.head", "d", "部長", true),
        post("d.vice", "d", "次長", false),
        post("o.head", "o", "統括部長", true),
        post("deputy_mayor", "city", "副市長", true),
    ];
    let mut appointments: Vec<_> = PEOPLE.iter().map(|p| holds(p, "s.staff")).collect();
    for (post, holders) in POSTS.iter().zip(&c.holders) {
        appointments.extend(holders.iter().map(|p| holds(PEOPLE[*p], post)));
    }
    let absences =
        c.absent.iter().map(|p| Absence { person: PEOPLE[*p].into(), from: d(DAY), until: d(DAY) }).collect();
    w.lists = OrgLists { units, posts, appointments, absences, ..OrgLists::default() };
    w.pack.roles.get_mut("head_security_officer").unwrap().held_by =
        sekisho_pack::model::HeldBy::Post("o.head".into());
    let step = &mut w.pack.procedures.get_mut("take_out").unwrap().steps[0];
    step.on_absent = c.on_absent;
    step.on_empty = c.on_empty;
    w
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn who_may_permit_is_what_the_model_says(c in case0()) {
        let w = build(&c);
        let case = w.apply(PEOPLE[c.applicant], "s.staff", draft());
        let (may, own) = may_permit(&c);
        for (i, person) in PEOPLE.iter().enumerate() {
            let plain = case.clone().permit(&w, person).is_ok();
            prop_assert_eq!(plain, may.contains(&i), "{} plain, {:?}", person, c);
            let mut tried = case.clone();
            let with_reason = tried.run(&w, person, overriding("permit", &case.hash("permit"), "ほかにいない")).is_ok();
            prop_assert_eq!(with_reason, may.contains(&i) || own.contains(&i), "{} with reason, {:?}", person, c);
            if with_reason && i == c.applicant {
                prop_assert!(tried.last_of("decided").overridden.is_some());
                prop_assert_eq!(tried.state().unreviewed_overrides().len(), 1);
            }
        }
    }

    /// Whatever people try, in whatever order: acts fold, numbers are dense, the applicant never decides without an
    /// override, and what was offered is accepted.
    #[test]
    fn random_histories_keep_the_invariants(c in case0(), tries in prop::collection::vec((0..PEOPLE.len(), 0..11usize, 0..4i64), 1..14)) {
        let mut w = build(&c);
        let mut case = w.apply(PEOPLE[c.applicant], "s.staff", draft_of(&[item("asset", "1"), item("asset", "2")]));
        for (who, what, days) in tries {
            w.now = w.now.plus_millis(days * 86_400_000);
            let state = case.state();
            let person = PEOPLE[who];
            let offered: Vec<String> = w.with(person, |ctx| offers(&state, ctx)).into_iter().filter(|o| !o.needs_reason).map(|o| o.action).collect();
            let step = state.open_step().map(|s| s.id.clone()).unwrap_or_default();
            let (shown, whole) = (case.hash(&step), case.whole());
            let says = "理由".to_owned();
            let (name, command) = match what {
                0 => ("see", Command::See { step }),
                1 => ("permit", act("permit", &case.hash("permit"))),
                2 => ("refuse", Command::Refuse { step, shown, items: vec![], says }),
                3 => ("send_back", Command::SendBack { step, shown, to: None, resume: Resume::JumpBack, says }),
                4 => ("resubmit", Command::Resubmit { shown: whole, draft: draft_of(&[item("asset", "1")]) }),
                5 => ("withdraw", Command::Withdraw { shown: whole, says }),
                6 => ("move_out", Command::Move { shown: whole, items: vec![], direction: Direction::Out, note: String::new() }),
                7 => ("move_in", Command::Move { shown: whole, items: vec![], direction: Direction::In, note: String::new() }),
                8 => ("revoke", Command::Revoke { shown: whole, says }),
                9 => ("confirm", act("confirm_return", &case.hash("confirm_return"))),
                _ => {
                    let acts = w.with("system", |ctx| tick(&state, ctx)).unwrap();
                    case.acts.extend(acts);
                    if let Ok(()) = case.give_back(&w, person) {
                        prop_assert!(offered.contains(&"perform".to_owned()));
                    }
                    continue;
                }
            };
            let done = case.run(&w, person, command).is_ok();
            if name == "send_back" || name == "resubmit" {
                // Sending back to the applicant is offered to every judge, but not behind a permit; applying again may be too late.
                prop_assert!(!done || offered.contains(&name.to_owned()), "{name} done without offer");
            } else {
                prop_assert_eq!(done, offered.contains(&name.to_owned()), "{} by {}", name, person);
            }
        }
        let state = fold(&case.acts).unwrap();
        prop_assert_eq!(state.acts as usize, case.acts.len());
        for run in &state.steps {
            for decision in run.decisions.iter().filter(|_| run.id != "return") {
                let act = &case.acts[decision.seq as usize - 1];
                prop_assert!(decision.person != PEOPLE[c.applicant] || act.overridden.is_some());
                prop_assert_eq!(act.held.is_empty(), false);
            }
        }
        if state.status.ended() {
            prop_assert!(open_tasks(&state).iter().all(|t| t.kind.code() == "post_review"));
        }
        let text = serde_json::to_value(&state).unwrap();
        prop_assert_ne!(&text["status"], &json!(null));
    }
}
