//! A permit as a short signed text that is checked without the server (`docs/decisions/0026-permits-checked-offline.md`).
//!
//! The text is digits: `4701`, then the content and its Ed25519 signature as in `digits`. The content is UTF-8, a line each:
//!
//! ```text
//! model-city                              body, as the key names it
//! みなと野市                                body, as people call it
//! 情報資産等の持出                          what is permitted
//! 持出-R8-0001                             number
//! 0192f0c1-7d5a-7000-8000-000000000001    case
//! 髙橋 花子                                holder
//! 2026-11-25                              first day
//! 2026-11-30                              last day
//! 2026-11-25T01:02:03.000Z                time of issue
//! once                                    or `blanket`: goes in and out in the period
//! 2 -                                     number of items; a hash over all of them where not all follow
//! A-001⇥要介護認定の名簿                    code and name of an item
//! M-003⇥USBメモリ
//! ```
//!
//! The signature is over `sekisho permit statement v1`, a line feed, and the SHA-256 of the content. The key is no key of checkpoints, and
//! the two kinds of signature it makes (this one and that of [`EndedList`]) begin differently.

mod check;
mod digits;
mod list;
mod statement;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

pub use check::{Checked, Verdict, check};
pub use list::{EndedList, MAX_ENDED, MAX_LIST, short_id};
pub use statement::{Item, MAX_CONTENT, MAX_TEXT, Statement};

use crate::checkpoint::parse_verifier;
use crate::entry::is_body_name;

/// What the name of a key for permits begins with; a log's name begins otherwise.
const NAME_PREFIX: &str = "sekisho-permit.";

/// Why a permit, a list or a key is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PermitError {
    /// The name of the body cannot be part of a key's name.
    #[error("団体名 {0:?} は許可証の鍵の名前に使えません")]
    Body(String),
    /// Not the one line of a key for permits.
    #[error(
        "許可証の検証鍵の形式が正しくありません（「sekisho-permit.団体名+8桁の番号+鍵」の1行が必要です）"
    )]
    Key,
    /// A field is longer than a printed code has room for.
    #[error("許可証の「{0}」が長すぎるため、QRコードにできません")]
    TooLong(&'static str),
    /// No list, or none that was signed by these keys.
    #[error("終わった許可の一覧を確かめられません。新しいものを受け取ってください")]
    List,
}

/// Why a permit no longer holds although its last day has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Revoked (取消し).
    Revoked,
    /// Everything went out and came back, and it was for one time.
    Returned,
    /// The case ended.
    Closed,
}

impl End {
    /// Code on a list and in the store.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Returned => "returned",
            Self::Closed => "closed",
        }
    }

    /// Reads a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Revoked, Self::Returned, Self::Closed].into_iter().find(|e| e.code() == code)
    }
}

/// The key that signs a body's permits. Kept nowhere: made from the seed of the signing key at each start.
pub struct PermitSigner {
    name: String,
    key: SigningKey,
}

impl std::fmt::Debug for PermitSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PermitSigner").field("key", &self.key().to_string()).finish_non_exhaustive()
    }
}

impl PermitSigner {
    /// The signer of a body's permits from 32 secret bytes that serve nothing else.
    ///
    /// # Errors
    /// The body's name cannot be part of a key's name.
    pub fn from_seed(body: &str, seed: &[u8; 32]) -> Result<Self, PermitError> {
        if !is_body_name(body.as_bytes()) {
            return Err(PermitError::Body(body.to_owned()));
        }
        Ok(Self { name: format!("{NAME_PREFIX}{body}"), key: SigningKey::from_bytes(seed) })
    }

    /// The same key for a body of another name.
    ///
    /// # Errors
    /// As [`PermitSigner::from_seed`].
    pub fn of_body(&self, body: &str) -> Result<Self, PermitError> {
        Self::from_seed(body, &self.key.to_bytes())
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> PermitKey {
        PermitKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        body_of(&self.name)
    }

    fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

/// The public key of a body's permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermitKey {
    name: String,
    key: VerifyingKey,
}

impl std::fmt::Display for PermitKey {
    /// One line in the form of a verifier key of c2sp.org/signed-note.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&signed_note::new_ed25519_verifier_key(&self.name, &self.key))
    }
}

impl PermitKey {
    /// Reads the one line of a key; a line break at the end is accepted.
    ///
    /// # Errors
    /// It is not the canonical line of a key for permits; a log's key is refused.
    pub fn parse(line: &str) -> Result<Self, PermitError> {
        let (name, key) = parse_verifier(line, NAME_PREFIX).ok_or(PermitError::Key)?;
        Ok(Self { name, key })
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        body_of(&self.name)
    }

    fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

fn body_of(name: &str) -> &str {
    name.strip_prefix(NAME_PREFIX).unwrap_or(name)
}
