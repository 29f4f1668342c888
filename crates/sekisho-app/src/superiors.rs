//! Who works together and who stands above whom: for acts that people do for one another outside of cases.

use std::collections::BTreeSet;

use sekisho_base::Date;
use sekisho_store::org::UnitRow;

use crate::directory::Directory;

/// Kinds of units in which people work as a whole: a 係 is part of its section.
const WORKPLACES: [&str; 5] = ["section", "branch", "department", "organ", "body"];
/// Most steps upward; a cycle in bad data must not hang a page.
const MAX_STEPS: usize = 16;

impl Directory {
    /// The section of a unit, or the unit itself where it stands above sections.
    #[must_use]
    pub fn workplace(&self, unit: &str) -> Option<&UnitRow> {
        self.nearest(unit, &WORKPLACES)
    }

    /// Codes of the workplaces in which a person holds a post on a day.
    #[must_use]
    pub fn workplaces(&self, person: &str, day: Date) -> BTreeSet<&str> {
        let held = self.appointments(person, day).into_iter().filter(|a| a.role.is_empty());
        held.filter_map(|a| self.workplace(&self.post(&a.post)?.unit)).map(|u| u.code.as_str()).collect()
    }

    /// People who hold a post in one of these workplaces on a day, in order of number.
    #[must_use]
    pub fn colleagues(&self, workplaces: &BTreeSet<&str>, day: Date) -> Vec<String> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for unit in workplaces.iter().flat_map(|w| self.below(w)) {
            if self.workplace(&unit).is_some_and(|w| workplaces.contains(w.code.as_str())) {
                let posts = self.rows().posts.iter().filter(|p| p.unit == unit);
                found.extend(posts.flat_map(|p| self.holders(&p.code, day)).map(|p| p.number.as_str()));
            }
        }
        found.into_iter().map(str::to_owned).collect()
    }

    /// Holders, other than these people, of the head posts of a unit; where there are none, of the nearest unit above that has any.
    #[must_use]
    pub fn heads_from(&self, unit: &str, day: Date, but: &[&str]) -> BTreeSet<String> {
        let mut at = self.workplace(unit);
        for _ in 0..MAX_STEPS {
            let Some(here) = at else { break };
            let posts = self.rows().posts.iter().filter(|p| p.head && p.unit == here.code);
            let holders = posts.flat_map(|p| self.holders(&p.code, day)).map(|p| p.number.clone());
            let found: BTreeSet<String> = holders.filter(|p| !but.contains(&p.as_str())).collect();
            if !found.is_empty() {
                return found;
            }
            at = here.parent.as_deref().and_then(|p| self.workplace(p));
        }
        BTreeSet::new()
    }

    /// The next heads above a person on a day, from each post held.
    #[must_use]
    pub fn next_heads(&self, person: &str, day: Date) -> BTreeSet<String> {
        let held = self.appointments(person, day).into_iter().filter(|a| a.role.is_empty());
        let units = held.filter_map(|a| self.post(&a.post)).map(|p| p.unit.as_str());
        units.flat_map(|unit| self.heads_from(unit, day, &[person])).collect()
    }
}
