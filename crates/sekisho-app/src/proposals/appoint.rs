//! A role for one person, as a proposal like every other change of the organization: the form writes the file that an importer would send.

use std::sync::Arc;

use sekisho_base::Date;
use sekisho_base::table::Value;
use sekisho_boxed::boxed;
use sekisho_pack::model::HeldBy;

use crate::error::{AppError, FieldError};
use crate::exchange::org::OrgSheet;
use crate::exchange::{Record, Table, write_xlsx};
use crate::login::Identity;
use crate::office::Office;
use crate::registers::RefChoice;

/// The form, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppointmentForm {
    /// Number, name or kana, or a part of them.
    pub person: String,
    /// Number of whom was chosen from those that fit.
    pub pick: String,
    /// Role id.
    pub role: String,
    /// First day.
    pub from: String,
    /// Last day; empty for no end.
    pub until: String,
}

/// The page of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointPage {
    /// Roles that are held by appointment: id and title.
    pub roles: Vec<(String, String)>,
    /// Who is meant, where the number is known.
    pub name: String,
    /// Those whom what stands in the form fits, where it is not clear who is meant.
    pub offered: Vec<RefChoice>,
}

#[boxed]
impl Office {
    /// The page on which a role is proposed for somebody.
    ///
    /// # Errors
    /// Refused for others than importers.
    pub async fn appoint_page(&self, who: &Identity, person: &str) -> Result<AppointPage, AppError> {
        self.may_import_organization(who).await?;
        let (d, pack) = (self.directory().await?, self.pack());
        let appointed = pack.roles.values().filter(|r| r.held_by == HeldBy::Appointment);
        Ok(AppointPage {
            roles: appointed.map(|r| (r.id.clone(), r.title.clone())).collect(),
            name: d.person(person).map(|p| p.name.clone()).unwrap_or_default(),
            offered: d.offered(person, Some(self.clock.today())),
        })
    }

    /// Proposes a role for somebody. Nothing changes until somebody else confirms it, never who gains by it.
    ///
    /// # Errors
    /// Fields that cannot be taken; refused for others than importers.
    pub async fn propose_appointment(
        self: &Arc<Self>,
        who: &Identity,
        form: &AppointmentForm,
    ) -> Result<String, AppError> {
        self.may_import_organization(who).await?;
        self.proved(who)?;
        let (d, pack, today) = (self.directory().await?, self.pack(), self.clock.today());
        let mut wrong = Vec::new();
        let mut fault = |field: &str, message: &str| {
            wrong.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        };
        let meant = d.one_meant(&form.person, &form.pick, Some(today));
        let person = meant.as_deref().unwrap_or_default();
        let post = d.main_appointment(person, today);
        match (&meant, post) {
            (Err(says), _) => fault("person", says),
            (Ok(_), None) => fault(
                "person",
                "この人は、今日、どの職にも就いていません。職に就いている人を入力してください。",
            ),
            (Ok(_), Some(_)) => {}
        }
        if pack.roles.get(&form.role).is_none_or(|r| r.held_by != HeldBy::Appointment) {
            fault("role", "役割を選んでください。");
        }
        let from = Date::parse_japanese(&form.from).ok().filter(|day| *day >= today);
        if from.is_none() {
            fault("from", "今日か、これからの日を「R8.7.1」「2026/7/1」のように入力してください。");
        }
        let until = Some(form.until.as_str()).filter(|t| !t.is_empty()).map(Date::parse_japanese);
        let until = until.transpose().ok().filter(|until| until.is_none_or(|u| from.is_none_or(|f| f <= u)));
        if until.is_none() {
            fault("until", "最初の日より後の日にするか、空にしてください。");
        }
        let (Some(post), Some(from), Some(until), true) = (post, from, until, wrong.is_empty()) else {
            return Err(AppError::Invalid(wrong));
        };
        let text = |key: &str, value: &str| (key.to_owned(), Value::Text(value.to_owned()));
        let mut record: Record = [
            text("person", person),
            text("post", &post.post),
            text("main", "concurrent"),
            text("role", &form.role),
            text("from", &from.to_string()),
        ]
        .into_iter()
        .collect();
        record.extend(until.map(|u| text("until", &u.to_string())));
        let roles: Vec<(String, String)> =
            pack.roles.values().map(|r| (r.id.clone(), r.title.clone())).collect();
        let table = Table::new(&OrgSheet::Appointments.schema(&roles), [&record]);
        let bytes = write_xlsx(&[table], today).map_err(AppError::internal)?;
        let plan = self.plan_file(bytes.clone()).await?;
        if let Some(e) = plan.errors.first() {
            return Err(AppError::field("person", format!("{}：{}", e.column, e.message)));
        }
        let name = format!("任命 {} {}", d.person_name(person), role_title(&pack, &form.role));
        self.keep_proposal(&who.person, &name, bytes, &plan, None).await
    }
}

fn role_title(pack: &sekisho_pack::model::Pack, role: &str) -> String {
    pack.roles.get(role).map(|r| r.title.clone()).unwrap_or_default()
}
