//! Questions to the organization on a day.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_pack::model::{HeldBy, Role, Scope};

use super::{Appointment, Delegation, Org, Person, Post, Unit, in_force};

/// Depth to which the unit tree is walked; a longer chain is a cycle or no municipality.
const DEPTH: usize = 16;

impl Org {
    /// A unit.
    #[must_use]
    pub fn unit(&self, code: &str) -> Option<&Unit> {
        self.units.get(code)
    }

    /// A post.
    #[must_use]
    pub fn post(&self, code: &str) -> Option<&Post> {
        self.posts.get(code)
    }

    /// A person.
    #[must_use]
    pub fn person(&self, number: &str) -> Option<&Person> {
        self.persons.get(number)
    }

    /// A person's name, or the number where there is no such person.
    #[must_use]
    pub fn person_name<'a>(&'a self, number: &'a str) -> &'a str {
        self.persons.get(number).map_or(number, |p| p.name.as_str())
    }

    /// A unit's name, or the code where there is no such unit.
    #[must_use]
    pub fn unit_name<'a>(&'a self, code: &'a str) -> &'a str {
        self.units.get(code).map_or(code, |u| u.name.as_str())
    }

    /// A post as people read it: `税務課 課長`.
    #[must_use]
    pub fn post_name(&self, code: &str) -> String {
        self.posts
            .get(code)
            .map_or_else(|| code.to_owned(), |p| format!("{} {}", self.unit_name(&p.unit), p.title))
    }

    /// Whether a unit exists on a day.
    #[must_use]
    pub fn unit_in_force(&self, code: &str, day: Date) -> bool {
        self.units.get(code).is_some_and(|u| in_force(u.from, u.until, day))
    }

