//! One entry of the ledger, leaf version 1.
//!
//! An entry names what happened and commits to its content without holding it: the payload and its salt stay in the
//! database, can be erased there, and the existence of the act stays provable. The encoding is one sequence of bytes
//! per entry, readable without any key or schema:
//!
//! | offset | bytes | meaning |
//! |---|---|---|
//! | 0 | 7 | `sekisho` in ASCII |
//! | 7 | 1 | version, `0x01` |
//! | 8 | 1 | length b of the body's name, 1 to 63 |
//! | 9 | b | the body's name: ASCII letters, digits, `-`, `_`, `.`; begins and ends with a letter or digit |
//! | 9+b | 16 | stream: a random identifier of the case or source |
//! | 25+b | 8 | sequence in the stream, big endian, 1 for the first |
//! | 33+b | 1 | length k of the kind, 1 to 40 |
//! | 34+b | k | the kind: words `[a-z][a-z0-9_]*` joined by `.`, such as `case.permit` |
//! | 34+b+k | 32 | SHA-256(salt ‖ canonical payload) |
//!
//! Nothing may follow. Up to 52 bytes of body and kind together, the leaf hash takes two blocks of SHA-256.

use sha2::{Digest, Sha256};
use thiserror::Error;

/// `sekisho` and the version.
const HEAD: &[u8; 8] = b"sekisho\x01";
/// Longest name of a body, in bytes.
pub const MAX_BODY: usize = 63;
/// Longest kind, in bytes.
pub const MAX_KIND: usize = 40;
/// Longest encoded entry, in bytes.
pub const MAX_ENTRY: usize = HEAD.len() + 1 + MAX_BODY + 16 + 8 + 1 + MAX_KIND + 32;

/// The commitment to a payload: SHA-256(salt ‖ payload), the payload in canonical JSON (RFC 8785).
///
/// The salt is random, so that a payload of few possible values cannot be guessed from the ledger.
#[must_use]
pub fn commit(salt: &[u8; 16], payload: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(payload.as_bytes()).finalize().into()
}

/// An entry, borrowing its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// The body (legal entity) whose ledger this is.
    pub body: &'a str,
    /// The case or source, a random identifier without personal meaning.
    pub stream: [u8; 16],
    /// Position in the stream: 1, 2, 3 … without gaps.
    pub sequence: u64,
    /// What kind of act, such as `case.permit`.
    pub kind: &'a str,
    /// [`commit`] of the payload.
    pub commit: [u8; 32],
}

/// An entry that is not of the form described above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// The bytes do not begin with `sekisho`.
    #[error("関所の記録の形式ではありません（先頭の識別子が違います）")]
    NotAnEntry,
    /// A version this program does not know.
    #[error("記録の形式の版 {0} には対応していません。新しい版の関所で確認してください")]
    Version(u8),
    /// The bytes end too early.
    #[error("記録が途中で切れています")]
    Truncated,
    /// Bytes follow the end.
    #[error("記録の後ろに余分なデータが {0} バイトあります")]
    Trailing(usize),
    /// The name of the body is empty, too long or holds other characters.
    #[error("記録の団体名が正しくありません（英数字と - _ . で63文字まで、先頭と末尾は英数字）")]
    Body,
    /// The kind is empty, too long or holds other characters.
    #[error("記録の種別が正しくありません（英小文字・数字・_ の語を . でつないで40文字まで）")]
    Kind,
    /// Sequences begin at 1.
    #[error("記録の連番が 0 です（連番は 1 から始まります）")]
    Sequence,
}

impl EntryError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnEntry => "ledger.entry.not_an_entry",
            Self::Version(_) => "ledger.entry.version",
            Self::Truncated => "ledger.entry.truncated",
            Self::Trailing(_) => "ledger.entry.trailing",
            Self::Body => "ledger.entry.body",
            Self::Kind => "ledger.entry.kind",
            Self::Sequence => "ledger.entry.sequence",
        }
    }
}

