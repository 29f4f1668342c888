//! Names and places of the organization, for showing: which unit a code is, who somebody is, what stands above what.
//! Who may decide is the case engine's business; both are made from the same rows.

use std::collections::HashMap;
use std::sync::OnceLock;

use sekisho_base::Date;
use sekisho_base::text::{fold_key, search_words};
use sekisho_store::org::{AppointmentRow, Everything, PersonRow, PostRow, UnitRow};

/// The organization by code.
#[derive(Debug, Default)]
pub struct Directory {
    all: Everything,
    units: HashMap<String, usize>,
    posts: HashMap<String, usize>,
    persons: HashMap<String, usize>,
    by_person: HashMap<String, Vec<usize>>,
    by_post: HashMap<String, Vec<usize>>,
    children: HashMap<String, Vec<usize>>,
    /// Folded name, kana and number of each person; made when somebody is first looked for.
    folded: OnceLock<Vec<String>>,
}

impl Directory {
    /// Indexes the rows.
    #[must_use]
    pub fn new(all: Everything) -> Self {
        let mut d = Self {
            units: all.units.iter().enumerate().map(|(i, u)| (u.code.clone(), i)).collect(),
            posts: all.posts.iter().enumerate().map(|(i, p)| (p.code.clone(), i)).collect(),
            persons: all.persons.iter().enumerate().map(|(i, p)| (p.number.clone(), i)).collect(),
            ..Self::default()
        };
        for (i, a) in all.appointments.iter().enumerate() {
            d.by_person.entry(a.person.clone()).or_default().push(i);
            d.by_post.entry(a.post.clone()).or_default().push(i);
        }
        for (i, u) in all.units.iter().enumerate() {
            if let Some(parent) = &u.parent {
                d.children.entry(parent.clone()).or_default().push(i);
            }
        }
        d.all = all;
        d
    }

    /// The rows it was made from.
    #[must_use]
    pub fn rows(&self) -> &Everything {
        &self.all
    }

    /// A unit by code.
    #[must_use]
    pub fn unit(&self, code: &str) -> Option<&UnitRow> {
        self.units.get(code).and_then(|i| self.all.units.get(*i))
    }

    /// A post by code.
    #[must_use]
    pub fn post(&self, code: &str) -> Option<&PostRow> {
        self.posts.get(code).and_then(|i| self.all.posts.get(*i))
    }

    /// A person by number.
    #[must_use]
    pub fn person(&self, number: &str) -> Option<&PersonRow> {
        self.persons.get(number).and_then(|i| self.all.persons.get(*i))
    }

    /// A unit's name, or its code when it is unknown.
    #[must_use]
    pub fn unit_name<'a>(&'a self, code: &'a str) -> &'a str {
        self.unit(code).map_or(code, |u| &u.name)
    }

    /// A person's name; the engine's own acts are 「関所」.
    #[must_use]
    pub fn person_name<'a>(&'a self, number: &'a str) -> &'a str {
        if number == "system" {
            "関所（自動）"
        } else {
            self.person(number).map_or(number, |p| &p.name)
        }
    }

    /// A unit as people say where they work: a 係 with its section before it.
    #[must_use]
    pub fn place_name(&self, code: &str) -> String {
        let own = self.unit_name(code);
        let below_section = self.unit(code).is_some_and(|u| u.kind == "subsection");
        match self.nearest(code, &["section", "branch"]) {
            Some(section) if below_section => format!("{} {own}", section.name),
            _ => own.to_owned(),
        }
    }

    /// `総務課 庶務係 係長`.
    #[must_use]
    pub fn post_name(&self, code: &str) -> String {
        self.post(code)
            .map_or_else(|| code.to_owned(), |p| format!("{} {}", self.place_name(&p.unit), p.title))
    }

    /// `総務課 課長 山田太郎`, by post and person.
    #[must_use]
    pub fn full_name(&self, post: &str, person: &str) -> String {
        if post.is_empty() {
            self.person_name(person).to_owned()
        } else {
            format!("{} {}", self.post_name(post), self.person_name(person))
        }
    }

