//! Parts of the organization as lists again: for asking "what if" of a small piece without copying the whole.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;

use super::{Appointment, Org, OrgLists, Unit, in_force};

impl Org {
    /// Units in which somebody holds a post on a day, with those persons, in order of code.
    #[must_use]
    pub fn staffed_units(&self, day: Date) -> Vec<(&Unit, BTreeSet<&str>)> {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (code, appointments) in &self.by_post {
            let Some(post) = self.posts.get(code) else { continue };
            for a in appointments.iter().filter(|a| in_force(a.from, a.until, day)) {
                found.entry(&post.unit).or_default().insert(&a.person);
            }
        }
        let in_use = found.into_iter().filter(|(code, _)| self.unit_in_force(code, day));
        in_use.filter_map(|(code, persons)| Some((self.units.get(code)?, persons))).collect()
    }

    /// The piece of the organization that answers who sits in these posts on a day, named there to a role, or delegated
    /// to act for them. Absences are left out: whoever asks says who is away.
    #[must_use]
    pub fn excerpt(&self, posts: &BTreeSet<String>, day: Date) -> OrgLists {
        let mut lists = OrgLists::default();
        let mut codes = posts.clone();
        for post in posts {
            for d in self.delegations(post, day) {
                codes.extend(self.appointments(&d.person, day).map(|a| a.post.clone()));
                lists.delegations.push(d.clone());
            }
        }
        let here = |a: &&Appointment| in_force(a.from, a.until, day);
        for code in &codes {
            lists.posts.extend(self.posts.get(code).cloned());
            lists.appointments.extend(self.by_post.get(code).into_iter().flatten().filter(here).cloned());
        }
        let named = self.by_role.values().flatten().filter(|a| posts.contains(&a.post));
        lists.appointments.extend(named.filter(here).cloned());
        let units: BTreeSet<&str> = lists.posts.iter().map(|p| p.unit.as_str()).collect();
        lists.units = units.into_iter().filter_map(|u| self.units.get(u)).cloned().collect();
        let persons: BTreeSet<&str> = lists.appointments.iter().map(|a| a.person.as_str()).collect();
        lists.persons = persons.into_iter().filter_map(|p| self.persons.get(p)).cloned().collect();
        lists
    }
}
