//! Documents that must exist (文書): what was decided, reviewed or withdrawn, by whom and when, with the hash of the file or the place where it
//! is kept. The file itself is not stored: it is read to take its SHA-256.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::{Date, limits};
use sekisho_boxed::boxed;
use sekisho_case::state::ClauseState;
use sekisho_pack::document::{Document, Readers};
use sekisho_pack::duty::{after, period_japanese};
use sekisho_pack::model::{MechanismKind, Pack};
use sekisho_store::document::{self, VersionRow};
use sekisho_store::ledger;
use serde::Serialize;
use serde_json::json;

use crate::clauses::{ClauseLink, state_words};
use crate::duties::clauses_of;
use crate::error::{AppError, FieldError};
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::record::record;
use crate::registers::{FieldView, Pair};

/// Reviewed within so many days is soon (注意).
const SOON_DAYS: i64 = 30;

/// A document in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DocumentLine {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Who decides it.
    pub decided_by: String,
    /// Version, or empty.
    pub version: String,
    /// Day by which it is to be reviewed, or empty.
    pub next_review: String,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
}

/// One entry of a document's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VersionLine {
    /// 決定, 見直し, 廃止.
    pub kind: &'static str,
    /// Version.
    pub version: String,
    /// Day.
    pub on: String,
    /// Who decided.
    pub by: String,
    /// Where it is, with the file's hash; empty for whoever may not read it.
    pub place: String,
    /// Remarks.
    pub note: String,
    /// Who recorded it and when.
    pub recorded: String,
    /// Ledger entry.
    pub entry: String,
}

/// A document's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DocumentPage {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it must say.
    pub says: String,
    /// Who decides it, who keeps it, how often it is reviewed, who reads it.
    pub facts: Vec<Pair>,
    /// State in Japanese.
    pub state: &'static str,
    /// Style class.
    pub class: &'static str,
    /// Why.
    pub reason: String,
    /// History, the newest first.
    pub history: Vec<VersionLine>,
    /// Whether this person may read where it is.
    pub reads: bool,
    /// Whether this person records it.
    pub may: bool,
    /// Fields of the form.
    pub fields: Vec<FieldView>,
    /// Clauses it supports.
    pub clauses: Vec<ClauseLink>,
}

/// What was sent to record a document.
#[derive(Debug, Clone, Default)]
pub struct DocumentInput {
    /// decided, reviewed, withdrawn.
    pub kind: String,
    /// Values by field name.
    pub values: BTreeMap<String, String>,
    /// Name and bytes of a file.
    pub file: Option<(String, Vec<u8>)>,
}

/// State and reason of a document from the last thing recorded about it.
pub(crate) fn state_of(last: Option<&VersionRow>, day: Date, past: bool) -> (ClauseState, String) {
    let Some(v) = last else { return (ClauseState::Unknown, "まだ記録されていません".to_owned()) };
    if v.kind == "withdrawn" {
        return (ClauseState::Broken, format!("{}に廃止されています", v.decided_on.japanese()));
    }
    if v.next_review < day {
        return (ClauseState::Broken, format!("見直しの期限（{}）を過ぎています", v.next_review.wareki()));
    }
    if v.in_force_on > day {
        return (ClauseState::Due, format!("{}から施行されます", v.in_force_on.japanese()));
    }
    if v.next_review <= day.plus_days(SOON_DAYS) && !past {
        return (ClauseState::Due, format!("まもなく見直しの期限（{}）です", v.next_review.wareki()));
    }
    (ClauseState::Met, format!("{}版、次の見直しは{}まで", v.version, v.next_review.japanese()))
}

fn role_title(pack: &Pack, id: &str) -> String {
    pack.roles.get(id).map_or_else(|| id.to_owned(), |r| r.title.clone())
}

fn holds(me: &Me, role: &str) -> bool {
    me.roles().iter().any(|r| r.role == role)
}

fn reads(me: &Me, d: &Document) -> bool {
    match &d.readers {
        Readers::Public | Readers::Staff => true,
        Readers::Roles(roles) => roles.iter().chain([&d.decided_by, &d.kept_by]).any(|role| holds(me, role)),
    }
}

fn kind_words(kind: &str) -> &'static str {
    match kind {
        "decided" => "決定",
        "reviewed" => "見直し（変更なし）",
        _ => "廃止",
    }
}

fn field(name: &str, label: &str, help: &str, kind: &'static str, required: bool, value: &str) -> FieldView {
    FieldView {
        name: name.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        kind,
        required,
        value: value.to_owned(),
        choices: vec![],
    }
}

