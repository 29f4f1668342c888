//! A witness's signature on another log's checkpoint: c2sp.org/tlog-cosignature, Ed25519 (`cosignature/v1`).
//!
//! ```text
//! cosignature/v1
//! time 1679315147
//! sekisho.model-city
//! 1234
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! ```
//!
//! That text is signed; the signature line carries the time before the signature. It says: at that time this was the
//! largest tree of this log that the witness had seen, and it continues every tree the witness had signed before.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use crate::checkpoint::MAX_CHECKPOINT;

/// Signature type of Ed25519 cosignatures (c2sp.org/signed-note).
const COSIGNATURE: u8 = 0x04;
/// Signature type of plain Ed25519, in which private keys are written.
const ED25519: u8 = 0x01;
/// What a private key begins with (Go's `sumdb/note`).
const PRIVATE: &str = "PRIVATE+KEY+";
/// Longest name of a witness, in bytes.
pub const MAX_NAME: usize = 128;
/// Bytes of one line of a public or private key.
const MAX_LINE: usize = 256;
/// Signature lines that a note may have.
const MAX_SIGNATURES: usize = 100;

/// Why a witness's key or cosignature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CosignError {
    /// The name cannot be that of a key.
    #[error(
        "立会人の名前 {0:?} は使えません（空白と + を除く{MAX_NAME}バイトまでの文字。例: witness.example/minato）"
    )]
    Name(String),
    /// Not the public key of a witness.
    #[error("立会人の公開鍵の形式が正しくありません（「名前+8桁の番号+鍵」の1行が必要です）")]
    Key,
    /// Not a private key.
    #[error("立会人の秘密鍵の形式が正しくありません（「PRIVATE+KEY+」で始まる1行が必要です）")]
    PrivateKey,
    /// The checkpoint or the lines cannot be read.
    #[error("署名の行を読めません: {0}")]
    Malformed(&'static str),
    /// The signature does not fit the text and the time.
    #[error("立会人 {0} の署名が、控えの内容と合いません。書き換えられた疑いがあります")]
    Signature(String),
}

impl CosignError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "ledger.cosign.name",
            Self::Key => "ledger.cosign.key",
            Self::PrivateKey => "ledger.cosign.private_key",
            Self::Malformed(_) => "ledger.cosign.malformed",
            Self::Signature(_) => "ledger.cosign.signature",
        }
    }
}

/// One verified cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub witness: String,
    /// When the witness signed: seconds since 1970-01-01T00:00:00Z, by the witness's clock.
    pub timestamp: u64,
    /// The signature line with its line feed, to be put below the checkpoint.
    pub line: String,
}

/// A witness's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: VerifyingKey,
}

impl std::fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let typed = typed(COSIGNATURE, self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id(), BASE64_STANDARD.encode(typed))
    }
}

impl WitnessKey {
    /// Reads the one line of a witness's public key (signature type 0x04); a line break at the end is accepted.
    ///
    /// # Errors
    /// It is not the canonical line of such a key, or a key with which anything can be signed.
    pub fn parse(vkey: &str) -> Result<Self, CosignError> {
        let line = vkey.strip_suffix('\n').unwrap_or(vkey);
        if line.len() > MAX_LINE {
            return Err(CosignError::Key);
        }
        let mut parts = line.splitn(3, '+');
        let (Some(name), Some(_), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CosignError::Key);
        };
        if !is_name(name) {
            return Err(CosignError::Key);
        }
        let data = BASE64_STANDARD.decode(data).map_err(|_| CosignError::Key)?;
        let Some((&COSIGNATURE, key)) = data.split_first() else { return Err(CosignError::Key) };
        let key = key.try_into().ok().and_then(|bytes| VerifyingKey::from_bytes(bytes).ok());
        let key = key.filter(|key| !key.is_weak()).ok_or(CosignError::Key)?;
        let parsed = Self { name: name.to_owned(), key };
        // Also compares the key's id and refuses a second spelling of the same key.
        if parsed.to_string() == line { Ok(parsed) } else { Err(CosignError::Key) }
    }

    /// The witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> u32 {
        signed_note::key_id(&self.name, &typed(COSIGNATURE, self.key.as_bytes()))
    }

    /// Looks for this witness's cosignature below a checkpoint. Lines of other keys are passed over.
    ///
    /// # Errors
    /// The note cannot be read, or the witness's line is there and does not fit.
    pub fn find(&self, note: &[u8]) -> Result<Option<Cosignature>, CosignError> {
        if note.len() > MAX_CHECKPOINT {
            return Err(CosignError::Malformed("長すぎます"));
        }
        let note =
            std::str::from_utf8(note).map_err(|_| CosignError::Malformed("UTF-8 の文字ではありません"))?;
        let (text, lines) = split(note)?;
        for (n, line) in lines.split_terminator('\n').enumerate() {
            if n == MAX_SIGNATURES {
                return Err(CosignError::Malformed("署名の行が多すぎます"));
            }
            if let Some(found) = self.read(text, line)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Reads one signature line; `None` when it is another key's.
    fn read(&self, text: &str, line: &str) -> Result<Option<Cosignature>, CosignError> {
        let signature = signed_note::Signature::from_bytes(line.as_bytes())
            .map_err(|_| CosignError::Malformed("署名の行の書き方が規格と違います"))?;
        if signature.name() != self.name || signature.id() != self.id() {
            return Ok(None);
        }
        let wrong = || CosignError::Signature(self.name.clone());
        let (time, bytes) = signature.signature().split_first_chunk::<8>().ok_or_else(wrong)?;
        let timestamp = u64::from_be_bytes(*time);
        if i64::try_from(timestamp).is_err() {
            return Err(wrong());
        }
        let bytes = Signature::from_slice(bytes).map_err(|_| wrong())?;
        self.key.verify_strict(&message(text, timestamp), &bytes).map_err(|_| wrong())?;
        Ok(Some(Cosignature { witness: self.name.clone(), timestamp, line: format!("{line}\n") }))
    }
}

/// The key with which a witness signs. Kept on the witness's host, by another officer than the log's.
pub struct WitnessSigner {
    name: String,
    key: SigningKey,
}

impl std::fmt::Debug for WitnessSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WitnessSigner").field("vkey", &self.key().to_string()).finish_non_exhaustive()
    }
}

impl WitnessSigner {
    /// The signer of a witness from its 32 secret bytes.
    ///
    /// # Errors
    /// The name cannot be that of a key.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, CosignError> {
        if !is_name(name) {
            return Err(CosignError::Name(name.chars().take(MAX_NAME).collect()));
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// Reads the line of [`Self::private_line`]; a line break at the end is accepted.
    ///
    /// # Errors
    /// It is not a private key of that form.
    pub fn parse(line: &str) -> Result<Self, CosignError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let parts =
            line.strip_prefix(PRIVATE).filter(|rest| rest.len() <= MAX_LINE).map(|rest| rest.splitn(3, '+'));
        let (Some(name), Some(_), Some(data)) =
            parts.map_or((None, None, None), |mut p| (p.next(), p.next(), p.next()))
        else {
            return Err(CosignError::PrivateKey);
        };
        let data = BASE64_STANDARD.decode(data).map_err(|_| CosignError::PrivateKey)?;
        let Some((&ED25519, seed)) = data.split_first() else { return Err(CosignError::PrivateKey) };
        let seed = seed.try_into().map_err(|_| CosignError::PrivateKey)?;
        let parsed = Self::from_seed(name, seed)?;
        if parsed.private_line() == line { Ok(parsed) } else { Err(CosignError::PrivateKey) }
    }

    /// The secret as one line, as Go's `note.GenerateKey` writes it, so that a witness of another make can take it over.
    #[must_use]
    pub fn private_line(&self) -> String {
        let id = signed_note::key_id(&self.name, &typed(ED25519, self.key.verifying_key().as_bytes()));
        let secret = BASE64_STANDARD.encode(typed(ED25519, self.key.as_bytes()));
        format!("{PRIVATE}{}+{id:08x}+{secret}", self.name)
    }

    /// The public key of this signer.
    #[must_use]
    pub fn key(&self) -> WitnessKey {
        WitnessKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs a checkpoint's text as seen at a time (seconds since 1970). Whether it may be signed is for
    /// [`crate::witness::judge`] to say.
    ///
    /// # Errors
    /// The note cannot be divided into text and signatures.
    pub fn cosign(&self, note: &str, timestamp: u64) -> Result<Cosignature, CosignError> {
        let (text, _) = split(note)?;
        let signature = self.key.sign(&message(text, timestamp)).to_bytes();
        let mut bytes = self.key().id().to_be_bytes().to_vec();
        bytes.extend_from_slice(&timestamp.to_be_bytes());
        bytes.extend_from_slice(&signature);
        let line = format!("— {} {}\n", self.name, BASE64_STANDARD.encode(bytes));
        Ok(Cosignature { witness: self.name.clone(), timestamp, line })
    }
}

/// Whether this may name a witness: what c2sp.org/signed-note allows, no control characters, [`MAX_NAME`] bytes.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME && signed_note::is_key_name_valid(name) && !name.chars().any(char::is_control)
}

/// The note's text with its line feed, and the signature lines.
fn split(note: &str) -> Result<(&str, &str), CosignError> {
    let at = note.rfind("\n\n").ok_or(CosignError::Malformed("署名の前の空行がありません"))?;
    let (text, lines) = note.split_at(at + 1);
    Ok((text, lines.strip_prefix('\n').unwrap_or(lines)))
}

fn message(text: &str, timestamp: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {timestamp}\n{text}").into_bytes()
}

fn typed(kind: u8, bytes: &[u8; 32]) -> Vec<u8> {
    [&[kind], bytes.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sekisho_base::canonical::unhex;

    /// A checkpoint of a certificate transparency log of May 2026 with the cosignatures of witnesses in operation.
    const REAL: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n\
        — arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n\
        — arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\
        — transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n\
        — witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n\
        — remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n\
        — witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n";

    /// Their published keys.
    const KEYS: [&str; 4] = [
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
        "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
        "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    ];

    #[test]
    fn cosignatures_of_witnesses_in_operation_verify() {
        for vkey in KEYS {
            let key = WitnessKey::parse(vkey).unwrap();
            assert_eq!(key.to_string(), vkey);
            let found = key.find(REAL.as_bytes()).unwrap().unwrap();
            assert_eq!((found.witness.as_str(), found.timestamp), (key.name(), 1_779_573_024));
            assert!(REAL.contains(&found.line));
            for other in [REAL.replace("1432088532", "1432088531"), REAL.replace("U7WM", "U7WN")] {
                assert_eq!(key.find(other.as_bytes()), Err(CosignError::Signature(key.name().to_owned())));
            }
        }
        let stranger = WitnessSigner::from_seed("witness.example", &[1; 32]).unwrap().key();
        assert_eq!(stranger.find(REAL.as_bytes()), Ok(None));
    }

    #[test]
    fn the_signature_is_that_of_another_implementation() {
        // Python: Ed25519PrivateKey.from_private_bytes(RFC 8032, 7.1, test 1).sign(b"cosignature/v1\ntime 1679315147\n…")
        let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let signer = WitnessSigner::from_seed("witness.example/w1", &seed.try_into().unwrap()).unwrap();
        assert_eq!(signer.key().to_string(), PYTHON_VKEY);
        assert_eq!(signer.private_line(), PYTHON_SKEY);
        let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n";
        let made = signer.cosign(note, 1_679_315_147).unwrap();
        assert_eq!(made.line, PYTHON_LINE);
        let cosigned = format!("{note}{}", made.line);
        assert_eq!(signer.key().find(cosigned.as_bytes()), Ok(Some(made)));
        assert_eq!(WitnessSigner::parse(PYTHON_SKEY).unwrap().key(), signer.key());
    }

    const PYTHON_VKEY: &str = "witness.example/w1+eb762cc2+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    const PYTHON_SKEY: &str =
        "PRIVATE+KEY+witness.example/w1+6d141fc1+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    const PYTHON_LINE: &str = "— witness.example/w1 63YswgAAAABkGFDL+TPmh4BYuAjsYRoqMJCWb/gWJaeRF/kmm5tlCr9sJ57DLErur7K0yDXc2ArN+TIuotuB/HbuL3AJsp3bv/aNCQ==\n";

    #[test]
    fn every_changed_byte_of_a_cosigned_checkpoint_is_noticed() {
        let signer = WitnessSigner::from_seed("w", &[4; 32]).unwrap();
        let note = "a\n1\nAAAA\n\n";
        let cosigned = format!("{note}{}", signer.cosign(note, 1).unwrap().line);
        for i in 0..cosigned.len() {
            for bit in 0..8 {
                let mut bytes = cosigned.clone().into_bytes();
                bytes[i] ^= 1 << bit;
                assert!(!matches!(signer.key().find(&bytes), Ok(Some(_))), "byte {i} bit {bit}");
            }
        }
        let vkey = signer.key().to_string();
        for i in 0..vkey.len() {
            let mut bytes = vkey.clone().into_bytes();
            bytes[i] ^= 1;
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let seen = WitnessKey::parse(&text).and_then(|k| k.find(cosigned.as_bytes()));
            assert!(!matches!(seen, Ok(Some(_))), "{text}");
        }
    }

    #[test]
    fn names_and_times_are_bounded() {
        for name in ["", "a b", "a+b", "a\u{7}", &"n".repeat(MAX_NAME + 1)] {
            assert!(
                matches!(WitnessSigner::from_seed(name, &[0; 32]), Err(CosignError::Name(_))),
                "{name:?}"
            );
        }
        let signer = WitnessSigner::from_seed("w", &[4; 32]).unwrap();
        let note = "a\n1\nAAAA\n\n";
        let late = format!("{note}{}", signer.cosign(note, 1 << 63).unwrap().line);
        assert!(signer.key().find(late.as_bytes()).is_err());
        let many = format!("{note}{}", "— other AAAAAAAA\n".repeat(MAX_SIGNATURES + 1));
        assert!(signer.key().find(many.as_bytes()).is_err());
        assert!(signer.key().find(&vec![b'a'; MAX_CHECKPOINT + 1]).is_err());
        assert!(signer.cosign("no signatures", 1).is_err());
    }

    proptest! {
        #[test]
        fn nothing_foreign_is_accepted(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[a-z+]{0,9}\n{0,2}(— [a-z.]{0,9} [A-Za-z0-9+/=]{0,90}\n){0,3}") {
            let key = WitnessSigner::from_seed("w", &[4; 32]).unwrap().key();
            prop_assert!(!matches!(key.find(&bytes), Ok(Some(_))));
            prop_assert!(!matches!(key.find(text.as_bytes()), Ok(Some(_))));
            prop_assert!(WitnessKey::parse(&text).is_err());
            prop_assert!(WitnessSigner::parse(&text).is_err());
        }
    }
}
