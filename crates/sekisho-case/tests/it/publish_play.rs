//! What the publication check says against the engine itself: cases are played to their end with the same organization,
//! applicant and absence.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sekisho_case::case::Status;
use sekisho_case::decide::tick;
use sekisho_case::org::{Org, OrgLists, UnitKind};
use sekisho_case::publish::{Fault, Finding, check};
use sekisho_pack::by::By;
use sekisho_pack::model::{FieldType, HeldBy, OnAbsent, OnEmpty, Period, Quorum, Scope};

use crate::world::*;

const PEOPLE: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];
const POSTS: [&str; 7] = ["s.head", "s.vice", "s.chief", "d.head", "d.vice", "o.head", "deputy_mayor"];

#[derive(Debug, Clone)]
struct Setting {
    /// For each post, who holds it.
    holders: Vec<BTreeSet<usize>>,
    permit: Habit,
    confirm: Habit,
    /// Whether the return is done by the section's manager instead of the applicant.
    performed_by_manager: bool,
    /// Whether permit needs two roles, or either of two.
    by: &'static str,
}

/// What absence, vacancy and lateness mean at a step.
#[derive(Debug, Clone, Copy)]
struct Habit {
    absent: OnAbsent,
    empty: OnEmpty,
    deadline: bool,
    quorum: Quorum,
}

fn habit(absences: Vec<OnAbsent>) -> impl Strategy<Value = Habit> {
    let empty = prop::sample::select(vec![OnEmpty::Block, OnEmpty::Escalate]);
    let quorum = prop::sample::select(vec![Quorum::One, Quorum::One, Quorum::All, Quorum::AtLeast(2)]);
    (prop::sample::select(absences), empty, any::<bool>(), quorum)
        .prop_map(|(absent, empty, deadline, quorum)| Habit { absent, empty, deadline, quorum })
}

fn setting() -> impl Strategy<Value = Setting> {
    let holders = prop::collection::vec(prop::collection::btree_set(0..PEOPLE.len(), 0..=2), POSTS.len());
    let by = prop::sample::select(vec![
        "section_security_manager of applicant.section",
        "section_security_manager of applicant.section and head_security_officer",
        "head_security_officer or ciso",
        "clerks",
    ]);
    let permit = habit(vec![OnAbsent::Wait, OnAbsent::Daiketsu]);
    let confirm = habit(vec![OnAbsent::Wait, OnAbsent::PostReview, OnAbsent::Daiketsu]);
    (holders, permit, confirm, any::<bool>(), by).prop_map(
        |(holders, permit, confirm, performed_by_manager, by)| Setting {
            holders,
            permit,
            // A quorum is asked of decisions; of whoever confirms work it would count persons whom that work bars.
            confirm: Habit { quorum: Quorum::One, ..confirm },
            performed_by_manager,
            by,
        },
    )
}

fn build(s: &Setting) -> World {
    use UnitKind::{Body, Department, Section, Subsection};
    let mut w = World::new();
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
    for (post, holders) in POSTS.iter().zip(&s.holders) {
        appointments.extend(holders.iter().map(|p| holds(PEOPLE[*p], post)));
    }
    for p in ["p0", "p1", "p2"] {
        let mut a = holds(p, "s.staff");
        a.role = Some("clerks".into());
        appointments.push(a);
    }
    w.lists = OrgLists { units, posts, appointments, ..OrgLists::default() };
    w.pack.roles.get_mut("head_security_officer").unwrap().held_by = HeldBy::Post("o.head".into());
    let clerks = role("clerks", "担当者", Scope::Body, HeldBy::Appointment, Some("ciso"), &[]);
    w.pack.roles.insert("clerks".into(), clerks);
    crate::publish::classify(&mut w);
    let procedure = w.pack.procedures.get_mut("take_out").unwrap();
    procedure.fields.iter_mut().find(|f| f.id == "items").unwrap().kind =
        FieldType::Items(vec!["asset".into()]);
    for (id, habit) in [("permit", s.permit), ("confirm_return", s.confirm)] {
        let step = procedure.steps.iter_mut().find(|x| x.id == id).unwrap();
        step.on_absent = habit.absent;
        step.on_empty = habit.empty;
        step.within = habit.deadline.then_some(Period::BusinessDays(3));
        step.quorum = habit.quorum;
    }
    let step = procedure.steps.iter_mut().find(|x| x.id == "permit").unwrap();
    step.by = By::parse(s.by).unwrap();
    step.each = None;
    if s.performed_by_manager {
        let back = procedure.steps.iter_mut().find(|x| x.id == "return").unwrap();
        back.by = By::parse("section_security_manager of applicant.section").unwrap();
        back.due = None;
    }
    w
}

