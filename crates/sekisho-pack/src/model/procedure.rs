//! Procedures: fields, steps, permits.

use std::collections::BTreeMap;

use sekisho_base::limits;
use serde::{Deserialize, Serialize};

use super::{Column, ColumnType, Register};
use crate::by::By;
use crate::expr::Expr;

/// One procedure (案件の型).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Procedure {
    /// Identifier.
    pub id: String,
    /// Japanese name (情報資産等の持出).
    pub title: String,
    /// What a person wants when looking for this form (例: 「USBやパソコンを庁外へ持ち出したい」).
    pub wish: Vec<String>,
    /// Name of the printed register of its cases (情報資産持出等管理簿).
    pub register: Option<String>,
    /// Number pattern: `{年度}` is the fiscal year as `R8`, `{seq:04}` the yearly sequence.
    pub number: String,
    /// Clauses the case satisfies.
    pub clauses: Vec<String>,
    /// Act given to the handling decision; fills safeguards and prohibitions of each item.
    pub handling: Option<String>,
    /// Fields of the application, in form order.
    pub fields: Vec<Field>,
    /// Steps after the application, in order.
    pub steps: Vec<Step>,
    /// The permit the case results in.
    pub permit: Option<PermitSpec>,
    /// Stem of the printed form in `forms/`.
    pub form: Option<String>,
    /// What opens a case of this procedure without an applicant: `check:<id>`, `duty:<id>`, `import:org`. People apply
    /// for such a procedure only where `apply_by` says who.
    #[serde(default)]
    pub opened_by: Vec<String>,
    /// How long what opens a case is left to be put right without one.
    #[serde(default)]
    pub opened_after: Option<Period>,
    /// Who may apply; none: everybody in office.
    #[serde(default)]
    pub apply_by: Option<By>,
    /// Who else is told of what was decided, beside the applicant.
    #[serde(default)]
    pub tells: Option<By>,
    /// Runs only when something happens: a time without cases says nothing about the clause.
    #[serde(default)]
    pub event: bool,
}

impl Procedure {
    /// Whether people apply for it; what something else opens they do only where the pack says who.
    #[must_use]
    pub fn applied_for(&self) -> bool {
        self.opened_by.is_empty() || self.apply_by.is_some()
    }

    /// Fields that ask for a new class of the items, by the column they are written to: such a case is a bulk change
    /// (一括分類変更) and has a dry run.
    pub fn class_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.steps.iter().flat_map(|s| &s.writes).filter_map(|w| match &w.value {
            WriteValue::Field(field) => Some((w.column.as_str(), field.as_str())),
            WriteValue::Text(_) => None,
        })
    }

    /// Whether cases of it are bulk changes of classes.
    #[must_use]
    pub fn changes_classes(&self) -> bool {
        self.class_fields().next().is_some()
    }

    /// How many items one case may be about.
    #[must_use]
    pub fn most_items(&self) -> usize {
        if self.changes_classes() { limits::BULK_ITEMS } else { limits::CASE_ITEMS }
    }
}

/// A field of a form or of a step's evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Identifier, `[a-z][a-z0-9_]{0,40}`.
    pub id: String,
    /// Label.
    pub label: String,
    /// Help beside the field.
    pub help: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Always required.
    pub required: bool,
    /// Required when this holds (error or null: required).
    pub required_when: Option<Expr>,
    /// Must hold for the value to be accepted; evaluated only when the field has a value.
    pub limit: Option<Expr>,
    /// What to say when `limit` does not hold.
    pub limit_says: Option<String>,
    /// Choices of a `choice` field.
    pub choices: Vec<Choice>,
    /// Holds personal data: shown only to those who take part in the case and to roles that see personal data.
    #[serde(default)]
    pub personal: bool,
}

impl Field {
    /// What conditions read of the row that a `row` field names: dates, choices, numbers and truth values of its register,
    /// as fields `<field>.<column>`. Nothing for other fields.
    #[must_use]
    pub fn row_facts(&self, registers: &BTreeMap<String, Register>) -> Vec<Field> {
        let FieldType::Row(id) = &self.kind else { return vec![] };
        registers.get(id).map(|r| r.facts_for(&self.id, &self.label)).unwrap_or_default()
    }
}

impl Register {
    /// What conditions read of a row of this register that the field with this id and label names.
    pub(crate) fn facts_for(&self, field: &str, label: &str) -> Vec<Field> {
        let fact = |c: &Column| {
            let kind = match c.kind {
                ColumnType::Date => FieldType::Date,
                ColumnType::Integer => FieldType::Integer,
                ColumnType::Bool => FieldType::Bool,
                ColumnType::Choice => FieldType::Choice,
                _ => return None,
            };
            Some(Field {
                id: format!("{field}.{}", c.id),
                label: format!("{label}の{}", c.label),
                help: None,
                kind,
                required: false,
                required_when: None,
                limit: None,
                limit_says: None,
                choices: c.choices.clone(),
                personal: c.personal,
            })
        };
        self.columns.iter().filter(|c| !c.many).filter_map(fact).collect()
    }
}

