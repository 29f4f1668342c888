//! Answers for a pack's data tests: the same handling decision and the same authority as for real cases, over a small
//! organization that has every role once in the applicant's section and department, and once elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_base::{Date, Instant};
use sekisho_pack::model::{HeldBy, Pack, Role, Scope};
use sekisho_pack::test::{Answer, Oracle, TestPerson};
use serde_json::Value;

use super::route::{due, pin};
use super::run::Run;
use super::who::Asking;
use super::{Ctx, offers::explain};
use crate::authority::{Rules, RulesError};
use crate::case::{
    Act, Applicant, CaseState, Content, Item, PackRef, Snapshot, StepHead, What, is_judging, step_actions,
};
use crate::facts;
use crate::handling::{HandlingFacts, Outcome, decide_handling};
use crate::org::{Absence, Appointment, Org, OrgLists, Person, Post, Unit, UnitKind};

/// The applicant's staff number where the test names no role for it.
const CLERK: &str = "clerk";
/// The item of the test's case.
const ITEM: &str = "item";

/// Answers data tests of a pack on a day.
#[derive(Debug)]
pub struct PackOracle<'a> {
    pack: &'a Pack,
    rules: Rules,
    today: Date,
}

impl<'a> PackOracle<'a> {
    /// Builds the pack's rules.
    ///
    /// # Errors
    /// The rules of the pack do not hold together.
    pub fn new(pack: &'a Pack, today: Date) -> Result<Self, RulesError> {
        Ok(Self { pack, rules: Rules::for_pack(pack)?, today })
    }
}

impl Oracle for PackOracle<'_> {
    fn handling(&self, act: &str, given: &BTreeMap<String, Value>) -> Result<Answer, String> {
        let mut classes: Vec<BTreeMap<String, String>> = Vec::new();
        let mut other = BTreeMap::new();
        for (name, v) in given {
            match name.strip_prefix("class.") {
                Some(axis) => {
                    classes.extend(texts(v).into_iter().map(|code| BTreeMap::from([(axis.to_owned(), code)])))
                }
                None => {
                    other.insert(name.clone(), facts::value(v));
                }
            }
        }
        let asked = HandlingFacts { classes, facts: vec![other] };
        let unknown = || format!("行為「{act}」についての決まりがありません");
        let found = decide_handling(self.pack, act, &asked, self.today).ok_or_else(unknown)?;
        let outcome = match found.outcome {
            Outcome::Allowed => "allowed",
            Outcome::AllowedWith => "safeguards",
            Outcome::NeedsPermit => "permit",
            Outcome::Prohibited => "prohibited",
        };
        let permits = found.permits.into_iter().map(|p| p.note);
        let notes = found.prohibitions.into_iter().chain(permits).chain(found.safeguards);
        Ok(Answer {
            outcome: outcome.to_owned(),
            says: notes.map(|n| format!("{}（{}）", n.says, n.clause)).collect(),
        })
    }

    fn who_may(
        &self,
        procedure: &str,
        step: &str,
        person: TestPerson<'_>,
        given: &BTreeMap<String, Value>,
    ) -> Result<Answer, String> {
        let list = |key: &str| given.get(key).map(texts).unwrap_or_default();
        let city = City { pack: self.pack, today: self.today };
        let applicant =
            list("applicant").first().map_or_else(|| CLERK.to_owned(), |role| city.holder(role, true));
        let org = Org::new(city.lists(&list("absent"), &list("vacant")));
        let who = match person {
            TestPerson::Applicant => applicant.clone(),
            TestPerson::Role { role, own } => city.holder(role, own),
        };
        let ctx = Ctx {
            org: &org,
            pack: self.pack,
            rules: &self.rules,
            now: Instant::start_of(self.today),
            person: &who,
        };
        let owner =
            if list("owner").first().is_some_and(|o| o == "other") { section(false) } else { section(true) };
        let begun = city.case(procedure, &applicant, list("register").first().map(String::as_str), owner)?;
        let mut run = Run::on(&begun, &ctx).map_err(|r| r.message)?;
        let spec = run.spec(step).map_err(|r| r.message)?;
        let pins = pin(&run, spec).map_err(|r| r.message)?;
        let due = due(&run, spec);
        let opened = What::StepOpened { step: step.to_owned(), due, parts: pins.parts, slots: pins.slots };
        run.emit_system(opened).map_err(|r| r.message)?;
        let Some(open) = run.state.step(step).cloned() else {
            return Err("段がありません".to_owned());
        };
        let content = run.state.content_hash(Some(step));
        let action = step_actions(open.kind).first().copied().unwrap_or_default();
        let asking = Asking {
            action,
            shown: &content,
            content: &content,
            reason: false,
            open: true,
            judging: is_judging(open.kind),
        };
        let mut refusals: Vec<String> = Vec::new();
        for part in &open.parts {
            match run.leave(&open, part, asking) {
                Ok(leave) => {
                    let why = explain(&run.state, &ctx)
                        .into_iter()
                        .filter(|e| e.person == who && e.may)
                        .map(|e| e.why);
                    let says = why.chain([leave.held.capacity.japanese().to_owned()]).collect();
                    return Ok(Answer { outcome: "allowed".to_owned(), says });
                }
                Err(r) => refusals.push(r.message),
            }
        }
        Ok(Answer { outcome: "refused".to_owned(), says: refusals })
    }
}

