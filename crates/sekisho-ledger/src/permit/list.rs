//! The list of the day: which permits ended before their printed last day, signed.
//!
//! ```text
//! sekisho-permit-list 1
//! model-city
//! 2026-11-25T00:10:00.000Z
//! 2026-11-26T03:00:00.000Z
//! 2
//! 0a1b2c3d4e5f6071 revoked
//! 9f8e7d6c5b4a3928 closed
//! <signature, base64>
//! ```
//!
//! No number and no name is in it: a permit is found by the first eight bytes of a hash over body and number.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256, unhex};

use super::{End, PermitError, PermitKey, PermitSigner};

/// Bytes of a list with its signature.
pub const MAX_LIST: usize = 8 * 1024 * 1024;
/// Permits on a list.
pub const MAX_ENDED: usize = 200_000;
const HEAD: &str = "sekisho-permit-list 1";
/// What the signature is over begins with this, and no other signature of these keys does.
const CONTEXT: &[u8] = b"sekisho permit list v1\n";

/// A list of permits that ended, as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedList {
    /// Body.
    pub body: String,
    /// When it was made.
    pub made_at: Instant,
    /// Until when it is of use; after this a newer one is there.
    pub good_until: Instant,
    /// What ended, by [`short_id`].
    pub ended: BTreeMap<[u8; 8], End>,
}

/// How a list names a permit.
#[must_use]
pub fn short_id(body: &str, number: &str) -> [u8; 8] {
    let digest = sha256(format!("sekisho permit number v1\n{body}\n{number}").as_bytes());
    let mut id = [0; 8];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    id
}

fn message(content: &str) -> Vec<u8> {
    [CONTEXT, &sha256(content.as_bytes())].concat()
}

impl EndedList {
    /// What became of a permit, if the list knows.
    #[must_use]
    pub fn end_of(&self, number: &str) -> Option<End> {
        self.ended.get(&short_id(&self.body, number)).copied()
    }

    fn content(&self) -> String {
        let mut out =
            format!("{HEAD}\n{}\n{}\n{}\n{}\n", self.body, self.made_at, self.good_until, self.ended.len());
        for (id, end) in &self.ended {
            out.push_str(&format!("{} {}\n", hex(id), end.code()));
        }
        out
    }

    /// Signs the list.
    ///
    /// # Errors
    /// It is another body's, or too long.
    pub fn sign(&self, signer: &PermitSigner) -> Result<String, PermitError> {
        if self.body != signer.body() || self.ended.len() > MAX_ENDED {
            return Err(PermitError::List);
        }
        let content = self.content();
        let signature = BASE64_STANDARD.encode(signer.sign_bytes(&message(&content)));
        Ok(content + &signature + "\n")
    }

    /// Reads a list that one of these keys signed.
    ///
    /// # Errors
    /// It is no list, not in its one spelling, or signed by none of the keys.
    pub fn open(text: &str, keys: &[PermitKey]) -> Result<Self, PermitError> {
        let list = Self::read(text).ok_or(PermitError::List)?;
        let (content, signature) = list.1;
        let message = message(content);
        let signed = |k: &PermitKey| k.body() == list.0.body && k.verifies(&message, &signature);
        if keys.iter().any(signed) { Ok(list.0) } else { Err(PermitError::List) }
    }

    fn read(text: &str) -> Option<(Self, (&str, [u8; 64]))> {
        if text.len() > MAX_LIST {
            return None;
        }
        let split = text.strip_suffix('\n')?.rfind('\n')? + 1;
        let (content, signature) = text.split_at_checked(split)?;
        let signature = BASE64_STANDARD.decode(signature.trim_end_matches('\n')).ok()?.try_into().ok()?;
        let mut lines = content.lines();
        if lines.next() != Some(HEAD) {
            return None;
        }
        let body = lines.next()?.to_owned();
        let made_at = lines.next()?.parse().ok()?;
        let good_until = lines.next()?.parse().ok()?;
        let count: usize = lines.next()?.parse().ok()?;
        let mut ended = BTreeMap::new();
        for line in lines {
            let (id, end) = line.split_once(' ')?;
            ended.insert(unhex(id)?.try_into().ok()?, End::from_code(end)?);
        }
        let list = Self { body, made_at, good_until, ended };
        // The one spelling also means: sorted, none twice, the count right.
        (count <= MAX_ENDED && list.content() == content).then_some((list, (content, signature)))
    }
}