impl<'a> Leaf<'a> {
    /// The bytes of the entry.
    ///
    /// # Errors
    /// The body's name or the kind is not of the allowed form, or the sequence is 0.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        if !is_body_name(self.body.as_bytes()) {
            return Err(EntryError::Body);
        }
        if !is_kind(self.kind.as_bytes()) {
            return Err(EntryError::Kind);
        }
        if self.sequence == 0 {
            return Err(EntryError::Sequence);
        }
        let body_length = u8::try_from(self.body.len()).map_err(|_| EntryError::Body)?;
        let kind_length = u8::try_from(self.kind.len()).map_err(|_| EntryError::Kind)?;
        let mut out = Vec::with_capacity(66 + self.body.len() + self.kind.len());
        out.extend_from_slice(HEAD);
        out.push(body_length);
        out.extend_from_slice(self.body.as_bytes());
        out.extend_from_slice(&self.stream);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.push(kind_length);
        out.extend_from_slice(self.kind.as_bytes());
        out.extend_from_slice(&self.commit);
        Ok(out)
    }

    /// Reads an entry; every entry has exactly one encoding and nothing else is accepted.
    ///
    /// # Errors
    /// Says in which part the bytes are not an entry.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let Some((head, rest)) = bytes.split_first_chunk::<8>() else {
            return Err(if HEAD.starts_with(bytes) { EntryError::Truncated } else { EntryError::NotAnEntry });
        };
        if head != HEAD {
            let [name @ .., version] = head;
            return Err(if HEAD.starts_with(name) {
                EntryError::Version(*version)
            } else {
                EntryError::NotAnEntry
            });
        }
        let (body, rest) = take_name(rest, MAX_BODY, is_body_name, EntryError::Body)?;
        let (stream, rest) = rest.split_first_chunk::<16>().ok_or(EntryError::Truncated)?;
        let (sequence, rest) = rest.split_first_chunk::<8>().ok_or(EntryError::Truncated)?;
        let sequence = u64::from_be_bytes(*sequence);
        if sequence == 0 {
            return Err(EntryError::Sequence);
        }
        let (kind, rest) = take_name(rest, MAX_KIND, is_kind, EntryError::Kind)?;
        let (commit, rest) = rest.split_first_chunk::<32>().ok_or(EntryError::Truncated)?;
        if !rest.is_empty() {
            return Err(EntryError::Trailing(rest.len()));
        }
        Ok(Self { body, stream: *stream, sequence, kind, commit: *commit })
    }

    /// Whether a payload and its salt are what this entry committed to.
    #[must_use]
    pub fn matches(&self, salt: &[u8; 16], payload: &str) -> bool {
        self.commit == commit(salt, payload)
    }
}

/// A name with its length before it.
fn take_name(
    bytes: &[u8],
    most: usize,
    valid: fn(&[u8]) -> bool,
    error: EntryError,
) -> Result<(&str, &[u8]), EntryError> {
    let (length, rest) = bytes.split_first().ok_or(EntryError::Truncated)?;
    let length = usize::from(*length);
    if length > most {
        return Err(error);
    }
    let (name, rest) = rest.split_at_checked(length).ok_or(EntryError::Truncated)?;
    if !valid(name) {
        return Err(error);
    }
    Ok((std::str::from_utf8(name).map_err(|_| error)?, rest))
}

