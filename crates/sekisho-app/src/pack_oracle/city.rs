//! The city in which tests are played: a body with two departments of two sections each, and a holder for every role
//! of the pack. The applicant works in the first section of the first department; "another section" is the first
//! section of the second department.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::Date;
use sekisho_case::org::{Absence, Appointment, Org, OrgLists, Person, Post, Unit, UnitKind};
use sekisho_pack::model::{HeldBy, Pack, Role, Scope};

use super::words;

/// What facts about fields of the application begin with.
const FIELD: &str = "fields.";
/// What facts about the class of the items begin with.
const CLASS: &str = "class.";
const BODY: &str = "city";
const DEPARTMENTS: [&str; 2] = ["department1", "department2"];
const SECTIONS: [&str; 4] = ["section11", "section12", "section21", "section22"];
/// The applicant's section.
pub(super) const OWN: &str = "section11";
/// The other section.
pub(super) const OTHER: &str = "section21";
const APPLICANT: &str = "applicant";

/// Facts of a question "who may".
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Role that the applicant holds.
    pub applicant: Option<String>,
    /// Register of the item.
    pub register: Option<String>,
    /// Roles whose holders are away.
    pub absent: BTreeSet<String>,
    /// Roles without holder.
    pub vacant: BTreeSet<String>,
    /// Whether the item belongs to the other section.
    pub foreign: bool,
    /// Values of the application, by field.
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Class of the items, by axis; another class where an axis is not named.
    pub class: BTreeMap<String, String>,
}

impl Facts {
    pub fn read(given: &BTreeMap<String, serde_json::Value>) -> Result<Self, String> {
        let mut found = Self::default();
        for (name, value) in given {
            let words = words(value);
            let one = words.first().map(|w| (*w).to_owned());
            match name.as_str() {
                "applicant" => found.applicant = one,
                "register" => found.register = one,
                "absent" => found.absent = words.into_iter().map(str::to_owned).collect(),
                "vacant" => found.vacant = words.into_iter().map(str::to_owned).collect(),
                "owner" => found.foreign = one.as_deref() == Some("other"),
                _ if name.starts_with(FIELD) => {
                    found.fields.insert(name.trim_start_matches(FIELD).to_owned(), value.clone());
                }
                _ if name.starts_with(CLASS) => {
                    found.class.insert(name.trim_start_matches(CLASS).to_owned(), one.unwrap_or_default());
                }
                _ => return Err(format!("「{name}」という事実はありません")),
            }
        }
        Ok(found)
    }
}

/// The city of one question.
#[derive(Debug)]
pub(super) struct City<'a> {
    pack: &'a Pack,
    /// The day of the test.
    pub day: Date,
    /// Organization.
    pub org: Org,
    /// Person number of the applicant.
    pub applicant: String,
    /// Post applied from.
    pub applicant_post: String,
    /// Every person, in order of number.
    pub persons: Vec<String>,
}

impl<'a> City<'a> {
    /// Builds it. A post is vacant when one of the roles it holds is; a person is away when one of the roles held is.
    pub fn build(pack: &'a Pack, facts: &Facts, day: Date) -> Result<Self, String> {
        for role in facts.vacant.iter().chain(&facts.absent).filter_map(|id| pack.roles.get(id)) {
            if role.held_by == HeldBy::Everyone {
                return Err(format!("「{}」は全ての職員が担うので、空席や不在にできません", role.title));
            }
        }
        let mut b = Builder::new(pack, facts, day);
        b.units();
        b.applicant();
        pack.roles.values().for_each(|r| b.seats(r));
        pack.roles.values().for_each(|r| b.deputies(r));
        let persons = b.lists.persons.iter().map(|p| p.number.clone()).collect();
        let applicant_post = b.applicant_post();
        let absent = b.absent();
        b.lists.absences = absent;
        let city = Self {
            pack,
            day,
            org: Org::new(b.lists),
            applicant: APPLICANT.to_owned(),
            applicant_post,
            persons,
        };
        if let Some(id) = &facts.applicant {
            // Being on the staff needs no seat; whoever is asked about as staff is somebody else.
            let seated = pack.roles.get(id).is_none_or(|r| r.held_by != HeldBy::Everyone);
            if seated && city.holder(id, true)? != city.applicant {
                return Err(format!("申請者の役割「{id}」を、この例の申請者は担えません"));
            }
        }
        Ok(city)
    }

