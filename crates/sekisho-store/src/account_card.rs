//! Certificates of cards by which somebody came in. They open nothing: a login by card asks the authority anew.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::{Row, marks};
use crate::{Conn, StoreError, args};

/// A certificate by which somebody came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// Login that it opened.
    pub login: String,
    /// SHA-256 of the whole certificate, hexadecimal.
    pub fingerprint: String,
    /// Who issued it, as the certificate says.
    pub issuer: String,
    /// Its number there, hexadecimal.
    pub serial: String,
    /// First login by it.
    pub first_at: Instant,
    /// Last login by it.
    pub last_at: Instant,
}

fn read(r: &Row) -> Result<CardRow, StoreError> {
    Ok(CardRow {
        login: r.text(0)?,
        fingerprint: r.text(1)?,
        issuer: r.text(2)?,
        serial: r.text(3)?,
        first_at: r.instant(4)?,
        last_at: r.instant(5)?,
    })
}

/// Notes a login by a certificate; says whether it is the first by it.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn note(c: &mut Conn<'_>, card: &CardRow) -> Result<bool, StoreError> {
    let sql = "UPDATE account_card SET last_at = $3 WHERE login = $1 AND fingerprint = $2";
    if c.exec(sql, args![&card.login, &card.fingerprint, card.last_at]).await? > 0 {
        return Ok(false);
    }
    let sql = "INSERT INTO account_card (login, fingerprint, issuer, serial, first_at, last_at) VALUES ($1, $2, $3, $4, $5, $6)";
    let CardRow { login, fingerprint, issuer, serial, first_at, last_at } = card;
    c.exec(sql, args![login, fingerprint, issuer, serial, *first_at, *last_at]).await?;
    Ok(true)
}

/// Certificates by which these logins were opened, the last one used first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_logins(c: &mut Conn<'_>, logins: &[String]) -> Result<Vec<CardRow>, StoreError> {
    if logins.is_empty() {
        return Ok(vec![]);
    }
    let mut values = Vec::new();
    let wanted = marks(logins, &mut values);
    let sql = format!(
        "SELECT login, fingerprint, issuer, serial, first_at, last_at FROM account_card WHERE login IN ({wanted}) ORDER BY last_at DESC, fingerprint"
    );
    c.all(&sql, values).await?.iter().map(read).collect()
}
