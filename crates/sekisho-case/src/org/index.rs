//! Building the organization's indexes. Every list is kept in the order of its key, so that answers do not depend on
//! the order in which rows came.

use std::collections::HashMap;

use super::{Absence, Appointment, Delegation, OrgLists, Person, Post, Unit};

/// The organization, indexed. Building it from 5,000 staff costs a few milliseconds; every question is a look-up.
#[derive(Debug, Clone, Default)]
pub struct Org {
    pub(super) units: HashMap<String, Unit>,
    pub(super) posts: HashMap<String, Post>,
    pub(super) persons: HashMap<String, Person>,
    pub(super) posts_of_unit: HashMap<String, Vec<String>>,
    pub(super) children_of_unit: HashMap<String, Vec<String>>,
    pub(super) by_person: HashMap<String, Vec<Appointment>>,
    pub(super) by_post: HashMap<String, Vec<Appointment>>,
    pub(super) by_role: HashMap<String, Vec<Appointment>>,
    pub(super) absences: HashMap<String, Vec<Absence>>,
    pub(super) delegations: HashMap<String, Vec<Delegation>>,
}

impl Org {
    /// Builds it. References to nothing are kept and simply never match; the importer reports them.
    #[must_use]
    pub fn new(mut lists: OrgLists) -> Self {
        lists.units.sort_by(|a, b| a.code.cmp(&b.code));
        lists.posts.sort_by(|a, b| (&a.unit, a.rank, &a.code).cmp(&(&b.unit, b.rank, &b.code)));
        lists.appointments.sort_by(|a, b| {
            (&a.person, !a.main, &a.post, a.from, &a.role)
                .cmp(&(&b.person, !b.main, &b.post, b.from, &b.role))
        });
        lists.absences.sort_by(|a, b| (&a.person, a.from).cmp(&(&b.person, b.from)));
        lists.delegations.sort_by(|a, b| (&a.post, a.from, &a.id).cmp(&(&b.post, b.from, &b.id)));

        let mut org = Self::default();
        for u in lists.units {
            if let Some(parent) = &u.parent {
                org.children_of_unit.entry(parent.clone()).or_default().push(u.code.clone());
            }
            org.units.insert(u.code.clone(), u);
        }
        for p in lists.posts {
            org.posts_of_unit.entry(p.unit.clone()).or_default().push(p.code.clone());
            org.posts.insert(p.code.clone(), p);
        }
        org.persons = lists.persons.into_iter().map(|p| (p.number.clone(), p)).collect();
        for a in lists.appointments {
            org.by_person.entry(a.person.clone()).or_default().push(a.clone());
            match &a.role {
                Some(role) => org.by_role.entry(role.clone()).or_default().push(a),
                None => org.by_post.entry(a.post.clone()).or_default().push(a),
            }
        }
        for a in lists.absences {
            org.absences.entry(a.person.clone()).or_default().push(a);
        }
        for d in lists.delegations {
            org.delegations.entry(d.post.clone()).or_default().push(d);
        }
        org
    }
}
