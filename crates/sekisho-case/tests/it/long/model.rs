//! Who may act, worked out anew from the words of the design: its own walk over the lists as drawn, none of the engine's code.
//!
//! A role is a chain of places: its own, then those it escalates to. Whoever sits there and is neither the applicant nor judges the own
//! work may act. Nobody there: by delegation; else the pack says whether it waits or goes up. Everybody away: by delegation, else a
//! deputy in order where it is a final decision and the pack allows 代決, else up where it allows 代決. All of them barred: up. At the
//! end of the chain, when nobody was found who is there, those who were barred may decide for a recorded reason.

use std::collections::BTreeSet;

use sekisho_base::Date;
use sekisho_case::case::Item;
use sekisho_case::org::{OrgLists, UnitKind};
use sekisho_pack::by::{AnchorFrom, By, Term};
use sekisho_pack::model::{HeldBy, OnAbsent, OnEmpty, Pack, Scope, Step, StepKind};

/// One place of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Places {
    /// Posts, whoever holds them.
    Posts(Vec<String>),
    /// Persons appointed to a role, acting from these posts.
    Named(String, Vec<String>),
    /// One person.
    Person(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    pub role: String,
    pub places: Places,
    pub deputies: Vec<String>,
}

/// A part of a step: what it asks for and its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub role: String,
    pub chain: Vec<Level>,
}

/// Who may act for a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct May {
    /// Without more: person and level.
    pub plain: Vec<(String, usize)>,
    /// Only for a reason, as nobody else is there.
    pub own: BTreeSet<String>,
    /// Whether the chain was walked to its end.
    pub ended: bool,
    /// The last level that was looked at.
    pub reached: usize,
}

impl May {
    pub fn persons(&self) -> BTreeSet<&str> {
        self.plain.iter().map(|(p, _)| p.as_str()).collect()
    }
}

pub struct Model<'a> {
    pub lists: &'a OrgLists,
    pub pack: &'a Pack,
    pub applicant: &'a str,
    pub applicant_unit: &'a str,
}

fn during(from: Date, until: Option<Date>, day: Date) -> bool {
    from <= day && until.is_none_or(|last| day <= last)
}

