//! Who stands where on a day: the facts that authorization is asked with, and the explanation people get.

use std::collections::BTreeSet;

use sekisho_base::Date;
use sekisho_pack::model::{OnAbsent, OnEmpty};
use serde::{Deserialize, Serialize};

use super::{Level, Part, Path, Seat};
use crate::org::Org;

/// What the step asks of those who act.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// Organization.
    pub org: &'a Org,
    /// Day of the act.
    pub day: Date,
    /// Meaning of absence.
    pub on_absent: OnAbsent,
    /// Meaning of vacancy.
    pub on_empty: OnEmpty,
    /// Whether it is a final decision, which alone can be taken in absence (代決).
    pub final_decision: bool,
    /// Persons who may not act because they judge themselves: the applicant, whoever performed.
    pub barred: &'a BTreeSet<String>,
    /// How many levels above the one whose turn it was lateness has opened.
    pub escalated: usize,
    /// Whether 代決 needs a reason: instructed beforehand, or urgent.
    pub daiketsu_barred: bool,
}

/// A person who may act, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Person number.
    pub person: String,
    /// Post acted from; empty for a person as such.
    pub post: String,
    /// Level of the chain.
    pub level: usize,
    /// Path.
    pub path: Path,
}

/// One person or place, whether it may act, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// Person number; empty when a place without a person is explained.
    pub person: String,
    /// Post, as people read it.
    pub post: String,
    /// Whether the person may act.
    pub may: bool,
    /// Why, in Japanese.
    pub why: String,
}

/// The standing of one part on a day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Who may act, best path first for each person.
    pub candidates: Vec<Candidate>,
    /// The same for people, with those who may not.
    pub explain: Vec<Explain>,
    /// Highest level whose turn it is.
    pub reached: usize,
    /// Levels where a holder who may act is present.
    pub present: Vec<usize>,
    /// Whether the whole chain was walked and nobody who is present was found.
    pub exhausted: bool,
    /// Whether everybody in office may act.
    pub everyone: bool,
    /// Whether a vacancy blocks it.
    pub blocked: bool,
}

impl Standing {
    /// The best way in which a person may act.
    #[must_use]
    pub fn of(&self, person: &str) -> Option<&Candidate> {
        self.candidates.iter().find(|c| c.person == person)
    }

    /// Persons who may act without override.
    pub fn eligible(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|c| c.path != Path::Override)
    }

    fn note(&mut self, person: &str, post: String, may: bool, why: impl Into<String>) {
        self.explain.push(Explain { person: person.to_owned(), post, may, why: why.into() });
    }
}

/// Holders of a seat on a day, with the post they act from.
pub(crate) fn holders(seat: &Seat, org: &Org, day: Date) -> Vec<(String, String)> {
    match seat {
        Seat::Post(post) => {
            org.holders(post, day).into_iter().map(|p| (p.to_owned(), post.clone())).collect()
        }
        Seat::Named { role, post } => {
            org.role_holders(role, post, day).into_iter().map(|p| (p.to_owned(), post.clone())).collect()
        }
        Seat::Person(person) if org.in_office(person, day) => vec![(person.clone(), String::new())],
        Seat::Person(_) | Seat::Everyone => vec![],
    }
}

/// Whether a person sits in a seat on a day.
pub(crate) fn sits(seat: &Seat, person: &str, org: &Org, day: Date) -> bool {
    match seat {
        Seat::Post(post) => org.holds(person, post, day),
        Seat::Named { role, post } => org.role_holders(role, post, day).contains(&person),
        Seat::Person(own) => own == person && org.in_office(person, day),
        Seat::Everyone => org.in_office(person, day),
    }
}

/// Works out who may act for a part.
pub(crate) fn standing(part: &Part, s: &Situation<'_>) -> Standing {
    let mut found = Standing::default();
    let mut own: Vec<Candidate> = Vec::new();
    // Lateness adds the next role's turn, except where a certain person must act: there the next role is only told.
    let personal =
        part.levels.first().is_some_and(|l| l.seats.iter().any(|seat| matches!(seat, Seat::Person(_))));
    let opened = if s.escalated == 0 || personal { 0 } else { part.turn + s.escalated };
    let mut goes_on = true;
    let mut waits = false;
    for (i, level) in part.levels.iter().enumerate() {
        if !goes_on && i > opened {
            break;
        }
        found.reached = i;
        let turn = one_level(i, level, s, &mut found, &mut own);
        // A lower level that still waits keeps its turn; lateness only adds the next one.
        goes_on = turn.goes_on;
        found.blocked |= turn.blocked;
        waits |= !turn.goes_on;
        found.exhausted = !waits && i + 1 == part.levels.len();
    }
    if part.levels.is_empty() {
        found.note("", String::new(), false, "この手順を担う役割が決まっていません。");
    }
    if found.exhausted {
        own.sort_by_key(|c| c.level);
        for c in own {
            let post = s.org.post_name(&c.post);
            found.note(&c.person, post, true, "ほかに決められる人がいないため、理由を記録して自ら決めることができます（上位の役割が後で確認します）。");
            if found.of(&c.person).is_none() {
                found.candidates.push(c);
            }
        }
    }
    found
}

struct Turn {
    goes_on: bool,
    blocked: bool,
}

