//! Places from which somebody may apply.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_pack::model::{HeldBy, Pack, Scope};

use crate::org::Org;

/// A place: what a `by` anchored at it resolves to is the same for everybody who applies from it.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// Unit from which a `by` is resolved.
    pub unit: &'a str,
    /// Section it belongs to, for people; the department or body where there is none.
    pub section: &'a str,
    /// Persons who may apply from it.
    pub persons: BTreeSet<&'a str>,
}

/// The places of an organization. A 係 is a place of its own only where a role is held by the title of a post, which is
/// looked for in the applicant's own unit first.
pub(super) fn places<'a>(pack: &Pack, org: &'a Org, day: Date) -> Vec<Place<'a>> {
    let by_unit = pack.roles.values().any(|r| matches!(r.held_by, HeldBy::Titled(_)));
    let mut found: BTreeMap<&str, Place<'a>> = BTreeMap::new();
    for (unit, persons) in org.staffed_units(day) {
        let section =
            org.scope_unit(&unit.code, Scope::Section).map_or(unit.code.as_str(), |u| u.code.as_str());
        let anchor = if by_unit { unit.code.as_str() } else { section };
        let place =
            found.entry(anchor).or_insert_with(|| Place { unit: anchor, section, persons: BTreeSet::new() });
        place.persons.extend(persons);
    }
    found.into_values().collect()
}
