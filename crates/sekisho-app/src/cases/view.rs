//! What the pages about cases show. Text is ready to be read; nothing here decides.

use schemars::JsonSchema;
use sekisho_base::{Date, Instant};
use sekisho_pack::model::{Pack, Procedure};
use serde::Serialize;

use std::collections::BTreeMap;

use crate::cases::bulk::BulkNotes;
use crate::news::News;
use crate::permits::PermitCode;
use crate::registers::{FieldView, Pair, RefChoice};

/// A task that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskLine {
    /// What may be decided about it together with others; only on the page of the inbox.
    pub bulk: Option<BulkChoice>,
    /// Case.
    pub case_id: String,
    /// What is to be done.
    pub title: String,
    /// Number of the case.
    pub number: String,
    /// Title of the case.
    pub case_title: String,
    /// Applicant's unit.
    pub section: String,
    /// Applicant.
    pub applicant: String,
    /// When it opened.
    pub opened: String,
    /// Due date, or empty.
    pub due: String,
    /// The same as ISO 8601, for programs.
    #[schemars(with = "Option<String>")]
    pub due_on: Option<Date>,
    /// Past its due date.
    pub late: bool,
    /// How long it has been waiting, where it has no due date; or empty.
    pub age: String,
}

/// An act that may be done for several cases at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BulkChoice {
    /// Case, step and hash of the content shown, as the form sends them back.
    pub value: String,
    /// The word on the button of the act.
    pub act: String,
    /// What is decided on.
    pub content: Vec<Pair>,
}

/// What became of one of several cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkResult {
    /// Case.
    pub case_id: String,
    /// Its number; empty when it is not seen.
    pub number: String,
    /// Its title.
    pub title: String,
    /// Why not; empty when it was done.
    pub message: String,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseLine {
    /// Id.
    pub id: String,
    /// Number.
    pub number: String,
    /// Title.
    pub title: String,
    /// Applicant's unit.
    pub section: String,
    /// Applicant.
    pub applicant: String,
    /// Stable code of the status.
    pub status_code: String,
    /// Status in Japanese.
    pub status: &'static str,
    /// Style class.
    pub status_class: &'static str,
    /// When it was applied for.
    pub opened: String,
    /// The same moment, UTC, for programs.
    #[schemars(with = "String")]
    pub opened_at: Instant,
    /// Earliest due date of an open step, or empty.
    pub due: String,
    /// The same as ISO 8601, for programs.
    #[schemars(with = "Option<String>")]
    pub due_on: Option<Date>,
    /// Past it.
    pub late: bool,
}

/// A procedure among 「何をしたいですか」.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wish {
    /// Procedure.
    pub procedure: String,
    /// Title.
    pub title: String,
    /// What people say when they need it.
    pub wishes: Vec<String>,
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DraftLine {
    /// Id.
    pub id: String,
    /// Procedure.
    pub procedure: String,
    /// Title of the procedure.
    pub title: String,
    /// When it was saved.
    pub updated: String,
}

/// The home page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Home {
    /// What to know besides the tasks.
    pub news: Vec<News>,
    /// Tasks, those due first.
    pub tasks: Vec<TaskLine>,
    /// Whether the inbox has more.
    pub more_tasks: bool,
    /// Procedures.
    pub wishes: Vec<Wish>,
    /// Drafts.
    pub drafts: Vec<DraftLine>,
    /// Own latest cases.
    pub cases: Vec<CaseLine>,
}

/// What a list of cases was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CasesQuery {
    /// Procedure, or empty.
    pub procedure: String,
    /// Words.
    pub q: String,
    /// Status code.
    pub status: String,
    /// Own applications only.
    pub mine: bool,
    /// Past a due date only.
    pub late: bool,
    /// Page from 1.
    pub page: i64,
}

/// A page of cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CasesList {
    /// Procedures to choose from.
    pub procedures: Vec<RefChoice>,
    /// Lines.
    pub rows: Vec<CaseLine>,
    /// Statuses to choose from.
    pub statuses: Vec<RefChoice>,
    /// How many there are.
    pub total: String,
    /// Page from 1.
    pub page: i64,
    /// Whether there is another.
    pub more: bool,
}

/// What opened a case that nobody applied for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CauseView {
    /// What it says.
    pub says: String,
    /// Page of the row, case or duty it is about, or empty.
    pub link: String,
    /// Whether it still lasts, or empty where nobody can tell.
    pub state: &'static str,
}

/// A post to apply from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PostChoice {
    /// Code.
    pub code: String,
    /// 「総務課 主事（本務）」.
    pub label: String,
}

