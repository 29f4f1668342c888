//! The witness protocol (c2sp.org/tlog-witness): what a log sends, how a witness judges it, what the answers mean.
//!
//! ```text
//! old 20852014
//! <base64 hash>, one line for each step of the consistency proof
//!
//! <the checkpoint, verbatim>
//! ```
//!
//! Pure: bytes in, a judgement out. Who carries the bytes, and who keeps the last cosigned checkpoint, is the caller's.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use thiserror::Error;

use crate::checkpoint::{CheckpointError, LogKey, MAX_CHECKPOINT, SignedCheckpoint};
use crate::cosign::{Cosignature, WitnessKey};
use crate::hash::Hash;
use crate::proof::check_consistency;
use crate::tree::TreeHead;

/// Lines of a consistency proof that a request may have.
pub const MAX_LINES: usize = 63;
/// Bytes of a request.
pub const MAX_REQUEST: usize = MAX_CHECKPOINT + 4 * 1024;
/// Bytes of an answer.
pub const MAX_ANSWER: usize = 16 * 1024;
/// Content type of an answer that tells the witness's size.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// A request to cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size of the checkpoint that the witness cosigned last; 0 when there is none.
    pub old_size: u64,
    /// That the new tree continues the old one (RFC 6962, 2.1.2); empty for an old size of 0.
    pub proof: Vec<Hash>,
    /// The new checkpoint, verbatim.
    pub checkpoint: String,
}

impl AddCheckpoint {
    /// The body of the request.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            let _ = writeln!(out, "{}", BASE64_STANDARD.encode(hash));
        }
        out.push('\n');
        out.push_str(&self.checkpoint);
        out
    }

    /// Reads the body of a request. Every request has one spelling; the checkpoint is not looked into.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let malformed = Refusal::Malformed;
        if body.len() > MAX_REQUEST {
            return Err(malformed("長すぎます"));
        }
        let body = std::str::from_utf8(body).map_err(|_| malformed("UTF-8 の文字ではありません"))?;
        let (head, checkpoint) = body.split_once("\n\n").ok_or(malformed("控えの前の空行がありません"))?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|l| l.strip_prefix("old ")).and_then(|n| n.parse().ok());
        let old_size = old_size.ok_or(malformed("old の行を読めません"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_LINES {
                return Err(malformed("証明の行が多すぎます"));
            }
            proof.push(tlog_tiles::Hash::parse_hash(line).map_err(|_| malformed("証明の行を読めません"))?.0);
        }
        let parsed = Self { old_size, proof, checkpoint: checkpoint.to_owned() };
        if parsed.encode() == body { Ok(parsed) } else { Err(malformed("書き方が規格と違います")) }
    }

    /// The log that the checkpoint names: its first line.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.checkpoint.split('\n').next().unwrap_or_default()
    }
}

/// Why a witness does not sign. The status codes are those of the specification.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The request or the checkpoint cannot be read.
    #[error("依頼の形式が正しくありません: {0}")]
    Malformed(&'static str),
    /// The witness does not watch this log.
    #[error("この立会人は、台帳 {0} を受け持っていません")]
    UnknownLog(String),
    /// Not signed with the key that the witness knows.
    #[error(transparent)]
    Unsigned(CheckpointError),
    /// The old size is larger than the new one.
    #[error("前の件数 {old} が、新しい控えの件数 {new} より大きくなっています")]
    Backwards {
        /// Old size of the request.
        old: u64,
        /// Size of the checkpoint.
        new: u64,
    },
    /// The old size is not that of the last cosigned checkpoint.
    #[error("この立会人が最後に署名した控えは {0} 件です")]
    OtherSize(u64),
    /// Another root for a size that the witness has signed: a fork.
    #[error("同じ {0} 件で根の違う控えに、既に署名しています（台帳の分岐）")]
    OtherRoot(u64),
    /// The proof does not show that the new tree continues the one that was cosigned last.
    #[error("{0} 件の控えの続きであることを確かめられません")]
    NotConsistent(u64),
}

