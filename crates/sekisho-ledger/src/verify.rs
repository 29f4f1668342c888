//! Verification of a whole log: recompute everything, name everything that does not hold.
//!
//! One pass in the order of the entries, holding one bundle, the right edge of the tree and the last sequence of each
//! stream. What is checked:
//!
//! - the checkpoint's signature, and that it is this log's;
//! - every entry against the hash in its tile, every tile of every level against the entries, the root against the
//!   checkpoint;
//! - every entry's form, its body, and that each stream's sequence runs 1, 2, 3 … in the order of the log;
//! - that each checkpoint kept from earlier is a beginning of this log (rollback, fork).
//!
//! A stream that lost its newest entries before they reached the log cannot be seen here: whoever has the acts
//! compares them through `visit`.

use std::collections::HashMap;

use sekisho_base::canonical::hex;
use thiserror::Error;

use crate::SourceError;
use crate::checkpoint::{Checkpoint, CheckpointError, LogKey, SignedCheckpoint};
use crate::entry::{EntryError, Leaf};
use crate::export::LogSource;
use crate::hash::{Hash, leaf_hash};
use crate::tile::{Bundle, Entries, Tile, WIDTH};
use crate::tree::Edge;

/// Findings after which verification stops: a log with so many is beyond naming them one by one.
pub const MAX_FINDINGS: usize = 100;

/// What stopped verification before anything could be found.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The source cannot be read.
    #[error("台帳を読めません: {0}")]
    Source(#[source] SourceError),
    /// There is no checkpoint.
    #[error("チェックポイント（checkpoint）がありません。台帳のフォルダーを指定しているか確認してください")]
    NoCheckpoint,
    /// The checkpoint is not accepted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl VerifyError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source(_) => "ledger.verify.source",
            Self::NoCheckpoint => "ledger.verify.no_checkpoint",
            Self::Checkpoint(error) => error.code(),
        }
    }
}

/// One thing that does not hold. Entry indexes count from 0, as in proofs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Finding {
    /// An entry does not have the hash that its tile says.
    #[error("記録 {index} の内容が台帳のハッシュと一致しません（書き換えか破損の疑い）")]
    EntryAltered {
        /// Index of the entry.
        index: u64,
    },
    /// An entry is not of the form of an entry.
    #[error("記録 {index}: {reason}")]
    EntryMalformed {
        /// Index of the entry.
        index: u64,
        /// What is wrong.
        reason: EntryError,
    },
    /// An entry belongs to another body.
    #[error("記録 {index} は別の団体（{found}）のものです")]
    OtherBody {
        /// Index of the entry.
        index: u64,
        /// The body it names.
        found: String,
    },
    /// A stream skips numbers.
    #[error("系列 {stream} の連番が抜けています（記録 {index}: {expected} のはずが {found}）", stream = hex(.stream))]
    SequenceGap {
        /// Index of the entry after the gap.
        index: u64,
        /// The stream.
        stream: [u8; 16],
        /// The number that should follow.
        expected: u64,
        /// The number there.
        found: u64,
    },
    /// A stream repeats a number or goes back.
    #[error("系列 {stream} の連番が重複しているか戻っています（記録 {index}: {expected} のはずが {found}）", stream = hex(.stream))]
    SequenceRepeated {
        /// Index of the entry.
        index: u64,
        /// The stream.
        stream: [u8; 16],
        /// The number that should follow.
        expected: u64,
        /// The number there.
        found: u64,
    },
    /// Sequences were not compared from here on, because an entry could not be read.
    #[error("記録 {from} が読めないため、これより後の連番は確認していません")]
    SequenceUnchecked {
        /// Index of the first entry that could not be read.
        from: u64,
    },
    /// A file of entries is missing.
    #[error("記録の束 {} がありません", .0.path())]
    BundleMissing(Bundle),
    /// A file of entries is cut, or holds more or fewer entries than it should.
    #[error("記録の束 {} が壊れています（{want} 件あるはずが、読み分けられるのは {got} 件です）", .bundle.path(), want = .bundle.width)]
    BundleDamaged {
        /// The bundle.
        bundle: Bundle,
        /// Entries into which it can be divided; more than the width where it holds too many.
        got: u64,
    },
    /// A file of hashes is missing.
    #[error("ハッシュのファイル {} がありません", .0.path())]
    TileMissing(Tile),
    /// A file of hashes differs from what the entries give.
    #[error("ハッシュのファイル {} が、記録から計算した値と一致しません（書き換えか破損の疑い）", .0.path())]
    TileAltered(Tile),
    /// The root over all entries is not the signed one.
    #[error("全 {size} 件から計算した根が、署名されたチェックポイントの根と一致しません")]
    RootDiffers {
        /// Size of the checkpoint.
        size: u64,
    },
    /// The log is shorter than it was.
    #[error(
        "台帳が巻き戻されています（以前は {before} 件、いまは {now} 件）。古いバックアップが復元された疑いがあります"
    )]
    RolledBack {
        /// Size of the earlier checkpoint.
        before: u64,
        /// Size now.
        now: u64,
    },
    /// The log is not a continuation of what it was.
    #[error(
        "台帳が分岐しています（{before} 件の時点の根が、以前のチェックポイントと違います）。過去の記録が作り直された疑いがあります"
    )]
    Forked {
        /// Size of the earlier checkpoint.
        before: u64,
    },
    /// An earlier checkpoint is another log's.
    #[error("比較に指定されたチェックポイントは別の台帳（{found}）のものです")]
    OtherLog {
        /// The log it names.
        found: String,
    },
}

