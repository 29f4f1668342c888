//! Who holds the posts and roles that the standard asks for, and which of them it keeps apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::text::normalize_code;
use sekisho_boxed::boxed;
use sekisho_pack::model::{HeldBy, Pack, Role, Scope};
use sekisho_store::org::{AppointmentRow, UnitRow};
use serde_json::json;

use super::units::{SeatHolder, appointment, head_title, holder, post_record, seat_person};
use super::{Setup, State};
use crate::directory::Directory;
use crate::error::{AppError, FieldError};
use crate::exchange::org::{OrgRecords, OrgSheet};
use crate::office::Office;
use crate::people::roles;

/// People whom one form gives one role.
pub const MOST_OF_ROLE: usize = 50;

/// How many people a form has room for at a role held by appointment: its fields are `number.KEY`, `number.KEY.2`, `number.KEY.3`, ….
#[must_use]
pub fn rows_of_role(fields: &BTreeMap<String, String>, key: &str) -> usize {
    (2..=MOST_OF_ROLE)
        .rev()
        .find(|n| fields.contains_key(&format!("number.{}", row_key(key, *n))))
        .unwrap_or(1)
}

/// How the fields of the n-th person of a seat end.
#[must_use]
pub fn row_key(key: &str, n: usize) -> String {
    if n < 2 { key.to_owned() } else { format!("{key}.{n}") }
}

/// A post or role to be filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seat {
    /// How the form's fields end: `post-CODE` or `role-ID`.
    pub key: String,
    /// Roles that come with it.
    pub titles: String,
    /// The standard lets it not be vacant.
    pub must: bool,
    /// Who holds it today.
    pub holders: Vec<SeatHolder>,
    /// A role for somebody who has a post; otherwise a post of its own.
    pub by_role: bool,
    /// The post does not exist yet: its title and unit are asked for.
    pub no_post: bool,
    /// Roles that may not be held together with it; empty when there are none.
    pub apart: String,
}

/// A department or section without a head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headless {
    /// How the form's fields end: `unit-CODE`.
    pub key: String,
    /// Name of the unit.
    pub unit: String,
    /// Roles that its head holds.
    pub titles: String,
}

/// The step 責任者.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfficersPage {
    /// Posts and roles, those that must be filled first.
    pub seats: Vec<Seat>,
    /// Units in which a new post can be: code and name.
    pub units: Vec<(String, String)>,
    /// Departments and sections without a head.
    pub headless: Vec<Headless>,
    /// Titles of the roles that heads hold.
    pub heads_hold: String,
}

/// What a seat gives.
struct Post<'p> {
    key: String,
    post: Option<&'p str>,
    roles: Vec<&'p Role>,
}

/// Posts that hold roles of the whole body, and roles held by appointment, but for those that answer to nobody here (outsiders).
fn asked(pack: &Pack) -> Vec<Post<'_>> {
    let mut posts: BTreeMap<&str, Vec<&Role>> = BTreeMap::new();
    let mut all = Vec::new();
    for role in pack.roles.values() {
        match &role.held_by {
            HeldBy::Post(code) => posts.entry(code.as_str()).or_default().push(role),
            HeldBy::Appointment if role.escalates_to.is_some() => {
                all.push(Post { key: format!("role-{}", role.id), post: None, roles: vec![role] });
            }
            _ => {}
        }
    }
    let posts = posts.into_iter();
    all.extend(posts.map(|(code, roles)| Post { key: format!("post-{code}"), post: Some(code), roles }));
    // What must be filled, then what is kept apart from others, then the rest.
    all.sort_by_key(|p| {
        let must = p.roles.iter().any(|r| r.must_be_filled);
        let apart = p.roles.iter().any(|r| !r.not_with.is_empty());
        (!must, !apart, p.post.is_none(), p.key.clone())
    });
    all
}