    /// The nearest unit of a kind at or above a code.
    #[must_use]
    pub fn nearest(&self, code: &str, kinds: &[&str]) -> Option<&UnitRow> {
        let mut at = self.unit(code);
        // Bounded: a cycle in bad data must not hang a page.
        for _ in 0..16 {
            let unit = at?;
            if kinds.contains(&unit.kind.as_str()) {
                return Some(unit);
            }
            at = unit.parent.as_deref().and_then(|p| self.unit(p));
        }
        None
    }

    /// A unit and everything below it.
    #[must_use]
    pub fn below(&self, code: &str) -> Vec<String> {
        let mut out = vec![code.to_owned()];
        let mut next = 0;
        while let Some(at) = out.get(next).cloned() {
            next += 1;
            for i in self.children.get(&at).into_iter().flatten() {
                if let Some(u) = self.all.units.get(*i)
                    && !out.contains(&u.code)
                {
                    out.push(u.code.clone());
                }
            }
        }
        out
    }

    /// Units directly below one that exist on a day, in order.
    #[must_use]
    pub fn children(&self, code: &str, day: Date) -> Vec<&UnitRow> {
        let units = self.children.get(code).into_iter().flatten().filter_map(|i| self.all.units.get(*i));
        units.filter(|u| u.exists_on(day)).collect()
    }

    /// A person's appointments on a day, the main one first.
    #[must_use]
    pub fn appointments(&self, person: &str, day: Date) -> Vec<&AppointmentRow> {
        let mut found: Vec<&AppointmentRow> = self.lookup(&self.by_person, person, day).collect();
        found.sort_by_key(|a| (!a.main, a.post.clone(), a.role.clone()));
        found
    }

    /// A person's first appointment to a post on a day: the main one, where there is one.
    #[must_use]
    pub fn main_appointment(&self, person: &str, day: Date) -> Option<&AppointmentRow> {
        self.appointments(person, day).into_iter().find(|a| a.role.is_empty())
    }

    /// The same as people read it (`総務課 庶務係 係長`); empty for somebody without a post.
    #[must_use]
    pub fn main_post(&self, person: &str, day: Date) -> String {
        self.main_appointment(person, day).map(|a| self.post_name(&a.post)).unwrap_or_default()
    }

    /// Who holds a post on a day.
    #[must_use]
    pub fn holders(&self, post: &str, day: Date) -> Vec<&PersonRow> {
        let mut found: Vec<&PersonRow> =
            self.lookup(&self.by_post, post, day).filter_map(|a| self.person(&a.person)).collect();
        found.dedup_by(|a, b| a.number == b.number);
        found
    }

    fn lookup<'a>(
        &'a self,
        index: &'a HashMap<String, Vec<usize>>,
        key: &str,
        day: Date,
    ) -> impl Iterator<Item = &'a AppointmentRow> {
        let found = index.get(key).into_iter().flatten().filter_map(|i| self.all.appointments.get(*i));
        found.filter(move |a| a.in_force(day))
    }

    /// The head post of a unit.
    #[must_use]
    pub fn head_post(&self, unit: &str) -> Option<&PostRow> {
        self.all.posts.iter().find(|p| p.head && p.unit == unit)
    }

    /// How many people have a main appointment in a unit or below on a day.
    #[must_use]
    pub fn head_count(&self, unit: &str, day: Date) -> usize {
        let units = self.below(unit);
        let in_units = |a: &AppointmentRow| self.post(&a.post).is_some_and(|p| units.contains(&p.unit));
        self.all.appointments.iter().filter(|a| a.is_main_on(day) && in_units(a)).count()
    }

    /// People whose name, kana or number holds every word; at most `limit`.
    #[must_use]
    pub fn search(&self, words: &str, limit: usize) -> Vec<&PersonRow> {
        let words: Vec<String> = search_words(words).collect();
        if words.is_empty() {
            return vec![];
        }
        let text = |p: &PersonRow| fold_key(&format!("{} {} {}", p.name, p.kana, p.number));
        let folded = self.folded.get_or_init(|| self.all.persons.iter().map(text).collect());
        let hit = |text: &str| words.iter().all(|w| text.contains(w.as_str()));
        self.all
            .persons
            .iter()
            .zip(folded)
            .filter(|(_, text)| hit(text))
            .map(|(p, _)| p)
            .take(limit)
            .collect()
    }
}