impl Refusal {
    /// The status of the answer (HTTP).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::Backwards { .. } => 400,
            Self::Unsigned(_) => 403,
            Self::UnknownLog(_) => 404,
            Self::OtherSize(_) | Self::OtherRoot(_) => 409,
            Self::NotConsistent(_) => 422,
        }
    }

    /// Type and text of the answer.
    #[must_use]
    pub fn body(&self) -> (&'static str, String) {
        match self {
            Self::OtherSize(size) | Self::OtherRoot(size) => (SIZE_TYPE, format!("{size}\n")),
            other => ("text/plain; charset=utf-8", format!("{other}\n")),
        }
    }

    /// Whether the request, which the log signed, speaks against the log and is worth keeping.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::OtherRoot(_) | Self::NotConsistent(_))
    }
}

/// Judges a request for the log of a key. `last` is the head that the witness cosigned last for this log. On success the
/// caller stores the checkpoint durably and only then signs it, both under one lock.
///
/// # Errors
/// The first rule of the specification that the request breaks.
pub fn judge(
    key: &LogKey,
    last: Option<TreeHead>,
    request: &AddCheckpoint,
) -> Result<SignedCheckpoint, Refusal> {
    let signed = key.open(request.checkpoint.as_bytes()).map_err(|error| match error {
        CheckpointError::Malformed(what) => Refusal::Malformed(what),
        CheckpointError::Origin { found, .. } => Refusal::UnknownLog(found),
        other => Refusal::Unsigned(other),
    })?;
    let (new, last) = (signed.checkpoint.head, last.unwrap_or(TreeHead::EMPTY));
    if request.old_size > new.size {
        return Err(Refusal::Backwards { old: request.old_size, new: new.size });
    }
    // Also for another old size: two roots for one size are a fork whatever the sender believed.
    if new.size == last.size && new.root != last.root {
        return Err(Refusal::OtherRoot(last.size));
    }
    if request.old_size != last.size {
        return Err(Refusal::OtherSize(last.size));
    }
    check_consistency(last, new, &request.proof).map_err(|_| Refusal::NotConsistent(last.size))?;
    Ok(signed)
}

/// What a witness's answer says to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It signed.
    Cosigned(Cosignature),
    /// It has signed a checkpoint of this size before, and the request did not start there.
    HasSize(u64),
    /// It does not sign.
    Trouble(Trouble),
}

/// Why there is no cosignature, as the log sees it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Trouble {
    /// The witness signed a larger tree than there is: this log was set back.
    #[error(
        "台帳が巻き戻されています（立会人は {witnessed} 件の控えに署名していますが、いまは {now} 件しかありません）。古いバックアップが復元された疑いがあります"
    )]
    RolledBack {
        /// What the witness signed.
        witnessed: u64,
        /// What there is.
        now: u64,
    },
    /// What the witness signed is no beginning of this log.
    #[error(
        "台帳が分岐しています（立会人が署名した {witnessed} 件の控えは、いまの台帳の始まりと一致しません）。過去の記録が作り直された疑いがあります"
    )]
    Forked {
        /// Size of the checkpoint that the witness signed.
        witnessed: u64,
    },
    /// The witness does not know this log.
    #[error("立会人がこの台帳を受け持っていません。立会人の側で、この台帳の公開鍵を --log に加えてください")]
    UnknownLog,
    /// The witness knows another key for this log.
    #[error("立会人が、この台帳の署名鍵を認めません。立会人に登録した公開鍵を確かめてください")]
    OtherKey,
    /// The answer holds no cosignature by the witness's key, or one that does not fit.
    #[error("立会人の答えに、登録した公開鍵で確かめられる署名がありません。公開鍵と接続先を確かめてください")]
    NoSignature,
    /// Any other answer.
    #[error("立会人の答えを理解できません（HTTP {0}）。接続先を確かめてください")]
    Answer(u16),
    /// No answer.
    #[error("立会人につながりません: {0}")]
    Unreachable(String),
}

