//! The seats of one step in one place, and what becomes of the step when somebody applies and somebody is away.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sekisho_base::Date;
use sekisho_pack::model::{OnAbsent, Quorum, Step};

use crate::authority::{APPLICANT, Part, Path, Seat, Situation, Standing, Who, standing};
use crate::case::{is_final_decision, is_judging};
use crate::org::{Absence, Org, OrgLists};

/// Most ways in which earlier steps may have been performed that are tried for one situation.
const MAX_PERFORMED: usize = 200;

/// Parts of a step, resolved in a place.
#[derive(Debug, Clone)]
pub(super) struct Bench<'a> {
    pub step: &'a Step,
    pub who: Who,
    pub parts: Vec<Part>,
}

/// What becomes of a step in a situation, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Somebody who is there may act.
    Now,
    /// The next role may, once the deadline has passed.
    Late,
    /// The applicant alone may, for a reason.
    Own,
    /// Nobody may.
    Stuck(Stuck),
}

/// Why nobody may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stuck {
    /// Index of the part.
    pub part: usize,
    pub cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// There is no seat, or nobody in any.
    Nobody,
    /// A vacant post blocks.
    Vacant,
    /// Whoever may act is away.
    Away,
    /// Fewer are there than must act.
    TooFew { need: u32, have: u32 },
    /// Only whoever performed is there.
    OwnWork,
}

impl Outcome {
    fn rank(self) -> u8 {
        match self {
            Self::Now => 0,
            Self::Late => 1,
            Self::Own => 2,
            Self::Stuck(_) => 3,
        }
    }
}

/// A situation: indices into [`Room::persons`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    pub applicant: Option<usize>,
    pub away: Option<usize>,
}

/// Everything a step's outcome depends on, in one place.
pub(super) struct Room<'a> {
    bench: Bench<'a>,
    /// Earlier steps that somebody else than the applicant performs: whoever did cannot judge.
    performed: Vec<Bench<'a>>,
    lists: OrgLists,
    day: Date,
    /// Persons who count, in order of first appearance.
    pub persons: Vec<String>,
    /// Which of them may be the applicant.
    applicants: Vec<usize>,
}

impl<'a> Room<'a> {
    pub fn new(
        bench: Bench<'a>,
        performed: Vec<Bench<'a>>,
        org: &Org,
        day: Date,
        may_apply: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut posts = BTreeSet::new();
        for level in bench.parts.iter().chain(performed.iter().flat_map(|b| &b.parts)).flat_map(|p| &p.levels)
        {
            posts.extend(level.seats.iter().filter_map(Seat::post).map(str::to_owned));
            posts.extend(level.deputies.iter().cloned());
        }
        let lists = org.excerpt(&posts, day);
        let mut room = Self { bench, performed, lists, day, persons: vec![], applicants: vec![] };
        room.persons = room.persons_in_order(org);
        let applies = |(_, p): &(usize, &String)| may_apply(p);
        room.applicants = room.persons.iter().enumerate().filter(applies).map(|(i, _)| i).collect();
        room
    }

    pub fn parts(&self) -> &[Part] {
        &self.bench.parts
    }