impl Finding {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EntryAltered { .. } => "ledger.verify.entry_altered",
            Self::EntryMalformed { reason, .. } => reason.code(),
            Self::OtherBody { .. } => "ledger.verify.other_body",
            Self::SequenceGap { .. } => "ledger.verify.sequence_gap",
            Self::SequenceRepeated { .. } => "ledger.verify.sequence_repeated",
            Self::SequenceUnchecked { .. } => "ledger.verify.sequence_unchecked",
            Self::BundleMissing(_) => "ledger.verify.bundle_missing",
            Self::BundleDamaged { .. } => "ledger.verify.bundle_damaged",
            Self::TileMissing(_) => "ledger.verify.tile_missing",
            Self::TileAltered(_) => "ledger.verify.tile_altered",
            Self::RootDiffers { .. } => "ledger.verify.root_differs",
            Self::RolledBack { .. } => "ledger.verify.rolled_back",
            Self::Forked { .. } => "ledger.verify.forked",
            Self::OtherLog { .. } => "ledger.verify.other_log",
        }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The checkpoint whose signature was verified.
    pub signed: SignedCheckpoint,
    /// Entries whose bytes were read.
    pub entries: u64,
    /// Streams among them.
    pub streams: u64,
    /// What does not hold, in the order found; empty when everything does.
    pub findings: Vec<Finding>,
    /// Where verification stopped early, because neither entries nor hashes could be read or there were too many
    /// findings: the number of entries gone through.
    pub stopped_at: Option<u64>,
}

impl Report {
    /// Whether everything holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.stopped_at.is_none()
    }
}

/// Verifies a whole log with its public key, and against checkpoints kept from earlier.
///
/// `visit` receives each well-formed entry with its index, in order.
///
/// # Errors
/// The source cannot be read, or the checkpoint is missing or not accepted. Everything else is in the report.
pub fn verify(
    source: &mut impl LogSource,
    key: &LogKey,
    earlier: &[Checkpoint],
    visit: impl FnMut(u64, &Leaf<'_>),
) -> Result<Report, VerifyError> {
    let note = source.checkpoint().map_err(VerifyError::Source)?.ok_or(VerifyError::NoCheckpoint)?;
    let signed = key.open(&note)?;
    let size = signed.checkpoint.head.size;
    let mut run = Run::new(source, signed.checkpoint.body(), visit);
    let mut earlier = run.comparable(&signed.checkpoint, earlier);
    let mut finished = true;
    for index in 0..size.div_ceil(u64::from(WIDTH)) {
        if run.findings.len() >= MAX_FINDINGS || !run.group(index, size, &mut earlier)? {
            finished = false;
            break;
        }
    }
    if finished {
        run.close(&signed.checkpoint)?;
    }
    let (entries, streams) = (run.entries, run.sequences.len() as u64);
    let stopped_at = (!finished).then_some(run.edge.size);
    let findings = run.findings;
    Ok(Report { signed, entries, streams, findings, stopped_at })
}

struct Run<'a, S, V> {
    source: &'a mut S,
    body: String,
    visit: V,
    edge: Edge,
    sequences: HashMap<[u8; 16], u64>,
    sequences_hold: bool,
    entries: u64,
    findings: Vec<Finding>,
    /// The leaf hashes of the current bundle, kept to spare an allocation for each.
    leaves: Vec<Hash>,
    /// Tiles above level 0 that the current group completed.
    completed: Vec<(Tile, Vec<Hash>)>,
    /// Level 0 tiles that differ from their entries.
    disputed: Vec<Tile>,
}

