//! The organization for people: who is where, import from the personnel system's files, export that comes back unchanged.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::canonical::content_hash;
use sekisho_base::table::Value;
use sekisho_base::{Date, Id};
use sekisho_boxed::boxed;
use sekisho_store::org::{self, AppointmentRow, PersonRow, PostRow, UnitRow};
use sekisho_store::org_proposal::{self, ProposalRow};
use sekisho_store::{Conn, ledger};
use serde::Serialize;
use serde_json::json;

use crate::directory::Directory;
use crate::error::AppError;
use crate::exchange::org::{OrgPlan, OrgRecords, OrgSheet, plan_org};
use crate::exchange::{Record, Table, read_workbook};
use crate::login::Identity;
use crate::office::Office;
use crate::proposals::ProposalLine;
use crate::record::{Seal, record};
use crate::registers::{ExportFormat, ExportedFile, ImportPlan};
use crate::registers::{column_notes, error_lines, plan_digest, plan_lines, write};

/// Kind under which an organization file is kept between the two steps.
pub(crate) const UPLOAD: &str = "org";
/// First day of appointments whose file names none: the beginning.
const ALWAYS: &str = "2000-04-01";

/// A person found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PersonLine {
    /// Person number.
    pub number: String,
    /// Name, every character kept.
    pub name: String,
    /// ふりがな.
    pub kana: String,
    /// Posts today.
    pub posts: Vec<String>,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SectionLine {
    /// Name.
    pub name: String,
    /// Who heads it today; empty when vacant.
    pub head: String,
    /// People.
    pub people: usize,
}

/// A department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DepartmentLine {
    /// Name.
    pub name: String,
    /// Who heads it today.
    pub head: String,
    /// Shown open: the viewer's own.
    pub open: bool,
    /// Sections.
    pub sections: Vec<SectionLine>,
}

/// The organization page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OrganizationView {
    /// Words searched.
    pub q: String,
    /// People found.
    pub people: Vec<PersonLine>,
    /// Departments and organs.
    pub departments: Vec<DepartmentLine>,
    /// Whether this person may import.
    pub may_import: bool,
    /// Imports that wait for a second person, for those who may import.
    pub waiting: Vec<ProposalLine>,
}

fn heads(d: &Directory, unit: &str, today: Date) -> String {
    let post = d.head_post(unit);
    post.map(|p| {
        d.holders(&p.code, today)
            .iter()
            .map(|h| format!("{} {}", p.title, h.name))
            .collect::<Vec<_>>()
            .join("、")
    })
    .unwrap_or_default()
}

#[boxed]
impl Office {
    /// The organization page.
    ///
    /// # Errors
    /// The database failed.
    pub async fn organization(&self, who: &Identity, words: &str) -> Result<OrganizationView, AppError> {
        let me = self.me(who).await?;
        let d = Arc::clone(me.directory());
        let today = self.clock.today();
        let people = d
            .search(words, 50)
            .into_iter()
            .map(|p| PersonLine {
                number: p.number.clone(),
                name: p.name.clone(),
                kana: p.kana.clone(),
                posts: d
                    .appointments(&p.number, today)
                    .iter()
                    .filter(|a| a.role.is_empty())
                    .map(|a| d.post_name(&a.post) + if a.main { "" } else { "（兼務）" })
                    .collect(),
            })
            .collect();
        let own = d.nearest(me.unit(), &["department", "organ"]).map(|u| u.code.clone());
        let current = |u: &&UnitRow| u.exists_on(today);
        let departments = d
            .rows()
            .units
            .iter()
            .filter(|u| matches!(u.kind.as_str(), "department" | "organ"))
            .filter(current)
            .map(|u| {
                let below = d.below(&u.code);
                let sections = below
                    .iter()
                    .filter_map(|c| d.unit(c))
                    .filter(|s| matches!(s.kind.as_str(), "section" | "branch"))
                    .filter(current);
                DepartmentLine {
                    name: u.name.clone(),
                    head: heads(&d, &u.code, today),
                    open: own.as_deref() == Some(u.code.as_str()),
                    sections: sections
                        .map(|s| SectionLine {
                            name: s.name.clone(),
                            head: heads(&d, &s.code, today),
                            people: d.head_count(&s.code, today),
                        })
                        .collect(),
                }
            })
            .collect();
        let waiting = if me.administers() { self.waiting_proposals(&d).await? } else { vec![] };
        Ok(OrganizationView {
            q: words.to_owned(),
            people,
            departments,
            may_import: me.administers(),
            waiting,
        })
    }

