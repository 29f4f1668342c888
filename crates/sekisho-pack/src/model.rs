//! The validated model of a pack: what the rest of Sekisho reads. Built only by the loader, which checks every
//! reference, so a reader may rely on ids being present and unique.

mod classes;
mod procedure;

use std::collections::BTreeMap;

use sekisho_base::calendar::Calendar;
use serde::{Deserialize, Serialize};

use crate::absence::AbsenceRule;
use crate::binding::Binding;
use crate::document::{Document, Notice};
use crate::duty::Duty;
use crate::expr::Expr;

pub use classes::Conversion;
pub use procedure::{
    Choice, Field, FieldType, OnAbsent, OnEmpty, OnRefusal, Period, PermitSpec, Procedure, Quorum, Step,
    StepKind, Write, WriteValue,
};

/// A whole pack: one body's standard as data, at one version.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Name, version and format of the pack (`pack.toml`).
    pub meta: PackMeta,
    /// SHA-256 (lower-case hex) over the sorted file list and contents: the key under which a version is stored.
    pub hash: String,
    /// Roles by id (`roles.toml`).
    pub roles: BTreeMap<String, Role>,
    /// Kinds of absence and which of them count (`[absence]` in `roles.toml`).
    pub absence: AbsenceRule,
    /// Axes and levels (`classification.toml`).
    pub classification: Classification,
    /// Clauses in document order (`clauses/*.toml`).
    pub clauses: Vec<Clause>,
    /// Procedures by id (`procedures/*.toml`).
    pub procedures: BTreeMap<String, Procedure>,
    /// Registers by id (`registers/*.toml`).
    pub registers: BTreeMap<String, Register>,
    /// Checks by id: written ones (`checks/*.toml`) and those derived from registers and procedures.
    pub checks: BTreeMap<String, Check>,
    /// Duties by id (`duties/*.toml`).
    pub duties: BTreeMap<String, Duty>,
    /// Documents that must exist, by id (`documents/*.toml`).
    pub documents: BTreeMap<String, Document>,
    /// Rules of conduct by id (`notices/*.toml`).
    pub notices: BTreeMap<String, Notice>,
    /// Titles of mechanisms that clauses name and nobody has built yet (`planned.toml`); empty in a pack without the file.
    pub planned: BTreeMap<MechanismRef, String>,
    /// What the clauses of the city's own standard are answered by (`bindings.toml`); empty until somebody confirmed it.
    pub bindings: Vec<Binding>,
    /// Closed days of the body (`calendar.toml`).
    pub calendar: Calendar,
    /// Typst sources by file stem (`forms/*.typ`).
    pub forms: BTreeMap<String, String>,
    /// Data tests (`tests/*.toml`).
    pub tests: Vec<PackTest>,
}

/// `pack.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackMeta {
    /// Machine name, `[a-z][a-z0-9-]*`.
    pub name: String,
    /// What people read.
    pub title: String,
    /// The pack's own version.
    pub version: String,
    /// Version of the pack format; this binary reads 1.
    pub format: u32,
    /// Name and version of the pack this one was made from.
    #[serde(default)]
    pub based_on: Option<String>,
}

/// Where a role applies, from narrow to wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One information system.
    System,
    /// 課室.
    Section,
    /// 部局.
    Department,
    /// The whole body.
    Body,
}

/// By which post a role is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// The head post of the unit the scope names (`"head of section"`, `"head of department"`).
    HeadOf(Scope),
    /// Posts with this title, in the anchor's own unit or the nearest one above it that has any, up to the unit of the
    /// role's scope (`"title 係長"`).
    Titled(String),
    /// The post with this code (`"post deputy_mayor"`).
    Post(String),
    /// Named by an appointment to the role itself (`"appointment"`).
    Appointment,
    /// Everybody with any appointment (`"everyone"`): staff.
    Everyone,
}

/// One role of the standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Identifier of `mechanisms.md`.
    pub id: String,
    /// Japanese name.
    pub title: String,
    /// Where it applies.
    pub scope: Scope,
    /// How it is held.
    pub held_by: HeldBy,
    /// Role that decides in its stead for a manager's own case and gets overdue steps.
    pub escalates_to: Option<String>,
    /// Ordered posts within the same unit that may act in absence (代決), by post code.
    pub deputies: Vec<String>,
    /// Roles that may not be held together with this one.
    pub not_with: Vec<String>,
    /// Whether a vacancy breaks the role's clauses.
    pub must_be_filled: bool,
    /// Sees the records of the whole body: runs, oversees or audits everything (`sees = "all"`).
    #[serde(default)]
    pub sees_all: bool,
    /// Sees cells of columns that hold personal data in whatever records it sees (`sees_personal = true`).
    #[serde(default)]
    pub sees_personal: bool,
}