impl Trouble {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RolledBack { .. } => "ledger.witness.rolled_back",
            Self::Forked { .. } => "ledger.witness.forked",
            Self::UnknownLog => "ledger.witness.unknown_log",
            Self::OtherKey => "ledger.witness.other_key",
            Self::NoSignature => "ledger.witness.no_signature",
            Self::Answer(_) => "ledger.witness.answer",
            Self::Unreachable(_) => "ledger.witness.unreachable",
        }
    }

    /// Whether it says that the log itself was set back or rewritten.
    #[must_use]
    pub fn accuses_the_log(&self) -> bool {
        matches!(self, Self::RolledBack { .. } | Self::Forked { .. })
    }
}

/// Reads a witness's answer to a request whose checkpoint has `size` entries.
#[must_use]
pub fn read_answer(
    key: &WitnessKey,
    request: &AddCheckpoint,
    size: u64,
    status: u16,
    content_type: &str,
    body: &[u8],
) -> Answer {
    match status {
        200 => {
            let cosigned = [request.checkpoint.as_bytes(), body].concat();
            match key.find(&cosigned) {
                Ok(Some(cosignature)) => Answer::Cosigned(cosignature),
                _ => Answer::Trouble(Trouble::NoSignature),
            }
        }
        403 => Answer::Trouble(Trouble::OtherKey),
        404 => Answer::Trouble(Trouble::UnknownLog),
        409 if content_type.trim() == SIZE_TYPE => match read_size(body) {
            Some(witnessed) if witnessed > size => {
                Answer::Trouble(Trouble::RolledBack { witnessed, now: size })
            }
            // Its own size once more: then it is the root that differs.
            Some(witnessed) if witnessed == request.old_size => {
                Answer::Trouble(Trouble::Forked { witnessed })
            }
            Some(witnessed) => Answer::HasSize(witnessed),
            None => Answer::Trouble(Trouble::Answer(status)),
        },
        422 => Answer::Trouble(Trouble::Forked { witnessed: request.old_size }),
        other => Answer::Trouble(Trouble::Answer(other)),
    }
}

