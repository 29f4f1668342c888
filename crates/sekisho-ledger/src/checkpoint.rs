//! The signed head of the tree: c2sp.org/tlog-checkpoint in a c2sp.org/signed-note, signed with Ed25519.
//!
//! ```text
//! sekisho.model-city
//! 1234
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — sekisho.model-city Az3grlgt…
//! ```
//!
//! Signatures by other keys (a witness's cosignature, of whatever type) are kept and reported as unknown; only the
//! log's own signature decides.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sekisho_base::Entropy;
use signed_note::{Note, NoteError, VerifierList};
use thiserror::Error;

use crate::entry::is_body_name;
use crate::tree::{MAX_SIZE, TreeHead};

/// Bytes of one checkpoint with its signatures.
pub const MAX_CHECKPOINT: usize = 64 * 1024;
/// Bytes of one public key line.
pub const MAX_KEY: usize = 256;
/// What the name of a log begins with.
const ORIGIN_PREFIX: &str = "sekisho.";
/// Signature type of plain Ed25519 (c2sp.org/signed-note).
const ED25519: u8 = 0x01;

/// Why a checkpoint or key is not accepted.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The name of the body cannot be part of a log's name.
    #[error("団体名 {0:?} は台帳の名前に使えません（英数字と - _ . で63文字まで、先頭と末尾は英数字）")]
    Body(String),
    /// The public key is not a verifier key of an Ed25519 log of Sekisho.
    #[error("検証鍵の形式が正しくありません（「sekisho.団体名+8桁の番号+鍵」の1行が必要です）")]
    Key,
    /// Too long, not a signed note, or not in its canonical form.
    #[error("チェックポイントの形式が正しくありません: {0}")]
    Malformed(&'static str),
    /// It belongs to another log.
    #[error("チェックポイントは別の台帳のものです（鍵の台帳: {expected}、チェックポイント: {found}）")]
    Origin {
        /// The log of the key.
        expected: String,
        /// The log it names.
        found: String,
    },
    /// No signature by the key.
    #[error("チェックポイントに {0} の鍵による署名がありません。鍵を取り違えていないか確認してください")]
    Unsigned(String),
    /// The signature does not fit the text.
    #[error("チェックポイントの署名が正しくありません。内容が書き換えられた疑いがあります")]
    Signature,
    /// Signing failed.
    #[error("チェックポイントに署名できません: {0}")]
    Signing(#[source] NoteError),
}

impl CheckpointError {
    /// A code that stays the same when the wording changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Body(_) => "ledger.checkpoint.body",
            Self::Key => "ledger.checkpoint.key",
            Self::Malformed(_) => "ledger.checkpoint.malformed",
            Self::Origin { .. } => "ledger.checkpoint.origin",
            Self::Unsigned(_) => "ledger.checkpoint.unsigned",
            Self::Signature => "ledger.checkpoint.signature",
            Self::Signing(_) => "ledger.checkpoint.signing",
        }
    }
}

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, `sekisho.<body>`.
    pub origin: String,
    /// Size and root of the tree.
    pub head: TreeHead,
    /// Further lines, not empty, without meaning here. C2SP advises against them, and some verifiers refuse them.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The body whose ledger it is: the origin after `sekisho.`.
    #[must_use]
    pub fn body(&self) -> &str {
        self.origin.strip_prefix(ORIGIN_PREFIX).unwrap_or(&self.origin)
    }

    /// A short form to be read aloud or compared on the telephone: four groups of four digits.
    ///
    /// The first eight bytes of SHA-256 over the three lines (name, size, root, each with its line feed), as a big endian
    /// number, its last sixteen decimal digits. About 53 bits: enough to notice another checkpoint, no replacement for the
    /// text.
    #[must_use]
    pub fn spoken(&self) -> String {
        let root = BASE64_STANDARD.encode(self.head.root);
        let digest = sekisho_base::canonical::sha256(
            format!("{}\n{}\n{root}\n", self.origin, self.head.size).as_bytes(),
        );
        let number = digest.iter().take(8).fold(0u64, |n, b| n << 8 | u64::from(*b)) % 10_000_000_000_000_000;
        let digits = format!("{number:016}");
        let groups: Vec<&str> =
            [0..4, 4..8, 8..12, 12..16].into_iter().filter_map(|r| digits.get(r)).collect();
        groups.join(" ")
    }

    fn to_text(&self) -> Result<Vec<u8>, CheckpointError> {
        if self.extensions.iter().any(|line| line.is_empty() || line.contains('\n')) {
            return Err(CheckpointError::Malformed("追加の行が空か、改行を含んでいます"));
        }
        if self.head.size > MAX_SIZE {
            return Err(CheckpointError::Malformed("件数が大きすぎます"));
        }
        let extension: String = self.extensions.iter().flat_map(|line| [line, "\n"]).collect();
        tlog_tiles::Checkpoint::new(
            &self.origin,
            self.head.size,
            tlog_tiles::Hash(self.head.root),
            &extension,
        )
        .map(|c| c.to_bytes())
        .map_err(|_| CheckpointError::Malformed("台帳の名前か追加の行が正しくありません"))
    }
}