fn texts(v: &Value) -> Vec<String> {
    match v {
        Value::String(s) => vec![s.clone()],
        Value::Array(list) => list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => vec![],
    }
}

fn section(own: bool) -> &'static str {
    if own { "own_section" } else { "other_section" }
}

fn department(own: bool) -> &'static str {
    if own { "own_department" } else { "other_department" }
}

/// Puts posts and their holders into the lists, each once.
struct Filler<'l> {
    lists: &'l mut OrgLists,
    from: Date,
}

impl Filler<'_> {
    fn seat(&mut self, person: &str, unit: &str, code: &str, title: &str, head: bool) {
        if self.lists.posts.iter().any(|p| p.code == code) {
            return;
        }
        let (code, unit, title) = (code.to_owned(), unit.to_owned(), title.to_owned());
        self.lists.persons.push(Person {
            number: person.to_owned(),
            name: title.clone(),
            kana: String::new(),
        });
        self.appoint(person, &code, None);
        self.lists.posts.push(Post { code, unit, title, head, rank: i64::from(!head) });
    }

    fn appoint(&mut self, person: &str, post: &str, role: Option<&str>) {
        let (person, post, role) = (person.to_owned(), post.to_owned(), role.map(str::to_owned));
        let main = role.is_none();
        self.lists.appointments.push(Appointment {
            person,
            post,
            main,
            from: self.from,
            until: None,
            role,
            scope_unit: None,
        });
    }
}

/// The built-in organization.
struct City<'a> {
    pack: &'a Pack,
    today: Date,
}