/// Compares the earlier checkpoints whose size the tree has reached; they are sorted, the smallest last.
fn compare_earlier(edge: &Edge, earlier: &mut Vec<&Checkpoint>, findings: &mut Vec<Finding>) {
    while let Some(reached) = earlier.pop_if(|c| c.head.size == edge.size) {
        if reached.head.root != edge.root() {
            findings.push(Finding::Forked { before: reached.head.size });
        }
    }
}

impl<'a, S: LogSource, V: FnMut(u64, &Leaf<'_>)> Run<'a, S, V> {
    fn new(source: &'a mut S, body: &str, visit: V) -> Self {
        Self {
            source,
            body: body.to_owned(),
            visit,
            edge: Edge::empty(),
            sequences: HashMap::new(),
            sequences_hold: true,
            entries: 0,
            findings: Vec::new(),
            leaves: Vec::with_capacity(usize::from(WIDTH)),
            completed: Vec::new(),
            disputed: Vec::new(),
        }
    }

    /// The earlier checkpoints that can be compared on the way, largest first; those that cannot are findings.
    fn comparable<'c>(&mut self, now: &Checkpoint, earlier: &'c [Checkpoint]) -> Vec<&'c Checkpoint> {
        let mut kept = Vec::new();
        for checkpoint in earlier {
            if checkpoint.origin != now.origin {
                self.findings.push(Finding::OtherLog { found: checkpoint.origin.clone() });
            } else if checkpoint.head.size > now.head.size {
                self.findings.push(Finding::RolledBack { before: checkpoint.head.size, now: now.head.size });
            } else {
                kept.push(checkpoint);
            }
        }
        kept.sort_by_key(|c| std::cmp::Reverse(c.head.size));
        compare_earlier(&self.edge, &mut kept, &mut self.findings);
        kept
    }

    /// One bundle and its tile; `false` when neither could be read, so that nothing after it can be computed.
    fn group(&mut self, index: u64, size: u64, earlier: &mut Vec<&Checkpoint>) -> Result<bool, VerifyError> {
        let (Some(bundle), Some(tile)) = (Bundle::in_log(index, size), Tile::in_tree(0, index, size)) else {
            return Ok(false);
        };
        let hashes = self.read_tile(tile)?;
        let whole = self.read_bundle(bundle)?;
        match hashes {
            Some(bytes) if whole => self.compare_leaves(bundle, tile, &bytes),
            Some(bytes) => {
                self.leaves.clear();
                self.leaves.extend_from_slice(bytes.as_chunks::<32>().0);
            }
            None if whole => {}
            None => return Ok(false),
        }
        for leaf in self.leaves.drain(..) {
            self.edge.push(leaf, |tile, row| {
                if tile.level > 0 {
                    self.completed.push((tile, row.to_vec()));
                }
            });
            compare_earlier(&self.edge, earlier, &mut self.findings);
        }
        for (tile, row) in std::mem::take(&mut self.completed) {
            self.compare_tile(tile, &row)?;
        }
        Ok(true)
    }

    /// The bytes of a tile with the right length.
    fn read_tile(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, VerifyError> {
        let bytes = self.source.tile(tile).map_err(VerifyError::Source)?;
        match &bytes {
            None => self.findings.push(Finding::TileMissing(tile)),
            Some(b) if b.len() != tile.byte_length() => self.findings.push(Finding::TileAltered(tile)),
            Some(_) => return Ok(bytes),
        }
        Ok(None)
    }

    /// Reads a bundle's entries into `leaves`; `false` when not exactly the entries it should have could be read.
    fn read_bundle(&mut self, bundle: Bundle) -> Result<bool, VerifyError> {
        self.leaves.clear();
        let Some(bytes) = self.source.bundle(bundle).map_err(VerifyError::Source)? else {
            self.findings.push(Finding::BundleMissing(bundle));
            self.stop_sequences(bundle.first());
            return Ok(false);
        };
        // The division into entries first: where it is broken, what follows would only be noise.
        let frames = Entries::new(&bytes);
        let got = frames.clone().take_while(Result::is_ok).count() as u64;
        if got != u64::from(bundle.width) || frames.clone().any(|frame| frame.is_err()) {
            self.findings.push(Finding::BundleDamaged { bundle, got });
            self.stop_sequences(bundle.first());
            return Ok(false);
        }
        for (entry, index) in frames.flatten().zip(bundle.first()..) {
            self.read_entry(index, entry);
            self.leaves.push(leaf_hash(entry));
        }
        Ok(true)
    }

    fn read_entry(&mut self, index: u64, entry: &[u8]) {
        self.entries += 1;
        let leaf = match Leaf::decode(entry) {
            Ok(leaf) => leaf,
            Err(reason) => {
                self.findings.push(Finding::EntryMalformed { index, reason });
                self.stop_sequences(index);
                return;
            }
        };
        if leaf.body != self.body {
            self.findings.push(Finding::OtherBody { index, found: leaf.body.to_owned() });
        }
        let last = self.sequences.entry(leaf.stream).or_insert(0);
        let expected = last.saturating_add(1);
        if leaf.sequence != expected && self.sequences_hold {
            let (stream, found) = (leaf.stream, leaf.sequence);
            self.findings.push(if found > expected {
                Finding::SequenceGap { index, stream, expected, found }
            } else {
                Finding::SequenceRepeated { index, stream, expected, found }
            });
        }
        // After a gap the count goes on from what is there, so that one gap is one finding; a repetition does not
        // move it back.
        *last = leaf.sequence.max(*last);
        (self.visit)(index, &leaf);
    }

    fn stop_sequences(&mut self, from: u64) {
        if std::mem::take(&mut self.sequences_hold) {
            self.findings.push(Finding::SequenceUnchecked { from });
        }
    }

    /// Compares the entries' hashes with their tile and names the entries that differ.
    fn compare_leaves(&mut self, bundle: Bundle, tile: Tile, bytes: &[u8]) {
        let (stored, _) = bytes.as_chunks::<32>();
        if stored == self.leaves {
            return;
        }
        let differing = stored.iter().zip(&self.leaves).zip(bundle.first()..).filter(|((a, b), _)| a != b);
        let room = MAX_FINDINGS.saturating_sub(self.findings.len());
        self.findings.extend(differing.map(|(_, index)| Finding::EntryAltered { index }).take(room));
        self.disputed.push(tile);
    }

    fn compare_tile(&mut self, tile: Tile, row: &[Hash]) -> Result<(), VerifyError> {
        if let Some(bytes) = self.read_tile(tile)?
            && bytes != row.as_flattened()
        {
            self.findings.push(Finding::TileAltered(tile));
        }
        Ok(())
    }

    /// The partial tiles above level 0, and the root.
    fn close(&mut self, now: &Checkpoint) -> Result<(), VerifyError> {
        let mut partial = Vec::new();
        self.edge.partial(|tile, row| partial.push((tile, row.to_vec())));
        for (tile, row) in partial.into_iter().filter(|(tile, _)| tile.level > 0) {
            self.compare_tile(tile, &row)?;
        }
        if self.edge.root() != now.head.root {
            self.findings.push(Finding::RootDiffers { size: now.head.size });
        } else if !self.disputed.is_empty() {
            // The entries give the signed root, so they are genuine and it is the tiles that were changed.
            self.findings.retain(|f| !matches!(f, Finding::EntryAltered { .. }));
            self.findings.extend(self.disputed.drain(..).map(Finding::TileAltered));
        }
        Ok(())
    }
}
