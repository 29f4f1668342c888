//! The signing key under a passphrase: argon2id makes the key of ChaCha20-Poly1305 (RFC 8439) from it. Everything needed but the passphrase
//! stands in the file.

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sekisho_base::Entropy;
use sekisho_base::canonical::{hex, unhex};
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Memory in KiB, passes and lanes of argon2id: half a second or so for each guess.
const COST: (u32, u32, u32) = (64 * 1024, 3, 1);
/// Characters of a passphrase at least.
const SHORTEST: usize = 12;
/// What is sealed, so that no other sealed text can take its place.
const WHAT: &[u8] = b"sekisho signing key v1";

#[derive(Serialize, Deserialize)]
struct Sealed {
    format: u32,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    cipher: String,
    nonce: String,
    sealed: String,
}

fn key(passphrase: &str, salt: &[u8], cost: (u32, u32, u32)) -> Result<LessSafeKey, AppError> {
    let params = Params::new(cost.0, cost.1, cost.2, Some(32)).map_err(AppError::internal)?;
    let mut out = [0u8; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut out)
        .map_err(AppError::internal)?;
    UnboundKey::new(&CHACHA20_POLY1305, &out).map(LessSafeKey::new).map_err(AppError::internal)
}

/// Seals a text.
///
/// # Errors
/// The passphrase is too short, or randomness failed.
pub fn seal(text: &str, passphrase: &str, entropy: &dyn Entropy) -> Result<String, AppError> {
    if passphrase.chars().count() < SHORTEST {
        return Err(AppError::refused(
            "B006",
            format!(
                "鍵を守る合言葉が短すぎます。{SHORTEST}文字以上にし、バックアップとは別に保管してください。"
            ),
        ));
    }
    let (mut salt, mut nonce) = ([0u8; 16], [0u8; NONCE_LEN]);
    entropy.fill(&mut salt).map_err(AppError::internal)?;
    entropy.fill(&mut nonce).map_err(AppError::internal)?;
    let mut bytes = text.as_bytes().to_vec();
    key(passphrase, &salt, COST)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(WHAT), &mut bytes)
        .map_err(AppError::internal)?;
    let sealed = Sealed {
        format: 1,
        kdf: "argon2id".to_owned(),
        memory_kib: COST.0,
        passes: COST.1,
        lanes: COST.2,
        salt: hex(&salt),
        cipher: "chacha20-poly1305".to_owned(),
        nonce: hex(&nonce),
        sealed: hex(&bytes),
    };
    serde_json::to_string_pretty(&sealed).map_err(AppError::internal)
}

/// Opens a sealed text.
///
/// # Errors
/// The passphrase is another, or the text was changed or is none of ours.
pub fn open(sealed: &str, passphrase: &str) -> Result<String, AppError> {
    let wrong = || {
        AppError::refused(
            "B007",
            "封をした鍵を開けません。合言葉が違うか、ファイルが壊れています。鍵の別の控えも確かめてください。",
        )
    };
    let s: Sealed = serde_json::from_str(sealed).map_err(|_| wrong())?;
    // What a file asks for is bounded: it may come from anywhere.
    if s.format != 1 || s.memory_kib > 1024 * 1024 || s.passes > 20 || s.lanes > 8 {
        return Err(wrong());
    }
    let (salt, nonce, mut bytes) = (
        unhex(&s.salt).ok_or_else(wrong)?,
        unhex(&s.nonce).ok_or_else(wrong)?,
        unhex(&s.sealed).ok_or_else(wrong)?,
    );
    let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| wrong())?;
    let key = key(passphrase, &salt, (s.memory_kib, s.passes, s.lanes)).map_err(|_| wrong())?;
    let opened = key.open_in_place(nonce, Aad::from(WHAT), &mut bytes).map_err(|_| wrong())?;
    String::from_utf8(opened.to_vec()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use sekisho_base::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn only_the_passphrase_opens_what_it_sealed() {
        let entropy = SeededEntropy::new(1);
        let sealed = seal("秘密の鍵", "ながいあいことばです1234", &entropy).unwrap();
        assert_eq!(open(&sealed, "ながいあいことばです1234").unwrap(), "秘密の鍵");
        assert!(!sealed.contains("秘密") && !sealed.contains(&hex("秘密の鍵".as_bytes())));
        assert!(open(&sealed, "ながいあいことばです1235").is_err());
        let mut parsed: Sealed = serde_json::from_str(&sealed).unwrap();
        parsed.sealed.replace_range(0..2, if parsed.sealed.starts_with("00") { "01" } else { "00" });
        assert!(open(&serde_json::to_string(&parsed).unwrap(), "ながいあいことばです1234").is_err());
        parsed.memory_kib = u32::MAX;
        assert!(open(&serde_json::to_string(&parsed).unwrap(), "ながいあいことばです1234").is_err());
        assert!(open("{}", "x").is_err());
        assert!(seal("x", "みじかい", &entropy).is_err());
    }
}