/// Departments and sections that have no head today, but for those whose head is a post that is asked for anyway.
fn headless<'d>(pack: &Pack, d: &'d Directory, today: sekisho_base::Date) -> Vec<&'d UnitRow> {
    let asked: BTreeSet<&str> = asked(pack).iter().filter_map(|p| p.post).collect();
    let vacant = |u: &&UnitRow| {
        let Some(post) = d.head_post(&u.code) else { return true };
        let held = |a: &AppointmentRow| a.role.is_empty() && a.post == post.code && a.in_force(today);
        !asked.contains(post.code.as_str()) && !d.rows().appointments.iter().any(held)
    };
    let units = d.rows().units.iter().filter(|u| u.exists_on(today) && scope_of(u).is_some());
    units.filter(vacant).collect()
}

/// What the head of a unit heads; nothing for the body itself.
fn scope_of(u: &UnitRow) -> Option<Scope> {
    match u.kind.as_str() {
        "department" | "organ" => Some(Scope::Department),
        "section" | "branch" => Some(Scope::Section),
        _ => None,
    }
}

/// Roles that the head of a unit holds.
fn roles_of_head<'p>(pack: &'p Pack, u: &UnitRow) -> Vec<&'p Role> {
    let scope = scope_of(u);
    pack.roles.values().filter(|r| matches!(&r.held_by, HeldBy::HeadOf(s) if Some(*s) == scope)).collect()
}

fn titles<'a>(roles: impl IntoIterator<Item = &'a Role>) -> String {
    roles.into_iter().map(|r| r.title.as_str()).collect::<Vec<_>>().join("、")
}

/// Whether the standard keeps two roles apart, whichever of them says so.
fn kept_apart(pack: &Pack, a: &str, b: &str) -> bool {
    let says = |a: &str, b: &str| pack.roles.get(a).is_some_and(|r| r.not_with.iter().any(|x| x == b));
    says(a, b) || says(b, a)
}

fn seat(pack: &Pack, d: &Directory, p: &Post<'_>, today: sekisho_base::Date) -> Seat {
    let held = d.rows().appointments.iter().filter(|a| a.in_force(today)).filter(|a| match p.post {
        Some(code) => a.post == code && a.role.is_empty(),
        None => p.roles.iter().any(|r| r.id == a.role),
    });
    let apart = pack.roles.values().filter(|x| p.roles.iter().any(|r| kept_apart(pack, &r.id, &x.id)));
    Seat {
        key: p.key.clone(),
        titles: titles(p.roles.iter().copied()),
        must: p.roles.iter().any(|r| r.must_be_filled),
        holders: held.map(|a| holder(d, a)).collect(),
        by_role: p.post.is_none(),
        no_post: p.post.is_some_and(|code| d.post(code).is_none()),
        apart: titles(apart),
    }
}

/// What a form says about one seat.
struct Typed<'f> {
    key: String,
    fields: &'f BTreeMap<String, String>,
}

impl Typed<'_> {
    fn get(&self, name: &str) -> &str {
        self.fields.get(&format!("{name}.{}", self.key)).map_or("", |v| v.trim())
    }

    fn fault(&self, name: &str, message: impl Into<String>) -> FieldError {
        FieldError { field: format!("{name}.{}", self.key), message: message.into() }
    }
}

/// A form that is being taken up.
struct Filling<'a> {
    pack: &'a Pack,
    d: &'a Directory,
    today: sekisho_base::Date,
    org: OrgRecords,
    /// Roles that people hold or are given.
    held: BTreeMap<String, BTreeSet<String>>,
    /// Posts that people get by this form.
    posts: BTreeMap<String, String>,
    /// Units that get a head by this form.
    headed: BTreeSet<String>,
    wrong: Vec<FieldError>,
}