fn form(d: &Document, pack: &Pack, typed: Option<&DocumentInput>) -> Vec<FieldView> {
    let value = |name: &str, otherwise: &str| {
        typed.map_or(otherwise, |t| t.values.get(name).map(String::as_str).unwrap_or_default()).to_owned()
    };
    let date = "例：R8.7.1、令和8年7月1日、2026/7/1";
    let decider = role_title(pack, &d.decided_by);
    vec![
        field(
            "version",
            "版",
            "文書に書いてある版。例：第3版、2026年4月改定",
            "text",
            true,
            &value("version", ""),
        ),
        field("decided_on", "決定した日", date, "date", true, &value("decided_on", "")),
        field("decided_by", "決定した者", "", "text", true, &value("decided_by", &decider)),
        field("in_force_on", "施行する日", date, "date", true, &value("in_force_on", "")),
        field(
            "place",
            "置き場所",
            "ファイルサーバのフォルダー、書架など。下でファイルを選ぶときは書かなくてもかまいません。",
            "text",
            false,
            &value("place", ""),
        ),
        field(
            "note",
            "備考",
            "見直して変えないとき、廃止するときは、その理由を必ず書きます。",
            "long_text",
            false,
            &value("note", ""),
        ),
    ]
}

#[boxed]
impl Office {
    async fn present_documents(&self) -> Result<BTreeMap<String, VersionRow>, AppError> {
        let now = self.clock.now();
        let rows = self
            .store
            .read(move |c| Box::pin(async move { document::present(c, now).await.map_err(AppError::from) }))
            .await?;
        Ok(rows.into_iter().map(|v| (v.document.clone(), v)).collect())
    }

    /// Every document of the pack with its state.
    ///
    /// # Errors
    /// The database failed.
    pub async fn documents(&self, who: &Identity) -> Result<Vec<DocumentLine>, AppError> {
        self.me(who).await?;
        let present = self.present_documents().await?;
        let (pack, today) = (self.pack(), self.clock.today());
        let line = |d: &Document| {
            let last = present.get(&d.id);
            let (state, reason) = state_of(last, today, false);
            let (class, label) = state_words(state);
            DocumentLine {
                id: d.id.clone(),
                title: d.title.clone(),
                decided_by: role_title(&pack, &d.decided_by),
                version: last.map(|v| v.version.clone()).unwrap_or_default(),
                next_review: last.map(|v| v.next_review.short()).unwrap_or_default(),
                state: label,
                class,
                reason,
            }
        };
        Ok(pack.documents.values().map(line).collect())
    }

    /// One document.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn document(
        &self,
        who: &Identity,
        id: &str,
        typed: Option<&DocumentInput>,
    ) -> Result<DocumentPage, AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let d = pack.documents.get(id).ok_or(AppError::NotFound)?;
        let key = id.to_owned();
        let history = self
            .store
            .read(move |c| Box::pin(async move { document::history(c, &key).await.map_err(AppError::from) }))
            .await?;
        let directory = Arc::clone(me.directory());
        let (state, reason) = state_of(history.first(), self.clock.today(), false);
        let (class, label) = state_words(state);
        let (may, reads) = (holds(&me, &d.kept_by), reads(&me, d));
        let pair = |label: &str, value: String| Pair { label: label.to_owned(), value };
        let readers = match &d.readers {
            Readers::Public => "誰でも".to_owned(),
            Readers::Staff => "職員".to_owned(),
            Readers::Roles(list) => list.iter().map(|r| role_title(&pack, r)).collect::<Vec<_>>().join("、"),
        };
        let line = |v: VersionRow| VersionLine {
            kind: kind_words(&v.kind),
            on: v.decided_on.short(),
            by: v.decided_by,
            place: match (reads, v.sha256.is_empty()) {
                (false, _) => String::new(),
                (true, true) => v.place,
                (true, false) => {
                    format!("{} {}（SHA-256 {}）", v.place, v.file_name, v.sha256).trim().to_owned()
                }
            },
            note: v.note,
            recorded: format!("{} {}", v.recorded_at.short(), directory.person_name(&v.recorded_by)),
            version: v.version,
            entry: v.entry,
        };
        Ok(DocumentPage {
            id: d.id.clone(),
            title: d.title.clone(),
            says: d.says.clone(),
            facts: vec![
                pair("決定する者", role_title(&pack, &d.decided_by)),
                pair("記録する者", role_title(&pack, &d.kept_by)),
                pair("見直しの間隔", period_japanese(d.review)),
                pair("読む人", readers),
            ],
            state: label,
            class,
            reason,
            history: history.into_iter().map(line).collect(),
            reads,
            may,
            fields: if may { form(d, &pack, typed) } else { vec![] },
            clauses: clauses_of(&pack, MechanismKind::Document, id),
        })
    }

    /// Records a decision, a review without change, or a withdrawal.
    ///
    /// # Errors
    /// Fields that were not accepted, or a refusal that names who records it.
    pub async fn record_document(
        self: &Arc<Self>,
        who: &Identity,
        id: &str,
        input: DocumentInput,
    ) -> Result<(), AppError> {
        let me = self.me(who).await?;
        let pack = self.pack();
        let d = pack.documents.get(id).ok_or(AppError::NotFound)?;
        if !holds(&me, &d.kept_by) {
            return Err(AppError::refused(
                "M001",
                format!("「{}」を記録するのは{}です。", d.title, role_title(&pack, &d.kept_by)),
            ));
        }
        let now = self.clock.now();
        let checked = Checked::of(&input, now.date())?;
        let next_review = after(&pack.calendar, checked.decided_on, d.review);
        let file = match input.file {
            Some((name, bytes)) if input.kind == "decided" => {
                Some((sekisho_base::text::shorten(&name, limits::LINE_CHARS), hex(&sha256(&bytes))))
            }
            _ => None,
        };
        let (office, person, document_id) = (Arc::clone(self), me.person.clone(), id.to_owned());
        let (row_id, seal) = (self.new_id()?, self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let last = document::history(c, &document_id).await?.into_iter().next();
                    let kept = last.clone().filter(|v| v.kind != "withdrawn");
                    let mut row = VersionRow {
                        id: row_id.to_string(),
                        document: document_id,
                        seq: last.map_or(1, |v| v.seq + 1),
                        kind: input.kind.clone(),
                        version: checked.version,
                        decided_on: checked.decided_on,
                        decided_by: checked.decided_by,
                        in_force_on: checked.in_force_on,
                        place: checked.place,
                        file_name: String::new(),
                        sha256: String::new(),
                        next_review,
                        note: checked.note,
                        recorded_by: person,
                        recorded_at: now,
                        entry: String::new(),
                    };
                    if let Some((name, hash)) = file {
                        (row.file_name, row.sha256) = (name, hash);
                    }
                    if input.kind != "decided" {
                        let Some(kept) = kept else {
                            return Err(AppError::refused("M002", "まだ決定が記録されていないため、見直しや廃止は記録できません。"));
                        };
                        (row.version, row.in_force_on) = (kept.version, kept.in_force_on);
                        (row.place, row.file_name, row.sha256) = (kept.place, kept.file_name, kept.sha256);
                        if input.kind == "withdrawn" {
                            row.next_review = kept.next_review;
                        }
                    }
                    let payload = json!({
                        "document": row.document, "seq": row.seq, "kind": row.kind, "version": row.version, "decided_on": row.decided_on,
                        "decided_by": row.decided_by, "in_force_on": row.in_force_on, "place": row.place, "file": row.file_name,
                        "sha256": row.sha256, "next_review": row.next_review, "note": row.note, "by": row.recorded_by, "at": now,
                    });
                    row.entry = record(c, seal, &ledger::stream_id(row_id), "document.recorded", &payload, office.clock.now()).await?;
                    document::add(c, &row).await.map_err(AppError::from)
                })
            })
            .await
    }
}