/// Something to keep to, with the clause that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explained {
    /// What.
    pub says: String,
    /// Where it is written.
    pub clause: crate::clauses::ClauseLink,
}

impl Explained {
    /// What a clause asks.
    pub(super) fn of(says: String, clause: &str) -> Self {
        Self { says, clause: crate::clauses::ClauseLink::of(clause) }
    }

    /// What the clauses behind a procedure ask.
    pub(super) fn rules(pack: &Pack, procedure: &Procedure) -> Vec<Self> {
        let clause = |id: &String| pack.clauses.iter().find(|c| c.id == *id);
        let found = procedure.clauses.iter().filter_map(clause);
        found.map(|c| Self::of(c.says.clone(), &c.id)).collect()
    }
}

/// A step as the form tells what comes after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AheadLine {
    /// What is done.
    pub title: String,
    /// By whom, in words.
    pub who: String,
}

/// An item to be chosen or chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ItemLine {
    /// `register/row`.
    pub key: String,
    /// Name of the register.
    pub register: String,
    /// 管理番号.
    pub number: String,
    /// Name.
    pub title: String,
    /// Class for people.
    pub class: String,
    /// Safeguards to take.
    pub safeguards: Vec<Explained>,
    /// Why it may not be; empty when it may.
    pub prohibited: Vec<Explained>,
}

/// The part of a form where items are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ItemsPart {
    /// Field name.
    pub name: String,
    /// Label.
    pub label: String,
    /// Help.
    pub help: String,
    /// Must have one.
    pub required: bool,
    /// Chosen.
    pub chosen: Vec<ItemLine>,
    /// Whether a search was made.
    pub searched: bool,
    /// Its words.
    pub words: String,
    /// What it found; before a search, while nothing is chosen, the first things that there are.
    pub found: Vec<ItemLine>,
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormPart {
    /// One field.
    Field(FieldView),
    /// Items.
    Items(ItemsPart),
}

/// An application form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApplyForm {
    /// What comes after the application.
    pub ahead: Vec<AheadLine>,
    /// The clauses that ask for this procedure.
    pub rules: Vec<Explained>,
    /// Procedure.
    pub procedure: String,
    /// Title.
    pub title: String,
    /// Draft id, or empty.
    pub draft: String,
    /// Posts to apply from.
    pub posts: Vec<PostChoice>,
    /// Chosen post.
    pub post: String,
    /// Parts in form order.
    pub parts: Vec<FormPart>,
    /// Files attached so far.
    pub attachments: Vec<AttachmentLine>,
    /// The case and step from which somebody applies (`case/step`), or empty.
    pub parent: String,
    /// Number of that case.
    pub parent_number: String,
    /// Whether it leads to a permit.
    pub permit: bool,
    /// Marks this showing of the form, so that a second sending of the same is no second application.
    pub once: String,
}

/// A file of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AttachmentLine {
    /// Id.
    pub id: String,
    /// File name.
    pub name: String,
    /// Size for people.
    pub size: String,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// Where it is given out.
    pub link: String,
}

/// A case that belongs to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RelatedLine {
    /// Id.
    pub id: String,
    /// Number.
    pub number: String,
    /// How it belongs: 「この案件から申請」, 「もとの案件」.
    pub how: String,
    /// Where it stands, where that is known here.
    pub status: String,
}

/// What was typed into an application form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// Post applied from.
    pub post: String,
    /// Draft id, or empty.
    pub draft: String,
    /// Values by field name.
    pub values: BTreeMap<String, Vec<String>>,
}

impl Typed {
    /// First value of a field.
    #[must_use]
    pub fn first(&self, name: &str) -> &str {
        self.values.get(name).and_then(|v| v.first()).map(String::as_str).unwrap_or_default()
    }
}

/// What was sent to act on a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActInput {
    /// permit, refuse, send_back, perform …
    pub act: String,
    /// Step.
    pub step: String,
    /// Content hash that was shown.
    pub shown: String,
    /// Values by field name.
    pub values: BTreeMap<String, Vec<String>>,
}

impl ActInput {
    /// First value of a field.
    #[must_use]
    pub fn first(&self, name: &str) -> &str {
        self.values.get(name).and_then(|v| v.first()).map(|v| v.trim()).unwrap_or_default()
    }
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Button {
    /// What is sent.
    pub value: &'static str,
    /// What is read.
    pub label: String,
    /// primary, danger or nothing.
    pub class: &'static str,
}

/// What this person may do now on a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ActionView {
    /// Act of the first button, for forms without a button pressed.
    pub act: &'static str,
    /// Step.
    pub step: String,
    /// Content hash shown.
    pub shown: String,
    /// In which capacity, and what is special.
    pub note: String,
    /// Fields to fill.
    pub fields: Vec<FieldView>,
    /// Buttons.
    pub buttons: Vec<Button>,
    /// Where to apply for the case that this step opens: address and words.
    pub opens: Option<(String, String)>,
}

