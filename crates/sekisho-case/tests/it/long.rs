//! The long run: random organizations, packs and acts. Before every act a model written separately says who may act, and the engine must
//! agree; after every act the invariants of the design hold. `bench/acts` runs a million (`SEKISHO_ACTS`), the tests some thousands.

mod city;
mod model;

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_case::authority::Rules;
use sekisho_case::case::{
    Act, CaseState, Direction, Item, Resume, StepRun, StepStatus, What, fold, open_tasks,
};
use sekisho_case::decide::{Application, Command, Ctx, Draft, apply, decide, explain, refresh, tick};
use sekisho_case::org::Org;
use sekisho_pack::model::{Pack, StepKind};

use crate::world::{DAY, act, at, d, draft_of, overriding};
use city::{City, Draw, city, items_of, pack_of};
use model::{May, Model};

/// Organizations drawn for one pack, whose rules cost more than a case; cases in one organization; acts tried on a case, and after its end.
const CITIES: usize = 8;
const CASES: usize = 4;
const TRIES: usize = 40;
const TRIES_AFTER_THE_END: usize = 3;

/// What a run came to.
#[derive(Debug, Default)]
struct Tally {
    tried: usize,
    done: usize,
    by_deputy: usize,
    by_delegate: usize,
    escalated: usize,
    overridden: usize,
    permits: usize,
    cases: usize,
}

/// One case in one organization under one pack.
struct Play<'a> {
    draw: &'a mut Draw,
    city: &'a City,
    pack: &'a Pack,
    org: &'a Org,
    rules: &'a Rules,
    today: Date,
    acts: Vec<Act>,
    state: CaseState,
    /// Day on which the seats of a step were pinned, and for which items.
    pinned: BTreeMap<String, (Date, Vec<Item>)>,
    applicant: (String, String),
}

fn judges(kind: StepKind) -> bool {
    use StepKind::{Confirm, Consult, Permit, Resolve, Review};
    matches!(kind, Permit | Review | Confirm | Consult | Resolve)
}

