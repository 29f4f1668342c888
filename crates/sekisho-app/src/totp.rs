//! Codes that change every thirty seconds (RFC 6238 over RFC 4226, SHA-1, six digits: what every authenticator app takes).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sekisho_base::Instant;
use sha1::Sha1;

/// Bytes of a secret: the length of the hash, as RFC 4226 (4, R6) recommends.
pub(crate) const SECRET_BYTES: usize = 20;
/// Seconds of a time step.
const STEP_S: i64 = 30;
/// Time steps by which the clock of a phone may be off.
const DRIFT: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Whether a text has the form of a code.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The code of a time step; nothing for a secret that cannot be used.
#[must_use]
pub fn code(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last()? & 0x0f);
    let four: [u8; 4] = hash.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

/// The time step whose code was typed, within one step of now. Every candidate is compared in full, so that time tells nothing.
pub(crate) fn step_of(secret: &[u8], typed: &str, now: Instant) -> Option<i64> {
    let present = now.millis() / 1000 / STEP_S;
    let mut found = None;
    for step in present - DRIFT..=present + DRIFT {
        let right = code(secret, step)?;
        let differs = right.bytes().zip(typed.bytes()).fold(0, |d, (a, b)| d | (a ^ b));
        if differs == 0 && typed.len() == right.len() {
            found = Some(step);
        }
    }
    found
}

/// Base 32 (RFC 4648) without padding, as apps take a secret that is typed.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let mut five = [0u8; 8];
        for (to, from) in five.iter_mut().skip(3).zip(chunk) {
            *to = *from;
        }
        let bits = u64::from_be_bytes(five);
        for n in 0..(chunk.len() * 8).div_ceil(5) {
            let at = usize::try_from(bits >> (35 - 5 * n) & 31).unwrap_or(0);
            out.extend(ALPHABET.get(at).map(|b| char::from(*b)));
        }
    }
    out
}

/// A secret as people type it: in groups of four.
pub(crate) fn typed(secret: &[u8]) -> String {
    let text: Vec<char> = base32(secret).chars().collect();
    text.chunks(4).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The address that an authenticator app reads from the QR code (Key URI format).
pub(crate) fn uri(issuer: &str, login: &str, secret: &[u8]) -> String {
    let issuer = percent(issuer);
    format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        percent(login),
        base32(secret)
    )
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn codes_are_those_of_the_specification() {
        // RFC 6238, appendix B, SHA-1; the last six of its eight digits.
        for (seconds, want) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, seconds / 30).unwrap(), want);
            assert_eq!(step_of(SECRET, want, at(seconds)), Some(seconds / 30));
        }
    }

    #[test]
    fn one_step_of_drift_and_no_more() {
        for (seconds, taken) in [(0, true), (30, true), (59, true), (60, true), (89, true), (90, false)] {
            assert_eq!(step_of(SECRET, "287082", at(seconds)).is_some(), taken, "{seconds}");
        }
        for wrong in ["", "28708", "2870820", "287083", "２８７０８２"] {
            assert_eq!(step_of(SECRET, wrong, at(59)), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_written_in_base_32() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(
            uri("関所", "a@b", b"foobar"),
            "otpauth://totp/%E9%96%A2%E6%89%80:a%40b?secret=MZXW6YTBOI&issuer=%E9%96%A2%E6%89%80&algorithm=SHA1&digits=6&period=30"
        );
    }
}