impl ActionView {
    /// Whether a file is asked for.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.fields.iter().any(|f| f.kind == "file")
    }
}

/// An item of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CaseItem {
    /// Page of the row.
    pub link: String,
    /// 管理番号.
    pub number: String,
    /// Name.
    pub title: String,
    /// Class.
    pub class: String,
    /// Safeguards.
    pub safeguards: Vec<String>,
    /// 許可、持出中、返却済 …
    pub status: String,
}

/// A movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MovementLine {
    /// When.
    pub at: String,
    /// 持出 or 返却.
    pub direction: &'static str,
    /// What.
    pub items: String,
    /// Who recorded it.
    pub by: String,
}

/// A permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PermitView {
    /// Number.
    pub number: String,
    /// Period.
    pub period: String,
    /// Who permitted.
    pub by: String,
    /// 有効、期限切れ、取消し、完了.
    pub state: String,
    /// Conditions.
    pub conditions: String,
    /// Movements.
    pub movements: Vec<MovementLine>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepLine {
    /// Title.
    pub title: String,
    /// Status in Japanese.
    pub status: String,
    /// Style class.
    pub class: &'static str,
    /// Who holds it.
    pub who: String,
    /// Due date.
    pub due: String,
}

/// Whether somebody may act now, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExplainLine {
    /// Who.
    pub who: String,
    /// Whether.
    pub may: bool,
    /// Why.
    pub why: String,
}

/// An act that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ActLine {
    /// What.
    pub title: String,
    /// Who.
    pub who: String,
    /// Capacity when it is not the own.
    pub capacity: String,
    /// When.
    pub at: String,
    /// The same moment, UTC, for programs.
    #[schemars(with = "String")]
    pub at_utc: Instant,
    /// Reason, conditions.
    pub note: String,
    /// Ledger entry.
    pub entry: String,
}

/// What a case is about, in three lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glance {
    /// The first of the things and how many more there are; empty where it is about none.
    pub what: String,
    /// The days it names, with their labels.
    pub when: String,
    /// Classes of the things.
    pub class: String,
}

/// A case's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CasePage {
    /// Id.
    pub id: String,
    /// Number.
    pub number: String,
    /// Title.
    pub title: String,
    /// Procedure's title.
    pub procedure: String,
    /// Stable code of the status.
    pub status_code: &'static str,
    /// Status in Japanese.
    pub status: &'static str,
    /// Style class.
    pub status_class: &'static str,
    /// Something to know before anything else.
    pub alert: String,
    /// What this person may do.
    pub actions: Vec<ActionView>,
    /// Applicant.
    pub applicant: String,
    /// When it was applied for.
    pub opened: String,
    /// Fields.
    pub fields: Vec<Pair>,
    /// Items.
    pub items: Vec<CaseItem>,
    /// Files.
    pub attachments: Vec<AttachmentLine>,
    /// Cases that belong to it.
    pub related: Vec<RelatedLine>,
    /// What opened it, when nobody applied.
    pub cause: Option<CauseView>,
    /// Whether the case itself is printed as a form; a permit has its own link.
    pub prints: bool,
    /// What a bulk change of classes leaves alone and touches.
    pub bulk: Option<BulkNotes>,
    /// Permit.
    pub permit: Option<PermitView>,
    /// The code that is checked without the server, while the permit is in force.
    pub code: Option<PermitCode>,
    /// Steps.
    pub steps: Vec<StepLine>,
    /// Who may act now, and why not the others.
    pub explain: Vec<ExplainLine>,
    /// What happened.
    pub acts: Vec<ActLine>,
    /// Who looked at it, for those who are told.
    pub looks: Option<crate::sight::Looks>,
    /// Clauses.
    pub clauses: Vec<crate::clauses::ClauseLink>,
    /// Where the person who applied applies anew with the same content; empty for everybody else.
    pub anew: String,
    /// What it is about. Programs read the fields themselves.
    #[serde(skip)]
    pub glance: Glance,
    /// Safeguards that hold for what it is about, with their clauses.
    #[serde(skip)]
    pub safeguards: Vec<Explained>,
    /// What the clauses behind the procedure ask.
    #[serde(skip)]
    pub rules: Vec<Explained>,
}
