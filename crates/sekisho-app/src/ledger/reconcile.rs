//! Rows against entries: every payload against its commitment, every act against its entry and the other way round, every
//! stream's numbers, and the silences between entries. The tree over the entries is [`sekisho_ledger::verify`]'s work; this
//! is what only the database can show.

use std::collections::BTreeSet;

use sekisho_base::canonical::{hex, unhex};
use sekisho_base::{Id, Instant};
use sekisho_boxed::boxed;
use sekisho_store::Store;
use sekisho_store::ledger::compare::{self, ActPair, ChangePair};
use sekisho_store::ledger::{self as rows, EntryRow};
use serde_json::Value;

use super::{ERASED, HEARTBEAT, kind_label};
use crate::error::AppError;

/// Findings of one kind that are named one by one.
const NAMED: i64 = 100;
/// Rows read at once.
const PAGE: i64 = 2048;
/// The longest time without an entry, in milliseconds: a heartbeat is due after a day, and may be an hour late.
pub const LONGEST_SILENCE_MS: i64 = 25 * 3_600_000;

/// Where an entry is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Stream.
    pub stream: String,
    /// Number in the stream.
    pub seq: i64,
    /// Kind.
    pub kind: String,
}

impl Place {
    fn of(row: &EntryRow) -> Self {
        Self { stream: row.stream.clone(), seq: row.seq, kind: row.kind.clone() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "流れ {} の {} 番（{}）", self.stream, self.seq, kind_label(&self.kind))
    }
}

/// One thing in which rows and entries do not agree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The payload is not what the entry committed to.
    #[error("{0}: 記録した内容が、記録した時の指紋と合いません")]
    PayloadAltered(Place),
    /// Payload and salt are gone, and no entry says that they were erased.
    #[error("{0}: 内容がありませんが、消去の記録もありません")]
    ErasedSilently(Place),
    /// Kinds that the structure of cases needs are never erased.
    #[error("{0}: 消去してはならない種類の記録の内容がありません")]
    StructureErased(Place),
    /// A row names an entry that is not there.
    #[error("{table} の行 {row}: 記録 {entry} がありません（記録のない処理）")]
    ActWithoutEntry {
        /// Table.
        table: &'static str,
        /// Row.
        row: String,
        /// Entry that is not there.
        entry: String,
    },
    /// No row belongs to an entry.
    #[error("{0}: この記録に当たる処理の行がありません（処理のない記録）")]
    EntryWithoutAct(Place),
    /// The row and its entry say different things.
    #[error("{place}: {row} の内容が、記録した内容と違います")]
    ActDiffers {
        /// The entry.
        place: Place,
        /// The row.
        row: String,
    },
    /// A number of a stream has no entry.
    #[error("流れ {stream}: {missing} 番の記録がありません（{given} 番まで発番済み）")]
    Gap {
        /// Stream.
        stream: String,
        /// First number that is missing.
        missing: i64,
        /// Last number given out.
        given: i64,
    },
}

impl Mismatch {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::PayloadAltered(_) => "ledger.rows.payload_altered",
            Self::ErasedSilently(_) => "ledger.rows.erased_silently",
            Self::StructureErased(_) => "ledger.rows.structure_erased",
            Self::ActWithoutEntry { .. } => "ledger.rows.act_without_entry",
            Self::EntryWithoutAct(_) => "ledger.rows.entry_without_act",
            Self::ActDiffers { .. } => "ledger.rows.act_differs",
            Self::Gap { .. } => "ledger.rows.gap",
        }
    }
}

/// A time without any entry that was longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// The last entry before.
    pub from: Instant,
    /// The first entry after.
    pub until: Instant,
}

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hours = (self.until.millis() - self.from.millis()) / 3_600_000;
        write!(
            f,
            "{} から {} まで（{hours}時間）、記録がありません",
            self.from.japanese(),
            self.until.japanese()
        )
    }
}

/// The outcome of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Entries looked at, waiting ones included.
    pub entries: u64,
    /// Acts and changes compared with their entries.
    pub acts: u64,
    /// What does not agree; of each kind the first hundred.
    pub mismatches: Vec<Mismatch>,
    /// Entries whose content was erased, with a record of it: their existence can still be proved.
    pub erased: Vec<Place>,
    /// Times without entries, since heartbeats are kept.
    pub silences: Vec<Silence>,
    /// Entries that wait for their place.
    pub waiting: i64,
}

/// Compares the rows of a store with its entries.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn reconcile(store: &Store) -> Result<Reconciled, AppError> {
    let mut found = Reconciled::default();
    let mut pass = Pass::default();
    let mut from = 0;
    loop {
        let page = read_entries(store, from).await?;
        let Some(last) = page.last().and_then(|r| r.leaf_index) else { break };
        page.iter().for_each(|row| pass.look(row, &mut found));
        from = last + 1;
    }
    let (waiting, total) = store
        .read(|c| {
            Box::pin(
                async move { Ok::<_, AppError>((rows::outbox(c, PAGE).await?, rows::outbox_len(c).await?)) },
            )
        })
        .await?;
    waiting.iter().for_each(|row| pass.look(row, &mut found));
    found.waiting = total;
    pass.close(&mut found);
    counterparts(store, &mut found).await?;
    compare_acts(store, &mut found).await?;
    compare_changes(store, &mut found).await?;
    Ok(found)
}