    /// Whether somebody may import the organization.
    ///
    /// # Errors
    /// Refused with who may.
    pub async fn may_import_organization(&self, who: &Identity) -> Result<(), AppError> {
        if self.me(who).await?.administers() {
            Ok(())
        } else {
            Err(AppError::refused(
                "O001",
                "組織と利用者の管理は、情報システム管理者とその担当者が行います。情報政策担当課へ連絡してください。",
            ))
        }
    }

    /// The organization as a workbook of four sheets.
    ///
    /// # Errors
    /// Refused for others than administrators: it holds every person's login and address.
    pub async fn export_organization(&self, who: &Identity) -> Result<ExportedFile, AppError> {
        self.may_import_organization(who).await?;
        self.organization_file().await
    }

    /// The organization as a workbook of four sheets.
    pub(crate) async fn organization_file(&self) -> Result<ExportedFile, AppError> {
        let d = self.directory().await?;
        let (records, roles) = (records(&d), self.role_labels());
        let today = self.clock.today();
        let tables: Vec<Table> =
            OrgSheet::ALL.iter().map(|s| Table::new(&s.schema(&roles), records.records(*s))).collect();
        tokio::task::spawn_blocking(move || write(&tables, ExportFormat::Xlsx, "組織・職員", today))
            .await
            .map_err(AppError::internal)?
    }

    /// Roles of the pack: id and title.
    pub(crate) fn role_labels(&self) -> Vec<(String, String)> {
        self.pack().roles.values().map(|r| (r.id.clone(), r.title.clone())).collect()
    }

    async fn plan_org_file(&self, bytes: Vec<u8>) -> Result<(OrgPlan, OrgRecords), AppError> {
        let d = self.directory().await?;
        let roles = self.role_labels();
        let job = move || {
            let current = records(&d);
            let grids = read_workbook(&bytes).map_err(|e| AppError::refused("X004", e.to_string()))?;
            let plan = plan_org(&grids, &current, &roles);
            Ok((plan, current))
        };
        tokio::task::spawn_blocking(job).await.map_err(AppError::internal)?
    }

    /// First step: what a file would change. Nothing changes.
    ///
    /// # Errors
    /// Refused when the file is no table or the person may not import.
    pub async fn plan_organization_import(
        &self,
        who: &Identity,
        file: &str,
        bytes: Vec<u8>,
    ) -> Result<ImportPlan, AppError> {
        self.may_import_organization(who).await?;
        let mut view = self.plan_file(bytes.clone()).await?;
        view.upload = self.keep_upload(who, UPLOAD, file, bytes).await?;
        view.file = file.to_owned();
        Ok(view)
    }

    /// What a file would change.
    pub(crate) async fn plan_file(&self, bytes: Vec<u8>) -> Result<ImportPlan, AppError> {
        let (plan, _) = self.plan_org_file(bytes).await?;
        let shown = plan_digest(plan.sheets.values());
        let mut view = ImportPlan { shown, errors: error_lines(plan.all_errors()), ..ImportPlan::default() };
        for (sheet, p) in &plan.sheets {
            view.added += p.counts.add;
            view.changed += p.counts.change;
            view.same += p.counts.same;
            view.notes.extend(column_notes(p).into_iter().map(|n| format!("{}：{n}", sheet.title())));
            view.rows.extend(plan_lines(p, 40).into_iter().map(|mut l| {
                l.place = format!("{} {}", sheet.title(), l.place);
                l
            }));
        }
        if !plan.ignored.is_empty() {
            view.notes.push(format!("次のシートは使いません：{}", plan.ignored.join("、")));
        }
        Ok(view)
    }

