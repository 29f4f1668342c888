//! The organization: a file with a dry run, or a form for a first department with its sections.

use std::collections::BTreeSet;
use std::sync::Arc;

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_base::text::normalize_code;
use sekisho_boxed::boxed;
use sekisho_store::{org, upload};
use serde_json::json;

use super::{SETUP, Setup, closed, keeper, open_state, stream};
use crate::directory::Directory;
use crate::error::{AppError, FieldError};
use crate::exchange::org::{OrgRecords, OrgSheet};
use crate::exchange::{Record, Table, write_xlsx};
use crate::office::Office;
use crate::organization::UPLOAD;
use crate::record::record;
use crate::registers::{ExportedFile, ImportPlan, changed_meanwhile};

/// Sections that one form takes.
const SECTIONS: usize = 6;
/// Longest name of a unit or person, in characters.
const NAME: usize = 60;

/// Somebody who holds a post or role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeatHolder {
    /// Name.
    pub name: String,
    /// Person number.
    pub number: String,
    /// Section and post.
    pub place: String,
    /// Id of the appointment.
    pub appointment: String,
}

/// A unit with its head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadLine {
    /// Name, with the unit above.
    pub unit: String,
    /// Who heads it.
    pub holders: Vec<SeatHolder>,
}

/// A unit of the form with its head, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFields {
    /// Name of the unit.
    pub unit: String,
    /// 職員番号 of its head.
    pub number: String,
    /// Name of its head.
    pub name: String,
    /// ふりがな.
    pub kana: String,
}

/// The form of the step 組織, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitsForm {
    /// The department.
    pub department: UnitFields,
    /// Its sections.
    pub sections: Vec<UnitFields>,
}

impl UnitsForm {
    /// Takes the fields `d.unit`, `d.number`, …, `s1.unit`, ….
    #[must_use]
    pub fn of(field: impl Fn(&str) -> String) -> Self {
        let read = |prefix: &str| {
            let get = |name: &str| field(&format!("{prefix}.{name}")).trim().to_owned();
            UnitFields {
                unit: get("unit"),
                number: normalize_code(&get("number")),
                name: get("name"),
                kana: get("kana"),
            }
        };
        Self { department: read("d"), sections: (1..=SECTIONS).map(|n| read(&format!("s{n}"))).collect() }
    }

    /// The fields with their prefix, the department first.
    #[must_use]
    pub fn rows(&self) -> Vec<(String, &UnitFields)> {
        let sections = self.sections.iter().enumerate().map(|(n, s)| (format!("s{}", n + 1), s));
        std::iter::once(("d".to_owned(), &self.department)).chain(sections).collect()
    }
}

/// The step 組織.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitsPage {
    /// Departments so far.
    pub departments: usize,
    /// Sections so far.
    pub sections: usize,
    /// People so far.
    pub people: usize,
    /// Departments and sections with their heads.
    pub heads: Vec<HeadLine>,
    /// Heads that are missing.
    pub vacant: usize,
}

/// A head's title after the last character of the unit's name: 福祉部 has a 部長.
pub(super) fn head_title(unit: &str) -> String {
    format!("{}長", unit.chars().last().unwrap_or('課'))
}

pub(super) fn texts(pairs: &[(&str, &str)]) -> Record {
    let filled = pairs.iter().filter(|(_, v)| !v.is_empty());
    filled.map(|(k, v)| ((*k).to_owned(), Value::Text((*v).to_owned()))).collect()
}

pub(super) fn post_record(code: &str, unit: &str, title: &str, head: bool) -> Record {
    let mut r = texts(&[("code", code), ("unit", unit), ("title", title)]);
    r.insert("head".to_owned(), Value::Bool(head));
    r
}

pub(super) fn appointment(person: &str, post: &str, main: bool, from: Date, role: &str) -> Record {
    let main = if main { "main" } else { "concurrent" };
    texts(&[("person", person), ("post", post), ("main", main), ("from", &from.to_string()), ("role", role)])
}

pub(super) fn holder(d: &Directory, a: &org::AppointmentRow) -> SeatHolder {
    SeatHolder {
        name: d.person_name(&a.person).to_owned(),
        number: a.person.clone(),
        place: d.post_name(&a.post),
        appointment: a.id.clone(),
    }
}

/// The first code that no unit has: `1`, `2`, … or below a department `101`, `102`, ….
fn free_code(taken: &mut BTreeSet<String>, below: Option<&str>) -> String {
    let code = |n: usize| below.map_or_else(|| n.to_string(), |d| format!("{d}{n:02}"));
    let free = (1..).map(code).find(|c| !taken.contains(c)).unwrap_or_default();
    taken.insert(free.clone());
    free
}