fn one_level(
    i: usize,
    level: &Level,
    s: &Situation<'_>,
    found: &mut Standing,
    own: &mut Vec<Candidate>,
) -> Turn {
    let mut able: Vec<(String, String)> = Vec::new();
    let mut barred = 0usize;
    if level.seats.contains(&Seat::Everyone) {
        found.everyone = true;
        found.note("", level.title.clone(), true, "在職する人ならだれでも行えます。");
        return Turn { goes_on: false, blocked: false };
    }
    for (person, post) in level.seats.iter().flat_map(|seat| holders(seat, s.org, s.day)) {
        if s.barred.contains(&person) {
            barred += 1;
            let why = "自分が関わった案件なので、この手順は行えません（上位の役割が行います）。";
            found.note(&person, place(&post, level, s.org), false, why);
            own.push(Candidate { person, post, level: i, path: Path::Override });
        } else if able.iter().all(|(p, _)| *p != person) {
            able.push((person, post));
        }
    }
    let present = able.iter().any(|(p, _)| !s.org.absent(p, s.day));
    if present {
        found.present.push(i);
    }
    let path = if i == 0 { Path::Holder } else { Path::Escalated };
    for (person, post) in &able {
        let why = match (i, s.org.absent(person, s.day)) {
            (0, false) => format!("{}としてこの手順を行います。", level.title),
            (0, true) => format!("{}ですが、この日は不在です。", level.title),
            (_, false) => format!("{}として、下位の役割に代わって行います。", level.title),
            (_, true) => format!("{}として代わりますが、この日は不在です。", level.title),
        };
        found.note(person, place(post, level, s.org), true, why);
        add(found, Candidate { person: person.clone(), post: post.clone(), level: i, path: path.clone() });
    }
    let vacant = able.is_empty() && barred == 0;
    let away = !able.is_empty() && !present;
    let mut helped = false;
    if vacant || away {
        helped |= delegates(i, level, s, found);
    }
    if away && !helped && s.on_absent == OnAbsent::Daiketsu && s.final_decision {
        helped |= deputy(i, level, s, found);
    }
    if vacant && !helped {
        let is_person = level.seats.iter().any(|seat| matches!(seat, Seat::Person(_)));
        let goes_on = s.on_empty == OnEmpty::Escalate || is_person;
        let why = match (is_person, goes_on) {
            (true, _) => "申請者は在職していません。",
            (false, true) => "欠員のため、上位の役割が行います。",
            (false, false) => "欠員です。後任が決まるまで案件は止まります。",
        };
        found.note("", vacant_place(level, s.org), false, why);
        return Turn { goes_on, blocked: !goes_on };
    }
    // Everybody is away and nobody stands in: where 代決 is allowed, "nobody present" passes to the next role.
    let nobody_present = away && !helped && s.on_absent == OnAbsent::Daiketsu && s.final_decision;
    Turn { goes_on: (able.is_empty() && !vacant) || nobody_present, blocked: false }
}

fn delegates(i: usize, level: &Level, s: &Situation<'_>, found: &mut Standing) -> bool {
    let mut any = false;
    for post in level.seats.iter().filter_map(Seat::post) {
        for d in s.org.delegations(post, s.day) {
            let fits = d.role.as_ref().is_none_or(|r| *r == level.role);
            if !fits || s.barred.contains(&d.person) || s.org.absent(&d.person, s.day) {
                continue;
            }
            let Some(from) = s.org.appointments(&d.person, s.day).next() else { continue };
            any = true;
            found.note(
                &d.person,
                s.org.post_name(&from.post),
                true,
                format!("{}の職務代理として行います。", level.title),
            );
            let path = Path::Delegate { delegation: d.id.clone(), for_post: post.to_owned() };
            add(found, Candidate { person: d.person.clone(), post: from.post.clone(), level: i, path });
        }
    }
    any
}

/// The first deputy post, in order, with a holder who is present and not barred. A deputy who is away has no deputies:
/// the next one in the list is asked.
fn deputy(i: usize, level: &Level, s: &Situation<'_>, found: &mut Standing) -> bool {
    let for_post = level.seats.first().and_then(Seat::post).unwrap_or_default().to_owned();
    for post in &level.deputies {
        let holders: Vec<&str> = s.org.holders(post, s.day);
        let fit: Vec<&str> =
            holders.into_iter().filter(|p| !s.barred.contains(*p) && !s.org.absent(p, s.day)).collect();
        for person in &fit {
            found.note(
                person,
                s.org.post_name(post),
                true,
                if s.daiketsu_barred {
                    format!("{}が不在です。重要・異例などの案件なので、代決できるのは、あらかじめ指示を受けたときか急ぐときだけです（理由を記録します）。", level.title)
                } else {
                    format!("{}が不在のため、代決できます。", level.title)
                },
            );
            let path = Path::Deputy { for_post: for_post.clone() };
            add(found, Candidate { person: (*person).to_owned(), post: post.clone(), level: i, path });
        }
        if !fit.is_empty() {
            return true;
        }
    }
    false
}

/// Keeps one way for each person: the first found, which is the lowest level and the strongest path.
fn add(found: &mut Standing, c: Candidate) {
    if found.of(&c.person).is_none() {
        found.candidates.push(c);
    }
}

fn place(post: &str, level: &Level, org: &Org) -> String {
    if post.is_empty() { level.title.clone() } else { org.post_name(post) }
}

fn vacant_place(level: &Level, org: &Org) -> String {
    match level.seats.first().and_then(Seat::post) {
        Some(post) => org.post_name(post),
        None if level.unit.is_empty() => level.title.clone(),
        None => format!("{} {}", org.unit_name(&level.unit), level.title),
    }
}