    /// The rows that a file would write.
    pub(crate) async fn rows_of_file(&self, bytes: Vec<u8>) -> Result<OrgRows, AppError> {
        let (plan, current) = self.plan_org_file(bytes).await?;
        if let Some(e) = plan.all_errors().next() {
            let place = e.sheet.as_ref().map_or_else(|| e.cell.clone(), |s| format!("{s} {}", e.cell));
            return Err(AppError::refused(
                "X003",
                format!("誤りがあるため取り込めません。{place}：{} {}", e.message, e.remedy),
            ));
        }
        let d = self.directory().await?;
        let mut changes: BTreeMap<OrgSheet, Vec<Record>> = BTreeMap::new();
        for (sheet, p) in &plan.sheets {
            let rows = p.rows.iter().filter(|r| {
                matches!(r.action, crate::exchange::RowAction::Add(_) | crate::exchange::RowAction::Change(_))
            });
            changes.insert(*sheet, rows.filter_map(|r| r.result(&current.sheet(*sheet))).collect());
        }
        self.org_rows(&d, &changes)
    }

    /// Carries out an organization file: a proposal that a second person confirmed, or, without one, the first filling of an empty body.
    ///
    /// # Errors
    /// Refused when it has errors, or when somebody else decided the proposal first.
    pub(crate) async fn apply_org_file(
        self: &Arc<Self>,
        by: &str,
        proposal: Option<ProposalRow>,
        bytes: Vec<u8>,
    ) -> Result<usize, AppError> {
        let file = sekisho_base::canonical::hex(&sekisho_base::canonical::sha256(&bytes));
        let rows = self.rows_of_file(bytes).await?;
        let count = rows.units.len() + rows.posts.len() + rows.persons.len() + rows.appointments.len();
        let (seal, stream, office) = (self.seal()?, self.new_id()?, Arc::clone(self));
        let job = ApplyOrg { office, rows, seal, stream, by: by.to_owned(), file, proposal };
        self.store.write(move |c| Box::pin(job.run(c))).await?;
        self.forget_organization();
        crate::cases::organization_changed(self).await?;
        crate::duties::run_day(self).await?;
        crate::checks::run_all(self).await?;
        crate::cases::open_from_causes(self).await?;
        Ok(count)
    }

    fn org_rows(
        &self,
        d: &Directory,
        changes: &BTreeMap<OrgSheet, Vec<Record>>,
    ) -> Result<OrgRows, AppError> {
        let mut rows = OrgRows::default();
        let of = |sheet| changes.get(&sheet).map(Vec::as_slice).unwrap_or_default();
        for r in of(OrgSheet::Units) {
            let code = text(r, "code");
            let sort = d.unit(&code).map_or_else(
                || i64::try_from(d.rows().units.len() + rows.units.len()).unwrap_or(i64::MAX),
                |u| u.sort,
            );
            let parent = Some(text(r, "parent")).filter(|p| !p.is_empty());
            rows.units.push(UnitRow {
                name: text(r, "name"),
                kind: text(r, "kind"),
                parent,
                from: from(r)?,
                until: date(r, "until"),
                sort,
                code,
            });
        }
        for r in of(OrgSheet::Posts) {
            let head = r.get("head") == Some(&Value::Bool(true));
            let sort = if let Some(Value::Int(n)) = r.get("rank") { *n } else { 0 };
            rows.posts.push(PostRow {
                code: text(r, "code"),
                unit: text(r, "unit"),
                title: text(r, "title"),
                head,
                sort,
            });
        }
        for r in of(OrgSheet::Persons) {
            rows.persons.push(PersonRow {
                number: text(r, "number"),
                name: text(r, "name"),
                kana: text(r, "kana"),
                mail: text(r, "email"),
            });
        }
        for r in of(OrgSheet::Appointments) {
            rows.appointments.push(AppointmentRow {
                id: self.new_id()?.to_string(),
                person: text(r, "person"),
                post: text(r, "post"),
                main: text(r, "main") != "concurrent",
                from: from(r)?,
                until: date(r, "until"),
                role: text(r, "role"),
                scope_unit: text(r, "role_scope"),
            });
        }
        Ok(rows)
    }
}

fn text(r: &Record, column: &str) -> String {
    r.get(column).and_then(Value::as_text).unwrap_or_default().to_owned()
}

fn date(r: &Record, column: &str) -> Option<Date> {
    r.get(column).and_then(Value::as_text).and_then(|t| t.parse().ok())
}

fn from(r: &Record) -> Result<Date, AppError> {
    date(r, "from").map_or_else(|| ALWAYS.parse().map_err(AppError::internal), Ok)
}

