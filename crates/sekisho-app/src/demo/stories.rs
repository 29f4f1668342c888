//! Two years of take-outs in the demo city: who asked for what, how it was decided and when it came back. Every
//! story stays within its fiscal year; who decides is left to the engine.

use std::collections::BTreeMap;

use sekisho_base::Date;
use sekisho_base::calendar::Calendar;
use sekisho_store::org::AppointmentRow;

use super::assets::Registers;
use super::organization::Organization;
use super::organization::chart::DEMO_SECTION;
use super::rng::Rng;

#[path = "occasions.rs"]
mod occasions;
#[path = "places.rs"]
mod places;

use places::{Place, places};

/// How things are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Carrying {
    /// By hand in a bag with a lock.
    #[default]
    LockedBag,
    /// In an official car, never left in it.
    OfficialCar,
    /// By two people together.
    TwoPeople,
}

impl Carrying {
    /// Code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::LockedBag => "locked_bag",
            Self::OfficialCar => "official_car",
            Self::TwoPeople => "two_people",
        }
    }

    /// In words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::LockedBag => "鍵付きかばんに入れ、職員が携行する",
            Self::OfficialCar => "公用車で運び、車内に残さない",
            Self::TwoPeople => "職員2名で携行する",
        }
    }
}

/// How an application ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Permitted this many business days after the application.
    Permitted {
        /// Business days; 0 is the same day.
        after: u32,
    },
    /// Refused on the next business day, with a reason.
    Refused(&'static str),
    /// Sent back on the next business day with a reason, and left there.
    SentBack(&'static str),
    /// Withdrawn by the applicant on the same day.
    Withdrawn,
    /// Not decided yet.
    Pending,
}

/// One take-out case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Staff number of the applicant.
    pub applicant: String,
    /// Post from which the person applies.
    pub post: String,
    /// Section of that post.
    pub section: String,
    /// Register and key of what is taken.
    pub items: Vec<(&'static str, String)>,
    /// Purpose.
    pub purpose: &'static str,
    /// Destination.
    pub destination: &'static str,
    /// How it is carried.
    pub carrying: Carrying,
    /// 包括許可: many movements within the period.
    pub blanket: bool,
    /// Day of the application.
    pub applied_on: Date,
    /// Minute of that day, in Asia/Tokyo: a morning.
    pub applied_minute: u32,
    /// First day out.
    pub from: Date,
    /// Day on which it must be back.
    pub return_by: Date,
    /// Outcome.
    pub outcome: Outcome,
    /// Day on which it came back.
    pub returned: Option<Date>,
    /// Day on which the return was confirmed.
    pub confirmed: Option<Date>,
}

/// Cases in the past.
const PAST: usize = 585;
/// Cases in which something is out today and not yet due.
const OUT_NOW: usize = 14;
/// Cases that are overdue today.
const OVERDUE: usize = 6;
/// Cases that wait for the manager of the demo's section.
const PENDING_DEMO: usize = 3;
/// Cases that wait elsewhere.
const PENDING_ELSEWHERE: usize = 5;
/// Cases that came back in these days and whose return is not confirmed.
const UNCONFIRMED: usize = 4;

/// What a story is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plot {
    Past,
    OutNow,
    Overdue,
    Pending,
    Unconfirmed,
}