impl Model<'_> {
    /// The unit itself or the nearest above it that is at least as wide as wanted.
    fn unit(&self, from: &str, wanted: Scope) -> String {
        let mut code = from.to_owned();
        loop {
            let Some(unit) = self.lists.units.iter().find(|u| u.code == code) else { return String::new() };
            let width = match unit.kind {
                UnitKind::Section | UnitKind::Branch => Some(Scope::Section),
                UnitKind::Department | UnitKind::Organ => Some(Scope::Department),
                UnitKind::Body => Some(Scope::Body),
                UnitKind::Subsection => None,
            };
            if width.is_some_and(|w| w >= wanted) {
                return code;
            }
            let Some(parent) = &unit.parent else { return String::new() };
            code.clone_from(parent);
        }
    }

    fn level(&self, id: &str, anchor: &str, within: Option<Scope>, day: Date) -> Level {
        let role = &self.pack.roles[id];
        let own = if let HeldBy::HeadOf(scope) = role.held_by { scope } else { role.scope };
        let unit = self.unit(anchor, within.map_or(own, |w| w.max(own)));
        let posts = &self.lists.posts;
        let places = match &role.held_by {
            HeldBy::HeadOf(_) => Places::Posts(
                posts.iter().filter(|p| p.head && p.unit == unit).map(|p| p.code.clone()).collect(),
            ),
            HeldBy::Post(code) => {
                Places::Posts(posts.iter().filter(|p| p.code == *code).map(|p| p.code.clone()).collect())
            }
            HeldBy::Appointment => {
                let named = self
                    .lists
                    .appointments
                    .iter()
                    .filter(|a| a.role.as_deref() == Some(id) && during(a.from, a.until, day));
                let posts: BTreeSet<String> = named.map(|a| a.post.clone()).collect();
                Places::Named(id.to_owned(), posts.into_iter().collect())
            }
            HeldBy::Titled(_) | HeldBy::Everyone => unreachable!("no such role is drawn"),
        };
        let sits =
            |code: &String| matches!(&places, Places::Posts(of) | Places::Named(_, of) if of.contains(code));
        let mut around: Vec<String> = vec![unit];
        if let Places::Posts(of) | Places::Named(_, of) = &places {
            around.extend(posts.iter().filter(|p| of.contains(&p.code)).map(|p| p.unit.clone()));
        }
        let mut deputies: Vec<String> = Vec::new();
        for wanted in &role.deputies {
            let by_code = posts.iter().filter(|p| p.code == *wanted);
            let by_title = posts
                .iter()
                .filter(|p| p.title == *wanted && around.iter().any(|u| self.belongs(&p.unit, u)));
            for p in by_code.chain(by_title) {
                if !deputies.contains(&p.code) && !sits(&p.code) {
                    deputies.push(p.code.clone());
                }
            }
        }
        Level { role: id.to_owned(), places, deputies }
    }

    /// Whether a unit is another one or a 係 of it.
    fn belongs(&self, unit: &str, to: &str) -> bool {
        unit == to
            || self
                .lists
                .units
                .iter()
                .any(|u| u.code == unit && u.kind == UnitKind::Subsection && u.parent.as_deref() == Some(to))
    }

    /// The parts of a step, in the order in which they are named, each once.
    pub fn parts(&self, step: &Step, items: &[Item], day: Date) -> Vec<Part> {
        let mut places: Vec<Option<&Item>> = items.iter().map(Some).collect();
        if step.each.is_none() {
            places.truncate(1);
        }
        let mut parts: Vec<Part> = Vec::new();
        for item in places {
            let mut terms = Vec::new();
            named(&step.by, &mut terms);
            for term in terms {
                let part = self.part(term, item, day);
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
        parts
    }

    fn part(&self, term: &Term, item: Option<&Item>, day: Date) -> Part {
        let (role, of) = match term {
            Term::Applicant => {
                let places = Places::Person(self.applicant.to_owned());
                let level = Level { role: "applicant".into(), places, deputies: vec![] };
                return Part { role: "applicant".into(), chain: vec![level] };
            }
            Term::Role { role, of } => (role.clone(), of),
            Term::ItemManager { of } => {
                let register = &self.pack.registers[&item.unwrap().register];
                (register.managed_by.clone().unwrap(), of)
            }
        };
        let anchor = match of.map(|a| a.from) {
            Some(AnchorFrom::ItemOwner) => item.unwrap().snapshot.owner.as_str(),
            _ => self.applicant_unit,
        };
        let (mut chain, mut next) = (Vec::<Level>::new(), Some(role.clone()));
        while let Some(id) = next.filter(|id| chain.iter().all(|l| l.role != *id)) {
            next = self.pack.roles[&id].escalates_to.clone();
            chain.push(self.level(&id, anchor, of.map(|a| a.scope), day));
        }
        Part { role, chain }
    }

    fn holders(&self, post: &str, role: Option<&str>, day: Date) -> BTreeSet<String> {
        let here = self.lists.appointments.iter();
        here.filter(|a| a.post == post && a.role.as_deref() == role && during(a.from, a.until, day))
            .map(|a| a.person.clone())
            .collect()
    }

    fn away(&self, person: &str, day: Date) -> bool {
        self.lists.absences.iter().any(|a| a.person == person && during(a.from, Some(a.until), day))
    }

    fn in_office(&self, person: &str, day: Date) -> bool {
        let own = self.lists.appointments.iter();
        own.into_iter().any(|a| a.person == person && a.role.is_none() && during(a.from, a.until, day))
    }

    /// Who may act for a part on a day. `barred` are those whose own case or work it is; `late` is how far lateness has opened the chain.
    pub fn may(&self, part: &Part, step: &Step, barred: &BTreeSet<String>, late: usize, day: Date) -> May {
        let judges = matches!(
            step.kind,
            StepKind::Permit | StepKind::Review | StepKind::Confirm | StepKind::Consult | StepKind::Resolve
        );
        let final_decision = matches!(step.kind, StepKind::Permit | StepKind::Resolve);
        let acting = final_decision && step.on_absent == OnAbsent::Daiketsu;
        let mut may = May::default();
        let (mut waits, mut goes_up) = (false, true);
        for (n, level) in part.chain.iter().enumerate() {
            if !goes_up && n > late {
                break;
            }
            may.reached = n;
            let all: BTreeSet<String> = match &level.places {
                Places::Posts(of) => of.iter().flat_map(|p| self.holders(p, None, day)).collect(),
                Places::Named(role, of) => of.iter().flat_map(|p| self.holders(p, Some(role), day)).collect(),
                Places::Person(p) => BTreeSet::from([p.clone()]),
            };
            let (out, fit): (BTreeSet<String>, BTreeSet<String>) =
                all.into_iter().partition(|p| judges && barred.contains(p));
            let there = fit.iter().any(|p| !self.away(p, day));
            let (nobody, all_away) = (out.is_empty() && fit.is_empty(), !fit.is_empty() && !there);
            let all_barred = fit.is_empty() && !nobody;
            let mut add = |persons: BTreeSet<String>| {
                for p in persons {
                    if may.plain.iter().all(|(known, _)| *known != p) {
                        may.plain.push((p, n));
                    }
                }
            };
            add(fit);
            may.own.extend(out);
            let mut helped = false;
            if nobody || all_away {
                let lent: BTreeSet<String> = self
                    .lent(level, day)
                    .into_iter()
                    .filter(|p| {
                        !(judges && barred.contains(p) || self.away(p, day)) && self.in_office(p, day)
                    })
                    .collect();
                helped = !lent.is_empty();
                add(lent);
            }
            if all_away && !helped && acting {
                let stands_in = level.deputies.iter().find_map(|post| {
                    let fit: BTreeSet<String> = self
                        .holders(post, None, day)
                        .into_iter()
                        .filter(|p| !barred.contains(p) && !self.away(p, day))
                        .collect();
                    (!fit.is_empty()).then_some(fit)
                });
                helped = stands_in.is_some();
                add(stands_in.unwrap_or_default());
            }
            goes_up = all_barred
                || (nobody && !helped && step.on_empty == OnEmpty::Escalate)
                || (all_away && !helped && acting);
            waits |= !goes_up;
            may.ended = !waits && n + 1 == part.chain.len();
        }
        if !may.ended {
            may.own.clear();
        }
        may
    }

    fn lent(&self, level: &Level, day: Date) -> BTreeSet<String> {
        let (Places::Posts(of) | Places::Named(_, of)) = &level.places else { return BTreeSet::new() };
        let lent = self
            .lists
            .delegations
            .iter()
            .filter(|x| of.contains(&x.post) && during(x.from, Some(x.until), day));
        lent.filter(|x| x.role.as_ref().is_none_or(|r| *r == level.role)).map(|x| x.person.clone()).collect()
    }

    /// Whose turn it is when a step opens: the lowest level with somebody who is there, else with anybody.
    pub fn turn(&self, may: &May, day: Date) -> usize {
        let there = may.plain.iter().filter(|(p, _)| !self.away(p, day)).map(|(_, n)| *n).min();
        let any = may.plain.iter().map(|(_, n)| *n).min();
        there.or(any).unwrap_or(if may.ended { 0 } else { may.reached })
    }
}

fn named<'a>(by: &'a By, terms: &mut Vec<&'a Term>) {
    match by {
        By::Term(term) => terms.push(term),
        By::All(of) | By::Any(of) => of.iter().for_each(|b| named(b, terms)),
    }
}