/// A checkpoint whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The whole note as it was signed, to be kept, printed or exported.
    pub note: String,
    /// Names of the signatures by keys that are not known here, such as witnesses.
    pub other_signers: Vec<String>,
}

impl SignedCheckpoint {
    /// The note with further signature lines below, such as witnesses' cosignatures. A line that is there already is not
    /// repeated.
    #[must_use]
    pub fn with_lines<'l>(&self, lines: impl IntoIterator<Item = &'l str>) -> String {
        let mut note = self.note.clone();
        for line in lines {
            if !note.contains(line) {
                note.push_str(line);
            }
        }
        note
    }
}

/// The key that signs a log's checkpoints. Kept outside the data folder and the backups.
pub struct LogSigner {
    origin: String,
    key: SigningKey,
}

impl std::fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogSigner").field("vkey", &self.vkey()).finish_non_exhaustive()
    }
}

impl LogSigner {
    /// The signer of a body's log from its 32 secret bytes.
    ///
    /// # Errors
    /// The body's name cannot be part of a log's name.
    pub fn from_seed(body: &str, seed: &[u8; 32]) -> Result<Self, CheckpointError> {
        if !is_body_name(body.as_bytes()) {
            return Err(CheckpointError::Body(body.to_owned()));
        }
        Ok(Self { origin: format!("{ORIGIN_PREFIX}{body}"), key: SigningKey::from_bytes(seed) })
    }

    /// The same key for a body of another name.
    ///
    /// # Errors
    /// As [`LogSigner::from_seed`].
    pub fn of_body(&self, body: &str) -> Result<Self, CheckpointError> {
        Self::from_seed(body, &self.key.to_bytes())
    }

    /// The public key of this signer.
    #[must_use]
    pub fn key(&self) -> LogKey {
        LogKey { origin: self.origin.clone(), key: self.key.verifying_key() }
    }

    /// The public key as one line (c2sp.org/signed-note, verifier key): `<origin>+<id>+<base64>`.
    #[must_use]
    pub fn vkey(&self) -> String {
        self.key().to_string()
    }

    /// Signs a head.
    ///
    /// # Errors
    /// An extension line is empty or holds a line break or control character, or the size is beyond what a tree holds.
    pub fn sign(&self, head: TreeHead, extensions: &[String]) -> Result<SignedCheckpoint, CheckpointError> {
        let checkpoint = Checkpoint { origin: self.origin.clone(), head, extensions: extensions.to_vec() };
        let mut note = Note::new(&checkpoint.to_text()?, &[])
            .map_err(|_| CheckpointError::Malformed("使えない文字があります"))?;
        note.add_sigs(&[self as &dyn signed_note::Signer]).map_err(CheckpointError::Signing)?;
        let note = String::from_utf8(note.to_bytes())
            .map_err(|_| CheckpointError::Malformed("使えない文字があります"))?;
        if note.len() > MAX_CHECKPOINT {
            return Err(CheckpointError::Malformed("長すぎます"));
        }
        Ok(SignedCheckpoint { checkpoint, note, other_signers: Vec::new() })
    }
}