impl Play<'_> {
    fn ctx<'c>(&'c self, person: &'c str) -> Ctx<'c> {
        let now = at(&self.today.to_string());
        Ctx { org: self.org, pack: self.pack, rules: self.rules, now, person }
    }

    fn model(&self) -> Model<'_> {
        let unit = self.city.lists.posts.iter().find(|p| p.code == self.applicant.1).unwrap();
        Model {
            lists: &self.city.lists,
            pack: self.pack,
            applicant: &self.applicant.0,
            applicant_unit: &unit.unit,
        }
    }

    /// The applicant, and whoever performed a step before this one.
    fn barred(&self, step: &str) -> BTreeSet<String> {
        let mut barred = BTreeSet::from([self.applicant.0.clone()]);
        for act in &self.acts {
            let What::Decided { step: done, .. } = &act.what else { continue };
            let order = |id: &str| self.state.steps.iter().position(|s| s.id == id).unwrap();
            let run = &self.state.steps[order(done)];
            if run.kind == StepKind::Perform
                && order(done) < order(step)
                && run.decisions.iter().any(|x| x.seq == act.seq)
            {
                barred.insert(act.person.clone());
            }
        }
        barred
    }

    /// Who may act for each part of a step, by the model.
    fn may(&self, step: &StepRun) -> Vec<May> {
        let model = self.model();
        let spec = self.pack.procedures["take_out"].steps.iter().find(|s| s.id == step.id).unwrap();
        let (day, items) = &self.pinned[&step.id];
        let parts = model.parts(spec, items, *day);
        let roles: Vec<&str> = parts.iter().map(|p| p.role.as_str()).collect();
        let theirs: Vec<&str> = step.parts.iter().map(|p| p.role.as_str()).collect();
        assert_eq!(roles, theirs, "parts of {} in {}", step.id, self.told());
        let barred = self.barred(&step.id);
        let late = |n: usize| {
            let personal = parts[n].role == "applicant";
            if step.escalated == 0 || personal { 0 } else { step.parts[n].turn + step.escalated }
        };
        (0..parts.len()).map(|n| model.may(&parts[n], spec, &barred, late(n), self.today)).collect()
    }

    fn told(&self) -> String {
        format!(
            "{} on {}: {:#?}\n{:?}",
            self.state.id, self.today, self.pack.procedures["take_out"].steps, self.city.lists
        )
    }

    /// The engine names the same persons as the model for what is still to be done.
    fn compare(&self) {
        let told: BTreeSet<String> = explain(&self.state, &self.ctx("nobody"))
            .into_iter()
            .filter(|e| e.may)
            .map(|e| e.person)
            .collect();
        let mut ours = BTreeSet::new();
        for step in self.state.steps.iter().filter(|s| s.status == StepStatus::Open) {
            let may = self.may(step);
            for n in step.waiting_parts() {
                ours.extend(may[n].persons().into_iter().map(str::to_owned));
                ours.extend(may[n].own.iter().cloned());
            }
        }
        assert_eq!(told, ours, "who may act on {}", self.told());
    }

    /// Keeps what the engine said; it must fold, and bind to what is there.
    fn keep(&mut self, new: Vec<Act>, tally: &mut Tally) {
        for act in new {
            assert_eq!(act.seq as usize, self.acts.len() + 1, "numbers are dense");
            if let What::StepOpened { step, .. } | What::Repinned { step, .. } = &act.what {
                let items = self.state.items().into_iter().cloned().collect();
                self.pinned.insert(step.clone(), (self.today, items));
            }
            if matches!(act.what, What::PermitIssued { .. }) {
                tally.permits += 1;
            }
            self.state.apply(&act).unwrap();
            let opened = match &act.what {
                What::StepOpened { step, .. } | What::Repinned { step, .. } => self.state.step(step).cloned(),
                _ => None,
            };
            self.acts.push(act);
            if let Some(step) = opened {
                self.turns(&step);
            }
        }
        if self.state.status.ended() {
            let left = open_tasks(&self.state);
            assert!(left.iter().all(|t| t.kind.code() == "post_review"), "{left:?} in {}", self.told());
        }
    }

    /// When a step opens, it is the turn of the level that the model says.
    fn turns(&self, step: &StepRun) {
        let probe = StepRun { escalated: 0, ..step.clone() };
        let may = self.may(&probe);
        let model = self.model();
        for (n, part) in step.parts.iter().enumerate() {
            assert_eq!(part.turn, model.turn(&may[n], self.today), "turn of {} in {}", step.id, self.told());
        }
    }

    fn one(&mut self, tally: &mut Tally) {
        if self.draw.one_in(3) {
            self.today = self.today.plus_days(i64::try_from(self.draw.below(4)).unwrap());
            let ticked = tick(&self.state, &self.ctx("system")).unwrap();
            self.keep(ticked, tally);
            let followed = refresh(&self.state, &self.ctx("system")).unwrap();
            self.keep(followed, tally);
        }
        self.compare();
        tally.tried += 1;
        let open: Vec<StepRun> =
            self.state.steps.iter().filter(|s| s.status == StepStatus::Open).cloned().collect();
        let what = self.draw.below(20);
        match open.first().filter(|_| what < 14) {
            Some(step) => self.on_step(step, what, tally),
            None => self.on_case(tally),
        }
    }

    /// An act on the open step: the model says beforehand whether it is accepted.
    fn on_step(&mut self, step: &StepRun, what: usize, tally: &mut Tally) {
        let may = self.may(step);
        // Half of the time somebody who may, so that cases get on.
        let able: Vec<String> =
            step.waiting_parts().iter().flat_map(|n| may[*n].plain.iter().map(|(p, _)| p.clone())).collect();
        let person = if !able.is_empty() && self.draw.one_in(2) {
            self.draw.pick(&able)
        } else {
            self.draw.pick(&self.city.people)
        };
        let left: Vec<&May> = step.waiting_for(&person).into_iter().map(|n| &may[n]).collect();
        let in_office = self.org.in_office(&person, self.today);
        let plain = in_office && left.iter().any(|m| m.persons().contains(person.as_str()));
        let own = in_office
            && left.iter().any(|m| m.own.contains(&person) && !m.persons().contains(person.as_str()));
        let shown = self.state.content_hash(Some(&step.id));
        let stale = self.draw.one_in(25);
        let shown = if stale { "0".repeat(64) } else { shown };
        let says = "理由".to_owned();
        let id = step.id.clone();
        let decides = step.kind == StepKind::Permit;
        let (command, accepted) = match what {
            0..=8 => (with_words(act(&id, &shown)), plain),
            9 | 10 => (with_words(overriding(&id, &shown, "ほかにいない")), plain || own),
            11 => (Command::Refuse { step: id, shown, items: vec![], says }, plain && decides),
            12 => {
                let sends =
                    judges(step.kind) && step.kind != StepKind::Consult && self.state.permit.is_none();
                let resume = if self.draw.one_in(2) { Resume::JumpBack } else { Resume::InOrder };
                (Command::SendBack { step: id, shown, to: None, resume, says }, plain && sends)
            }
            _ => {
                let unseen = !step.seen_by.contains(&person);
                (Command::See { step: id }, plain && unseen)
            }
        };
        let accepted = accepted && (!stale || matches!(command, Command::See { .. }));
        let result = decide(&self.state, &self.ctx(&person), command.clone());
        assert_eq!(
            result.is_ok(),
            accepted,
            "{person}: {command:?} → {:?}; {may:?}; {:?}\n{}",
            result.as_ref().err(),
            step.parts,
            self.told()
        );
        let Ok(new) = result else { return };
        tally.done += 1;
        let first = &new[0];
        assert_eq!(first.person, person);
        assert!(!first.held.is_empty(), "every act says in which capacity");
        if matches!(first.what, What::Decided { .. }) {
            for h in &first.held {
                match h.path.code() {
                    "deputy" => tally.by_deputy += 1,
                    "delegate" => tally.by_delegate += 1,
                    "escalated" => tally.escalated += 1,
                    _ => {}
                }
            }
            let barred = self.barred(&step.id).contains(&person) && judges(step.kind);
            assert_eq!(
                barred,
                first.overridden.is_some(),
                "only who is barred overrides, and nobody who is barred decides without"
            );
            tally.overridden += usize::from(barred);
            if barred {
                let reviews = new.iter().any(|a| matches!(&a.what, What::ReviewOpened { .. }));
                assert!(reviews, "an override is put before somebody");
            }
        }
        self.keep(new, tally);
    }

    /// Acts on the case itself: who is wrong is always refused; who is right may be too early or too late.
    fn on_case(&mut self, tally: &mut Tally) {
        let person =
            if self.draw.one_in(2) { self.applicant.0.clone() } else { self.draw.pick(&self.city.people) };
        let shown = self.state.content_hash(None);
        let says = "理由".to_owned();
        let until = self.today.plus_days(3);
        let (command, applicants, judging) = match self.draw.below(10) {
            0 => (Command::Withdraw { shown, says }, true, false),
            1 => {
                let draft = Draft { attachments: vec![], ..draft_of(&self.state.content.items) };
                (Command::Resubmit { shown, draft }, true, false)
            }
            2 => (Command::AskExtension { shown, until, says }, true, false),
            3 => (Command::Extend { shown, until, says }, false, true),
            4 => (Command::DeclineExtension { shown, says }, false, true),
            5 => (Command::Revoke { shown, says }, false, true),
            6 => (Command::Close { shown, says }, false, true),
            7 => (Command::Move { shown, items: vec![], direction: Direction::In, note: says }, false, false),
            8 => (Command::Comment { shown, says }, false, false),
            _ => {
                (Command::Move { shown, items: vec![], direction: Direction::Out, note: says }, false, false)
            }
        };
        let before = self.state.status;
        let result = decide(&self.state, &self.ctx(&person), command.clone());
        let Ok(new) = result else { return };
        tally.done += 1;
        let own = person == self.applicant.0;
        assert!(!applicants || own, "{command:?} by {person} is the applicant's alone");
        assert!(!judging || !own, "{command:?}: the applicant does not judge the own case");
        assert!(!before.ended() || matches!(command, Command::Comment { .. }), "{command:?} after the end");
        self.keep(new, tally);
    }
}