#[boxed]
impl Office {
    /// The step 組織.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_units(&self, setup: &Setup) -> Result<UnitsPage, AppError> {
        self.state_of(setup).await?;
        let (d, today) = (self.directory().await?, self.clock.today());
        let of_kind = |kinds: &[&str]| {
            let units = d.rows().units.iter().filter(|u| u.exists_on(today));
            units.filter(|u| kinds.contains(&u.kind.as_str())).collect::<Vec<_>>()
        };
        let (departments, sections) = (of_kind(&["department", "organ"]), of_kind(&["section", "branch"]));
        let heads: Vec<HeadLine> = departments
            .iter()
            .chain(&sections)
            .map(|u| {
                let post = d.head_post(&u.code);
                let held = d.rows().appointments.iter().filter(|a| {
                    a.role.is_empty() && a.in_force(today) && post.is_some_and(|p| p.code == a.post)
                });
                HeadLine { unit: u.name.clone(), holders: held.map(|a| holder(&d, a)).collect() }
            })
            .collect();
        Ok(UnitsPage {
            departments: departments.len(),
            sections: sections.len(),
            people: d.rows().persons.len(),
            vacant: heads.iter().filter(|h| h.holders.is_empty()).count(),
            heads,
        })
    }

    /// The workbook to fill in: empty, or with what is there.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_export(&self, setup: &Setup) -> Result<ExportedFile, AppError> {
        self.state_of(setup).await?;
        self.organization_file().await
    }

    /// What a file would make. Nothing changes.
    ///
    /// # Errors
    /// Refused when it is no table; the browser may not go on.
    pub async fn plan_first_file(
        &self,
        setup: &Setup,
        file: &str,
        bytes: Vec<u8>,
    ) -> Result<ImportPlan, AppError> {
        self.state_of(setup).await?;
        let mut plan = self.plan_file(bytes.clone()).await?;
        plan.upload = self.keep_upload(&keeper(), UPLOAD, file, bytes).await?;
        plan.file = file.to_owned();
        Ok(plan)
    }

    /// Carries out the file of a dry run.
    ///
    /// # Errors
    /// Refused when the file is gone, has errors or no longer fits; the browser may not go on.
    pub async fn import_first_file(
        self: &Arc<Self>,
        setup: &Setup,
        upload_id: &str,
        shown: &str,
    ) -> Result<(), AppError> {
        self.state_of(setup).await?;
        let (kept, bytes) = self.kept_upload(&keeper(), UPLOAD, upload_id).await?;
        let plan = self.plan_file(bytes.clone()).await?;
        if !plan.errors.is_empty() || plan.shown != shown {
            return Err(changed_meanwhile());
        }
        self.apply_org_file(SETUP, None, bytes).await?;
        let now = self.clock.now();
        self.store
            .write(move |c| {
                Box::pin(async move { upload::drop_used(c, &kept.id, now).await.map_err(AppError::from) })
            })
            .await?;
        Ok(())
    }

    /// Adds a department, or further sections to one, with their heads.
    ///
    /// # Errors
    /// Fields that cannot be taken; the browser may not go on.
    pub async fn add_first_units(self: &Arc<Self>, setup: &Setup, form: &UnitsForm) -> Result<(), AppError> {
        let state = self.state_of(setup).await?;
        let (d, today) = (self.directory().await?, self.clock.today());
        let mut wrong = faults(&d, form);
        let units = &d.rows().units;
        let same = |name: &str, kind: &[&str]| {
            units.iter().find(|u| u.name == name && kind.contains(&u.kind.as_str()) && u.exists_on(today))
        };
        let old = same(&form.department.unit, &["department", "organ"]);
        let mut names = BTreeSet::new();
        for (prefix, s) in form.rows().iter().skip(1).filter(|(_, s)| !s.unit.is_empty()) {
            if !names.insert(s.unit.clone()) || same(&s.unit, &["section", "branch"]).is_some() {
                wrong.push(FieldError {
                    field: format!("{prefix}.unit"),
                    message: format!("「{}」は、もうあります。", s.unit),
                });
            }
        }
        if old.is_some() && names.is_empty() {
            wrong.push(FieldError {
                field: "s1.unit".to_owned(),
                message: "加える課室の名前を入力してください。".to_owned(),
            });
        }
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let mut taken: BTreeSet<String> = units.iter().map(|u| u.code.clone()).collect();
        let mut org = OrgRecords::default();
        let top = units.iter().find(|u| u.kind == "body" && u.exists_on(today)).map_or_else(
            || {
                let title = if state.title.is_empty() { self.body_title() } else { state.title.as_str() };
                let code =
                    if taken.insert("0".to_owned()) { "0".to_owned() } else { free_code(&mut taken, None) };
                let pairs = [("code", code.as_str()), ("name", title), ("kind", "body")];
                org.insert(OrgSheet::Units, texts(&pairs));
                code
            },
            |u| u.code.clone(),
        );
        let mut assigned = BTreeSet::new();
        let mut unit = |code: &str, kind: &str, parent: &str, f: &UnitFields| {
            let pairs = [("code", code), ("name", f.unit.as_str()), ("kind", kind), ("parent", parent)];
            org.insert(OrgSheet::Units, texts(&pairs));
            let post = format!("{code}-h");
            org.insert(OrgSheet::Posts, post_record(&post, code, &head_title(&f.unit), true));
            if !f.number.is_empty() {
                seat_person(&mut org, &d, &f.number, &f.name, &f.kana);
                let main =
                    assigned.insert(f.number.clone()) && d.main_appointment(&f.number, today).is_none();
                org.insert(OrgSheet::Appointments, appointment(&f.number, &post, main, today, ""));
            }
        };
        let department = old.map_or_else(|| free_code(&mut taken, None), |u| u.code.clone());
        if old.is_none() {
            unit(&department, "department", &top, &form.department);
        }
        for s in form.sections.iter().filter(|s| !s.unit.is_empty()) {
            unit(&free_code(&mut taken, Some(&department)), "section", &department, s);
        }
        self.apply_first_records(&org, "d.unit").await
    }

    /// Writes records as the file that an importer would send, so that the same rules hold.
    pub(super) async fn apply_first_records(
        self: &Arc<Self>,
        org: &OrgRecords,
        field: &str,
    ) -> Result<(), AppError> {
        let roles = self.role_labels();
        let filled = OrgSheet::ALL.iter().filter(|s| org.records(**s).next().is_some());
        let tables: Vec<Table> = filled.map(|s| Table::new(&s.schema(&roles), org.records(*s))).collect();
        let bytes = write_xlsx(&tables, self.clock.today()).map_err(AppError::internal)?;
        let plan = self.plan_file(bytes.clone()).await?;
        if let Some(e) = plan.errors.first() {
            return Err(AppError::field(field, format!("{}「{}」：{}", e.column, e.value, e.message)));
        }
        self.apply_org_file(SETUP, None, bytes).await.map(|_| ())
    }

    /// Takes back an appointment that was typed wrongly. Only during the first start: afterwards appointments end, and are never taken away.
    ///
    /// # Errors
    /// There is no such appointment; the browser may not go on.
    pub async fn unseat(self: &Arc<Self>, setup: &Setup, appointment: &str) -> Result<(), AppError> {
        let (session, id, now, seal) =
            (setup.session.clone(), appointment.to_owned(), self.clock.now(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let state = open_state(c).await?.ok_or_else(closed)?;
                    if state.session != session {
                        return Err(AppError::NoSession);
                    }
                    let (person, post) = org::drop_appointment(c, &id).await?.ok_or(AppError::NotFound)?;
                    let payload = json!({"person": person, "post": post, "by": SETUP, "at": now});
                    record(c, seal, &stream(), "setup.unseat", &payload, now).await?;
                    Ok(())
                })
            })
            .await?;
        self.forget_organization();
        crate::checks::run_all(self).await
    }
}