impl City<'_> {
    /// Staff number of a role's holder, in the applicant's section and department or elsewhere. A role of the whole
    /// body has one holder.
    fn holder(&self, role: &str, own: bool) -> String {
        match self.pack.roles.get(role).map(|r| &r.held_by) {
            Some(HeldBy::HeadOf(Scope::Section | Scope::System)) => format!("head of {}", section(own)),
            Some(HeldBy::HeadOf(Scope::Department)) => format!("head of {}", department(own)),
            Some(HeldBy::HeadOf(Scope::Body)) => "head of body".to_owned(),
            Some(HeldBy::Post(post)) => format!("holder of {post}"),
            Some(HeldBy::Appointment) => format!("appointed {role} {}", section(own)),
            Some(HeldBy::Everyone) | None if own => CLERK.to_owned(),
            Some(HeldBy::Everyone) | None => format!("clerk of {}", section(false)),
        }
    }

    fn lists(&self, absent: &[String], vacant: &[String]) -> OrgLists {
        let mut lists = OrgLists::default();
        let from = self.today.plus_days(-365);
        let mut unit = |code: &str, name: &str, kind: UnitKind, parent: Option<&str>| {
            let parent = parent.map(str::to_owned);
            lists.units.push(Unit {
                code: code.to_owned(),
                name: name.to_owned(),
                kind,
                parent,
                from,
                until: None,
            });
        };
        unit("body", "市", UnitKind::Body, None);
        for (own, name) in [(true, "申請者の"), (false, "別の")] {
            unit(department(own), &format!("{name}部局"), UnitKind::Department, Some("body"));
            unit(section(own), &format!("{name}課室"), UnitKind::Section, Some(department(own)));
        }
        // Posts that a role names stand in a section of their own, so that their holders head nothing else.
        unit("posts", "役割の職", UnitKind::Section, Some("body"));
        self.fill(&mut Filler { lists: &mut lists, from });
        let who =
            |roles: &[String]| -> BTreeSet<String> { roles.iter().map(|r| self.holder(r, true)).collect() };
        let gone = who(vacant);
        lists.appointments.retain(|a| !gone.contains(&a.person));
        let away = who(absent).into_iter();
        lists.absences = away.map(|person| Absence { person, from: self.today, until: self.today }).collect();
        lists
    }

    fn fill(&self, to: &mut Filler<'_>) {
        to.seat("head of body", "body", "body.head", "市の長", true);
        for own in [true, false] {
            for (unit, title) in [(section(own), "課室の長"), (department(own), "部局の長")] {
                to.seat(&format!("head of {unit}"), unit, &format!("{unit}.head"), title, true);
            }
            let clerk = if own { CLERK.to_owned() } else { format!("clerk of {}", section(false)) };
            to.seat(&clerk, section(own), &format!("{}.staff", section(own)), "職員", false);
        }
        for role in self.pack.roles.values() {
            match &role.held_by {
                HeldBy::Post(post) => {
                    to.seat(&format!("holder of {post}"), "posts", post, &role.title, false)
                }
                HeldBy::Appointment => {
                    for own in [true, false] {
                        let person = self.holder(&role.id, own);
                        let post = format!("{}.{}", section(own), role.id);
                        to.seat(&person, section(own), &post, &role.title, false);
                        to.appoint(&person, &post, Some(&role.id));
                    }
                }
                HeldBy::HeadOf(_) | HeldBy::Everyone => {}
            }
            self.deputies(role, to);
        }
    }

    /// A holder for every deputy that is named by title; one named by a post's code is a post of its own.
    fn deputies(&self, role: &Role, to: &mut Filler<'_>) {
        for deputy in &role.deputies {
            let named =
                self.pack.roles.values().any(|r| matches!(&r.held_by, HeldBy::Post(p) if p == deputy));
            let units: &[&str] = match &role.held_by {
                _ if named => &[],
                HeldBy::HeadOf(Scope::Section | Scope::System) => &[section(true), section(false)],
                HeldBy::HeadOf(Scope::Department) => &[department(true), department(false)],
                HeldBy::HeadOf(Scope::Body) => &["body"],
                HeldBy::Post(_) | HeldBy::Appointment | HeldBy::Everyone => &["posts"],
            };
            for unit in units {
                to.seat(&format!("{deputy} of {unit}"), unit, &format!("{unit}.{deputy}"), deputy, false);
            }
        }
    }

    /// A case of the procedure over one item of a register, just applied for.
    fn case(
        &self,
        procedure: &str,
        applicant: &str,
        register: Option<&str>,
        owner: &str,
    ) -> Result<CaseState, String> {
        let p =
            self.pack.procedures.get(procedure).ok_or_else(|| format!("手続「{procedure}」がありません"))?;
        let field = p.fields.iter().find(|f| matches!(f.kind, sekisho_pack::model::FieldType::Items(_)));
        let item = field.zip(register).map(|(field, register)| Item {
            field: field.id.clone(),
            register: register.to_owned(),
            id: ITEM.to_owned(),
            number: ITEM.to_owned(),
            name: ITEM.to_owned(),
            snapshot: Snapshot { class: BTreeMap::new(), owner: owner.to_owned(), facts: BTreeMap::new() },
        });
        let post = format!("{}.staff", section(true));
        let content = Content { items: item.into_iter().collect(), ..Content::default() };
        let head = |s: &sekisho_pack::model::Step| StepHead {
            id: s.id.clone(),
            title: s.title.clone(),
            kind: s.kind,
        };
        let begun = Act {
            seq: 1,
            at: Instant::start_of(self.today),
            person: applicant.to_owned(),
            post: post.clone(),
            held: vec![],
            content: String::new(),
            pack: self.pack.hash.clone(),
            overridden: None,
            what: What::Applied {
                case: "test".to_owned(),
                procedure: procedure.to_owned(),
                number: String::new(),
                title: p.title.clone(),
                pack: PackRef {
                    name: self.pack.meta.name.clone(),
                    version: self.pack.meta.version.clone(),
                    hash: self.pack.hash.clone(),
                },
                applicant: Applicant { person: applicant.to_owned(), post, unit: section(true).to_owned() },
                content,
                route: p.steps.iter().map(head).collect(),
            },
        };
        CaseState::begin(&begun).map_err(|e| e.to_string())
    }
}
