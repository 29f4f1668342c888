//! The page 証跡: what a checkpoint is, the newest one, who else signed it, how the last review went, the latest entries; and
//! one entry with its proof.

use std::sync::Arc;

use schemars::JsonSchema;
use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_ledger::LogKey;
use sekisho_store::ledger::witness::{self as kept, ReviewRow, WitnessRow};
use sekisho_store::ledger::{self, CheckpointRow, EntryRow};
use sekisho_store::{case, duty, register, setting};
use serde::Serialize;

use super::{VKEY, cosigned, heartbeat, kind_label, proving, with_cosignatures};
use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::people::Me;
use crate::registers::table_spec;

/// One line of the ledger page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EntryLine {
    /// Id.
    pub id: String,
    /// Place in the tree.
    pub leaf_index: i64,
    /// What happened, in Japanese.
    pub kind: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Instant,
    /// Commitment, hexadecimal.
    pub commitment: String,
}

/// The ledger page.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LedgerView {
    /// Latest signed head.
    #[serde(skip)]
    pub head: Option<CheckpointRow>,
    /// Its text with every signature.
    pub note: String,
    /// Its short form to be read aloud.
    pub spoken: String,
    /// The witnesses.
    pub witnesses: Vec<WitnessLine>,
    /// The newest checkpoint that some witness signed, where it is not the latest.
    pub cosigned: Option<String>,
    /// When the heart beat last.
    #[schemars(with = "Option<String>")]
    pub heartbeat: Option<Instant>,
    /// The latest review of rows against entries.
    pub review: Option<Review>,
    /// Public key line.
    pub vkey: String,
    /// Entries waiting for their place.
    pub waiting: i64,
    /// Latest entries.
    pub entries: Vec<EntryLine>,
    /// Where the next older page begins.
    pub older: Option<i64>,
}

/// How a witness stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WitnessLine {
    /// Name.
    pub name: String,
    /// Public key line.
    pub vkey: String,
    /// Entries under the checkpoint it signed last; 0 when none.
    pub size: i64,
    /// When it signed last.
    #[schemars(with = "Option<String>")]
    pub at: Option<Instant>,
    /// What keeps it from signing; empty when nothing does.
    pub trouble: String,
    /// Since when.
    #[schemars(with = "Option<String>")]
    pub since: Option<Instant>,
    /// Whether it says that this log was set back or rewritten.
    pub alarm: bool,
}

/// The outcome of a review in lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Review {
    /// When.
    #[schemars(with = "String")]
    pub at: Instant,
    /// Whether everything agreed.
    pub sound: bool,
    /// Whether it says more than that.
    pub notes: bool,
    /// Lines.
    pub lines: Vec<String>,
}

/// An entry's page.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EntryView {
    /// The line.
    pub line: EntryLine,
    /// Stream and number in it.
    pub stream: String,
    /// Number in the stream.
    pub seq: i64,
    /// What was recorded, for those who may see the whole body's records.
    pub payload: Option<String>,
    /// Salt, likewise.
    pub salt: Option<String>,
    /// Whether the content was erased.
    pub erased: bool,
    /// Page of the record that it is about, where this person may see it.
    pub back: Option<String>,
    /// `tlog-proof@v1`, once the entry has its place.
    pub proof: Option<String>,
}

fn line(r: &EntryRow) -> EntryLine {
    EntryLine {
        id: r.id.clone(),
        leaf_index: r.leaf_index.unwrap_or(-1),
        kind: kind_label(&r.kind).to_owned(),
        at: r.at,
        commitment: r.commitment.clone(),
    }
}

fn witness_line(w: WitnessRow) -> WitnessLine {
    WitnessLine {
        alarm: super::witnesses::is_alarm(&w.trouble_code),
        name: w.name,
        vkey: w.vkey,
        size: w.size,
        at: w.answered_at,
        trouble: w.trouble,
        since: w.trouble_since,
    }
}

fn review(r: ReviewRow) -> Review {
    let lines: Vec<String> = r.report.lines().map(str::to_owned).collect();
    Review { at: r.ran_at, sound: r.sound, notes: lines.iter().any(|l| l.starts_with('△')), lines }
}

/// The record that an entry is about.
enum About {
    Case(String),
    Row { register: String, row: String },
    Duty { duty: String, occurrence: String },
    Document(String),
}

impl About {
    fn of(kind: &str, payload: &str) -> Option<Self> {
        let payload: serde_json::Value = serde_json::from_str(payload).ok()?;
        let text = |name: &str| payload.get(name).and_then(|v| v.as_str()).map(str::to_owned);
        match kind.split('.').next()? {
            "case" => text("case").map(Self::Case),
            "register" => Some(Self::Row { register: text("register")?, row: text("row")? }),
            "duty" => Some(Self::Duty { duty: text("duty")?, occurrence: text("occurrence")? }),
            "document" => text("document").map(Self::Document),
            _ => None,
        }
    }