    fn persons_in_order(&self, org: &Org) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut add = |person: &str| {
            if seen.insert(person.to_owned()) {
                found.push(person.to_owned());
            }
        };
        for level in self.all_levels() {
            for seat in &level.seats {
                holders(seat, org, self.day).into_iter().for_each(&mut add);
                let post = seat.post().unwrap_or_default();
                org.delegations(post, self.day).for_each(|d| add(&d.person));
            }
            for post in &level.deputies {
                org.holders(post, self.day).into_iter().for_each(&mut add);
            }
        }
        found
    }

    fn all_levels(&self) -> impl Iterator<Item = &crate::authority::Level> {
        let performed = self.performed.iter().flat_map(|b| &b.parts);
        self.bench.parts.iter().chain(performed).flat_map(|p| &p.levels)
    }

    /// A text that is the same for two rooms in which every situation comes out the same, person for person.
    pub fn key(&self, org: &Org) -> String {
        let index = |person: &str| self.persons.iter().position(|p| p == person).unwrap_or(usize::MAX);
        let list = |persons: Vec<&str>| persons.into_iter().map(index).collect::<Vec<_>>();
        let mut key = String::new();
        // Writing to a String cannot fail.
        for bench in std::iter::once(&self.bench).chain(&self.performed) {
            let s = bench.step;
            let late = s.within.is_some() || s.due.is_some() || s.every.is_some();
            let _ = write!(
                key,
                "{:?}{:?}{:?}{:?}{late}{:?}",
                s.kind, s.on_absent, s.on_empty, s.quorum, bench.who
            );
            for part in &bench.parts {
                let _ = write!(key, "|{}", u8::from(part.role == APPLICANT));
                for level in &part.levels {
                    key.push('/');
                    for seat in &level.seats {
                        let post = seat.post().unwrap_or_default();
                        let lent = org
                            .delegations(post, self.day)
                            .filter(|d| d.role.as_ref().is_none_or(|r| *r == level.role));
                        let lent: Vec<usize> = lent.map(|d| index(&d.person)).collect();
                        let everyone = u8::from(*seat == Seat::Everyone);
                        let _ = write!(key, "s{everyone}{:?}{lent:?}", list(holders(seat, org, self.day)));
                    }
                    for post in &level.deputies {
                        let _ = write!(key, "d{:?}", list(org.holders(post, self.day)));
                    }
                }
            }
            key.push(';');
        }
        let _ = write!(key, "{:?}", self.applicants);
        key
    }

    /// Every situation: an ordinary applicant and each who counts, nobody away and each who counts; an applicant who is
    /// away changes nothing.
    pub fn cases(&self) -> Vec<Case> {
        let applicants = std::iter::once(None).chain(self.applicants.iter().copied().map(Some));
        let mut cases = Vec::new();
        for applicant in applicants {
            let away = (0..self.persons.len()).map(Some).filter(|a| *a != applicant);
            cases.extend(std::iter::once(None).chain(away).map(|away| Case { applicant, away }));
        }
        cases
    }

    /// What becomes of the step in each situation.
    pub fn outcomes(&self) -> Vec<(Case, Outcome)> {
        let mut orgs: Vec<(Option<usize>, Org)> = vec![(None, Org::new(self.lists.clone()))];
        for (i, person) in self.persons.iter().enumerate() {
            let mut lists = self.lists.clone();
            lists.absences.push(Absence { person: person.clone(), from: self.day, until: self.day });
            orgs.push((Some(i), Org::new(lists)));
        }
        let outcome = |case: Case| {
            let org = orgs.iter().find(|(away, _)| *away == case.away).map(|(_, org)| org)?;
            Some((case, self.outcome(case, org)))
        };
        self.cases().into_iter().filter_map(outcome).collect()
    }

    fn outcome(&self, case: Case, org: &Org) -> Outcome {
        let applicant: BTreeSet<String> =
            case.applicant.and_then(|i| self.persons.get(i)).cloned().into_iter().collect();
        if !is_judging(self.bench.step.kind) {
            return of_bench(&self.bench, &BTreeSet::new(), org, self.day);
        }
        let alone = of_bench(&self.bench, &applicant, org, self.day);
        if self.performed.is_empty() || matches!(alone, Outcome::Stuck(_)) {
            return alone;
        }
        let mut worst = None;
        for performers in self.performers(org) {
            let barred = applicant.union(&performers).cloned().collect();
            let outcome = of_bench(&self.bench, &barred, org, self.day);
            if !matches!(outcome, Outcome::Stuck(_) | Outcome::Own) {
                return outcome;
            }
            worst = Some(outcome);
        }
        match worst {
            None => alone,
            // What the override mends here is not the applicant's own case but the own work.
            Some(_) => Outcome::Stuck(Stuck { part: 0, cause: Cause::OwnWork }),
        }
    }

    /// Sets of persons who may have performed the earlier steps: one candidate for every part that had to act.
    fn performers(&self, org: &Org) -> Vec<BTreeSet<String>> {
        let mut sets: Vec<BTreeSet<String>> = vec![BTreeSet::new()];
        for bench in &self.performed {
            for part in bench.parts.iter().filter(|p| p.role != APPLICANT) {
                let found = ask(bench.step, part, &BTreeSet::new(), 0, org, self.day);
                let able: BTreeSet<String> =
                    present(&found, org, self.day).map(|c| c.person.clone()).collect();
                if able.is_empty() {
                    continue;
                }
                let next = sets.iter().flat_map(|s| {
                    able.iter().map(|p| s.iter().cloned().chain([p.clone()]).collect::<BTreeSet<_>>())
                });
                let next: BTreeSet<BTreeSet<String>> = next.take(MAX_PERFORMED).collect();
                sets = next.into_iter().collect();
            }
        }
        sets
    }
}

/// Persons in a seat; nobody for a seat that is a person as such.
fn holders<'o>(seat: &Seat, org: &'o Org, day: Date) -> Vec<&'o str> {
    match seat {
        Seat::Post(post) => org.holders(post, day),
        Seat::Named { role, post } => org.role_holders(role, post, day),
        Seat::Person(_) | Seat::Everyone => vec![],
    }
}