/// The step at which a case stops when everybody who is there does what the engine allows, and nobody decides the own
/// case; none when it comes to its end. Whoever performs is tried too, so that somebody is left to confirm.
fn stops_at(w: &World, applicant: &str, away: Option<&str>) -> Option<String> {
    let present: Vec<&str> = PEOPLE.iter().copied().filter(|p| Some(*p) != away).collect();
    let mut stopped = None;
    for first in 0..present.len() {
        let order: Vec<&str> = present[first..].iter().chain(&present[..first]).copied().collect();
        let mut w = World { lists: w.lists.clone(), pack: w.pack.clone(), now: w.now };
        if let Some(p) = away {
            w.absent(p);
        }
        let mut case = w.apply(applicant, "s.staff", draft_of(&[item("asset", "1")]));
        let mut late = false;
        loop {
            let state = case.state();
            if state.status == Status::Closed {
                return None;
            }
            let Some(open) = state.open_step().map(|s| s.id.clone()) else { break };
            let acted = order.iter().any(|p| match open.as_str() {
                "return" => case.give_back(&w, p).is_ok(),
                _ => case.run(&w, p, act(&open, &case.hash(&open))).is_ok(),
            });
            if acted {
                late = false;
            } else if !late {
                w.now = w.now.plus_millis(20 * 86_400_000);
                let acts = w.with("system", |ctx| tick(&state, ctx)).unwrap();
                case.acts.extend(acts);
                late = true;
            } else {
                stopped = Some(open);
                break;
            }
        }
    }
    stopped
}

fn concerns(f: &Finding, applicant: &str, away: Option<&str>) -> bool {
    let stops = match f.fault {
        Fault::Vacant => f.reason.contains("止まります"),
        _ => true,
    };
    stops
        && (f.section.is_empty() || f.section == "s")
        && f.applicant.as_deref().is_none_or(|a| a == applicant)
        && f.absent.as_deref().is_none_or(|a| Some(a) == away)
}

/// Found by the property below: a step that may be read afterwards was passed over when only the one who had done the work
/// was left to confirm it, though nobody was away.
#[test]
fn nobody_is_passed_over_for_having_done_the_work_alone() {
    let only = |empty, absent| Habit { absent, empty, deadline: false, quorum: Quorum::One };
    let none = BTreeSet::new;
    let s = Setting {
        holders: vec![BTreeSet::from([0]), none(), none(), none(), none(), none(), none()],
        permit: only(OnEmpty::Block, OnAbsent::Wait),
        confirm: only(OnEmpty::Escalate, OnAbsent::PostReview),
        performed_by_manager: true,
        by: "section_security_manager of applicant.section",
    };
    let w = build(&s);
    assert_eq!(stops_at(&w, "p1", None).as_deref(), Some("confirm_return"));
    let r = check(&w.pack, &Org::new(w.lists.clone()), w.now.date());
    assert!(r.findings.iter().any(|f| f.fault == Fault::OwnWork && f.step == "confirm_return"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A case comes to its end exactly where the check has no finding for that applicant and that absence, and stops at a
    /// step that has one.
    #[test]
    fn what_the_check_says_is_what_happens(s in setting(), who in 0..PEOPLE.len(), away in prop::option::of(0..PEOPLE.len())) {
        let w = build(&s);
        let applicant = PEOPLE[who];
        let away = away.filter(|a| *a != who).map(|a| PEOPLE[a]);
        let r = check(&w.pack, &Org::new(w.lists.clone()), w.now.date());
        let said: Vec<&Finding> = r.findings.iter().filter(|f| concerns(f, applicant, away)).collect();
        let stopped = stops_at(&w, applicant, away);
        // With a quorum the check is stricter than the engine: it counts who is there, while for whoever is barred the step goes
        // up, where one decides alone. It never says less.
        let stricter = |f: &&Finding| f.fault == Fault::TooFew;
        match &stopped {
            None => prop_assert!(said.iter().all(stricter), "{applicant} without {away:?} came through: {said:#?} {s:?}"),
            Some(step) => prop_assert!(said.iter().any(|f| f.step == *step), "{applicant} without {away:?} stopped at {step}: {said:#?} {s:?}"),
        }
    }
}
