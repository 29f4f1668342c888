//! The facts that a form prints: the shape of `/data.json`.
//!
//! One shape for every procedure: what is particular to one (which fields, which columns, which records) comes as
//! rows with ids and labels from the pack, and the template picks by id. Every text is ready to be shown: dates and
//! instants are written as forms write them (`令和8年7月1日`, see `sekisho_base::Date::japanese`), choices by their
//! label. An empty text prints an empty place, never the word "none". Names keep every character.
//!
//! ```json
//! { "document_date": "2026-07-01", "body": "○○市", "title": "…", "number": "持出-R8-0001",
//!   "applicant": { "unit": "税務課", "title": "主任", "name": "髙橋 花子", "kana": "たかはし はなこ" },
//!   "fields": [ { "id": "purpose", "label": "目的", "value": "…" } ],
//!   "items": [ { "register": "電磁的記録媒体管理台帳", "key": "M-0001", "name": "…",
//!                "classes": [ { "axis": "confidentiality", "label": "機密性", "code": "3" } ],
//!                "fields": [ { "id": "quantity", "label": "数量", "value": "1個" } ] } ],
//!   "steps": [ { "id": "permit", "title": "許可", "role": "情報セキュリティ管理者", "stamp": true, "acts": [ … ] } ],
//!   "permit": { "from": "…", "until": "…", "blanket": false, "deciders": [ … ], "conditions": [ … ] },
//!   "safeguards": [ { "text": "…", "clauses": [ "第5章…" ] } ],
//!   "movements": [ … ], "records": [ … ], "ledger": { … }, "notices": [ … ] }
//! ```

use sekisho_base::Date;
use serde::{Deserialize, Serialize};

/// One case as a form prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormData {
    /// Date of the document: when the permit was given, before that when the application was made. Also the date in
    /// the PDF, so that the same case gives the same bytes.
    pub document_date: Date,
    /// The same date as shown.
    pub document_date_text: String,
    /// The body (市, 町村, 一部事務組合).
    pub body: String,
    /// 様式番号, where the pack or case gives one; otherwise the template's own.
    #[serde(default)]
    pub form_number: String,
    /// Title of the procedure.
    pub title: String,
    /// 年度 as shown (`令和8年度`).
    pub fiscal_year: String,
    /// Number of the permit, or of the case before there is a permit.
    #[serde(default)]
    pub number: String,
    /// Day of the application as shown.
    #[serde(default)]
    pub applied_on: String,
    /// Who applied, with the appointment chosen for it.
    pub applicant: Person,
    /// What the application says, in form order, without the items.
    pub fields: Vec<Field>,
    /// What the case is about.
    pub items: Vec<Item>,
    /// The steps of the route in order, done or not.
    pub steps: Vec<Step>,
    /// The permit; none before the decision or after a refusal.
    #[serde(default)]
    pub permit: Option<Permit>,
    /// What the handling decision asks for.
    #[serde(default)]
    pub safeguards: Vec<Safeguard>,
    /// What went out and came back.
    #[serde(default)]
    pub movements: Vec<Movement>,
    /// Evidence of later steps, a table each (返却記録 …).
    #[serde(default)]
    pub records: Vec<RecordTable>,
    /// Where the ledger proves the decision.
    #[serde(default)]
    pub ledger: Option<Ledger>,
    /// What a reader must know first (`この許可は令和8年8月1日に取り消されました。`).
    #[serde(default)]
    pub notices: Vec<String>,
    /// When and by whom it was printed, as shown; empty for the copy kept with the case.
    #[serde(default)]
    pub printed: String,
}

/// A person as a document names one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// 所属.
    pub unit: String,
    /// 職.
    pub title: String,
    /// 氏名, every character as registered.
    pub name: String,
    /// ふりがな.
    #[serde(default)]
    pub kana: String,
}

/// A labelled value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Id in the pack.
    pub id: String,
    /// Label in the pack.
    pub label: String,
    /// Value as shown; may hold line breaks.
    pub value: String,
}

/// One thing the case is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Title of the register it stands in; empty when in none.
    #[serde(default)]
    pub register: String,
    /// 管理番号.
    #[serde(default)]
    pub key: String,
    /// 名称.
    pub name: String,
    /// Its classes as they were when decided, an axis each.
    #[serde(default)]
    pub classes: Vec<AxisClass>,
    /// What else the case or register says of it.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// Class on one axis.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AxisClass {
    /// Id of the axis.
    pub axis: String,
    /// 機密性 …
    pub label: String,
    /// The code (`3`, `3A`).
    pub code: String,
}

/// One step of the route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Id in the pack.
    pub id: String,
    /// Title in the pack.
    pub title: String,
    /// Who acts, as a role or post (`情報セキュリティ管理者`).
    pub role: String,
    /// Has a place in the 決裁欄.
    pub stamp: bool,
    /// What was done, in order; empty while it waits.
    #[serde(default)]
    pub acts: Vec<Act>,
}

/// What one person did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// 許可, 差戻し, 確認 …
    pub result: String,
    /// Who.
    pub person: Person,
    /// The role acted in; of several, joined by `・`.
    pub role: String,
    /// 本人, 専決, 代決, 職務代理, 後閲.
    pub capacity: String,
    /// Beside the name in the 決裁欄: `代`, `専`, `後`; empty for the holder in person.
    #[serde(default)]
    pub mark: String,
    /// Day as the 決裁欄 shows it (`8.7.1`).
    pub day: String,
    /// Day and time as shown.
    pub at: String,
    /// Reason or remark.
    #[serde(default)]
    pub note: String,
}

/// What was permitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// Day of the decision as shown.
    pub decided_on: String,
    /// First day as shown.
    pub from: String,
    /// Last day as shown.
    pub until: String,
    /// 包括許可: covers repeated movements in the period.
    pub blanket: bool,
    /// Who permitted; several where several had to.
    pub deciders: Vec<Act>,
    /// Conditions.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// The code that guards check, as SVG; empty where there is none.
    #[serde(default)]
    pub qr: String,
}

/// One thing to be kept to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Safeguard {
    /// What to do.
    pub text: String,
    /// Citations of the clauses it rests on.
    #[serde(default)]
    pub clauses: Vec<String>,
}

/// One movement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// 持出 or 返却, as the pack calls it.
    pub direction: String,
    /// Day and time as shown.
    pub at: String,
    /// 管理番号 of what moved; empty means all items.
    #[serde(default)]
    pub items: Vec<String>,
    /// Name of who moved it.
    pub person: String,
    /// Remark.
    #[serde(default)]
    pub note: String,
}

/// A table of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordTable {
    /// Id of the step.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Rows, a text for each column; none yet prints lines to fill in by hand.
    pub rows: Vec<Vec<String>>,
}

/// A column of a [`RecordTable`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Id in the pack.
    pub id: String,
    /// Heading.
    pub label: String,
}

/// The ledger entry of the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Origin line of the log's checkpoints.
    pub origin: String,
    /// Id of the entry.
    pub entry: String,
    /// Place in the tree; none until sequenced.
    pub leaf_index: Option<u64>,
    /// Size of the tree at the checkpoint that first covers it.
    pub tree_size: Option<u64>,
    /// Root hash of that checkpoint, base64.
    #[serde(default)]
    pub root_hash: String,
}
