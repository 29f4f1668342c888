//! Power outside of a case: which roles a post holds, who is in a role, and who gains by somebody's absence.

use std::collections::BTreeSet;

use sekisho_base::Date;
use sekisho_pack::model::{HeldBy, Pack, Role};

use super::resolve::level;
use super::standing::holders;
use crate::org::Org;

/// A person who would act for somebody who is away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StandIn {
    /// Person number.
    pub person: String,
    /// Deputy post that the person holds; empty for a delegate, who acts as a person.
    pub post: String,
}

/// Deputies (代決) of every role that a person holds on a day, whichever is asked first, and the delegates (職務代理) of the person's
/// posts.
#[must_use]
pub fn stand_ins(person: &str, pack: &Pack, org: &Org, day: Date) -> BTreeSet<StandIn> {
    let mut found = BTreeSet::new();
    for (role, unit) in org.roles_of(person, &pack.roles, day) {
        let Some(role) = pack.roles.get(&role) else { continue };
        for post in level(role, &unit, None, org, day).deputies {
            let holders = org.holders(&post, day).into_iter().filter(|p| *p != person);
            found.extend(holders.map(|p| StandIn { person: p.to_owned(), post: post.clone() }));
        }
    }
    let mut posts: BTreeSet<&str> = org.appointments(person, day).map(|a| a.post.as_str()).collect();
    for role in pack.roles.values().filter(|r| r.held_by == HeldBy::Appointment) {
        posts.extend(
            org.role_appointments(&role.id, day).filter(|a| a.person == person).map(|a| a.post.as_str()),
        );
    }
    for post in posts {
        let delegates = org.delegations(post, day).filter(|d| d.person != person);
        found.extend(delegates.map(|d| StandIn { person: d.person.clone(), post: String::new() }));
    }
    found
}

/// Roles that a post holds on a day, by itself or because a person is appointed to the role from it: role id and code of the unit. Roles
/// of everybody are left out.
#[must_use]
pub fn roles_of_post(post: &str, pack: &Pack, org: &Org, day: Date) -> BTreeSet<(String, String)> {
    let Some(own) = org.post(post) else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    for role in pack.roles.values() {
        let unit = match &role.held_by {
            HeldBy::HeadOf(scope) => {
                org.scope_unit(&own.unit, *scope).filter(|u| own.head && u.code == own.unit)
            }
            HeldBy::Post(code) => org.unit(&own.unit).filter(|_| *code == own.code),
            HeldBy::Titled(title) => org.unit(&own.unit).filter(|_| *title == own.title),
            HeldBy::Everyone => None,
            HeldBy::Appointment => {
                let named = org.role_appointments(&role.id, day).find(|a| a.post == post);
                named.and_then(|a| org.unit(org.role_unit(a)?))
            }
        };
        found.extend(unit.map(|u| (role.id.clone(), u.code.clone())));
    }
    found
}

/// Persons who are in a role at or above a unit on a day.
#[must_use]
pub fn in_role(role: &Role, unit: &str, org: &Org, day: Date) -> BTreeSet<String> {
    let seats = level(role, unit, None, org, day).seats;
    seats.iter().flat_map(|seat| holders(seat, org, day)).map(|(person, _)| person).collect()
}
