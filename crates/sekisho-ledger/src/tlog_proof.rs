//! Evidence of one entry as one text that is verified without the log: c2sp.org/tlog-proof@v1.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64 of the entry>
//! index 73894
//! <base64 hash>, one line for each step from the leaf's sibling to the root's child
//!
//! <the checkpoint, verbatim>
//! ```
//!
//! The specification leaves `extra` to the application; Sekisho puts the entry there, so that the file alone shows
//! which body, stream, sequence and kind were recorded. `extra` is not trusted: the proof is what shows that it is in
//! the log. Files are named `*.tlog-proof`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::fmt::Write as _;
use thiserror::Error;

use crate::checkpoint::{CheckpointError, LogKey, MAX_CHECKPOINT, SignedCheckpoint};
use crate::entry::{EntryError, Leaf, MAX_ENTRY};
use crate::hash::{Hash, leaf_hash};
use crate::proof::{MAX_PROOF, ProofError, check_inclusion};

/// The first line.
const HEAD: &str = "c2sp.org/tlog-proof@v1";
/// Bytes of a proof.
pub const MAX_TLOG_PROOF: usize = MAX_CHECKPOINT + 8 * 1024;

/// The evidence of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The entry's index in the log, 0 for the first.
    pub index: u64,
    /// From the leaf's sibling to the root's child.
    pub path: Vec<Hash>,
    /// The entry's bytes, or other data of whoever wrote the proof; not authenticated by itself.
    pub extra: Option<Vec<u8>>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

/// Why a proof is not accepted.
#[derive(Debug, Error)]
pub enum TlogProofError {
    /// Not of the specified form.
    #[error("証明ファイルの形式が正しくありません: {0}")]
    Malformed(&'static str),
    /// The proof holds no entry and none was given.
    #[error("証明ファイルに記録そのものが入っていません。記録を別に用意して確認してください")]
    NoEntry,
    /// The checkpoint is not accepted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not in the checkpoint's tree.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The entry is in the log but not of Sekisho's form.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The entry is another body's.
    #[error("記録の団体名 {found} が台帳の団体名 {expected} と違います")]
    Body {
        /// Body of the log.
        expected: String,
        /// Body in the entry.
        found: String,
    },
}

impl TlogProofError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "ledger.tlog_proof.malformed",
            Self::NoEntry => "ledger.tlog_proof.no_entry",
            Self::Checkpoint(error) => error.code(),
            Self::Proof(error) => error.code(),
            Self::Entry(error) => error.code(),
            Self::Body { .. } => "ledger.tlog_proof.body",
        }
    }
}

impl TlogProof {
    /// The evidence of an entry, from [`crate::proof::prove_inclusion`] and the checkpoint of the same head.
    #[must_use]
    pub fn new(index: u64, path: Vec<Hash>, entry: &[u8], checkpoint: &SignedCheckpoint) -> Self {
        Self { index, path, extra: Some(entry.to_vec()), checkpoint: checkpoint.note.clone() }
    }