/// `classification.toml`: axes such as confidentiality, each with ordered levels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Classification {
    /// Axes by id: `confidentiality`, `integrity`, `availability`.
    pub axes: BTreeMap<String, Axis>,
    /// Scheme in which classes are chosen from now on; none: every level that belongs to a scheme.
    #[serde(default)]
    pub scheme: Option<String>,
    /// Ways of changing the classes of many things, in order.
    #[serde(default)]
    pub conversions: Vec<Conversion>,
    /// Of which records every look is recorded: a condition as those of the handling rules; without one, of none.
    #[serde(default)]
    pub looks: Option<Expr>,
    /// Handling rules, in order; every rule whose condition holds contributes.
    pub handling: Vec<HandlingRule>,
}

/// One axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Japanese name (機密性).
    pub title: String,
    /// Levels, highest rank first.
    pub levels: Vec<Level>,
}

/// One level: comparisons use the rank, mixtures keep every code of the highest rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Code as stored: `3`, `3A`, `2`.
    pub code: String,
    /// Rank for comparisons; 3A, 3B and 3C share rank 3.
    pub rank: i64,
    /// Japanese name (機密性3).
    pub title: String,
    /// Schemes this level belongs to: `classic` (3/2/1), `2024` (3A/3B/3C/2/1).
    pub schemes: Vec<String>,
}

/// One rule of the handling decision (取扱判定).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandlingRule {
    /// Identifier.
    pub id: String,
    /// Acts it governs: copy, send, carry_out, provide, publish, process_outside, store, dispose.
    pub acts: Vec<String>,
    /// Condition over `class.*`, `zone`, `device`, `personal`; an error or a null makes the rule apply.
    pub when: Option<Expr>,
    /// What it says.
    pub effect: HandlingEffect,
    /// Text shown (a safeguard to take, a reason of a prohibition).
    pub says: String,
    /// Clause it comes from.
    pub clause: String,
}

/// Effects, from mild to strict; the strictest wins, safeguards add up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlingEffect {
    /// Allowed when this safeguard is taken.
    Safeguard,
    /// Needs a permit of this procedure.
    Permit(String),
    /// Prohibited.
    Prohibited,
}

/// One clause in our own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// Permanent id (`5.1.1.3.イ`).
    pub id: String,
    /// heading, definition, duty, prohibition, permission …
    pub kind: String,
    /// Role ids.
    pub actors: Vec<String>,
    /// Whether several actors act together (`all`) or either may (`any`).
    pub actor_mode: String,
    /// must, must_not, may, should, none.
    pub modality: String,
    /// Area 1–8 of 施行規則16条の3.
    pub area: u8,
    /// Short name of a heading or definition.
    pub title: Option<String>,
    /// The duty in our own words; empty for headings.
    pub says: String,
    /// Mechanisms bound to it.
    pub mechanisms: Vec<MechanismRef>,
}

/// The eight kinds of mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the definition, see mechanisms in ARCHITECTURE.md")]
pub enum MechanismKind {
    Role,
    Register,
    Procedure,
    Duty,
    Check,
    Gate,
    Document,
    Notice,
}

/// `kind:name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MechanismRef {
    /// Kind.
    pub kind: MechanismKind,
    /// Name within the kind.
    pub name: String,
}

/// Types of register columns: a closed list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// One line of text.
    Text,
    /// Several lines.
    LongText,
    /// Code: normalized (NFKC, trimmed).
    Code,
    /// Civil date.
    Date,
    /// Whole number.
    Integer,
    /// Yes or no.
    Bool,
    /// One of the column's choices.
    Choice,
    /// Level code of this axis.
    Class(String),
    /// A unit of the organization, by code.
    Unit,
    /// A post, by code.
    Post,
    /// A person, by staff number.
    Person,
    /// A row of another register, by its key.
    Ref(String),
}

