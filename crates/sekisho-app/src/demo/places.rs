//! Who may apply in a section, and what of it may go out.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_store::org::AppointmentRow;

use super::super::assets::{Registers, Row, text};
use super::super::organization::chart::{DEMO_SECTION, SECOND_SECTION, VACANT_SECTION};
use super::super::organization::{Organization, SectionPlace};

/// A section with who may apply and what may go out.
pub(super) struct Place<'a> {
    /// The section.
    pub section: &'a SectionPlace,
    /// How often its people take things out.
    pub weight: usize,
    /// Main appointments of the section at any time, its head excepted.
    pub people: Vec<&'a AppointmentRow>,
    /// Keys of `asset`, `media` and `device` rows.
    pub things: Things<'a>,
}

/// Keys by register.
#[derive(Default)]
pub(super) struct Things<'a> {
    pub assets: Vec<&'a str>,
    pub media: Vec<&'a str>,
    pub devices: Vec<&'a str>,
}

/// Complete, classified, and no My Number: the handling decision forbids the rest or cannot decide it.
fn may_go(row: &Row) -> bool {
    ["1", "2", "3"].contains(&text(row, "confidentiality"))
        && row.contains_key("manager")
        && text(row, "personal") != "my_number"
        && text(row, "zone") != "mynumber"
}

fn things(registers: &Registers) -> BTreeMap<&str, Things<'_>> {
    let mut out: BTreeMap<&str, Things<'_>> = BTreeMap::new();
    for row in registers.assets.iter().filter(|r| may_go(r)) {
        out.entry(text(row, "section")).or_default().assets.push(text(row, "number"));
    }
    for row in registers.media.iter().filter(|r| may_go(r) && text(r, "kind") == "usb") {
        if text(row, "confidentiality") != "1" && row.contains_key("encryption") {
            out.entry(text(row, "section")).or_default().media.push(text(row, "number"));
        }
    }
    for row in registers.devices.iter().filter(|r| may_go(r) && text(r, "kind") == "mobile") {
        out.entry(text(row, "section")).or_default().devices.push(text(row, "number"));
    }
    out
}

/// The sections that have stories: where the head's post is vacant, or held by another section's head, there are none.
pub(super) fn places<'a>(org: &'a Organization, registers: &'a Registers) -> Vec<Place<'a>> {
    // Codes of units below a section begin with the section's four digits; only sections and what is above end in 00.
    let heads: BTreeSet<&str> =
        org.posts.iter().filter(|p| p.head && p.unit.ends_with("00")).map(|p| p.code.as_str()).collect();
    let unit_of: BTreeMap<&str, &str> =
        org.posts.iter().map(|p| (p.code.as_str(), p.unit.as_str())).collect();
    let mut people: BTreeMap<&str, Vec<&AppointmentRow>> = BTreeMap::new();
    // A branch keeps its own registers: its staff do not take out what the section above owns.
    let branches: BTreeSet<&str> =
        org.units.iter().filter(|u| u.kind == "branch").map(|u| u.code.as_str()).collect();
    let at_branch = |post: &str| unit_of.get(post).is_some_and(|u| branches.contains(u));
    for a in
        org.appointments.iter().filter(|a| a.main && !heads.contains(a.post.as_str()) && !at_branch(&a.post))
    {
        let section = unit_of.get(a.post.as_str()).and_then(|u| u.get(..4)).unwrap_or_default();
        people.entry(section).or_default().push(a);
    }
    let mut things = things(registers);
    org.sections
        .iter()
        .filter(|s| ![VACANT_SECTION, SECOND_SECTION].contains(&s.name))
        .map(|section| {
            let often = match (section.name, section.department) {
                (DEMO_SECTION, _) => 8,
                (_, "福祉部") => 3,
                (_, "こども部" | "都市建設部") => 2,
                ("資産税課" | "収納課", _) => 3,
                _ => 1,
            };
            Place {
                section,
                weight: often * (section.staff + 6),
                people: section.code.get(..4).and_then(|c| people.remove(c)).unwrap_or_default(),
                things: things.remove(section.code.as_str()).unwrap_or_default(),
            }
        })
        .collect()
}
