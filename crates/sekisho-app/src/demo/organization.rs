//! The organization of the demo city: units, posts, people, dated appointments with the transfers of the last two
//! Aprils, concurrent posts, roles by appointment, absences, and the few people who can log in.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_store::absence::AbsenceRow;
use sekisho_store::org::{AppointmentRow, PersonRow, PostRow, UnitRow};

use super::rng::Rng;

#[path = "chart.rs"]
pub(crate) mod chart;
#[path = "duties.rs"]
mod duties;
#[path = "staffing.rs"]
mod staffing;

use chart::{BODY, CHART, CITY, Section};

/// Everything about people and posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Name of the city.
    pub city: &'static str,
    /// Units: the body first, parents before children.
    pub units: Vec<UnitRow>,
    /// Posts.
    pub posts: Vec<PostRow>,
    /// People, those who left on 31 March included.
    pub persons: Vec<PersonRow>,
    /// Appointments.
    pub appointments: Vec<AppointmentRow>,
    /// Absences.
    pub absences: Vec<AbsenceRow>,
    /// Who can log in.
    pub logins: Vec<DemoLogin>,
    /// Sections in the order of the chart.
    pub sections: Vec<SectionPlace>,
}

/// A person of the demo who gets a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoLogin {
    /// Login name.
    pub login: &'static str,
    /// Staff number.
    pub person: String,
    /// What the person is, as printed beside the login.
    pub label: String,
    /// Role id of the pack.
    pub role: &'static str,
}

/// A section and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionPlace {
    /// Unit code.
    pub code: String,
    /// Name.
    pub name: &'static str,
    /// Name of its department; empty below an organ.
    pub department: &'static str,
    /// Post code of its head.
    pub head: String,
    /// People.
    pub staff: usize,
}

/// Makes the organization as it is on `today`, with its history since the fiscal year before the last.
#[must_use]
pub fn organization(seed: u64, today: Date) -> Organization {
    let founded = today.fiscal_year_start().plus_months(-240);
    let mut plan = Plan {
        units: vec![],
        posts: vec![],
        seats: vec![],
        sections: vec![],
        known: BTreeSet::new(),
        founded,
    };
    plan.city();
    for department in CHART {
        plan.department(department);
    }
    let (staff, mut appointments) = staffing::staff(seed, today, &plan.seats);
    let now = Now::new(today, &plan, &appointments);
    let more = duties::concurrent_and_roles(seed, &now);
    let absences = duties::absences(seed, &now);
    let logins = duties::logins(&now);
    appointments.extend(more);
    let mut ids = Rng::part(seed, "appointment ids");
    for a in &mut appointments {
        a.id = row_id(&mut ids, a.from);
    }
    Organization {
        city: CITY,
        units: plan.units,
        posts: plan.posts,
        persons: staff,
        appointments,
        absences,
        logins,
        sections: plan.sections,
    }
}

/// A place for one person in a post.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seat {
    /// Post code.
    post: String,
    /// Name of the section, or of the unit above sections.
    section: &'static str,
    /// Name of the unit of the post.
    unit: String,
    /// Rank, see [`rank`].
    rank: i64,
    /// Among whom the holder moves: the rank, or a profession.
    pool: String,
    /// The same person stays in it for the whole history.
    kept: bool,
}

/// Ranks: the smaller, the higher.
mod rank {
    pub(super) const SPECIAL: i64 = 1;
    pub(super) const DEPARTMENT_HEAD: i64 = 10;
    pub(super) const DEPARTMENT_SECOND: i64 = 12;
    pub(super) const SECTION_HEAD: i64 = 20;
    pub(super) const ASSISTANT: i64 = 30;
    pub(super) const TEAM_HEAD: i64 = 40;
    pub(super) const SENIOR: i64 = 50;
    pub(super) const MIDDLE: i64 = 60;
    pub(super) const MEMBER: i64 = 70;
    pub(super) const FIXED_TERM: i64 = 90;
}

/// What is known when the special duties are given out.
struct Now<'a> {
    today: Date,
    plan: &'a Plan,
    appointments: &'a [AppointmentRow],
    /// Who holds a main post today: (person, seat).
    seated: Vec<(&'a str, &'a Seat)>,
}

impl<'a> Now<'a> {
    fn new(today: Date, plan: &'a Plan, appointments: &'a [AppointmentRow]) -> Self {
        let by_post: BTreeMap<&str, &Seat> = plan.seats.iter().map(|s| (s.post.as_str(), s)).collect();
        let seated = appointments
            .iter()
            .filter(|a| a.main && a.in_force(today))
            .filter_map(|a| by_post.get(a.post.as_str()).map(|s| (a.person.as_str(), *s)))
            .collect();
        Self { today, plan, appointments, seated }
    }