/// Makes the 32 secret bytes of a new signer.
///
/// # Errors
/// The source of randomness failed.
pub fn new_seed(entropy: &dyn Entropy) -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    entropy.fill(&mut seed)?;
    Ok(seed)
}

impl signed_note::Signer for LogSigner {
    fn name(&self) -> &str {
        &self.origin
    }

    fn key_id(&self) -> u32 {
        key_id(&self.origin, &self.key.verifying_key())
    }

    fn sign(&self, msg: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        self.key.try_sign(msg).map(|signature| signature.to_vec())
    }
}

/// A log's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    origin: String,
    key: VerifyingKey,
}

impl std::fmt::Display for LogKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&signed_note::new_ed25519_verifier_key(&self.origin, &self.key))
    }
}

impl LogKey {
    /// Reads the one line of a public key; a line break at the end is accepted.
    ///
    /// # Errors
    /// It is not the canonical verifier key of a log of Sekisho, or a key with which anything can be signed.
    pub fn parse(vkey: &str) -> Result<Self, CheckpointError> {
        let (origin, key) = parse_verifier(vkey, ORIGIN_PREFIX).ok_or(CheckpointError::Key)?;
        Ok(Self { origin, key })
    }

    /// The log's name, `sekisho.<body>`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads a checkpoint and verifies the log's signature on it.
    ///
    /// # Errors
    /// It is malformed, another log's, not signed by this key, or its signature does not fit.
    pub fn open(&self, note: &[u8]) -> Result<SignedCheckpoint, CheckpointError> {
        let malformed = CheckpointError::Malformed;
        if note.len() > MAX_CHECKPOINT {
            return Err(malformed("長すぎます"));
        }
        let parsed = Note::from_bytes(note).map_err(|_| malformed("署名付きの文書として読めません"))?;
        if parsed.to_bytes() != note {
            return Err(malformed("署名の行の書き方が規格と違います"));
        }
        let text = tlog_tiles::Checkpoint::from_bytes(parsed.text())
            .map_err(|_| malformed("名前・件数・根の3行が読めません"))?;
        if text.origin() != self.origin {
            return Err(CheckpointError::Origin {
                expected: self.origin.clone(),
                found: text.origin().to_owned(),
            });
        }
        if text.size() > MAX_SIZE {
            return Err(malformed("件数が大きすぎます"));
        }
        let others = match parsed.verify(&VerifierList::new(vec![Box::new(self.clone())])) {
            Ok((_, others)) => others,
            Err(NoteError::InvalidSignature { .. }) => return Err(CheckpointError::Signature),
            Err(_) => return Err(CheckpointError::Unsigned(self.origin.clone())),
        };
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            head: TreeHead { size: text.size(), root: text.hash().0 },
            extensions: text.extension().lines().map(str::to_owned).collect(),
        };
        if checkpoint.to_text()? != parsed.text() {
            return Err(malformed("書き方が規格と違います"));
        }
        Ok(SignedCheckpoint {
            checkpoint,
            note: String::from_utf8(note.to_vec()).map_err(|_| malformed("UTF-8 の文字ではありません"))?,
            other_signers: others.iter().map(|s| s.name().to_owned()).collect(),
        })
    }
}