/// Types of fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// Civil date in Asia/Tokyo.
    Date,
    /// Whole number.
    Integer,
    /// Yes or no.
    Bool,
    /// One of `choices`.
    Choice,
    /// Rows of these registers (asset, media, device, software).
    Items(Vec<String>),
    /// One row of this register, by its key: the meeting of a resolution, say.
    Row(String),
    /// Clause ids of the pack: those an exception is asked from.
    Clauses,
    /// A file, kept with the case: SHA-256 in hexadecimal, a space, and its name.
    File,
}

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Stored code.
    pub code: String,
    /// Shown label.
    pub label: String,
}

/// Kinds of step (design §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// 協議: must be asked and answered, does not bind.
    Consult,
    /// 許可・承認.
    Permit,
    /// 審査.
    Review,
    /// 確認.
    Confirm,
    /// 報告.
    Report,
    /// 指示.
    Instruct,
    /// 実施.
    Perform,
    /// 委員会議決.
    Resolve,
    /// 供覧.
    Inform,
}

/// What absence of the holder means for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnAbsent {
    /// Wait for the holder.
    Wait,
    /// 代決 by ordered deputies of the role (final decider only).
    Daiketsu,
    /// Passed over, reads afterwards (後閲); intermediate steps only.
    PostReview,
}

/// What an empty post means: never a silent skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnEmpty {
    /// The case waits and says so.
    Block,
    /// The role it escalates to decides.
    Escalate,
}

/// A length of time for deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Wall-clock hours.
    Hours(u32),
    /// Calendar days.
    Days(u32),
    /// Business days of the calendar; the first day is not counted.
    BusinessDays(u32),
    /// Calendar months.
    Months(u32),
}

/// What a refusal means for the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRefusal {
    /// It ends.
    #[default]
    End,
    /// It goes on without permit: what was begun has to be stopped.
    GoOn,
}

/// A value that a step writes into a column of the items' rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Column id; every register the items may come from has it.
    pub column: String,
    /// What is written.
    pub value: WriteValue,
    /// Items field whose rows are meant; none: all items.
    #[serde(default)]
    pub field: Option<String>,
}

/// What a step writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteValue {
    /// This value, as stored; `today` for a date, `number` for the number of the case.
    Text(String),
    /// The class that this field of the application asks for: a level, or what a conversion makes of the row's own.
    Field(String),
}

/// How many of a role's holders must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// One of them.
    #[default]
    One,
    /// Every seat.
    All,
    /// This many persons.
    AtLeast(u32),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Identifier.
    pub id: String,
    /// Japanese name (許可, 返却).
    pub title: String,
    /// Kind.
    pub kind: StepKind,
    /// Items field over which the step is held item by item; given together where the holder is the same.
    pub each: Option<String>,
    /// Who acts.
    pub by: By,
    /// Applies when this holds (error or null: applies).
    pub when: Option<Expr>,
    /// Deadline after opening.
    pub within: Option<Period>,
    /// Date that is the deadline: a field of the application, or evidence of an earlier step.
    pub due: Option<String>,
    /// Absence.
    pub on_absent: OnAbsent,
    /// Vacancy.
    pub on_empty: OnEmpty,
    /// How many holders must act.
    #[serde(default)]
    pub quorum: Quorum,
    /// Role whose decision it is, given to the holder for good by the body's rules (専決); recorded with every act.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// When this holds (important, exceptional, disputed), 代決 needs a reason: instructed beforehand, or urgent. An
    /// error or a null makes it hold.
    #[serde(default)]
    pub no_daiketsu_when: Option<Expr>,
    /// Done again after each such period while the permit runs.
    #[serde(default)]
    pub every: Option<Period>,
    /// Procedure whose case this step opens and waits for.
    #[serde(default)]
    pub opens: Option<String>,
    /// What a refusal means.
    #[serde(default)]
    pub on_refusal: OnRefusal,
    /// What it writes into the rows of its items when it is done.
    #[serde(default)]
    pub writes: Vec<Write>,
    /// Several cases may be decided at once at it from the inbox; each is one act with its own content.
    #[serde(default)]
    pub bulk: bool,
    /// Fields filled by the one who acts.
    pub evidence: Vec<Field>,
}

/// What kind of permit a procedure gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermitSpec {
    /// Title on the permit.
    pub title: String,
    /// Date field from which it is valid.
    pub from: String,
    /// Date field until which it is valid; never past the fiscal year's end when `within_fiscal_year`.
    pub until: String,
    /// Ends with the fiscal year at the latest.
    pub within_fiscal_year: bool,
    /// Bool field that makes it cover many movements in the period (包括許可).
    pub blanket: Option<String>,
    /// Whether things go out and come in under it.
    #[serde(default = "yes")]
    pub movements: bool,
    /// Step in which everything that is out comes back; none: any `perform` step.
    #[serde(default)]
    pub returned_by: Option<String>,
    /// Field of type `clauses` from which the permit excepts the applicant's section while it is valid.
    #[serde(default)]
    pub excepts: Option<String>,
}

fn yes() -> bool {
    true
}