/// Makes the stories, oldest application first.
#[must_use]
pub fn stories(
    seed: u64,
    today: Date,
    calendar: &Calendar,
    org: &Organization,
    registers: &Registers,
) -> Vec<Story> {
    let mut teller = Teller {
        rng: Rng::part(seed, "stories"),
        today,
        calendar,
        places: places(org, registers),
        away: org.absences.iter().map(|a| (a.person.as_str(), a.from, a.until)).collect(),
        taken: BTreeMap::new(),
        clerk: org.logins.iter().find(|l| l.login == "staff").map(|l| l.person.as_str()).unwrap_or_default(),
    };
    let mut out = vec![];
    // What is open today comes first, so that its items are still free.
    out.extend(teller.tell(PENDING_DEMO, Plot::Pending, Some(DEMO_SECTION)));
    out.extend(teller.tell(PENDING_ELSEWHERE, Plot::Pending, None));
    out.extend(teller.tell(OVERDUE, Plot::Overdue, None));
    out.extend(teller.tell(1, Plot::OutNow, Some(DEMO_SECTION)));
    out.extend(teller.tell(OUT_NOW - 1, Plot::OutNow, None));
    out.extend(teller.tell(1, Plot::Unconfirmed, Some(DEMO_SECTION)));
    out.extend(teller.tell(UNCONFIRMED - 1, Plot::Unconfirmed, None));
    out.extend(teller.tell(PAST, Plot::Past, None));
    out.sort_by(|a, b| {
        (a.applied_on, a.applied_minute, &a.applicant, &a.items).cmp(&(
            b.applied_on,
            b.applied_minute,
            &b.applicant,
            &b.items,
        ))
    });
    out
}

/// Days of one story.
#[derive(Debug, Clone, Copy)]
struct Days {
    applied: Date,
    from: Date,
    return_by: Date,
}

struct Teller<'a> {
    rng: Rng,
    today: Date,
    calendar: &'a Calendar,
    places: Vec<Place<'a>>,
    away: Vec<(&'a str, Date, Date)>,
    /// When each item is out, by key.
    taken: BTreeMap<&'a str, Vec<(Date, Date)>>,
    clerk: &'a str,
}

impl<'a> Teller<'a> {
    /// So many stories of a plot, in one section or anywhere. A draw that does not work out is drawn again.
    fn tell(&mut self, count: usize, plot: Plot, section: Option<&str>) -> Vec<Story> {
        let mut out = vec![];
        let mut tries = 0;
        while out.len() < count && tries < count * 60 + 200 {
            tries += 1;
            let own = section.is_some() && out.is_empty();
            out.extend(self.story(plot, section, own));
        }
        out
    }

    fn story(&mut self, plot: Plot, section: Option<&str>, by_clerk: bool) -> Option<Story> {
        // Elsewhere is elsewhere: only cases of the past come from the demo's section without being asked for.
        let elsewhere = plot != Plot::Past && section.is_none();
        let weights: Vec<usize> = self
            .places
            .iter()
            .map(|p| {
                let fits = section.is_none_or(|s| s == p.section.name)
                    && !(elsewhere && p.section.name == DEMO_SECTION);
                if fits { p.weight } else { 0 }
            })
            .collect();
        let at = self.rng.weighted(weights.into_iter());
        let (name, department, code) =
            self.places.get(at).map(|p| (p.section.name, p.section.department, p.section.code.clone()))?;
        let (purpose, destination, again) = self.rng.pick(&occasions::of(name, department));
        let blanket = again && plot != Plot::Overdue && plot != Plot::Unconfirmed && self.rng.chance(35);
        let days = self.days(plot, blanket)?;
        let outcome = self.outcome(plot, days);
        let (returned, confirmed) = self.back(plot, days, &outcome);
        let (person, post) = self.applicant(at, days, plot, by_clerk)?;
        let permitted = matches!(outcome, Outcome::Permitted { .. });
        let until = returned
            .unwrap_or(if plot == Plot::Overdue { self.today } else { days.return_by })
            .max(days.return_by);
        let items =
            self.items(at, (days.from.min(days.applied), until), permitted || plot == Plot::Pending)?;
        Some(Story {
            applicant: person.to_owned(),
            post: post.to_owned(),
            section: code,
            items,
            purpose,
            destination,
            carrying: self.rng.pick(&[
                Carrying::LockedBag,
                Carrying::LockedBag,
                Carrying::OfficialCar,
                Carrying::TwoPeople,
            ]),
            blanket,
            applied_on: days.applied,
            applied_minute: u32::try_from(self.rng.range(510, 719)).unwrap_or(540),
            from: days.from,
            return_by: days.return_by,
            outcome,
            returned,
            confirmed,
        })
    }

    /// The last open day before `today` that is `n` open days back.
    fn open_days_back(&self, n: usize) -> Date {
        let back = (1..400).map(|d| self.today.plus_days(-d)).filter(|d| !self.calendar.is_closed(*d));
        back.take(n.max(1)).last().unwrap_or(self.today)
    }