/// Rows that an import writes.
#[derive(Debug, Default)]
pub(crate) struct OrgRows {
    /// Units.
    pub units: Vec<UnitRow>,
    /// Posts.
    pub posts: Vec<PostRow>,
    /// Persons.
    pub persons: Vec<PersonRow>,
    /// Appointments.
    pub appointments: Vec<AppointmentRow>,
}

struct ApplyOrg {
    office: Arc<Office>,
    rows: OrgRows,
    seal: Seal,
    stream: Id,
    by: String,
    file: String,
    proposal: Option<ProposalRow>,
}

impl ApplyOrg {
    async fn run(self, c: &mut Conn<'_>) -> Result<(), AppError> {
        let now = self.office.clock.now();
        // Units may name one another in any order; posts and appointments come after what they point to.
        for u in &self.rows.units {
            org::put_unit(c, u).await?;
        }
        for p in &self.rows.posts {
            org::put_post(c, p).await?;
        }
        for p in &self.rows.persons {
            org::put_person(c, p).await?;
        }
        for a in &self.rows.appointments {
            org::put_appointment(c, a).await?;
        }
        let shown: Vec<String> = [
            format!("{:?}", self.rows.units),
            format!("{:?}", self.rows.posts),
            format!("{:?}", self.rows.persons),
            format!("{:?}", self.rows.appointments),
        ]
        .into();
        let mut payload = json!({
            "by": self.by, "at": now, "file": self.file, "hash": content_hash(&json!(shown)),
            "units": self.rows.units.len(), "posts": self.rows.posts.len(), "persons": self.rows.persons.len(), "appointments": self.rows.appointments.len(),
        });
        let stream = match &self.proposal {
            Some(p) => {
                // Fails when somebody else decided it first.
                org_proposal::decide(c, &p.id, true, &self.by, now, "").await?;
                if let Some(fields) = payload.as_object_mut() {
                    fields.insert("proposal".to_owned(), json!(p.id));
                    fields.insert("proposed_by".to_owned(), json!(p.proposed_by));
                }
                p.id.parse().map_err(AppError::internal)?
            }
            None => self.stream,
        };
        record(c, self.seal, &ledger::stream_id(stream), "org.import", &payload, now).await?;
        Ok(())
    }
}

/// The stored organization as records of the exchange.
fn records(d: &Directory) -> OrgRecords {
    let mut out = OrgRecords::default();
    let t = |s: &str| if s.is_empty() { Value::Null } else { Value::Text(s.to_owned()) };
    let day = |d: Option<Date>| d.map_or(Value::Null, |d| Value::Text(d.to_string()));
    let rec = |pairs: Vec<(&str, Value)>| -> Record {
        pairs.into_iter().filter(|(_, v)| *v != Value::Null).map(|(k, v)| (k.to_owned(), v)).collect()
    };
    let rows = d.rows();
    for u in &rows.units {
        let pairs = vec![
            ("code", t(&u.code)),
            ("name", t(&u.name)),
            ("kind", t(&u.kind)),
            ("parent", t(u.parent.as_deref().unwrap_or_default())),
            ("from", day(Some(u.from))),
            ("until", day(u.until)),
        ];
        out.insert(OrgSheet::Units, rec(pairs));
    }
    for p in &rows.posts {
        let pairs = vec![
            ("code", t(&p.code)),
            ("unit", t(&p.unit)),
            ("title", t(&p.title)),
            ("head", Value::Bool(p.head)),
            ("rank", Value::Int(p.sort)),
        ];
        out.insert(OrgSheet::Posts, rec(pairs));
    }
    for p in &rows.persons {
        out.insert(
            OrgSheet::Persons,
            rec(vec![
                ("number", t(&p.number)),
                ("name", t(&p.name)),
                ("kana", t(&p.kana)),
                ("email", t(&p.mail)),
            ]),
        );
    }
    for a in &rows.appointments {
        let main = if a.main { "main" } else { "concurrent" };
        let pairs = vec![
            ("person", t(&a.person)),
            ("post", t(&a.post)),
            ("main", t(main)),
            ("from", day(Some(a.from))),
            ("until", day(a.until)),
            ("role", t(&a.role)),
            ("role_scope", t(&a.scope_unit)),
        ];
        out.insert(OrgSheet::Appointments, rec(pairs));
    }
    out
}