/// A size in decimal with a line feed, in its one spelling.
fn read_size(body: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(body).ok()?;
    let size: u64 = text.strip_suffix('\n')?.parse().ok()?;
    (format!("{size}\n") == text).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::LogSigner;
    use crate::cosign::WitnessSigner;
    use crate::proof::prove_consistency;
    use crate::tile::Tile;
    use crate::tree::append;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// A log of numbered leaves; `salt` makes another history.
    fn log(size: u32, salt: u8) -> (TreeHead, HashMap<Tile, Vec<u8>>) {
        let leaves = (0..size).map(|i| [&[salt], i.to_be_bytes().as_slice()].concat());
        let batch = append(TreeHead::EMPTY, leaves, |_| Ok(None)).unwrap();
        (batch.head, batch.tiles.into_iter().collect())
    }

    fn signer() -> LogSigner {
        LogSigner::from_seed("minato", &[7; 32]).unwrap()
    }

    fn request(old: TreeHead, new: u32, salt: u8) -> AddCheckpoint {
        let (head, tiles) = log(new, salt);
        let proof = prove_consistency(old, head, |t| Ok(tiles.get(&t).cloned())).unwrap_or_default();
        AddCheckpoint { old_size: old.size, proof, checkpoint: signer().sign(head, &[]).unwrap().note }
    }

    #[test]
    fn a_request_has_one_spelling() {
        let made = request(log(3, 0).0, 9, 0);
        assert!(!made.proof.is_empty());
        let text = made.encode();
        assert_eq!(AddCheckpoint::parse(text.as_bytes()).unwrap(), made);
        assert_eq!(made.origin(), "sekisho.minato");
        for bad in [
            text.replacen("old 3", "old 03", 1),
            text.replacen("old 3", "old +3", 1),
            text.replacen("old 3", "old  3", 1),
            text.replacen("old 3\n", "", 1),
            text.replacen("\n\n", "\n", 1),
            text.replacen('\n', "\r\n", 1),
            text.replacen('=', "", 1),
            format!("old 3\n{}\n", format!("{}\n", BASE64_STANDARD.encode([0; 32])).repeat(MAX_LINES + 1)),
            "a".repeat(MAX_REQUEST + 1),
            String::new(),
        ] {
            assert_eq!(AddCheckpoint::parse(bad.as_bytes()).map_err(|e| e.status()), Err(400), "{bad}");
        }
        assert_eq!(AddCheckpoint::parse(b"old 3\n\n\xff").map_err(|e| e.status()), Err(400));
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let text = "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
            5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n\
            example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
        let read = AddCheckpoint::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (read.old_size, read.proof.len(), read.origin()),
            (20_852_014, 4, "example.com/behind-the-sofa")
        );
        assert_eq!(judge(&signer().key(), None, &read).unwrap_err().status(), 404);
    }

    #[test]
    fn a_witness_signs_what_continues_and_nothing_else() {
        let key = signer().key();
        let status = |last: Option<TreeHead>, r: &AddCheckpoint| judge(&key, last, r).map_err(|e| e.status());
        let (three, nine) = (log(3, 0).0, log(9, 0).0);
        assert_eq!(judge(&key, None, &request(TreeHead::EMPTY, 3, 0)).unwrap().checkpoint.head, three);
        assert_eq!(judge(&key, Some(three), &request(three, 9, 0)).unwrap().checkpoint.head, nine);
        // The same again.
        assert_eq!(judge(&key, Some(nine), &request(nine, 9, 0)).unwrap().checkpoint.head, nine);
        // The sender does not know the size yet, or was set back.
        let lost = judge(&key, Some(nine), &request(TreeHead::EMPTY, 3, 0)).unwrap_err();
        assert_eq!((lost.status(), lost.body()), (409, (SIZE_TYPE, "9\n".to_owned())));
        assert!(!lost.is_evidence());
        // A proof where none may be, none where there must be one, and a bent one.
        let mut bent = request(three, 9, 0);
        bent.proof[0][0] ^= 1;
        let none = AddCheckpoint { proof: vec![], ..request(three, 9, 0) };
        let needless = AddCheckpoint { old_size: 0, ..request(three, 9, 0) };
        assert_eq!(status(Some(three), &bent).unwrap_err(), 422);
        assert_eq!(status(Some(three), &none).unwrap_err(), 422);
        assert_eq!(status(None, &needless).unwrap_err(), 422);
        // A fork: another root of the same size, and a growing one.
        let forked = judge(&key, Some(nine), &request(TreeHead::EMPTY, 9, 1)).unwrap_err();
        assert_eq!((forked.status(), forked.is_evidence()), (409, true));
        let forked = judge(&key, Some(nine), &request(log(9, 1).0, 20, 1)).unwrap_err();
        assert_eq!((forked.status(), forked.is_evidence()), (422, true));
        // Sizes that go backwards, other logs, other keys, changed text.
        let back = AddCheckpoint { old_size: 10, ..request(nine, 9, 0) };
        assert_eq!(status(Some(nine), &back).unwrap_err(), 400);
        let other = LogSigner::from_seed("minato", &[8; 32]).unwrap();
        assert_eq!(judge(&other.key(), None, &request(TreeHead::EMPTY, 3, 0)).unwrap_err().status(), 403);
        let elsewhere = LogSigner::from_seed("other", &[7; 32]).unwrap();
        assert_eq!(judge(&elsewhere.key(), None, &request(TreeHead::EMPTY, 3, 0)).unwrap_err().status(), 404);
        let changed = request(TreeHead::EMPTY, 3, 0);
        let changed =
            AddCheckpoint { checkpoint: changed.checkpoint.replacen("\n3\n", "\n4\n", 1), ..changed };
        assert_eq!(status(None, &changed).unwrap_err(), 403);
        let nothing = AddCheckpoint { checkpoint: "x".into(), ..changed };
        assert_eq!(status(None, &nothing).unwrap_err(), 400);
    }

    #[test]
    fn answers_are_told_apart() {
        let witness = WitnessSigner::from_seed("w", &[3; 32]).unwrap();
        let sent = request(log(3, 0).0, 9, 0);
        let read =
            |status, kind: &str, body: &[u8]| read_answer(&witness.key(), &sent, 9, status, kind, body);
        let good = witness.cosign(&sent.checkpoint, 5).unwrap();
        let stranger = WitnessSigner::from_seed("v", &[2; 32]).unwrap().cosign(&sent.checkpoint, 5).unwrap();
        let both = format!("{}{}", stranger.line, good.line);
        assert_eq!(read(200, "", both.as_bytes()), Answer::Cosigned(good));
        assert_eq!(read(200, "", stranger.line.as_bytes()), Answer::Trouble(Trouble::NoSignature));
        assert_eq!(read(200, "", b"<html>"), Answer::Trouble(Trouble::NoSignature));
        assert_eq!(read(409, SIZE_TYPE, b"5\n"), Answer::HasSize(5));
        assert_eq!(
            read(409, SIZE_TYPE, b"12\n"),
            Answer::Trouble(Trouble::RolledBack { witnessed: 12, now: 9 })
        );
        assert_eq!(read(409, SIZE_TYPE, b"3\n"), Answer::Trouble(Trouble::Forked { witnessed: 3 }));
        assert_eq!(read(422, "", b""), Answer::Trouble(Trouble::Forked { witnessed: 3 }));
        for (kind, body) in [("text/plain", "5\n"), (SIZE_TYPE, "05\n"), (SIZE_TYPE, "5"), (SIZE_TYPE, "")] {
            assert_eq!(read(409, kind, body.as_bytes()), Answer::Trouble(Trouble::Answer(409)), "{body:?}");
        }
        assert_eq!(read(403, "", b""), Answer::Trouble(Trouble::OtherKey));
        assert_eq!(read(404, "", b""), Answer::Trouble(Trouble::UnknownLog));
        assert_eq!(read(500, "", b""), Answer::Trouble(Trouble::Answer(500)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn whatever_is_asked_the_witness_only_ever_grows_along_one_history(steps in prop::collection::vec((0u32..40, 0u8..2, any::<bool>()), 1..12)) {
            let key = signer().key();
            let mut last: Option<TreeHead> = None;
            for (size, salt, honest) in steps {
                let old = if honest { last.unwrap_or(TreeHead::EMPTY) } else { log(size / 2, salt).0 };
                if let Ok(signed) = judge(&key, last, &request(old, size, salt)) {
                    let head = signed.checkpoint.head;
                    // Whatever was accepted continues what was accepted before: both are beginnings of one history.
                    if let Some(before) = last {
                        prop_assert!(head.size >= before.size);
                        let same = (0..2).any(|s| log(u32::try_from(head.size).unwrap(), s).0 == head && log(u32::try_from(before.size).unwrap(), s).0 == before);
                        prop_assert!(same);
                    }
                    last = Some(head);
                }
            }
        }

        #[test]
        fn foreign_bytes_are_refused_quietly(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "(old [0-9+]{0,4}\n)?([A-Za-z0-9+/=]{42,45}\n){0,3}\n.{0,30}") {
            let _ = AddCheckpoint::parse(&bytes);
            if let Ok(parsed) = AddCheckpoint::parse(text.as_bytes()) {
                prop_assert_eq!(parsed.encode(), text);
            }
            let witness = WitnessSigner::from_seed("w", &[3; 32]).unwrap().key();
            let sent = AddCheckpoint { old_size: 0, proof: vec![], checkpoint: "a\n1\nx\n\n".into() };
            prop_assert!(!matches!(read_answer(&witness, &sent, 1, 200, "", &bytes), Answer::Cosigned(_)));
        }
    }
}