    /// Who holds a role for the applicant's own section and department, or for the other one.
    pub fn holder(&self, role: &str, own: bool) -> Result<String, String> {
        let role = self.pack.roles.get(role).ok_or_else(|| format!("役割「{role}」がありません"))?;
        let unit = unit_for(reach(role), own);
        let found = match &role.held_by {
            HeldBy::Everyone => Some(colleague(if own { OWN } else { OTHER })),
            HeldBy::HeadOf(_) | HeldBy::Titled(_) | HeldBy::Post(_) => {
                let post = seat_post(role, unit);
                self.org.holders(&post, self.day).first().map(|p| (*p).to_owned())
            }
            HeldBy::Appointment => {
                let named = self.org.role_appointments(&role.id, self.day);
                named.into_iter().find(|a| self.org.role_unit(a) == Some(unit)).map(|a| a.person.clone())
            }
        };
        found.ok_or_else(|| format!("「{}」は空席なので、その人について答えられません", role.title))
    }
}

/// How far a role reaches: what says in which units it is held.
fn reach(role: &Role) -> Scope {
    match role.held_by {
        HeldBy::HeadOf(scope) => scope,
        HeldBy::Post(_) => Scope::Body,
        HeldBy::Titled(_) | HeldBy::Appointment | HeldBy::Everyone => role.scope,
    }
}

fn units_for(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::System | Scope::Section => &SECTIONS,
        Scope::Department => &DEPARTMENTS,
        Scope::Body => &[BODY],
    }
}

fn unit_for(scope: Scope, own: bool) -> &'static str {
    let [first, second] = DEPARTMENTS;
    match (scope, own) {
        (Scope::System | Scope::Section, true) => OWN,
        (Scope::System | Scope::Section, false) => OTHER,
        (Scope::Department, true) => first,
        (Scope::Department, false) => second,
        (Scope::Body, _) => BODY,
    }
}

/// Post by which a role is held in a unit, or from which somebody appointed to it acts.
fn seat_post(role: &Role, unit: &str) -> String {
    match &role.held_by {
        HeldBy::HeadOf(_) => format!("head-{unit}"),
        HeldBy::Titled(title) => format!("{title}-{unit}"),
        HeldBy::Post(code) => code.clone(),
        HeldBy::Appointment | HeldBy::Everyone => staff_post(unit),
    }
}

fn staff_post(unit: &str) -> String {
    format!("staff-{unit}")
}

fn colleague(unit: &str) -> String {
    format!("colleague-{unit}")
}

