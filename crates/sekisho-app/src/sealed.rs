//! Secrets at rest: sealed with a key that comes from the signing key's file and so lies outside the data folder and its backups
//! (`docs/decisions/0019-identity.md`).

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sekisho_base::canonical::{hex, unhex};
use sha2::Sha256;

use crate::error::AppError;
use crate::office::Office;

const NONCE_BYTES: usize = 24;

/// The sealing key of a body: never stored, made from the seed of its signing key.
pub(crate) fn sealing_key(seed: &[u8; 32]) -> Option<[u8; 32]> {
    derived(seed, b"sekisho secrets at rest v1")
}

/// The seed of the key that signs permits, made in the same way.
pub(crate) fn permit_seed(seed: &[u8; 32]) -> Option<[u8; 32]> {
    derived(seed, b"sekisho permits v1")
}

fn derived(seed: &[u8; 32], of: &[u8]) -> Option<[u8; 32]> {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(seed).ok()?;
    mac.update(of);
    Some(mac.finalize().into_bytes().into())
}

fn cipher(office: &Office) -> Result<XChaCha20Poly1305, AppError> {
    let key = office.sealing_key().ok_or_else(|| {
        AppError::refused("K003", "署名鍵が無いため、この操作はできません。サーバの画面から行ってください。")
    })?;
    XChaCha20Poly1305::new_from_slice(key).map_err(AppError::internal)
}

/// Seals bytes. `of` says whose they are: sealed for one, they open for no other.
pub(crate) fn seal_secret(office: &Office, of: &str, secret: &[u8]) -> Result<String, AppError> {
    let mut nonce = [0u8; NONCE_BYTES];
    office.entropy.fill(&mut nonce).map_err(AppError::internal)?;
    let payload = Payload { msg: secret, aad: of.as_bytes() };
    let sealed = cipher(office)?
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| AppError::internal("a secret could not be sealed"))?;
    Ok(hex(&[&nonce[..], &sealed].concat()))
}

/// Opens sealed bytes.
pub(crate) fn open_secret(office: &Office, of: &str, sealed: &str) -> Result<Vec<u8>, AppError> {
    let broken = || {
        AppError::internal(format!("the sealed secret of {of} does not open: is it the key of this body?"))
    };
    let bytes = unhex(sealed).ok_or_else(broken)?;
    let (nonce, rest) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(broken)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| broken())?;
    let payload = Payload { msg: rest, aad: of.as_bytes() };
    cipher(office)?.decrypt(&XNonce::from(nonce), payload).map_err(|_| broken())
}