/// Reads the one line of a verifier key whose name is a prefix and a body: in canonical spelling only, and no key with which anything can
/// be signed.
pub(crate) fn parse_verifier(vkey: &str, prefix: &str) -> Option<(String, VerifyingKey)> {
    let line = vkey.strip_suffix('\n').unwrap_or(vkey);
    if line.len() > MAX_KEY {
        return None;
    }
    let mut parts = line.splitn(3, '+');
    let (name, _, data) = (parts.next()?, parts.next()?, parts.next()?);
    if !name.strip_prefix(prefix).is_some_and(|body| is_body_name(body.as_bytes())) {
        return None;
    }
    let data = BASE64_STANDARD.decode(data).ok()?;
    let (&ED25519, key) = data.split_first()? else { return None };
    let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok().filter(|key| !key.is_weak())?;
    // Also compares the key's id and refuses a second spelling of the same key.
    (signed_note::new_ed25519_verifier_key(name, &key) == line).then(|| (name.to_owned(), key))
}

impl signed_note::Verifier for LogKey {
    fn name(&self) -> &str {
        &self.origin
    }

    fn key_id(&self) -> u32 {
        key_id(&self.origin, &self.key)
    }

    fn verify(&self, msg: &[u8], sig: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(sig).is_ok_and(|s| self.key.verify_strict(msg, &s).is_ok())
    }
}