struct Builder<'a> {
    pack: &'a Pack,
    facts: &'a Facts,
    day: Date,
    lists: OrgLists,
    vacant: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    fn new(pack: &'a Pack, facts: &'a Facts, day: Date) -> Self {
        let roles = facts.vacant.iter().filter_map(|id| pack.roles.get(id));
        let posts = roles.filter(|r| r.held_by != HeldBy::Appointment);
        let vacant = posts.flat_map(|r| units_for(reach(r)).iter().map(|u| seat_post(r, u))).collect();
        Self { pack, facts, day, lists: OrgLists::default(), vacant }
    }

    fn units(&mut self) {
        let [first, second] = DEPARTMENTS;
        let [own, own_next, other, other_next] = SECTIONS;
        self.unit(BODY, "見本市", UnitKind::Body, None);
        self.unit(first, "第一部", UnitKind::Department, Some(BODY));
        self.unit(second, "第二部", UnitKind::Department, Some(BODY));
        self.unit(own, "第一部第一課", UnitKind::Section, Some(first));
        self.unit(own_next, "第一部第二課", UnitKind::Section, Some(first));
        self.unit(other, "第二部第一課", UnitKind::Section, Some(second));
        self.unit(other_next, "第二部第二課", UnitKind::Section, Some(second));
        for unit in SECTIONS.iter().chain(&DEPARTMENTS).chain(&[BODY]) {
            self.post(&staff_post(unit), unit, "職員", false);
            self.person(&colleague(unit), "職員");
            self.appoint(&colleague(unit), &staff_post(unit), None);
        }
    }

    fn unit(&mut self, code: &str, name: &str, kind: UnitKind, parent: Option<&str>) {
        let (code, name, parent) = (code.to_owned(), name.to_owned(), parent.map(str::to_owned));
        self.lists.units.push(Unit { code, name, kind, parent, from: self.day, until: None });
    }

    /// The applicant is on the staff of the own section; the head of a unit has that post alone.
    fn applicant(&mut self) {
        self.person(APPLICANT, "申請者");
        if self.applicant_post() == staff_post(OWN) {
            self.appoint(APPLICANT, &staff_post(OWN), None);
        }
    }

    fn applicant_role(&self) -> Option<&'a Role> {
        self.facts.applicant.as_ref().and_then(|id| self.pack.roles.get(id))
    }

    /// Heads apply from their post; who holds another role applies as a member of the section.
    fn applicant_post(&self) -> String {
        match self.applicant_role() {
            Some(r) if matches!(r.held_by, HeldBy::HeadOf(_)) => seat_post(r, unit_for(reach(r), true)),
            _ => staff_post(OWN),
        }
    }

    /// Fills a role wherever it is held.
    fn seats(&mut self, role: &Role) {
        for unit in units_for(reach(role)) {
            match &role.held_by {
                HeldBy::HeadOf(scope) => {
                    let title = match scope {
                        Scope::System | Scope::Section => "課長",
                        Scope::Department => "部長",
                        Scope::Body => "長",
                    };
                    self.seat(role, unit, title, true);
                }
                HeldBy::Titled(title) => self.seat(role, unit, title, false),
                HeldBy::Post(_) => self.seat(role, unit, &role.title, false),
                HeldBy::Appointment => self.named(role, unit),
                HeldBy::Everyone => {}
            }
        }
    }

    fn seat(&mut self, role: &Role, unit: &str, title: &str, head: bool) {
        let code = seat_post(role, unit);
        if !self.post(&code, unit, title, head) || self.vacant.contains(&code) {
            return;
        }
        let own = self.applicant_role().filter(|r| r.held_by != HeldBy::Appointment);
        if own.is_some_and(|r| seat_post(r, unit_for(reach(r), true)) == code) {
            self.appoint(APPLICANT, &code, None);
        } else {
            let holder = format!("holder-{code}");
            self.person(&holder, title);
            self.appoint(&holder, &code, None);
        }
    }

    fn named(&mut self, role: &Role, unit: &str) {
        if self.facts.vacant.contains(&role.id) {
            return;
        }
        let applies = self.facts.applicant.as_ref() == Some(&role.id) && unit == unit_for(reach(role), true);
        if applies {
            return self.appoint(APPLICANT, &staff_post(OWN), Some((role, unit)));
        }
        let holder = format!("{}-{unit}", role.id);
        self.person(&holder, &role.title);
        self.appoint(&holder, &staff_post(unit), None);
        self.appoint(&holder, &staff_post(unit), Some((role, unit)));
    }

    /// Posts that act in absence and hold no role themselves: by title, in the unit of the role.
    fn deputies(&mut self, role: &Role) {
        for title in &role.deputies {
            if self.lists.posts.iter().any(|p| p.code == *title) {
                continue;
            }
            for unit in units_for(reach(role)) {
                let code = format!("deputy-{unit}-{title}");
                if self.post(&code, unit, title, false) {
                    let holder = format!("holder-{code}");
                    self.person(&holder, title);
                    self.appoint(&holder, &code, None);
                }
            }
        }
    }

    /// Whether the post is new.
    fn post(&mut self, code: &str, unit: &str, title: &str, head: bool) -> bool {
        if self.lists.posts.iter().any(|p| p.code == code) {
            return false;
        }
        let rank = i64::try_from(self.lists.posts.len()).unwrap_or(i64::MAX);
        let (code, unit, title) = (code.to_owned(), unit.to_owned(), title.to_owned());
        self.lists.posts.push(Post { code, unit, title, head, rank });
        true
    }

    fn person(&mut self, number: &str, what: &str) {
        let (number, name) = (number.to_owned(), format!("（例）{what}"));
        self.lists.persons.push(Person { number, name, kana: String::new() });
    }

    fn appoint(&mut self, person: &str, post: &str, role: Option<(&Role, &str)>) {
        let main = role.is_none() && self.lists.appointments.iter().all(|a| a.person != person);
        let (role, scope_unit) = role.map(|(r, unit)| (r.id.clone(), unit.to_owned())).unzip();
        let (person, post) = (person.to_owned(), post.to_owned());
        self.lists.appointments.push(Appointment {
            person,
            post,
            main,
            from: self.day,
            until: None,
            role,
            scope_unit,
        });
    }

    fn absent(&self) -> Vec<Absence> {
        let roles = || self.facts.absent.iter().filter_map(|id| self.pack.roles.get(id));
        let posts: BTreeSet<String> = roles()
            .filter(|r| r.held_by != HeldBy::Appointment)
            .flat_map(|r| units_for(reach(r)).iter().map(|u| seat_post(r, u)))
            .collect();
        let away = self.lists.appointments.iter().filter(|a| match &a.role {
            None => posts.contains(&a.post),
            Some(role) => self.facts.absent.contains(role),
        });
        let persons: BTreeSet<&str> = away.map(|a| a.person.as_str()).collect();
        persons
            .into_iter()
            .map(|p| Absence { person: p.to_owned(), from: self.day, until: self.day })
            .collect()
    }
}