    /// Application, first day and day of return: open days within one fiscal year.
    fn days(&mut self, plot: Plot, blanket: bool) -> Option<Days> {
        let lead = u32::try_from(self.rng.range(1, 5)).unwrap_or(1);
        let stay = self.rng.pick(&[0, 0, 0, 1, 1, 2, 4]);
        let applied = match plot {
            Plot::Past => {
                let day = self.today.plus_days(-self.rng.range(12, 728));
                (!self.calendar.is_closed(day)).then_some(day)?
            }
            Plot::Pending => {
                let back = self.rng.below(2) + 1;
                self.open_days_back(back)
            }
            Plot::OutNow => {
                let back = self.rng.below(5) + 3;
                self.open_days_back(back)
            }
            Plot::Overdue | Plot::Unconfirmed => {
                let back = self.rng.below(15) + 8;
                self.open_days_back(back)
            }
        };
        let mut from = self.calendar.plus_business_days(applied, lead);
        let year_end = applied.fiscal_year_end();
        let mut return_by = match (plot, blanket) {
            (_, true) => applied.plus_months(self.rng.pick(&[1, 2, 3, 6])).min(year_end),
            (Plot::OutNow, _) => {
                self.calendar.plus_business_days(self.today, u32::try_from(self.rng.range(0, 6)).unwrap_or(1))
            }
            (Plot::Unconfirmed, _) => self.open_days_back(3),
            _ => self.calendar.plus_business_days(from, stay),
        };
        match plot {
            Plot::OutNow => from = from.min(self.open_days_back(1)),
            Plot::Pending => {
                let ahead = u32::try_from(self.rng.range(1, 5)).unwrap_or(1);
                from = self.calendar.plus_business_days(self.today, ahead);
                return_by = if blanket { return_by } else { self.calendar.plus_business_days(from, stay) };
            }
            _ => {}
        }
        if plot == Plot::OutNow && return_by <= self.today {
            return_by = self.calendar.plus_business_days(self.today, 2);
        }
        // At the end of the year what would run over it is cut to its last day, or not asked for.
        return_by = return_by.min(year_end);
        let today = self.today;
        let works = applied < from
            && from <= return_by
            && from <= year_end
            && match plot {
                Plot::Past => return_by < today,
                Plot::OutNow => from < today && today <= return_by,
                Plot::Overdue => return_by < today && today.plus_days(-25) <= return_by,
                Plot::Pending => today < from,
                Plot::Unconfirmed => return_by < today,
            };
        works.then_some(Days { applied, from, return_by })
    }

    fn outcome(&mut self, plot: Plot, days: Days) -> Outcome {
        let room = self.calendar.business_days_between(days.applied, days.from);
        let permitted = |rng: &mut Rng| Outcome::Permitted { after: rng.pick(&[0, 0, 1, 1, 2]).min(room) };
        match plot {
            Plot::Pending => Outcome::Pending,
            Plot::OutNow | Plot::Overdue | Plot::Unconfirmed => permitted(&mut self.rng),
            Plot::Past => match self.rng.below(100) {
                0..=3 => Outcome::Refused(self.rng.pick(&[
                    "持ち出す範囲が目的に対して広すぎます。必要な分だけに絞って申請し直してください。",
                    "庁内の閲覧で足りるため、持出しは認めません。",
                    "持出先での保管の方法が確かめられないため、認めません。",
                ])),
                4..=6 => Outcome::SentBack(self.rng.pick(&[
                    "持出先の名称を具体的に書いてください。",
                    "返却の予定日が訪問の日より後になっている理由を書いてください。",
                    "運搬の方法を見直してください。",
                ])),
                7..=9 => Outcome::Withdrawn,
                _ => permitted(&mut self.rng),
            },
        }
    }