fn ask(
    step: &Step,
    part: &Part,
    barred: &BTreeSet<String>,
    escalated: usize,
    org: &Org,
    day: Date,
) -> Standing {
    let situation = Situation {
        org,
        day,
        on_absent: step.on_absent,
        on_empty: step.on_empty,
        final_decision: is_final_decision(step.kind),
        barred,
        escalated,
        // A bar asks for a reason, which can be given.
        daiketsu_barred: false,
    };
    standing(part, &situation)
}

fn present<'s>(
    found: &'s Standing,
    org: &'s Org,
    day: Date,
) -> impl Iterator<Item = &'s crate::authority::Candidate> {
    found.eligible().filter(move |c| !org.absent(&c.person, day))
}

fn of_bench(bench: &Bench<'_>, barred: &BTreeSet<String>, org: &Org, day: Date) -> Outcome {
    let parts: Vec<Outcome> = (0..bench.parts.len()).map(|i| of_part(bench, i, barred, org, day)).collect();
    join(&bench.who, &parts)
}

fn join(who: &Who, parts: &[Outcome]) -> Outcome {
    let nobody = Outcome::Stuck(Stuck { part: 0, cause: Cause::Nobody });
    match who {
        Who::Part(i) => parts.get(*i).copied().unwrap_or(nobody),
        Who::All(of) => of.iter().map(|w| join(w, parts)).max_by_key(|o| o.rank()).unwrap_or(nobody),
        Who::Any(of) => of.iter().map(|w| join(w, parts)).min_by_key(|o| o.rank()).unwrap_or(nobody),
    }
}

fn of_part(bench: &Bench<'_>, index: usize, barred: &BTreeSet<String>, org: &Org, day: Date) -> Outcome {
    let stuck = |cause| Outcome::Stuck(Stuck { part: index, cause });
    let Some(part) = bench.parts.get(index) else { return stuck(Cause::Nobody) };
    let step = bench.step;
    if part.role == APPLICANT {
        // The applicant is there, or the case waits for the applicant; a judging step is never the applicant's.
        return if is_judging(step.kind) { stuck(Cause::Nobody) } else { Outcome::Now };
    }
    let found = ask(step, part, barred, 0, org, day);
    if found.everyone {
        return Outcome::Now;
    }
    // As the engine pins it: whoever is there comes before whoever is away.
    let there = present(&found, org, day).map(|c| c.level).min();
    let turn = there.or_else(|| found.eligible().map(|c| c.level).min());
    let turn = turn.unwrap_or(if found.exhausted { 0 } else { found.reached });
    let need = needed(step.quorum, part, turn);
    let have = enough(&found, need, org, day);
    if have.is_ok() {
        return Outcome::Now;
    }
    let passes_over = step.on_absent == OnAbsent::PostReview && !is_final_decision(step.kind);
    if passes_over && found.present.is_empty() && found.eligible().next().is_some() {
        // Everybody who may is away: passed over, read afterwards.
        return Outcome::Now;
    }
    if step.within.is_some() || step.due.is_some() || step.every.is_some() {
        let pinned = Part { turn, ..part.clone() };
        if enough(&ask(step, &pinned, barred, 1, org, day), need, org, day).is_ok() {
            return Outcome::Late;
        }
    }
    if found.exhausted
        && found.candidates.iter().any(|c| c.path == Path::Override && !org.absent(&c.person, day))
    {
        return Outcome::Own;
    }
    stuck(match have {
        Err(have) if have > 0 => Cause::TooFew { need, have },
        _ if found.blocked => Cause::Vacant,
        _ if found.eligible().next().is_some() => Cause::Away,
        _ => Cause::Nobody,
    })
}

/// How many must act, as it is pinned when the step opens: of the role's own seats; a higher role decides alone.
fn needed(quorum: Quorum, part: &Part, turn: usize) -> u32 {
    let seats = part.levels.first().map_or(0, |l| l.seats.len());
    match quorum {
        Quorum::All if turn == 0 => u32::try_from(seats).unwrap_or(u32::MAX).max(1),
        Quorum::AtLeast(n) if turn == 0 => n,
        _ => 1,
    }
}

/// Whether enough persons who are there may act; how many otherwise.
fn enough(found: &Standing, need: u32, org: &Org, day: Date) -> Result<(), u32> {
    let mut own = BTreeSet::new();
    for c in present(found, org, day) {
        if need <= 1 || c.path == Path::Escalated {
            return Ok(());
        }
        own.insert(c.person.as_str());
    }
    let have = u32::try_from(own.len()).unwrap_or(u32::MAX);
    if have >= need { Ok(()) } else { Err(have) }
}
