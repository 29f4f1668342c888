//! What happened to people, read from their appointments.

use std::collections::HashMap;

use sekisho_base::Date;
use sekisho_pack::duty::Event;
use sekisho_store::org::AppointmentRow;

use crate::directory::Directory;

/// Something that happened to a person on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    /// Person number.
    pub person: String,
    /// Unit of the post it is about.
    pub unit: String,
    /// Day.
    pub on: Date,
}

/// Events of a kind between two days, both inclusive, each once a person and day.
pub(crate) fn happened(event: Event, d: &Directory, from: Date, until: Date) -> Vec<Happening> {
    let mut by_person: HashMap<&str, Vec<&AppointmentRow>> = HashMap::new();
    for a in &d.rows().appointments {
        by_person.entry(&a.person).or_default().push(a);
    }
    let mut out = Vec::new();
    for (person, all) in by_person {
        let posts: Vec<&AppointmentRow> = all.iter().copied().filter(|a| a.role.is_empty()).collect();
        let days: Vec<(&AppointmentRow, Date)> = match event {
            Event::Joined => {
                posts.iter().min_by_key(|a| (a.from, !a.main)).map(|a| (*a, a.from)).into_iter().collect()
            }
            Event::Transferred => {
                posts.iter().filter(|a| a.main && moved(a, &posts, d)).map(|a| (*a, a.from)).collect()
            }
            Event::Appointed => all.iter().filter(|a| !a.role.is_empty()).map(|a| (*a, a.from)).collect(),
            Event::Left => left(&posts).into_iter().collect(),
        };
        for (a, on) in days.into_iter().filter(|(_, on)| (from..=until).contains(on)) {
            let unit = d.post(&a.post).map(|p| p.unit.clone()).unwrap_or_default();
            out.push(Happening { person: person.to_owned(), unit, on });
        }
    }
    out.sort_by(|a, b| (a.on, &a.person, &a.unit).cmp(&(b.on, &b.person, &b.unit)));
    out.dedup();
    out
}

/// Whether a main appointment brought its person to another section.
fn moved(a: &AppointmentRow, posts: &[&AppointmentRow], d: &Directory) -> bool {
    let section = |a: &AppointmentRow| {
        let unit = d.post(&a.post).map(|p| p.unit.as_str()).unwrap_or_default();
        d.nearest(unit, &["section", "branch"]).map_or(unit, |u| u.code.as_str()).to_owned()
    };
    let before = posts.iter().filter(|b| b.main && b.from < a.from).max_by_key(|b| b.from);
    before.is_some_and(|b| section(b) != section(a))
}

/// The last appointment and the day after it, when all have an end.
fn left<'a>(posts: &[&'a AppointmentRow]) -> Option<(&'a AppointmentRow, Date)> {
    if posts.iter().any(|a| a.until.is_none()) {
        return None;
    }
    let last = posts.iter().max_by_key(|a| (a.until, a.main))?;
    Some((last, last.until?.plus_days(1)))
}