/// A form that may be recorded.
struct Checked {
    version: String,
    decided_on: Date,
    decided_by: String,
    in_force_on: Date,
    place: String,
    note: String,
}

impl Checked {
    fn of(input: &DocumentInput, today: Date) -> Result<Self, AppError> {
        let text = |name: &str| input.values.get(name).map(|v| v.trim().to_owned()).unwrap_or_default();
        let mut errors: Vec<FieldError> = Vec::new();
        let mut fault = |field: &str, message: &str| {
            errors.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        };
        let decided = input.kind == "decided";
        if !decided && !matches!(input.kind.as_str(), "reviewed" | "withdrawn") {
            return Err(AppError::refused(
                "M003",
                "何を記録するかが分かりません。画面を開き直してください。",
            ));
        }
        let (version, decided_by, place, note) =
            (text("version"), text("decided_by"), text("place"), text("note"));
        if decided && version.is_empty() {
            fault("version", "版を入力してください。");
        }
        if decided_by.is_empty() {
            fault("decided_by", "決定した者を入力してください。");
        }
        for (name, value) in [("version", &version), ("decided_by", &decided_by), ("place", &place)] {
            if value.chars().count() > limits::LINE_CHARS || value.contains('\n') {
                fault(name, &format!("1行、{}文字以内で入力してください。", limits::LINE_CHARS));
            }
        }
        if note.chars().count() > limits::TEXT_CHARS {
            fault("note", &format!("{}文字以内で入力してください。", limits::TEXT_CHARS));
        }
        if decided && place.is_empty() && input.file.is_none() {
            fault("place", "置き場所を入力するか、ファイルを選んでください。");
        }
        if !decided && note.is_empty() {
            fault("note", "見直して変えない理由、又は廃止する理由を入力してください。");
        }
        let decided_on = Date::parse_japanese(&text("decided_on"));
        match &decided_on {
            Err(e) => fault("decided_on", &e.to_string()),
            Ok(day) if *day > today => {
                fault("decided_on", "決定した日には、今日かそれより前の日を入れてください。")
            }
            Ok(_) => {}
        }
        let in_force_on =
            if decided { Date::parse_japanese(&text("in_force_on")) } else { decided_on.clone() };
        if let (true, Err(e)) = (decided, &in_force_on) {
            fault("in_force_on", &e.to_string());
        }
        match (decided_on, in_force_on) {
            (Ok(decided_on), Ok(in_force_on)) if errors.is_empty() => {
                Ok(Self { version, decided_on, decided_by, in_force_on, place, note })
            }
            _ => Err(AppError::Invalid(errors)),
        }
    }
}
