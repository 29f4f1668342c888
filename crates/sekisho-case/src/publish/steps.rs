//! Every step, in every place, with every applicant and every absence that makes a difference.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use sekisho_base::Date;
use sekisho_pack::by::{AnchorFrom, By, Term};
use sekisho_pack::model::{FieldType, Pack, Procedure, Step, StepKind};
use sekisho_pack::words::item_registers;

use super::place::{Place, places};
use super::seats::{Bench, Case, Outcome, Room};
use super::words::{self, Told};
use super::{Fault, Finding, Looked, Severity};
use crate::authority::{Anchors, Part, Route, Who, resolve};
use crate::case::is_judging;
use crate::org::Org;

type Outcomes = Rc<Vec<(Case, Outcome)>>;

/// A step's `by` as written, the place it is asked for, and the role that manages the item.
type Asked = (String, usize, Option<String>);

/// What is looked at, and what was found out already.
struct Check<'a> {
    pack: &'a Pack,
    org: &'a Org,
    day: Date,
    places: Vec<Place<'a>>,
    /// Outcomes by [`Room::key`].
    known: HashMap<String, Outcomes>,
    /// Resolved holders by `by`, place and item's role: many steps are held alike.
    resolved: HashMap<Asked, (Who, Vec<Part>)>,
    situations: usize,
}

pub(super) fn check(pack: &Pack, org: &Org, day: Date, looked: &mut Looked) -> Vec<Finding> {
    let places = places(pack, org, day);
    let mut c =
        Check { pack, org, day, places, known: HashMap::new(), resolved: HashMap::new(), situations: 0 };
    let mut found = Vec::new();
    for procedure in pack.procedures.values() {
        for (i, step) in procedure.steps.iter().enumerate() {
            let earlier = procedure.steps.get(..i).unwrap_or_default();
            found.extend(c.step(procedure, step, earlier));
        }
    }
    looked.places = c.places.len();
    looked.situations = c.situations;
    looked.asked = c.known.values().map(|o| o.len()).sum();
    found
}

impl<'a> Check<'a> {
    fn step(&mut self, procedure: &'a Procedure, step: &'a Step, earlier: &'a [Step]) -> Vec<Finding> {
        if is_judging(step.kind) && step.by.needs_applicant() {
            let (reason, remedy) = words::own_case();
            let told = Told { section: String::new(), applicant: None, absent: None, reason, remedy };
            return vec![self.finding(procedure, step, Severity::Block, Fault::OwnCase, told)];
        }
        let roles = item_roles(self.pack, procedure, step);
        let mut told: Vec<(Fault, bool, Told)> = Vec::new();
        let mut stuck_places = BTreeSet::new();
        for place in 0..self.places.len() {
            for role in &roles {
                let Some((room, outcomes)) = self.room(step, earlier, place, role.as_deref()) else {
                    continue;
                };
                let Some(here) = self.places.get(place) else { continue };
                let base = outcomes.iter().any(|(case, o)| {
                    matches!((case, o), (Case { applicant: None, away: None }, Outcome::Stuck(_)))
                });
                if base {
                    stuck_places.insert(place);
                } else {
                    let vacant = words::vacancies(&room, step, here.section, self.org, self.day);
                    told.extend(vacant.into_iter().map(|t| (Fault::Vacant, false, t)));
                }
                for (case, outcome) in worth_telling(&outcomes) {
                    let at_rest = case == Case { applicant: None, away: None };
                    if let Some((fault, t)) = words::tell(&room, step, case, outcome, here.section, self.org)
                    {
                        told.push((fault, at_rest, t));
                    }
                }
            }
        }
        self.gather(procedure, step, told, stuck_places.len())
    }

    /// What is so everywhere is told once: as a fault of the pack, when nobody need be away for it.
    fn gather(
        &self,
        procedure: &Procedure,
        step: &Step,
        told: Vec<(Fault, bool, Told)>,
        stuck: usize,
    ) -> Vec<Finding> {
        let everywhere = self.places.len();
        let mut found: Vec<Finding> = Vec::new();
        if stuck == everywhere
            && let Some((fault, _, first)) = told.iter().find(|(_, at_rest, _)| *at_rest)
        {
            let reason = if everywhere > 1 { words::everywhere(&first.reason) } else { first.reason.clone() };
            let told = Told { section: String::new(), reason, ..first.clone() };
            return vec![self.finding(procedure, step, Severity::Block, *fault, told)];
        }
        type Words<'w> = (&'w str, &'w Option<String>, &'w Option<String>);
        let mut by_words: HashMap<Words<'_>, BTreeSet<&str>> = HashMap::new();
        for (_, _, t) in &told {
            by_words.entry((&t.reason, &t.applicant, &t.absent)).or_default().insert(&t.section);
        }
        let sections = self.places.iter().map(|p| p.section).collect::<BTreeSet<_>>().len();
        for (fault, _, t) in &told {
            let same = by_words.get(&(t.reason.as_str(), &t.applicant, &t.absent)).map_or(0, BTreeSet::len);
            let mut t = t.clone();
            if same == sections && sections > 1 {
                t.section = String::new();
            }
            let finding = self.finding(procedure, step, Severity::Warning, *fault, t);
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
        found
    }