    /// The people of a section with a rank, in the order of their posts.
    fn people(&self, section: &str, rank: i64) -> Vec<(String, Seat)> {
        let mut found: Vec<(String, Seat)> = self
            .seated
            .iter()
            .copied()
            .filter(|(_, s)| s.section == section && s.rank == rank)
            .map(|(p, s)| (p.to_owned(), s.clone()))
            .collect();
        found.sort_by(|a, b| (&a.1.post, &a.0).cmp(&(&b.1.post, &b.0)));
        found
    }

    /// Unit code of a section.
    fn section_code(&self, name: &str) -> String {
        self.plan.sections.iter().find(|s| s.name == name).map(|s| s.code.clone()).unwrap_or_default()
    }
}

/// An id in the form of the store's ids (26 characters of Crockford's base 32), from a day and the sequence.
fn row_id(rng: &mut Rng, day: Date) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u128::from((day.epoch_days().saturating_mul(86_400_000)).unsigned_abs()) & 0xffff_ffff_ffff;
    let random = u128::from(rng.next_u64()) << 16 | u128::from(rng.next_u64() & 0xffff);
    let bits = millis << 80 | random;
    (0..26u32)
        .rev()
        .map(|place| usize::try_from(bits >> (place * 5) & 31).unwrap_or(0))
        .map(|digit| char::from(DIGITS.get(digit).copied().unwrap_or(b'0')))
        .collect()
}

/// Units, posts and seats while they are laid out.
struct Plan {
    units: Vec<UnitRow>,
    posts: Vec<PostRow>,
    seats: Vec<Seat>,
    sections: Vec<SectionPlace>,
    /// Codes of the posts there are already.
    known: BTreeSet<String>,
    founded: Date,
}

impl Plan {
    fn unit(&mut self, code: &str, name: &str, kind: &str, parent: Option<&str>) {
        let sort = i64::try_from(self.units.len()).unwrap_or(0);
        let parent = parent.map(str::to_owned);
        let (code, name, kind) = (code.to_owned(), name.to_owned(), kind.to_owned());
        self.units.push(UnitRow { code, name, kind, parent, from: self.founded, until: None, sort });
    }

    fn post(&mut self, code: &str, unit: &str, title: &str, head: bool, sort: i64) {
        if self.known.insert(code.to_owned()) {
            let (code, unit, title) = (code.to_owned(), unit.to_owned(), title.to_owned());
            self.posts.push(PostRow { code, unit, title, head, sort });
        }
    }

    /// A seat; somebody of the demo or somebody whose move would make a story hard to follow is `kept`.
    fn seat(&mut self, post: &str, section: &'static str, unit: &str, rank: i64, pool: &str) {
        let kept = rank == rank::SPECIAL
            || matches!(post, "info_policy_director" | "info_policy_manager" | "040000-10")
            || section == chart::AUDIT_SECTION
            || (rank == rank::SECTION_HEAD
                && [chart::DEMO_SECTION, chart::OTHER_SECTION, chart::HEADS_TWO, chart::VACANT_SECTION]
                    .contains(&section))
            || (unit == duties::DEMO_TEAM && section == chart::DEMO_SECTION);
        let (post, unit, pool) = (post.to_owned(), unit.to_owned(), pool.to_owned());
        self.seats.push(Seat { post, section, unit, rank, pool, kept });
    }

    /// The body itself with its special posts.
    fn city(&mut self) {
        self.unit(BODY, CITY, "body", None);
        for (sort, (code, title)) in [
            ("mayor", "市長"),
            ("deputy_mayor", "副市長"),
            ("ciso_advisor", "最高情報セキュリティアドバイザー"),
        ]
        .into_iter()
        .enumerate()
        {
            self.post(code, BODY, title, sort == 0, i64::try_from(sort).unwrap_or(0));
            self.seat(code, CITY, CITY, rank::SPECIAL, code);
        }
    }