async fn read_entries(store: &Store, from: i64) -> Result<Vec<EntryRow>, AppError> {
    store
        .read(move |c| Box::pin(async move { rows::sequenced(c, from, PAGE).await.map_err(AppError::from) }))
        .await
}

/// What one pass over the entries keeps.
#[derive(Default)]
struct Pass {
    /// Entries without content, with their ids.
    empty: Vec<(String, Place)>,
    /// Ids that entries of erasure name.
    recorded: BTreeSet<String>,
    /// The latest time so far, once heartbeats began.
    heard: Option<Instant>,
}

impl Pass {
    fn look(&mut self, row: &EntryRow, found: &mut Reconciled) {
        found.entries += 1;
        match (&row.salt, &row.payload) {
            (None, None) => self.empty.push((row.id.clone(), Place::of(row))),
            (Some(salt), Some(payload)) if commits(salt, payload, &row.commitment) => {
                if row.kind == ERASED {
                    let erased = serde_json::from_str::<Value>(payload).ok();
                    self.recorded
                        .extend(erased.as_ref().and_then(|p| p.get("erased")?.as_str().map(str::to_owned)));
                }
            }
            _ => note(found, Mismatch::PayloadAltered(Place::of(row))),
        }
        match self.heard {
            Some(before) => {
                if row.at.millis() - before.millis() > LONGEST_SILENCE_MS {
                    found.silences.push(Silence { from: before, until: row.at });
                }
                self.heard = Some(before.max(row.at));
            }
            None if row.kind == HEARTBEAT => self.heard = Some(row.at),
            None => {}
        }
    }

    fn close(self, found: &mut Reconciled) {
        for (id, place) in self.empty {
            if !may_be_erased(&place.kind) {
                note(found, Mismatch::StructureErased(place));
            } else if self.recorded.contains(&id) {
                found.erased.push(place);
            } else {
                note(found, Mismatch::ErasedSilently(place));
            }
        }
    }
}

fn note(found: &mut Reconciled, what: Mismatch) {
    let alike = found.mismatches.iter().filter(|m| m.code() == what.code()).count();
    if alike < usize::try_from(NAMED).unwrap_or(usize::MAX) {
        found.mismatches.push(what);
    }
}

fn commits(salt: &str, payload: &str, commitment: &str) -> bool {
    let salt = unhex(salt).and_then(|b| <[u8; 16]>::try_from(b).ok());
    salt.is_some_and(|salt| hex(&sekisho_ledger::commit(&salt, payload)) == commitment)
}

/// Kinds whose payload may be erased: they can hold personal data, and nothing else needs their content. Acts of cases, packs
/// and the ledger's own entries stay.
#[must_use]
pub fn may_be_erased(kind: &str) -> bool {
    ["account.", "absence.", "org.", "register."].iter().any(|prefix| kind.starts_with(prefix))
}

async fn counterparts(store: &Store, found: &mut Reconciled) -> Result<(), AppError> {
    let (alone, unnamed, gaps) = store
        .read(|c| {
            Box::pin(async move {
                Ok::<_, AppError>((
                    compare::rows_without_entry(c, NAMED).await?,
                    compare::entries_without_row(c, NAMED).await?,
                    compare::gaps(c, NAMED).await?,
                ))
            })
        })
        .await?;
    found.mismatches.extend(alone.into_iter().map(|o| Mismatch::ActWithoutEntry {
        table: o.table,
        row: o.row,
        entry: o.entry,
    }));
    found.mismatches.extend(unnamed.iter().map(|e| Mismatch::EntryWithoutAct(Place::of(e))));
    found.mismatches.extend(gaps.into_iter().map(|g| Mismatch::Gap {
        stream: g.stream,
        missing: g.missing,
        given: g.given,
    }));
    Ok(())
}

async fn compare_acts(store: &Store, found: &mut Reconciled) -> Result<(), AppError> {
    let mut after = (String::new(), 0);
    loop {
        let (case, seq) = after;
        let page = store
            .read(move |c| {
                Box::pin(async move { compare::acts(c, (&case, seq), PAGE).await.map_err(AppError::from) })
            })
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.case_id.clone(), last.seq);
        for pair in &page {
            found.acts += 1;
            if !act_agrees(pair) {
                let row = format!("案件 {} の {} 番の処理", pair.case_id, pair.seq);
                note(found, Mismatch::ActDiffers { place: Place::of(&pair.entry), row });
            }
        }
    }
}