fn key_id(origin: &str, key: &VerifyingKey) -> u32 {
    let mut typed = [ED25519; 33];
    if let Some((_, bytes)) = typed.split_first_mut() {
        bytes.copy_from_slice(key.as_bytes());
    }
    signed_note::key_id(origin, &typed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sekisho_base::canonical::unhex;
    use sekisho_base::entropy::SeededEntropy;

    fn signer() -> LogSigner {
        LogSigner::from_seed("model-city", &new_seed(&SeededEntropy::new(1)).unwrap()).unwrap()
    }

    #[test]
    fn the_key_of_rfc_8032_signs_as_rfc_8032_says() {
        // RFC 8032, 7.1, test 1.
        let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let signer = LogSigner::from_seed("a", seed.as_slice().try_into().unwrap()).unwrap();
        let public = unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
        assert_eq!(signer.key().key.as_bytes().as_slice(), public);
        let signature = unhex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b").unwrap();
        assert_eq!(signed_note::Signer::sign(&signer, b"").unwrap(), signature);
        // The id by hand: the first four bytes of SHA-256(name, line feed, type, key).
        let digest = sekisho_base::canonical::sha256(&[b"sekisho.a\n\x01".as_slice(), &public].concat());
        let id = sekisho_base::canonical::hex(&digest[..4]);
        assert_eq!(signer.vkey(), format!("sekisho.a+{id}+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"));
        assert_eq!(LogKey::parse(&signer.vkey()).unwrap(), signer.key());
        assert!(signed_note::StandardVerifier::new(&signer.vkey()).is_ok());
    }

    #[test]
    fn a_checkpoint_round_trips_and_every_changed_byte_is_noticed() {
        let head = TreeHead { size: 12, root: [5; 32] };
        for extensions in [vec![], vec!["printed 2026-04".to_owned(), "二".to_owned()]] {
            let signed = signer().sign(head, &extensions).unwrap();
            let opened = signer().key().open(signed.note.as_bytes()).unwrap();
            assert_eq!(opened, signed);
            assert_eq!((opened.checkpoint.head, opened.checkpoint.body()), (head, "model-city"));
            for i in 0..signed.note.len() {
                for bit in 0..8 {
                    let mut bytes = signed.note.clone().into_bytes();
                    bytes[i] ^= 1 << bit;
                    assert!(signer().key().open(&bytes).is_err(), "byte {i} bit {bit}");
                }
                assert!(signer().key().open(&signed.note.as_bytes()[..i]).is_err(), "cut at {i}");
            }
        }
        assert!(signer().sign(head, &["a\nb".to_owned()]).is_err());
        assert!(signer().sign(head, &[String::new()]).is_err());
        assert!(signer().sign(TreeHead { size: MAX_SIZE + 1, ..head }, &[]).is_err());
    }

    #[test]
    fn the_spoken_form_can_be_computed_with_other_tools() {
        // python3 -c 'import hashlib,base64; d=hashlib.sha256(b"sekisho.model-city\n12\n"+base64.b64encode(b"\5"*32)+b"\n").digest();
        // print(int.from_bytes(d[:8],"big")%10**16)'
        let head = TreeHead { size: 12, root: [5; 32] };
        let signed = signer().sign(head, &[]).unwrap();
        assert_eq!(signed.checkpoint.spoken(), "1011 4004 2394 7739");
        let other = signer().sign(TreeHead { size: 13, ..head }, &[]).unwrap();
        assert_ne!(signed.checkpoint.spoken(), other.checkpoint.spoken());
        let line = "— witness.example AAAAAAAAAAAA\n";
        let note = signed.with_lines([line, line]);
        assert_eq!(note, format!("{}{line}", signed.note));
        assert_eq!(signer().key().open(note.as_bytes()).unwrap().checkpoint, signed.checkpoint);
    }

    #[test]
    fn every_changed_byte_of_a_public_key_is_noticed() {
        let vkey = signer().vkey();
        let note = signer().sign(TreeHead::EMPTY, &[]).unwrap().note;
        for i in 0..vkey.len() {
            for bit in 0..8 {
                let mut bytes = vkey.clone().into_bytes();
                bytes[i] ^= 1 << bit;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                assert!(LogKey::parse(&text).and_then(|k| k.open(note.as_bytes())).is_err(), "{text}");
            }
        }
        // The neutral element: every message would verify.
        let weak = VerifyingKey::from_bytes(&{
            let mut one = [0; 32];
            one[0] = 1;
            one
        })
        .unwrap();
        assert!(LogKey::parse(&signed_note::new_ed25519_verifier_key("sekisho.a", &weak)).is_err());
        assert!(LogSigner::from_seed("a+b", &[0; 32]).is_err());
    }

    #[test]
    fn errors_tell_apart_what_is_wrong() {
        let other = LogSigner::from_seed("model-city", &[9; 32]).unwrap();
        let elsewhere = LogSigner::from_seed("other-city", &[9; 32]).unwrap();
        let head = TreeHead { size: 1, root: [1; 32] };
        let note = |s: &LogSigner| s.sign(head, &[]).unwrap().note.into_bytes();
        let key = signer().key();
        assert_eq!(key.open(&note(&other)).unwrap_err().code(), "ledger.checkpoint.unsigned");
        assert_eq!(key.open(&note(&elsewhere)).unwrap_err().code(), "ledger.checkpoint.origin");
        let altered = String::from_utf8(note(&signer())).unwrap().replacen("\n1\n", "\n2\n", 1);
        assert_eq!(key.open(altered.as_bytes()).unwrap_err().code(), "ledger.checkpoint.signature");
        assert_eq!(key.open(b"").unwrap_err().code(), "ledger.checkpoint.malformed");
        assert_eq!(
            key.open(&vec![b'a'; MAX_CHECKPOINT + 1]).unwrap_err().code(),
            "ledger.checkpoint.malformed"
        );
        // A second signature, of a key not known here, is kept and named.
        let cosigned = [note(&signer()), "— witness.example AAAAAAAAAAAA\n".into()].concat();
        assert_eq!(key.open(&cosigned).unwrap().other_signers, ["witness.example"]);
    }

    proptest! {
        #[test]
        fn nothing_foreign_is_accepted(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "(sekisho\\.a|[a-z+]{0,9})\n[0-9]{0,21}\n[A-Za-z0-9+/=]{0,50}\n\n(— [a-z.]{0,9} [A-Za-z0-9+/=]{0,90}\n){0,3}") {
            let key = signer().key();
            prop_assert!(key.open(&bytes).is_err());
            prop_assert!(key.open(text.as_bytes()).is_err());
            prop_assert!(LogKey::parse(&text).is_err());
        }
    }
}
