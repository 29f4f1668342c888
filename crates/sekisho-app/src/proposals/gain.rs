//! Who gains by a change of the organization: such a person never confirms it.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_case::org::Org;
use sekisho_pack::model::Pack;
use sekisho_store::org::{Everything, PostRow};

use crate::directory::Directory;
use crate::organization::OrgRows;

/// Most days on which powers are compared; a file that names more is compared on the first of them.
const MAX_DAYS: usize = 1_000;

/// The organization before and after a change.
pub(super) struct Change<'a> {
    rows: &'a OrgRows,
    pack: &'a Pack,
    before: &'a Org,
    after: Org,
    places_before: &'a Directory,
    places_after: Directory,
    days: BTreeSet<Date>,
}

fn merge<T: Clone, K: Ord>(old: &[T], new: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    let mut all: BTreeMap<K, T> = old.iter().map(|x| (key(x), x.clone())).collect();
    all.extend(new.iter().map(|x| (key(x), x.clone())));
    all.into_values().collect()
}

impl<'a> Change<'a> {
    pub fn new(
        rows: &'a OrgRows,
        pack: &'a Pack,
        before: &'a Org,
        places_before: &'a Directory,
        today: Date,
    ) -> Self {
        let old = places_before.rows();
        let all = Everything {
            units: merge(&old.units, &rows.units, |u| u.code.clone()),
            posts: merge(&old.posts, &rows.posts, |p| p.code.clone()),
            persons: merge(&old.persons, &rows.persons, |p| p.number.clone()),
            appointments: merge(&old.appointments, &rows.appointments, |a| {
                (a.person.clone(), a.post.clone(), a.from, a.role.clone(), a.scope_unit.clone())
            }),
            absences: vec![],
            delegations: vec![],
            version: old.version,
        };
        let starts = rows.appointments.iter().map(|a| a.from).chain(rows.units.iter().map(|u| u.from));
        let mut days: BTreeSet<Date> = starts.filter(|d| *d > today).take(MAX_DAYS).collect();
        days.insert(today);
        let after = crate::cases::org_of(&all, &pack.absence);
        Self { rows, pack, before, after, places_before, places_after: Directory::new(all), days }
    }

    /// Whether a person holds more after it: an appointment or a longer one, a role, or more units below the own post; or a post of the
    /// person is changed, which may make it a deputy or a head.
    pub fn gives(&self, person: &str) -> bool {
        let old = &self.places_before.rows().appointments;
        let appointed = self.rows.appointments.iter().filter(|a| a.person == person).any(|a| {
            let same = old.iter().find(|o| {
                o.person == a.person
                    && o.post == a.post
                    && o.from == a.from
                    && o.role == a.role
                    && o.scope_unit == a.scope_unit
            });
            same.is_none_or(|o| match (o.until, a.until) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(was), Some(is)) => is > was,
            })
        });
        appointed
            || self.days.iter().any(|day| {
                // The order in which posts are listed, or a blank for 「いいえ」, gives nobody anything.
                let changed = |post: &str| {
                    let was = self.places_before.post(post);
                    let same = |p: &PostRow| {
                        was.is_some_and(|o| (&o.unit, &o.title, o.head) == (&p.unit, &p.title, p.head))
                    };
                    self.rows.posts.iter().any(|p| p.code == post && !same(p))
                };
                let held = self.places_after.appointments(person, *day);
                held.iter().any(|a| changed(&a.post))
                    || !self.power(&self.after, &self.places_after, person, *day).is_subset(&self.power(
                        self.before,
                        self.places_before,
                        person,
                        *day,
                    ))
            })
    }

    /// Roles with their units, and the units below the head posts held.
    fn power(&self, org: &Org, d: &Directory, person: &str, day: Date) -> BTreeSet<(String, String)> {
        let mut all: BTreeSet<(String, String)> =
            org.roles_of(person, &self.pack.roles, day).into_iter().collect();
        let held = d.appointments(person, day).into_iter().filter_map(|a| d.post(&a.post));
        for unit in held.filter(|p| p.head).flat_map(|p| d.below(&p.unit)) {
            all.insert((String::new(), unit));
        }
        all
    }
}