/// Whether an act is the one that its entry committed to. The entry's payload is compared with its commitment elsewhere.
fn act_agrees(pair: &ActPair) -> bool {
    let stream = pair.case_id.parse::<Id>().map(rows::stream_id).ok();
    let Ok(act) = serde_json::from_str::<Value>(&pair.body) else { return false };
    let of_row = pair.entry.kind == format!("case.{}", pair.kind)
        && stream.as_ref() == Some(&pair.entry.stream)
        && act.get("seq").and_then(Value::as_i64) == Some(pair.seq)
        && act.get("person").and_then(Value::as_str) == Some(&pair.person)
        && act.get("at").and_then(Value::as_str) == Some(&pair.at.to_string());
    // Without payload the pass over the entries has already said so.
    let of_entry = pair.entry.payload.as_deref().is_none_or(|payload| {
        serde_json::from_str::<Value>(payload).is_ok_and(|p| {
            p.get("case").and_then(Value::as_str) == Some(&pair.case_id) && p.get("act") == Some(&act)
        })
    });
    of_row && of_entry
}

async fn compare_changes(store: &Store, found: &mut Reconciled) -> Result<(), AppError> {
    let mut after = String::new();
    loop {
        let from = after;
        let page = store
            .read(move |c| {
                Box::pin(async move { compare::changes(c, &from, PAGE).await.map_err(AppError::from) })
            })
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id.clone();
        for pair in &page {
            found.acts += 1;
            if !change_agrees(pair) {
                let row = format!("台帳 {} の行 {} の変更", pair.register, pair.row_id);
                note(found, Mismatch::ActDiffers { place: Place::of(&pair.entry), row });
            }
        }
    }
}

fn change_agrees(pair: &ChangePair) -> bool {
    let stream = pair.row_id.parse::<Id>().map(rows::stream_id).ok();
    let of_entry = pair.entry.payload.as_deref().is_none_or(|payload| {
        let after = pair.after.as_deref().and_then(|a| serde_json::from_str::<Value>(a).ok());
        serde_json::from_str::<Value>(payload).is_ok_and(|p| {
            p.get("register").and_then(Value::as_str) == Some(&pair.register)
                && p.get("row").and_then(Value::as_str) == Some(&pair.row_id)
                && p.get("values") == after.as_ref()
        })
    });
    stream.as_ref() == Some(&pair.entry.stream) && of_entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, kind: &str, hours: i64) -> EntryRow {
        let payload = format!("{{\"n\":{seq}}}");
        EntryRow {
            id: format!("E{seq}"),
            stream: "5".repeat(32),
            seq,
            kind: kind.to_owned(),
            commitment: hex(&sekisho_ledger::commit(&[7; 16], &payload)),
            salt: Some(hex(&[7; 16])),
            payload: Some(payload),
            at: Instant::from_millis(hours * 3_600_000),
            leaf_index: Some(seq - 1),
        }
    }

    fn pass(rows: &[EntryRow]) -> Reconciled {
        let (mut pass, mut found) = (Pass::default(), Reconciled::default());
        rows.iter().for_each(|r| pass.look(r, &mut found));
        pass.close(&mut found);
        found
    }

    fn codes(found: &Reconciled) -> Vec<&'static str> {
        found.mismatches.iter().map(Mismatch::code).collect()
    }

    #[test]
    fn silence_counts_from_the_first_heartbeat_and_only_beyond_the_longest() {
        let found = pass(&[
            row(1, "case.applied", 0),
            row(2, HEARTBEAT, 300),
            row(3, "case.seen", 325),
            row(4, HEARTBEAT, 351),
        ]);
        let hour = |h: i64| Instant::from_millis(h * 3_600_000);
        assert_eq!(found.silences, [Silence { from: hour(325), until: hour(351) }]);
        assert!(found.silences[0].to_string().contains("26時間"));
        // An entry that was placed late has an earlier time: that is no silence, and does not hide one.
        let found = pass(&[row(1, HEARTBEAT, 10), row(2, "case.seen", 3), row(3, "case.seen", 36)]);
        assert_eq!(found.silences, [Silence { from: hour(10), until: hour(36) }]);
    }

    #[test]
    fn content_is_there_or_erased_with_a_record() {
        let mut bent = row(1, "register.change", 0);
        bent.payload = Some("{\"n\":9}".into());
        let mut half = row(2, "register.change", 0);
        half.salt = None;
        let empty = |seq, kind: &str| EntryRow { salt: None, payload: None, ..row(seq, kind, 0) };
        let mut erasure = row(6, ERASED, 0);
        let payload = "{\"erased\":\"E3\"}".to_owned();
        erasure.commitment = hex(&sekisho_ledger::commit(&[7; 16], &payload));
        erasure.payload = Some(payload);
        let rows = [
            bent,
            half,
            empty(3, "account.create"),
            empty(4, "account.create"),
            empty(5, "case.decided"),
            erasure,
        ];
        let found = pass(&rows);
        assert_eq!(
            codes(&found),
            [
                "ledger.rows.payload_altered",
                "ledger.rows.payload_altered",
                "ledger.rows.erased_silently",
                "ledger.rows.structure_erased"
            ]
        );
        assert_eq!(found.erased, [Place::of(&rows[2])]);
        assert_eq!(found.entries, 6);
    }

    #[test]
    fn what_is_named_one_by_one_is_bounded() {
        let rows: Vec<EntryRow> =
            (1..=300).map(|n| EntryRow { commitment: "0".repeat(64), ..row(n, "case.applied", 0) }).collect();
        assert_eq!(pass(&rows).mismatches.len(), 100);
    }
}