    fn department(&mut self, d: &'static chart::Department) {
        let code = format!("{}0000", d.code);
        let organ = if d.name.is_empty() { code.clone() } else { format!("{}9000", d.code) };
        if !d.organ.is_empty() {
            self.unit(&organ, d.organ, "organ", Some(BODY));
        }
        if d.organ == "教育委員会" {
            self.post("superintendent", &organ, "教育長", true, 0);
            self.seat("superintendent", d.organ, d.organ, rank::SPECIAL, "superintendent");
        }
        let above = if d.organ.is_empty() { BODY } else { organ.as_str() };
        if d.name.is_empty() {
            for s in d.sections {
                self.section(d, s, above);
            }
            return;
        }
        self.unit(&code, d.name, "department", Some(above));
        let head = if d.code == "01" { "info_policy_director".to_owned() } else { format!("{code}-10") };
        self.post(&head, &code, d.head, true, rank::DEPARTMENT_HEAD);
        self.seat(&head, d.name, d.name, rank::DEPARTMENT_HEAD, "10");
        let second = format!("{code}-12");
        self.post(&second, &code, d.second, false, rank::DEPARTMENT_SECOND);
        self.seat(&second, d.name, d.name, rank::DEPARTMENT_SECOND, "12");
        for s in d.sections {
            self.section(d, s, &code);
        }
    }

    fn section(&mut self, d: &'static chart::Department, s: &'static Section, above: &str) {
        let code = format!("{}{}00", d.code, s.code);
        self.unit(&code, s.name, "section", Some(above));
        let information = s.name == chart::INFORMATION_SECTION;
        let head = if information { "info_policy_manager".to_owned() } else { format!("{code}-20") };
        self.post(&head, &code, head_title(s.name), true, rank::SECTION_HEAD);
        self.sections.push(SectionPlace {
            code: code.clone(),
            name: s.name,
            department: d.name,
            head: head.clone(),
            staff: s.staff,
        });
        let mut left = s.staff;
        // The second section of one head has no seat for a head of its own: the post is held concurrently.
        if s.name != chart::SECOND_SECTION {
            self.seat(&head, s.name, s.name, rank::SECTION_HEAD, "20");
            left = left.saturating_sub(1);
        }
        let assistants = usize::from(s.staff >= 12) + usize::from(s.staff >= 30);
        for _ in 0..assistants {
            let post = format!("{code}-30");
            self.post(&post, &code, "課長補佐", false, rank::ASSISTANT);
            self.seat(&post, s.name, s.name, rank::ASSISTANT, "30");
        }
        left = left.saturating_sub(assistants);
        let mut below: Vec<(String, &str)> = vec![];
        for (n, team) in s.teams.iter().enumerate() {
            let unit = format!("{}{}{:02}", d.code, s.code, n + 1);
            self.unit(&unit, team, "subsection", Some(&code));
            self.post(&format!("{unit}-40"), &unit, "係長", true, rank::TEAM_HEAD);
            self.seat(&format!("{unit}-40"), s.name, team, rank::TEAM_HEAD, "40");
            below.push((unit, team));
        }
        for (n, (branch, title)) in s.branches.iter().enumerate() {
            let unit = format!("{}{}{:02}", d.code, s.code, n + 81);
            self.unit(&unit, branch, "branch", Some(&code));
            self.post(&format!("{unit}-40"), &unit, title, true, rank::TEAM_HEAD);
            self.seat(&format!("{unit}-40"), s.name, branch, rank::TEAM_HEAD, title);
            below.push((unit, branch));
        }
        left = left.saturating_sub(below.len());
        self.members(s, &below, left);
    }

    /// Ordinary members, spread over the units of a section.
    fn members(&mut self, s: &'static Section, below: &[(String, &str)], count: usize) {
        let profession = i64::try_from(s.track as usize).unwrap_or(0);
        for (n, (unit, name)) in below.iter().cycle().take(count).enumerate() {
            let (rank, number, title) = match n % 8 {
                0 | 6 => (rank::SENIOR, 50, "主査"),
                1 | 4 => (rank::MIDDLE, 60, "主任"),
                2 => (rank::MEMBER, 70 + profession, s.track.title()),
                5 if profession == 0 || n % 16 == 5 => (rank::MEMBER, 70, "主事"),
                5 => (rank::MEMBER, 70 + profession, s.track.title()),
                _ => (rank::FIXED_TERM, 90, "会計年度任用職員"),
            };
            let post = format!("{unit}-{number}");
            self.post(&post, unit, title, false, number);
            self.seat(&post, s.name, name, rank, &number.to_string());
        }
    }
}

/// Title of a section's head.
fn head_title(section: &str) -> &'static str {
    match section {
        "会計課" => "会計管理者兼会計課長",
        "こども家庭センター" => "センター長",
        "中央図書館" => "館長",
        s if s.ends_with("事務局") => "事務局長",
        _ => "課長",
    }
}

#[cfg(test)]
#[path = "organization_tests.rs"]
mod tests;