    /// As looks name it; records without looks have no name.
    fn subject(&self) -> Option<String> {
        match self {
            Self::Case(id) => Some(format!("case/{id}")),
            Self::Row { register, row } => Some(format!("{register}/{row}")),
            Self::Duty { .. } | Self::Document(_) => None,
        }
    }

    fn link(&self) -> String {
        match self {
            Self::Case(id) => format!("/cases/{id}"),
            Self::Row { register, row } => format!("/registers/{register}/{row}"),
            Self::Duty { duty, occurrence } => format!("/duties/{duty}/{occurrence}"),
            Self::Document(id) => format!("/documents/{id}"),
        }
    }
}

#[boxed]
impl Office {
    /// The ledger page: heads and places are for all staff, contents are not.
    ///
    /// # Errors
    /// The database failed.
    pub async fn ledger_page(&self, _who: &Identity, before: Option<i64>) -> Result<LedgerView, AppError> {
        const LINES: i64 = 50;
        let before = before.unwrap_or(i64::MAX);
        let body = self.body().to_owned();
        self.store
            .read(move |c| {
                Box::pin(async move {
                    let vkey = setting::get(c, VKEY).await?.unwrap_or_default();
                    let head = ledger::head(c).await?;
                    let key = LogKey::parse(&vkey).ok();
                    let (signed, seen) = match (&key, &head) {
                        (Some(key), Some(head)) => {
                            (Some(with_cosignatures(c, key, head).await?), cosigned(c, key, -1).await?)
                        }
                        _ => (None, None),
                    };
                    let rows = ledger::latest(c, before, LINES).await?;
                    Ok::<_, AppError>(LedgerView {
                        waiting: ledger::outbox_len(c).await?,
                        witnesses: kept::witnesses(c).await?.into_iter().map(witness_line).collect(),
                        heartbeat: heartbeat::last(c, &body).await?,
                        review: kept::latest_review(c).await?.map(review),
                        older: rows.last().and_then(|r| r.leaf_index).filter(|i| *i > 0),
                        entries: rows.iter().map(line).collect(),
                        cosigned: seen
                            .filter(|s| signed.as_ref().is_some_and(|now| now.checkpoint != s.checkpoint))
                            .map(|s| s.note),
                        spoken: signed.as_ref().map(|s| s.checkpoint.spoken()).unwrap_or_default(),
                        note: signed.map(|s| s.note).unwrap_or_default(),
                        head,
                        vkey,
                    })
                })
            })
            .await
    }

    /// One entry with its proof.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or the stored tree is damaged.
    pub async fn ledger_entry(self: &Arc<Self>, who: &Identity, id: &str) -> Result<EntryView, AppError> {
        let me = self.me(who).await?;
        let id = id.to_owned();
        let row = self
            .store
            .read(move |c| Box::pin(async move { ledger::by_id(c, &id).await.map_err(AppError::from) }))
            .await?;
        let row = row.ok_or(AppError::NotFound)?;
        let reads = me.reads_entries();
        let about = row.payload.as_deref().and_then(|p| About::of(&row.kind, p));
        if let Some(subject) = about.as_ref().filter(|_| reads).and_then(About::subject) {
            self.note_look(who, subject, "ledger").await?;
        }
        let back = match &about {
            Some(about) if self.sees_record(&me, about).await? => Some(about.link()),
            _ => None,
        };
        let proof = match row.leaf_index {
            Some(_) => Some(proving::prove(&self.store, &row).await?),
            None => None,
        };
        Ok(EntryView {
            line: line(&row),
            stream: row.stream.clone(),
            seq: row.seq,
            erased: row.payload.is_none(),
            back,
            payload: row.payload.clone().filter(|_| reads),
            salt: row.salt.clone().filter(|_| reads),
            proof,
        })
    }

    /// Whether somebody may see the record that an entry is about.
    async fn sees_record(&self, me: &Me, about: &About) -> Result<bool, AppError> {
        let (pack, viewer) = (self.pack(), me.viewer().clone());
        match about {
            About::Document(id) => Ok(pack.documents.contains_key(id)),
            About::Case(id) => {
                let id = id.clone();
                self.store
                    .read(move |c| {
                        Box::pin(
                            async move { Ok::<_, AppError>(case::get(c, &viewer, &id).await?.is_some()) },
                        )
                    })
                    .await
            }
            About::Row { register: id, row } => {
                let Some(spec) = pack.registers.get(id).map(table_spec) else { return Ok(false) };
                let row = row.clone();
                self.store
                    .read(move |c| {
                        Box::pin(async move {
                            let found = register::get(c, &spec, &viewer, &row).await?;
                            Ok::<_, AppError>(found.is_some())
                        })
                    })
                    .await
            }
            About::Duty { occurrence, .. } => {
                let id = occurrence.clone();
                self.store
                    .read(move |c| {
                        Box::pin(async move {
                            let found = duty::get(c, &id).await?;
                            Ok::<_, AppError>(found.is_some_and(|o| viewer.sees_unit(&o.unit)))
                        })
                    })
                    .await
            }
        }
    }
}