    /// The text of the proof.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = format!("{HEAD}\n");
        if let Some(extra) = &self.extra {
            let _ = writeln!(out, "extra {}", BASE64_STANDARD.encode(extra));
        }
        let _ = writeln!(out, "index {}", self.index);
        for hash in &self.path {
            let _ = writeln!(out, "{}", BASE64_STANDARD.encode(hash));
        }
        out.push('\n');
        out.push_str(&self.checkpoint);
        out
    }

    /// Reads a proof. Every proof has one spelling and nothing else is accepted. The checkpoint is not looked into.
    ///
    /// # Errors
    /// Says what is not of the specified form.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        let malformed = TlogProofError::Malformed;
        if text.len() > MAX_TLOG_PROOF {
            return Err(malformed("長すぎます"));
        }
        let (proof, checkpoint) =
            text.split_once("\n\n").ok_or(malformed("チェックポイントの前の空行がありません"))?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(HEAD) {
            return Err(malformed("1行目が c2sp.org/tlog-proof@v1 ではありません"));
        }
        let mut line = lines.next().unwrap_or_default();
        let mut extra = None;
        if let Some(data) = line.strip_prefix("extra ") {
            if data.len() > MAX_ENTRY.div_ceil(3) * 4 {
                return Err(malformed("extra の行が長すぎます"));
            }
            extra = Some(BASE64_STANDARD.decode(data).map_err(|_| malformed("extra の行を読めません"))?);
            line = lines.next().unwrap_or_default();
        }
        let index = line
            .strip_prefix("index ")
            .and_then(|n| n.parse().ok())
            .ok_or(malformed("index の行を読めません"))?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_PROOF {
                return Err(malformed("ハッシュの行が多すぎます"));
            }
            path.push(
                tlog_tiles::Hash::parse_hash(line).map_err(|_| malformed("ハッシュの行を読めません"))?.0,
            );
        }
        let parsed = Self { index, path, extra, checkpoint: checkpoint.to_owned() };
        if parsed.encode() == text { Ok(parsed) } else { Err(malformed("書き方が規格と違います")) }
    }

    /// Verifies that the log of a key holds an entry at this proof's index. Needs nothing but the key.
    ///
    /// # Errors
    /// The checkpoint is not the log's, or the entry is not in its tree.
    pub fn verify_entry(&self, key: &LogKey, entry: &[u8]) -> Result<SignedCheckpoint, TlogProofError> {
        let signed = key.open(self.checkpoint.as_bytes())?;
        check_inclusion(signed.checkpoint.head, self.index, leaf_hash(entry), &self.path)?;
        Ok(signed)
    }

    /// Verifies the entry that the proof carries, and reads it.
    ///
    /// # Errors
    /// As [`Self::verify_entry`]; also when the proof carries no entry, or the entry is not of Sekisho's form or of
    /// another body.
    pub fn verify(&self, key: &LogKey) -> Result<(Leaf<'_>, SignedCheckpoint), TlogProofError> {
        let entry = self.extra.as_deref().ok_or(TlogProofError::NoEntry)?;
        let signed = self.verify_entry(key, entry)?;
        let leaf = Leaf::decode(entry)?;
        let body = signed.checkpoint.body();
        if leaf.body != body {
            return Err(TlogProofError::Body { expected: body.to_owned(), found: leaf.body.to_owned() });
        }
        Ok((leaf, signed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::LogSigner;
    use crate::proof::prove_inclusion;
    use crate::tree::{TreeHead, append};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn evidence(body: &str) -> (LogSigner, TlogProof) {
        let entries: Vec<Vec<u8>> = (1..=300)
            .map(|sequence| {
                Leaf { body, stream: [3; 16], sequence, kind: "case.permit", commit: [8; 32] }
                    .encode()
                    .unwrap()
            })
            .collect();
        let batch = append(TreeHead::EMPTY, &entries, |_| Ok(None)).unwrap();
        let tiles: HashMap<_, _> = batch.tiles.into_iter().collect();
        let (_, path) = prove_inclusion(batch.head, 70, |t| Ok(tiles.get(&t).cloned())).unwrap();
        let signer = LogSigner::from_seed("a", &[1; 32]).unwrap();
        let signed = signer.sign(batch.head, &[]).unwrap();
        let proof = TlogProof::new(70, path, &entries[70], &signed);
        (signer, proof)
    }

    #[test]
    fn the_text_alone_proves_the_entry_and_every_changed_byte_is_noticed() {
        let (signer, proof) = evidence("a");
        let key = signer.key();
        let text = proof.encode();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra c2VraXNobwE"));
        assert_eq!(text.lines().nth(2), Some("index 70"));
        let parsed = TlogProof::parse(&text).unwrap();
        assert_eq!(parsed, proof);
        let (leaf, signed) = parsed.verify(&key).unwrap();
        assert_eq!((leaf.sequence, leaf.kind, signed.checkpoint.head.size), (71, "case.permit", 300));
        for i in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[i] ^= 1 << bit;
                let Ok(bent) = String::from_utf8(bytes) else { continue };
                let seen = TlogProof::parse(&bent).is_ok_and(|p| p.verify(&key).is_ok());
                assert!(!seen, "byte {i} bit {bit}");
            }
        }
    }

    #[test]
    fn errors_tell_apart_what_is_wrong() {
        let (signer, proof) = evidence("a");
        let key = signer.key();
        let code = |p: &TlogProof| p.verify(&key).unwrap_err().code();
        assert_eq!(code(&TlogProof { extra: None, ..proof.clone() }), "ledger.tlog_proof.no_entry");
        assert_eq!(
            code(&TlogProof { extra: Some(b"x".to_vec()), ..proof.clone() }),
            "ledger.proof.not_included"
        );
        assert_eq!(
            code(&TlogProof { checkpoint: String::new(), ..proof.clone() }),
            "ledger.checkpoint.malformed"
        );
        assert_eq!(code(&evidence("b").1), "ledger.tlog_proof.body");
        let without = TlogProof { extra: None, ..proof.clone() };
        assert_eq!(TlogProof::parse(&without.encode()).unwrap(), without);
        assert!(without.verify_entry(&key, proof.extra.as_deref().unwrap()).is_ok());
        let long = TlogProof { path: vec![[0; 32]; MAX_PROOF + 1], ..proof.clone() };
        assert_eq!(TlogProof::parse(&long.encode()).unwrap_err().code(), "ledger.tlog_proof.malformed");
        for text in [
            "",
            "c2sp.org/tlog-proof@v1\n\n",
            "c2sp.org/tlog-proof@v1\nindex 01\n\n",
            "c2sp.org/tlog-proof@v1\nindex +1\n\n",
        ] {
            assert!(TlogProof::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_has_one_spelling(text in "(c2sp\\.org/tlog-proof@v1\n)?(extra [A-Za-z0-9+/=]{0,9}\n)?(index [0-9+-]{0,21}\n)?([A-Za-z0-9+/=]{42,45}\n){0,2}\n.{0,20}") {
            if let Ok(proof) = TlogProof::parse(&text) {
                prop_assert_eq!(proof.encode(), text);
            }
        }
    }
}
