//! Certificates of IC cards by which people came in, kept so that an officer can compare them with the card that somebody holds. Who may come in
//! is decided by the authority's certificate at every login, never by this list.

use sekisho_base::Instant;
use sekisho_base::text::shorten;
use sekisho_store::Conn;
use sekisho_store::account_card::{self, CardRow};
use serde_json::json;

use crate::error::AppError;
use crate::login::stream_of;
use crate::record::{Seal, record};

/// Characters of an issuer's name or a number, at most.
const LONGEST: usize = 300;

/// What tells a certificate from every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Who issued it.
    pub issuer: String,
    /// Its number there, hexadecimal.
    pub serial: String,
    /// SHA-256 of the whole certificate, hexadecimal.
    pub fingerprint: String,
}

/// A certificate on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardLine {
    /// Who issued it.
    pub issuer: String,
    /// Its number there, in pairs of digits.
    pub serial: String,
    /// SHA-256 of the whole certificate, in pairs of digits as other programs show it.
    pub fingerprint: String,
    /// First login by it.
    pub first: String,
    /// Last login by it.
    pub last: String,
}

/// Hexadecimal in capitals, two digits between colons.
fn pairs(hex: &str) -> String {
    let digits: Vec<char> = hex.chars().collect();
    let all: Vec<String> = digits.chunks(2).map(|p| p.iter().collect::<String>().to_uppercase()).collect();
    all.join(":")
}

impl CardLine {
    pub(crate) fn of(c: CardRow) -> Self {
        Self {
            issuer: c.issuer,
            serial: pairs(&c.serial),
            fingerprint: pairs(&c.fingerprint),
            first: c.first_at.japanese(),
            last: c.last_at.japanese(),
        }
    }
}

/// Notes that somebody's card was right at a login. The first time is recorded.
pub(crate) async fn note(
    c: &mut Conn<'_>,
    (person, login): (&str, &str),
    mark: Mark,
    seal: Seal,
    now: Instant,
) -> Result<(), AppError> {
    let row = CardRow {
        login: login.to_owned(),
        fingerprint: mark.fingerprint,
        issuer: shorten(&mark.issuer, LONGEST),
        serial: shorten(&mark.serial, LONGEST),
        first_at: now,
        last_at: now,
    };
    if account_card::note(c, &row).await? {
        let payload = json!({"person": person, "at": now, "issuer": row.issuer, "serial": row.serial, "sha256": row.fingerprint});
        record(c, seal, &stream_of(person), "account.card", &payload, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::pairs;

    #[test]
    fn digits_stand_in_pairs() {
        assert_eq!((pairs("0a1bff").as_str(), pairs("").as_str()), ("0A:1B:FF", ""));
    }
}
