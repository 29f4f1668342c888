//! Where the password of an account is checked: here, or at the directory.

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_store::account::{self, AccountRow, Checked};

use super::Verdict;
use crate::error::AppError;
use crate::office::Office;
use crate::password::verify;
use crate::resets::{shows_the_person, take_up};

/// How long a refused login takes at least where there is a directory, so that time does not tell at which of the two a password was checked.
pub(crate) const REFUSAL: std::time::Duration = std::time::Duration::from_secs(1);

/// What became of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It opens the account.
    Right,
    /// It does not.
    Wrong,
    /// The directory gave no answer.
    Away,
}

/// Tries a password where the account has it checked. The same work is done whether the login exists or not: a hash is computed, and where there
/// is a directory, it is asked for the login; so neither time nor message tells which logins exist, or where they are checked.
pub(crate) async fn try_password(
    office: &Office,
    account: Option<&AccountRow>,
    locked: bool,
    login: &str,
    password: &str,
) -> Result<Tried, AppError> {
    let own = account.filter(|a| a.checked == Checked::Own);
    let stored = own.map_or_else(|| office.dummy_hash.clone(), |a| a.password.clone());
    if verify(office, stored, password.to_owned()).await? && own.is_some() {
        return Ok(Tried::Right);
    }
    let there = account.filter(|a| a.checked == Checked::Directory && a.active && !locked);
    at_directory(office, there, login, password).await
}

/// Asks the directory for a login, and checks the password there for the account that has it checked there.
pub(crate) async fn at_directory(
    office: &Office,
    account: Option<&AccountRow>,
    login: &str,
    password: &str,
) -> Result<Tried, AppError> {
    let Some(directory) = office.directory_server() else {
        if account.is_some() {
            tracing::error!("an account is checked at the directory, and none is configured: ldap.urls");
            return Ok(Tried::Away);
        }
        return Ok(Tried::Wrong);
    };
    match (directory.check(login, account.map(|_| password)).await, account) {
        // A login may be given to somebody else in the directory; the number says whose the account is.
        (Ok(Verdict::Right(e)), Some(a)) if e.number.is_empty() || e.number == a.person => Ok(Tried::Right),
        (Ok(Verdict::Right(_)), Some(_)) => {
            tracing::error!("the directory knows somebody with this login under another number: refused");
            Ok(Tried::Wrong)
        }
        (Ok(_), _) => Ok(Tried::Wrong),
        (Err(e), _) => {
            tracing::error!(error = %e, "a password could not be checked at the directory");
            Ok(Tried::Away)
        }
    }
}

/// Somebody whose password is checked at the directory has none to set here: the login with the second factor takes up, where it shows that it is
/// the person.
pub(crate) async fn take_up_by_factor(
    office: &Arc<Office>,
    a: AccountRow,
    since: Option<Instant>,
) -> Result<(), AppError> {
    let (now, seal) = (office.clock.now(), office.seal()?);
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                let Some(reset) = account::reset(c, &a.login).await? else { return Ok(()) };
                if !shows_the_person(since, &reset) {
                    return Ok(());
                }
                take_up(c, &a, &reset, (&a.person, "second factor"), seal, now).await
            })
        })
        .await
}

/// There is no password here to be changed.
pub(crate) fn elsewhere(office: &Office) -> AppError {
    let title = office.directory_title().unwrap_or("庁内のディレクトリ");
    AppError::refused(
        "L011",
        format!(
            "このログインのパスワードは{title}で確かめます。変更は、パソコンのパスワードと同じ手順で{title}の側で行ってください。"
        ),
    )
}