/// A person of a form: new, or known by the number.
pub(super) fn seat_person(org: &mut OrgRecords, d: &Directory, number: &str, name: &str, kana: &str) {
    if d.person(number).is_none() && !name.is_empty() {
        org.insert(OrgSheet::Persons, texts(&[("number", number), ("name", name), ("kana", kana)]));
    }
}

/// What is wrong with the names and numbers of a form.
fn faults(d: &Directory, form: &UnitsForm) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for (prefix, f) in form.rows() {
        let mut fault = |field: &str, message: &str| {
            wrong.push(FieldError { field: format!("{prefix}.{field}"), message: message.to_owned() });
        };
        let typed = !f.number.is_empty() || !f.name.is_empty();
        if f.unit.is_empty() && (typed || prefix == "d") {
            fault("unit", "部局または課室の名前を入力してください。");
        }
        if [&f.unit, &f.name, &f.kana, &f.number].iter().any(|t| t.chars().count() > NAME) {
            fault("unit", "名前と番号は60文字以内で入力してください。");
        }
        if f.number.is_empty() && !f.name.is_empty() {
            fault("number", "長の職員番号を入力してください。");
        }
        let somebody = !f.name.is_empty() || d.person(&f.number).is_some() || known.contains(&f.number);
        if !f.number.is_empty() && !somebody {
            fault("name", "初めて出てくる職員番号です。氏名も入力してください。");
        }
        known.insert(f.number.clone());
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_called_after_their_unit_and_codes_are_free() {
        for (unit, title) in [("福祉部", "部長"), ("高齢福祉課", "課長"), ("議会事務局", "局長")]
        {
            assert_eq!(head_title(unit), title);
        }
        let mut taken: BTreeSet<String> = ["1", "301"].map(str::to_owned).into();
        assert_eq!(free_code(&mut taken, None), "2");
        assert_eq!(free_code(&mut taken, None), "3");
        assert_eq!(free_code(&mut taken, Some("3")), "302");
    }
}