impl Filling<'_> {
    /// Refuses roles that the standard keeps apart in one person.
    fn separate(&mut self, typed: &Typed<'_>, number: &str, given: &[&Role]) {
        let held = self.held.entry(number.to_owned()).or_insert_with(|| {
            roles(self.pack, self.d, number, self.today).into_iter().map(|r| r.role).collect()
        });
        for role in given {
            for other in held.iter().filter(|h| kept_apart(self.pack, &role.id, h)) {
                let other = self.pack.roles.get(other).map_or(other.as_str(), |r| r.title.as_str());
                self.wrong.push(typed.fault(
                    "number",
                    format!(
                        "「{}」と「{other}」は、同じ人が兼ねられません。別の人にしてください。",
                        role.title
                    ),
                ));
            }
        }
        held.extend(given.iter().map(|r| r.id.clone()));
    }

    /// Somebody gets a post.
    fn appoint(&mut self, code: &str, typed: &Typed<'_>, number: &str, given: &[&Role]) {
        let (name, kana) = (typed.get("name"), typed.get("kana"));
        if self.d.person(number).is_none() && !self.posts.contains_key(number) && name.is_empty() {
            self.wrong.push(typed.fault("name", "初めて出てくる職員番号です。氏名も入力してください。"));
        }
        self.separate(typed, number, given);
        seat_person(&mut self.org, self.d, number, name, kana);
        let main = self.d.main_appointment(number, self.today).is_none() && !self.posts.contains_key(number);
        self.org.insert(OrgSheet::Appointments, appointment(number, code, main, self.today, ""));
        self.posts.entry(number.to_owned()).or_insert_with(|| code.to_owned());
    }

    /// The head of a department or section that has none.
    fn head(&mut self, u: &UnitRow, typed: &Typed<'_>, number: &str) {
        let code = match self.d.head_post(&u.code) {
            Some(post) => post.code.clone(),
            None => {
                let code = (1..)
                    .map(|n| if n == 1 { format!("{}-h", u.code) } else { format!("{}-h{n}", u.code) })
                    .find(|c| self.d.post(c).is_none())
                    .unwrap_or_default();
                self.org.insert(OrgSheet::Posts, post_record(&code, &u.code, &head_title(&u.name), true));
                code
            }
        };
        self.headed.insert(u.code.clone());
        self.appoint(&code, typed, number, &roles_of_head(self.pack, u));
    }

    /// A post with its holder.
    fn post(&mut self, p: &Post<'_>, code: &str, typed: &Typed<'_>, number: &str) {
        if self.d.post(code).is_none() {
            let (title, unit) = (typed.get("title"), typed.get("unit"));
            if title.is_empty() || title.chars().count() > 60 {
                self.wrong
                    .push(typed.fault("title", "職の名前を60文字以内で入力してください（例：副市長）。"));
            }
            match self.d.unit(unit) {
                None => self.wrong.push(typed.fault("unit", "この職のある組織を選んでください。")),
                Some(u) => {
                    // A unit without a head gets one by the post that answers for it.
                    let heads = u.kind != "body"
                        && self.d.head_post(unit).is_none()
                        && self.headed.insert(unit.to_owned());
                    self.org.insert(OrgSheet::Posts, post_record(code, unit, title, heads));
                }
            }
        }
        self.appoint(code, typed, number, &p.roles);
    }

    /// A role for somebody who has a post.
    fn role(&mut self, p: &Post<'_>, typed: &Typed<'_>, number: &str) {
        let holds = |a: &AppointmentRow| {
            a.person == number && a.in_force(self.today) && p.roles.iter().any(|r| r.id == a.role)
        };
        if self.d.rows().appointments.iter().any(holds) {
            self.wrong.push(typed.fault("number", "この人は、もうこの役割を担っています。"));
            return;
        }
        let post = self.d.main_appointment(number, self.today).map(|a| a.post.clone());
        let Some(post) = post.or_else(|| self.posts.get(number).cloned()) else {
            self.wrong.push(typed.fault(
                "number",
                "今日、職に就いている人の職員番号を入力してください。まだいないときは、「組織」で取り込むか、課の長にしてください。",
            ));
            return;
        };
        self.separate(typed, number, &p.roles);
        for role in &p.roles {
            self.org.insert(OrgSheet::Appointments, appointment(number, &post, false, self.today, &role.id));
        }
    }
}