/// Whether this may name a body: 1 to 63 ASCII letters, digits, `-`, `_`, `.`, a letter or digit at both ends.
#[must_use]
pub fn is_body_name(name: &[u8]) -> bool {
    name.len() <= MAX_BODY
        && name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name.last().is_some_and(u8::is_ascii_alphanumeric)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Whether this may be a kind: words `[a-z][a-z0-9_]*` joined by `.`, 40 bytes at most.
#[must_use]
pub fn is_kind(kind: &[u8]) -> bool {
    let mut begins = true;
    for b in kind {
        let fits = if begins {
            b.is_ascii_lowercase()
        } else {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.')
        };
        if !fits {
            return false;
        }
        begins = *b == b'.';
    }
    !begins && kind.len() <= MAX_KIND
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf() -> Leaf<'static> {
        Leaf {
            body: "model-city",
            stream: [7; 16],
            sequence: 3,
            kind: "case.permit",
            commit: commit(&[1; 16], "{\"a\":1}"),
        }
    }

    #[test]
    fn the_encoding_is_the_documented_one() {
        let bytes = leaf().encode().unwrap();
        let mut want = b"sekisho\x01\x0amodel-city".to_vec();
        want.extend([7; 16]);
        want.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        want.extend(b"\x0bcase.permit");
        // (printf "\1%.0s" {1..16}; printf "{\"a\":1}") | sha256sum
        want.extend(
            sekisho_base::canonical::unhex(
                "10f5b31931255aa68f76d3d96c5703b414659dad0d8c2fb71ecf76918166d7b3",
            )
            .unwrap(),
        );
        assert_eq!(bytes, want);
        assert_eq!(Leaf::decode(&bytes), Ok(leaf()));
        assert!(leaf().matches(&[1; 16], "{\"a\":1}"));
        assert!(!leaf().matches(&[2; 16], "{\"a\":1}"));
    }

    #[test]
    fn names_are_bounded_and_plain() {
        let longest = "b".repeat(MAX_BODY);
        let kind = "k".repeat(MAX_KIND);
        let most = Leaf { body: &longest, kind: &kind, ..leaf() }.encode().unwrap();
        assert_eq!(most.len(), MAX_ENTRY);
        for body in ["", "-a", "a.", "a b", "市", "a\n", &"b".repeat(MAX_BODY + 1)] {
            assert_eq!(Leaf { body, ..leaf() }.encode(), Err(EntryError::Body), "{body:?}");
        }
        for kind in ["", ".a", "a.", "a..b", "A", "1a", "a.1", "a-b", "申請", &"k".repeat(MAX_KIND + 1)] {
            assert_eq!(Leaf { kind, ..leaf() }.encode(), Err(EntryError::Kind), "{kind:?}");
        }
        assert_eq!(Leaf { sequence: 0, ..leaf() }.encode(), Err(EntryError::Sequence));
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        let bytes = leaf().encode().unwrap();
        for n in 0..bytes.len() {
            assert_eq!(Leaf::decode(&bytes[..n]), Err(EntryError::Truncated), "{n}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert_eq!(Leaf::decode(&longer), Err(EntryError::Trailing(1)));
        let mut later = bytes.clone();
        later[7] = 2;
        assert_eq!(Leaf::decode(&later), Err(EntryError::Version(2)));
        let mut zero = bytes.clone();
        zero[42] = 0;
        assert_eq!(Leaf::decode(&zero), Err(EntryError::Sequence));
        assert_eq!(Leaf::decode(b"something else"), Err(EntryError::NotAnEntry));
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..90, value in any::<u8>()) {
            if let Ok(leaf) = Leaf::decode(&bytes) {
                prop_assert_eq!(leaf.encode(), Ok(bytes));
            }
            let mut near = leaf().encode().unwrap();
            if let Some(b) = near.get_mut(cut) {
                *b = value;
            }
            if let Ok(leaf) = Leaf::decode(&near) {
                prop_assert_eq!(leaf.encode().unwrap(), near);
            }
        }

        #[test]
        fn every_entry_round_trips(
            body in "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", kind in "[a-z][a-z0-9_]{0,11}(\\.[a-z][a-z0-9_]{0,11}){0,2}",
            stream in any::<[u8; 16]>(), sequence in 1u64.., commit in any::<[u8; 32]>(),
        ) {
            let leaf = Leaf { body: &body, stream, sequence, kind: &kind, commit };
            let bytes = leaf.encode().unwrap();
            prop_assert_eq!(Leaf::decode(&bytes), Ok(leaf));
        }
    }
}