    /// Days of return and of its confirmation. What is given back late comes back within the fiscal year all the same,
    /// because transfers would leave it to somebody else.
    fn back(&mut self, plot: Plot, days: Days, outcome: &Outcome) -> (Option<Date>, Option<Date>) {
        if !matches!(outcome, Outcome::Permitted { .. })
            || matches!(plot, Plot::OutNow | Plot::Overdue | Plot::Pending)
        {
            return (None, None);
        }
        let last = days.applied.fiscal_year_end();
        let late = plot == Plot::Past && self.rng.chance(7);
        let by = if self.calendar.is_closed(days.return_by) {
            // The office is closed on the last day: it came back on the open day before.
            (0..15)
                .map(|n| days.return_by.plus_days(-n))
                .find(|d| !self.calendar.is_closed(*d))
                .unwrap_or(days.return_by)
        } else {
            days.return_by
        };
        let days_late = u32::try_from(self.rng.range(1, 9)).unwrap_or(1);
        let returned = if late {
            self.calendar.plus_business_days(days.return_by, days_late)
        } else {
            by.max(days.from)
        };
        let yesterday = self.open_days_back(1);
        let returned = if returned > last { by.max(days.from) } else { returned }.min(yesterday);
        if plot == Plot::Unconfirmed {
            return (Some(returned), None);
        }
        let after = self.rng.pick(&[0, 0, 0, 1, 1, 2]);
        let confirmed = if after == 0 { returned } else { self.calendar.plus_business_days(returned, after) };
        (Some(returned), Some(confirmed.min(yesterday).max(returned)))
    }

    /// Somebody who worked in the section then and was there; now and then in the demo's section its clerk.
    fn applicant(&mut self, at: usize, days: Days, plot: Plot, by_clerk: bool) -> Option<(&'a str, &'a str)> {
        let open = plot != Plot::Past;
        let until = if open { self.today.max(days.return_by) } else { days.return_by };
        let place = self.places.get(at)?;
        let there = |a: &&&AppointmentRow| {
            a.in_force(days.applied)
                && a.in_force(until)
                && !self
                    .away
                    .iter()
                    .any(|(p, from, to)| *p == a.person && *from <= days.applied && days.applied <= *to)
        };
        let people: Vec<(&'a str, &'a str)> =
            place.people.iter().filter(there).map(|a| (a.person.as_str(), a.post.as_str())).collect();
        let clerk = people.iter().copied().find(|(p, _)| *p == self.clerk);
        match clerk {
            Some(clerk) if by_clerk || self.rng.chance(11) => Some(clerk),
            _ => {
                let found = self.rng.pick(&people);
                (!found.0.is_empty()).then_some(found)
            }
        }
    }

    /// One to three things of the section that nobody else has out in these days.
    fn items(&mut self, at: usize, out: (Date, Date), goes: bool) -> Option<Vec<(&'static str, String)>> {
        let mut found: Vec<(&'static str, &'a str)> = vec![];
        let shape = self.rng.below(10);
        let wanted: &[(&'static str, usize)] = match shape {
            0..=2 => &[("asset", 1)],
            3 | 4 => &[("asset", 2)],
            5 | 6 => &[("asset", 1), ("media", 1)],
            7 => &[("asset", 2), ("media", 1)],
            8 => &[("asset", 1), ("device", 1)],
            _ => &[("media", 1)],
        };
        for (register, count) in wanted {
            for _ in 0..*count {
                let place = self.places.get(at)?;
                let keys = match *register {
                    "asset" => &place.things.assets,
                    "media" => &place.things.media,
                    _ => &place.things.devices,
                };
                let free = |k: &&&str| {
                    let spans = self.taken.get(**k).into_iter().flatten();
                    found.iter().all(|f| f.1 != **k) && spans.clone().all(|s| s.1 < out.0 || out.1 < s.0)
                };
                let keys: Vec<&'a str> = keys.iter().filter(free).copied().collect();
                let key = self.rng.pick(&keys);
                if key.is_empty() {
                    return None;
                }
                found.push((register, key));
            }
        }
        if goes {
            for (_, key) in &found {
                self.taken.entry(key).or_default().push(out);
            }
        }
        Some(found.into_iter().map(|(register, key)| (register, key.to_owned())).collect())
    }
}

#[cfg(test)]
#[path = "stories_tests.rs"]
mod tests;