/// One register (台帳): a table `r_<id>` with columns `c_<id>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// Identifier, `[a-z][a-z0-9_]{0,40}`.
    pub id: String,
    /// Japanese name.
    pub title: String,
    /// Column id that identifies a row to people (管理番号), unique in the register.
    pub key: String,
    /// Column id shown as a row's name.
    pub name: String,
    /// Column id of type `unit` that owns the row: decides visibility and `item.owner`.
    pub owner: String,
    /// Role that may write rows at the owner's scope.
    pub kept_by: String,
    /// Whether rows can be items of a case, and which handling class they have (axis → column).
    pub class: BTreeMap<String, String>,
    /// Column that names the row this one is a copy of, in the register it refers to: a copy never has a lower class.
    #[serde(default)]
    pub copy_of: Option<String>,
    /// Column of type `date` that takes the day on which a thing was found in a stocktaking (棚卸).
    #[serde(default)]
    pub confirmed_on: Option<String>,
    /// Role that manages a row as an item (`item.managed_by`); a role id.
    pub managed_by: Option<String>,
    /// Columns in order.
    pub columns: Vec<Column>,
}

impl Register {
    /// The column that names the original, and the register the original is in.
    #[must_use]
    pub fn original(&self) -> Option<(&str, &str)> {
        let column = self.columns.iter().find(|c| Some(&c.id) == self.copy_of.as_ref())?;
        if let ColumnType::Ref(register) = &column.kind { Some((&column.id, register)) } else { None }
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Identifier.
    pub id: String,
    /// Label.
    pub label: String,
    /// Help text.
    pub help: Option<String>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// May hold several values (child table).
    pub many: bool,
    /// Choices of a `choice` column.
    pub choices: Vec<Choice>,
    /// Must be filled.
    pub required: bool,
    /// Must be filled when this holds: derives `check:<register>_<column>_missing`.
    pub required_when: Option<Expr>,
    /// A date older than this is stale: derives `check:<register>_<column>_stale`.
    pub stale_after: Option<Period>,
    /// Shown in the list.
    pub list: bool,
    /// Holds personal data: shown only where needed.
    pub personal: bool,
}

/// A check: one query that returns the rows that break the clause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Identifier.
    pub id: String,
    /// Japanese name (返却期限を過ぎた持出).
    pub title: String,
    /// What to do about a row.
    pub remedy: String,
    /// How it is evaluated.
    pub rule: CheckRule,
    /// Whether it was generated from a register or procedure.
    pub derived: bool,
}

/// How a check is evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckRule {
    /// Register rows where `column` is empty although required.
    Required {
        /// Register id.
        register: String,
        /// Column id.
        column: String,
        /// Condition under which it is required; none: always.
        when: Option<Expr>,
    },
    /// Register rows whose date is empty or older than the interval.
    Stale {
        /// Register id.
        register: String,
        /// Column id.
        column: String,
        /// Interval.
        after: Period,
    },
    /// Open steps of a procedure past their due date.
    Overdue {
        /// Procedure id.
        procedure: String,
        /// Step id; none: any step.
        step: Option<String>,
    },
    /// Register rows for which this expression holds.
    Rows {
        /// Register id.
        register: String,
        /// Condition that breaks the clause.
        when: Expr,
    },
    /// Cases decided under an override of "the applicant never decides" and not yet post-reviewed.
    SelfApproval,
    /// Units, or the body, where the role has no holder today.
    Vacant {
        /// Role id.
        role: String,
    },
    /// One SELECT over the register and case views that returns `row_key`, `owner_unit`, `says`.
    Sql {
        /// The statement.
        select: String,
    },
}

/// A data test: this person, this act, this asset → this outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PackTest {
    /// File it stands in.
    pub file: String,
    /// Line of its header.
    pub line: usize,
    /// What it shows.
    pub name: String,
    /// The question.
    pub given: TestGiven,
    /// The outcome expected.
    pub expect: TestExpect,
}

/// The question of a data test, against a small built-in organization named in the test file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestGiven {
    /// Role the person holds, and whether in the applicant's own section.
    pub person: String,
    /// Procedure or handling act.
    pub act: String,
    /// Step decided, when a procedure.
    pub step: Option<String>,
    /// Item class by axis (code), zone, flags and application fields.
    pub facts: BTreeMap<String, serde_json::Value>,
}

/// The outcome of a data test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestExpect {
    /// `allowed`, `refused`, `safeguards`, `permit`, `prohibited`.
    pub outcome: String,
    /// Words the explanation must hold.
    pub says: Vec<String>,
}
