//! People whom others vouch for: which subject of an identity provider is which login, and which of a provider's answers were taken.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args};

/// A subject of a provider and the login it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// The provider.
    pub issuer: String,
    /// Its name for the person, which it gives to nobody else.
    pub subject: String,
    /// Login.
    pub login: String,
    /// Since when.
    pub linked_at: Instant,
}

/// The login of a provider's subject.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn login_of(c: &mut Conn<'_>, issuer: &str, subject: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT login FROM outside_link WHERE issuer = $1 AND subject = $2";
    c.one(sql, args![issuer, subject]).await?.map(|r| r.text(0)).transpose()
}

/// The subject by which a provider knows a login.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn subject_of(c: &mut Conn<'_>, issuer: &str, login: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT subject FROM outside_link WHERE issuer = $1 AND login = $2";
    c.one(sql, args![issuer, login]).await?.map(|r| r.text(0)).transpose()
}

/// Keeps a link.
///
/// # Errors
/// [`StoreError::Conflict`] when the subject or the login has one already.
#[boxed]
pub async fn link(c: &mut Conn<'_>, l: &LinkRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO outside_link (issuer, subject, login, linked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    if c.exec(sql, args![&l.issuer, &l.subject, &l.login, l.linked_at]).await? == 0 {
        return Err(StoreError::Conflict(format!("link of {}", l.login)));
    }
    Ok(())
}

/// Forgets every link of a login; says whether there was one.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn unlink(c: &mut Conn<'_>, login: &str) -> Result<bool, StoreError> {
    Ok(c.exec("DELETE FROM outside_link WHERE login = $1", args![login]).await? > 0)
}

/// Takes an answer once, and forgets those that are too old to come back.
///
/// # Errors
/// [`StoreError::Conflict`] when it was taken before.
#[boxed]
pub async fn take_answer(
    c: &mut Conn<'_>,
    state: &str,
    until: Instant,
    now: Instant,
) -> Result<(), StoreError> {
    c.exec("DELETE FROM outside_answer WHERE until < $1", args![now]).await?;
    let sql = "INSERT INTO outside_answer (state, until) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    if c.exec(sql, args![state, until]).await? == 0 {
        return Err(StoreError::Conflict("answer".to_owned()));
    }
    Ok(())
}