    /// The unit itself and the units above it, nearest first.
    pub fn ancestors<'a>(&'a self, code: &str) -> impl Iterator<Item = &'a Unit> {
        let mut next = self.units.get(code);
        let mut left = DEPTH;
        std::iter::from_fn(move || {
            let here = next?;
            left = left.checked_sub(1)?;
            next = here.parent.as_deref().and_then(|p| self.units.get(p));
            Some(here)
        })
    }

    /// The unit that stands for a scope above (or at) a unit: the nearest section or branch, department or organ, body.
    /// Where none is at that scope (somebody of the department itself has no section) the next wider one stands for it.
    #[must_use]
    pub fn scope_unit(&self, code: &str, scope: Scope) -> Option<&Unit> {
        // A system is owned by a unit; where it is asked for, its owner's section answers.
        let wanted = if scope == Scope::System { Scope::Section } else { scope };
        self.ancestors(code).find(|u| u.kind.scope().is_some_and(|s| s >= wanted))
    }

    /// The head posts of a unit.
    pub fn head_posts<'a>(&'a self, unit: &str) -> impl Iterator<Item = &'a Post> {
        self.posts_of(unit).filter(|p| p.head)
    }

    /// The posts of a unit, by rank.
    pub fn posts_of<'a>(&'a self, unit: &str) -> impl Iterator<Item = &'a Post> {
        self.posts_of_unit.get(unit).into_iter().flatten().filter_map(|code| self.posts.get(code))
    }

    /// The posts with a title in a unit, or in the nearest unit above it that has any, up to and with `top`.
    #[must_use]
    pub fn titled_posts(&self, unit: &str, top: &str, title: &str) -> Vec<&Post> {
        for here in self.ancestors(unit) {
            let found: Vec<&Post> = self.posts_of(&here.code).filter(|p| p.title == title).collect();
            if !found.is_empty() || here.code == top {
                return found;
            }
        }
        vec![]
    }

    /// The posts of a unit and of the 係 below it, by depth, rank.
    #[must_use]
    pub fn posts_within(&self, unit: &str) -> Vec<&Post> {
        let mut found: Vec<&Post> = self.posts_of(unit).collect();
        for child in self.children_of_unit.get(unit).into_iter().flatten() {
            if self.units.get(child).is_some_and(|u| u.kind.scope().is_none()) {
                found.extend(self.posts_of(child));
            }
        }
        found
    }

    /// Persons who hold a post on a day, in order of number, each once.
    #[must_use]
    pub fn holders(&self, post: &str, day: Date) -> Vec<&str> {
        persons(self.by_post.get(post).into_iter().flatten(), day)
    }

    /// Persons appointed to a role on a day who act from this post, in order of number.
    #[must_use]
    pub fn role_holders(&self, role: &str, post: &str, day: Date) -> Vec<&str> {
        persons(self.by_role.get(role).into_iter().flatten().filter(|a| a.post == post), day)
    }

    /// Appointments to a role in force on a day.
    pub fn role_appointments<'a>(&'a self, role: &str, day: Date) -> impl Iterator<Item = &'a Appointment> {
        self.by_role.get(role).into_iter().flatten().filter(move |a| in_force(a.from, a.until, day))
    }

    /// A person's appointments to posts on a day, main post first.
    pub fn appointments<'a>(&'a self, person: &str, day: Date) -> impl Iterator<Item = &'a Appointment> {
        self.by_person
            .get(person)
            .into_iter()
            .flatten()
            .filter(move |a| a.role.is_none() && in_force(a.from, a.until, day))
    }

    /// Whether a person holds any post on a day.
    #[must_use]
    pub fn in_office(&self, person: &str, day: Date) -> bool {
        self.appointments(person, day).next().is_some()
    }

    /// Whether a person holds this post on a day.
    #[must_use]
    pub fn holds(&self, person: &str, post: &str, day: Date) -> bool {
        self.appointments(person, day).any(|a| a.post == post)
    }

    /// Whether a person is absent (不在) on a day.
    #[must_use]
    pub fn absent(&self, person: &str, day: Date) -> bool {
        self.absences.get(person).into_iter().flatten().any(|a| in_force(a.from, Some(a.until), day))
    }

    /// Delegations of a post in force on a day.
    pub fn delegations<'a>(&'a self, post: &str, day: Date) -> impl Iterator<Item = &'a Delegation> {
        self.delegations.get(post).into_iter().flatten().filter(move |d| in_force(d.from, Some(d.until), day))
    }

    /// What one approval delegates of a post to a person, in force or not: where it names several periods, the one
    /// of the day.
    #[must_use]
    pub fn delegation(&self, post: &str, id: &str, person: &str, day: Date) -> Option<&Delegation> {
        let approved = self.delegations.get(post).into_iter().flatten();
        approved
            .filter(|d| d.id == id && d.person == person)
            .max_by_key(|d| in_force(d.from, Some(d.until), day))
    }

    /// The roles a person holds on a day, each with the code of the unit it holds in.
    #[must_use]
    pub fn roles_of(&self, person: &str, roles: &BTreeMap<String, Role>, day: Date) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let posts: Vec<&Post> =
            self.appointments(person, day).filter_map(|a| self.posts.get(&a.post)).collect();
        for role in roles.values() {
            for post in &posts {
                let unit = match &role.held_by {
                    HeldBy::HeadOf(scope) if post.head => {
                        self.scope_unit(&post.unit, *scope).filter(|u| u.code == post.unit)
                    }
                    HeldBy::Post(code) if *code == post.code => self.scope_unit(&post.unit, role.scope),
                    HeldBy::Titled(title) if *title == post.title => self.units.get(&post.unit),
                    HeldBy::Everyone => self.units.get(&post.unit),
                    HeldBy::HeadOf(_) | HeldBy::Titled(_) | HeldBy::Post(_) | HeldBy::Appointment => None,
                };
                found.extend(unit.map(|u| (role.id.clone(), u.code.clone())));
            }
            if role.held_by == HeldBy::Appointment {
                let named = self.role_appointments(&role.id, day).filter(|a| a.person == person);
                found.extend(
                    named.filter_map(|a| self.role_unit(a)).map(|unit| (role.id.clone(), unit.to_owned())),
                );
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// The unit in which an appointment to a role holds.
    #[must_use]
    pub fn role_unit<'a>(&'a self, a: &'a Appointment) -> Option<&'a str> {
        a.scope_unit.as_deref().or_else(|| self.posts.get(&a.post).map(|p| p.unit.as_str()))
    }
}

fn persons<'a>(rows: impl Iterator<Item = &'a Appointment>, day: Date) -> Vec<&'a str> {
    let mut found: Vec<&str> =
        rows.filter(|a| in_force(a.from, a.until, day)).map(|a| a.person.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    found
}
