//! A pack's `by` becomes pinned seats: the one place that reads the grammar's tree.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_pack::by::{Anchor, AnchorFrom, By, Term};
use sekisho_pack::model::{HeldBy, Pack, Role, Scope};

use super::{Level, Part, Seat, Who};
use crate::org::Org;

/// Role id under which the applicant stands in a part.
pub(crate) const APPLICANT: &str = "applicant";

/// What anchors of a `by` refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchors<'a> {
    /// Applicant's person number.
    pub applicant: &'a str,
    /// Unit of the appointment applied from.
    pub applicant_unit: &'a str,
    /// Unit that owns the item; none when the step is not held item by item.
    pub item_owner: Option<&'a str>,
    /// Role that manages the item (`item.managed_by`).
    pub item_role: Option<&'a str>,
    /// Levels that take the place of an applicant who has left office.
    pub successors: &'a [Level],
}

/// The parts of one step and how they are joined; parts are shared by the items they are the same for.
#[derive(Debug, Default)]
pub(crate) struct Route {
    /// Distinct parts.
    pub parts: Vec<Part>,
}

impl Route {
    fn index_of(&mut self, part: Part) -> usize {
        self.parts.iter().position(|p| *p == part).unwrap_or_else(|| {
            self.parts.push(part);
            self.parts.len() - 1
        })
    }
}

/// Resolves a `by` on a day, adding its parts to `route`.
pub(crate) fn resolve(
    by: &By,
    anchors: &Anchors<'_>,
    pack: &Pack,
    org: &Org,
    day: Date,
    route: &mut Route,
) -> Who {
    let list = |of: &[By], route: &mut Route| {
        of.iter().map(|b| resolve(b, anchors, pack, org, day, route)).collect()
    };
    match by {
        By::All(of) => Who::All(list(of, route)),
        By::Any(of) => Who::Any(list(of, route)),
        By::Term(term) => {
            let part = part(term, anchors, pack, org, day);
            Who::Part(route.index_of(part))
        }
    }
}

fn part(term: &Term, anchors: &Anchors<'_>, pack: &Pack, org: &Org, day: Date) -> Part {
    let (role, of) = match term {
        Term::Applicant => {
            let seats = vec![Seat::Person(anchors.applicant.to_owned())];
            let first = Level {
                role: APPLICANT.into(),
                title: "申請者".into(),
                unit: anchors.applicant_unit.into(),
                seats,
                deputies: vec![],
            };
            let levels = std::iter::once(first).chain(anchors.successors.iter().cloned()).collect();
            return Part { role: APPLICANT.into(), levels, turn: 0, need: 1 };
        }
        Term::ItemManager { of } => (anchors.item_role.unwrap_or_default(), *of),
        Term::Role { role, of } => (role.as_str(), *of),
    };
    let anchor = match of.map(|a: Anchor| a.from) {
        Some(AnchorFrom::ItemOwner | AnchorFrom::System) => {
            anchors.item_owner.unwrap_or(anchors.applicant_unit)
        }
        Some(AnchorFrom::Applicant | AnchorFrom::Case) | None => anchors.applicant_unit,
    };
    let chain = chain(&pack.roles, role);
    let levels = chain.iter().map(|r| level(r, anchor, of.map(|a| a.scope), org, day)).collect();
    Part { role: role.to_owned(), levels, turn: 0, need: 1 }
}

/// The role and the roles it escalates to, each once.
fn chain<'a>(roles: &'a BTreeMap<String, Role>, role: &str) -> Vec<&'a Role> {
    let mut found: Vec<&Role> = Vec::new();
    let mut next = roles.get(role);
    while let Some(r) = next.filter(|r| found.iter().all(|f| f.id != r.id)) {
        found.push(r);
        next = r.escalates_to.as_ref().and_then(|id| roles.get(id));
    }
    found
}

/// A role's seats above (or at) a unit. `within` may narrow the anchor to a wider scope than the role's own
/// (`security_committee of case.body`), never below it.
pub(super) fn level(role: &Role, anchor: &str, within: Option<Scope>, org: &Org, day: Date) -> Level {
    let own = match &role.held_by {
        HeldBy::HeadOf(scope) => *scope,
        HeldBy::Titled(_) | HeldBy::Post(_) | HeldBy::Appointment | HeldBy::Everyone => role.scope,
    };
    let scope = within.map_or(own, |w| w.max(own));
    let unit = org.scope_unit(anchor, scope).map(|u| u.code.clone()).unwrap_or_default();
    let seats: Vec<Seat> = match &role.held_by {
        HeldBy::HeadOf(_) => org.head_posts(&unit).map(|p| Seat::Post(p.code.clone())).collect(),
        HeldBy::Titled(title) => {
            org.titled_posts(anchor, &unit, title).into_iter().map(|p| Seat::Post(p.code.clone())).collect()
        }
        HeldBy::Post(code) => org.post(code).map(|p| Seat::Post(p.code.clone())).into_iter().collect(),
        HeldBy::Everyone => vec![Seat::Everyone],
        HeldBy::Appointment => {
            let here = |a: &&crate::org::Appointment| {
                scope >= Scope::Body
                    || org.role_unit(a).and_then(|u| org.scope_unit(u, scope)).is_some_and(|u| u.code == unit)
            };
            let mut posts: Vec<&str> =
                org.role_appointments(&role.id, day).filter(here).map(|a| a.post.as_str()).collect();
            posts.sort_unstable();
            posts.dedup();
            posts
                .into_iter()
                .map(|post| Seat::Named { role: role.id.clone(), post: post.to_owned() })
                .collect()
        }
    };
    let deputies = deputies(role, &unit, &seats, org);
    Level { role: role.id.clone(), title: role.title.clone(), unit, seats, deputies }
}

/// Deputies in the order of the pack: a post's code anywhere, or a post's title within the unit of the role or of its
/// seat. A seat is never its own deputy.
fn deputies(role: &Role, unit: &str, seats: &[Seat], org: &Org) -> Vec<String> {
    let mut units: Vec<&str> = vec![unit];
    units.extend(seats.iter().filter_map(Seat::post).filter_map(|p| org.post(p)).map(|p| p.unit.as_str()));
    units.dedup();
    let mut found: Vec<String> = Vec::new();
    for entry in &role.deputies {
        let titled =
            units.iter().flat_map(|u| org.posts_within(u)).filter(|p| p.title == *entry).map(|p| &p.code);
        let codes: Vec<&String> = org.post(entry).map(|p| &p.code).into_iter().chain(titled).collect();
        for code in codes {
            if !found.contains(code) && seats.iter().all(|s| s.post() != Some(code)) {
                found.push(code.clone());
            }
        }
    }
    found
}