fn with_words(command: Command) -> Command {
    match command {
        Command::Act { step, shown, items, conditions, evidence, override_reason, .. } => Command::Act {
            step,
            shown,
            items,
            says: "異議なし".into(),
            conditions,
            evidence,
            override_reason,
        },
        other => other,
    }
}

fn run(seed: u64, wanted: usize) -> Tally {
    let mut draw = Draw::new(seed);
    let mut tally = Tally::default();
    while tally.tried < wanted {
        let pack = pack_of(&mut draw);
        let rules = Rules::for_pack(&pack).unwrap();
        for _ in 0..CITIES {
            let made = city(&mut draw);
            let org = Org::new(made.lists.clone());
            for _ in 0..CASES {
                case(&mut draw, &made, &pack, &org, &rules, &mut tally);
            }
            if tally.tried >= wanted {
                break;
            }
        }
    }
    tally
}

fn case(draw: &mut Draw, made: &City, pack: &Pack, org: &Org, rules: &Rules, tally: &mut Tally) {
    let applicant = draw.pick(&made.applicants);
    let draft = draft_of(&items_of(draw, made));
    let application = Application {
        case: "C1".into(),
        number: "持出-R8-0001".into(),
        post: applicant.1.clone(),
        draft,
        parent: None,
    };
    let today = d(DAY);
    let ctx = Ctx { org, pack, rules, now: at(DAY), person: &applicant.0 };
    let applied = apply("take_out", &ctx, application).unwrap();
    let (acts, state) = (vec![], CaseState::begin(&applied[0]).unwrap());
    let mut play =
        Play { draw, city: made, pack, org, rules, today, acts, state, pinned: BTreeMap::new(), applicant };
    tally.cases += 1;
    play.acts.push(applied[0].clone());
    play.keep(applied.into_iter().skip(1).collect(), tally);
    let mut after = 0;
    for _ in 0..TRIES {
        play.one(tally);
        after += usize::from(play.state.status.ended());
        if after > TRIES_AFTER_THE_END {
            break;
        }
    }
    assert_eq!(fold(&play.acts).unwrap(), play.state, "folding all is folding one by one");
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |n| n.parse().expect("a number"))
}

#[test]
fn engine_and_model_agree_on_who_may_act() {
    let seed = number("SEKISHO_SEED", 1);
    let wanted = usize::try_from(number("SEKISHO_ACTS", 6_000)).unwrap();
    let tally = run(seed, wanted);
    println!("seed {seed}: {tally:?}");
    assert!(tally.permits > 0 && tally.by_deputy > 0 && tally.by_delegate > 0);
    assert!(tally.escalated > 0 && tally.overridden > 0);
}