    fn finding(
        &self,
        procedure: &Procedure,
        step: &Step,
        severity: Severity,
        fault: Fault,
        told: Told,
    ) -> Finding {
        let Told { section, applicant, absent, reason, remedy } = told;
        let (procedure, step) = (procedure.id.clone(), step.id.clone());
        Finding { severity, fault, procedure, step, section, applicant, absent, reason, remedy }
    }

    fn room(
        &mut self,
        step: &'a Step,
        earlier: &'a [Step],
        place: usize,
        role: Option<&str>,
    ) -> Option<(Room<'a>, Outcomes)> {
        let bench = self.bench(step, place, role)?;
        let performs = |s: &&Step| s.kind == StepKind::Perform && s.by != By::Term(Term::Applicant);
        let performed: Vec<Bench<'a>> = if is_judging(step.kind) {
            earlier.iter().filter(performs).filter_map(|s| self.bench(s, place, role)).collect()
        } else {
            vec![]
        };
        let here = self.places.get(place)?;
        let anywhere = reads_item(&step.by);
        let may_apply = |p: &str| anywhere || here.persons.contains(p);
        let room = Room::new(bench, performed, self.org, self.day, &may_apply);
        let key = room.key(self.org);
        let outcomes = match self.known.get(&key) {
            Some(known) => Rc::clone(known),
            None => {
                let new = Rc::new(room.outcomes());
                self.known.insert(key, Rc::clone(&new));
                new
            }
        };
        self.situations += outcomes.len();
        Some((room, outcomes))
    }

    fn bench(&mut self, step: &'a Step, place: usize, role: Option<&str>) -> Option<Bench<'a>> {
        let unit = self.places.get(place)?.unit;
        let key = (step.by.to_string(), place, role.map(str::to_owned));
        if !self.resolved.contains_key(&key) {
            let anchors = Anchors {
                applicant: "",
                applicant_unit: unit,
                item_owner: Some(unit),
                item_role: role,
                successors: &[],
            };
            let mut route = Route::default();
            let who = resolve(&step.by, &anchors, self.pack, self.org, self.day, &mut route);
            self.resolved.insert(key.clone(), (who, route.parts));
        }
        let (who, parts) = self.resolved.get(&key)?;
        Some(Bench { step, who: who.clone(), parts: parts.clone() })
    }
}

/// The outcomes that stop or leave the case to the applicant, without those that a simpler situation explains.
fn worth_telling(outcomes: &[(Case, Outcome)]) -> Vec<(Case, Outcome)> {
    let bad = |o: &Outcome| matches!(o, Outcome::Own | Outcome::Stuck(_));
    let is_bad = |applicant: Option<usize>, away: Option<usize>| {
        outcomes.iter().any(|(c, o)| *c == Case { applicant, away } && bad(o))
    };
    let simpler = |c: &Case| {
        (c.applicant.is_some() && is_bad(None, c.away))
            || (c.away.is_some() && is_bad(c.applicant, None))
            || (c.applicant.is_some() && c.away.is_some() && is_bad(None, None))
    };
    outcomes.iter().filter(|(c, o)| bad(o) && !simpler(c)).copied().collect()
}

/// Roles that may manage what the step is about: one for each register; none where the step names no managed item or
/// where an application may come without any.
fn item_roles(pack: &Pack, procedure: &Procedure, step: &Step) -> Vec<Option<String>> {
    if !step.by.terms().iter().any(|t| matches!(t, Term::ItemManager { .. })) {
        return vec![None];
    }
    let fields = procedure.fields.iter().filter(|f| step.each.as_ref().is_none_or(|e| *e == f.id));
    let items: Vec<_> = fields.filter(|f| matches!(f.kind, FieldType::Items(_))).collect();
    let mut roles: BTreeSet<Option<String>> = BTreeSet::new();
    for id in item_registers(procedure) {
        let asked = |f: &&&sekisho_pack::model::Field| matches!(&f.kind, FieldType::Items(l) if l.iter().any(|r| r == id));
        if items.iter().any(|f| asked(&f)) {
            roles.extend(pack.registers.get(id).map(|r| r.managed_by.clone()));
        }
    }
    if !items.iter().any(|f| f.required) {
        roles.insert(None);
    }
    roles.into_iter().collect()
}

/// Whether a `by` looks from the unit that owns an item, so that the applicant may be from anywhere.
fn reads_item(by: &By) -> bool {
    by.terms().iter().any(|t| match t {
        Term::Applicant => false,
        Term::ItemManager { of: None } => true,
        Term::ItemManager { of: Some(a) } | Term::Role { of: Some(a), .. } => {
            matches!(a.from, AnchorFrom::ItemOwner | AnchorFrom::System)
        }
        Term::Role { of: None, .. } => false,
    })
}