#[boxed]
impl Office {
    /// The step 責任者.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_officers(&self, setup: &Setup) -> Result<OfficersPage, AppError> {
        self.state_of(setup).await?;
        let (d, pack, today) = (self.directory().await?, self.pack(), self.clock.today());
        let units = d.rows().units.iter().filter(|u| u.exists_on(today));
        let by_head = pack.roles.values().filter(|r| {
            matches!(r.held_by, HeldBy::HeadOf(Scope::Department | Scope::Section)) && r.must_be_filled
        });
        Ok(OfficersPage {
            seats: asked(&pack).iter().map(|p| seat(&pack, &d, p, today)).collect(),
            units: units.map(|u| (u.code.clone(), u.name.clone())).collect(),
            headless: headless(&pack, &d, today)
                .into_iter()
                .map(|u| Headless {
                    key: format!("unit-{}", u.code),
                    unit: u.name.clone(),
                    titles: titles(roles_of_head(&pack, u)),
                })
                .collect(),
            heads_hold: titles(by_head),
        })
    }

    /// Seats that must be filled and are not: key and titles.
    pub(super) async fn vacant_seats(&self) -> Result<Vec<(String, String)>, AppError> {
        let (d, pack, today) = (self.directory().await?, self.pack(), self.clock.today());
        let seats = asked(&pack).into_iter().map(|p| seat(&pack, &d, &p, today));
        Ok(seats.filter(|s| s.must && s.holders.is_empty()).map(|s| (s.key, s.titles)).collect())
    }

    /// Fills the seats for which a number was typed, and goes on when none that must be filled is vacant.
    ///
    /// # Errors
    /// Fields that cannot be taken; the browser may not go on.
    pub async fn fill_first_seats(
        self: &Arc<Self>,
        setup: &Setup,
        fields: &BTreeMap<String, String>,
    ) -> Result<(), AppError> {
        self.state_of(setup).await?;
        let (d, pack, today) = (self.directory().await?, self.pack(), self.clock.today());
        let mut filling = Filling {
            pack: &pack,
            d: &d,
            today,
            org: OrgRecords::default(),
            held: BTreeMap::new(),
            posts: BTreeMap::new(),
            headed: BTreeSet::new(),
            wrong: vec![],
        };
        // The first field with which something was typed.
        let mut first = String::new();
        let mut number_of = |typed: &Typed<'_>, wrong: &mut Vec<FieldError>| {
            let number = normalize_code(typed.get("number"));
            if number.is_empty() {
                if !typed.get("name").is_empty() {
                    wrong.push(typed.fault("number", "職員番号を入力してください。"));
                }
                return None;
            }
            if first.is_empty() {
                first = format!("number.{}", typed.key);
            }
            Some(number)
        };
        // Heads and posts first: a role may go to somebody who gets a post by the same form.
        for u in headless(&pack, &d, today) {
            let typed = Typed { key: format!("unit-{}", u.code), fields };
            if let Some(number) = number_of(&typed, &mut filling.wrong) {
                filling.head(u, &typed, &number);
            }
        }
        let mut seats = asked(&pack);
        seats.sort_by_key(|p| p.post.is_none());
        for p in &seats {
            if let Some(code) = p.post {
                let typed = Typed { key: p.key.clone(), fields };
                if let Some(number) = number_of(&typed, &mut filling.wrong) {
                    filling.post(p, code, &typed, &number);
                }
                continue;
            }
            let mut given = BTreeSet::new();
            for n in 1..=rows_of_role(fields, &p.key) {
                let typed = Typed { key: row_key(&p.key, n), fields };
                let Some(number) = number_of(&typed, &mut filling.wrong) else { continue };
                if given.insert(number.clone()) {
                    filling.role(p, &typed, &number);
                } else {
                    filling.wrong.push(typed.fault("number", "同じ職員番号が上の欄にもあります。"));
                }
            }
        }
        if !filling.wrong.is_empty() {
            return Err(AppError::Invalid(filling.wrong));
        }
        if !first.is_empty() {
            self.apply_first_records(&filling.org, &first).await?;
        }
        let vacant = self.vacant_seats().await?;
        if !vacant.is_empty() {
            let fault = |(key, titles): (String, String)| FieldError {
                field: format!("number.{key}"),
                message: format!("「{titles}」は、空席にできません。担う人の職員番号を入力してください。"),
            };
            return Err(AppError::Invalid(vacant.into_iter().map(fault).collect()));
        }
        self.keep_step(setup, "setup.officers", json!({}), |s: &mut State| s.officers = true).await
    }
}
