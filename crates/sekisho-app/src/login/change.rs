//! One's own password is changed.

use std::sync::Arc;

use sekisho_boxed::boxed;
use sekisho_store::account::{self, AccountRow, Checked};
use sekisho_store::session;
use sekisho_store::session::Via;
use serde_json::json;

use super::{Identity, NewSession, Place, new_session, stream_of};
use crate::error::{AppError, FieldError};
use crate::ldap::sign_in::elsewhere;
use crate::office::Office;
use crate::password::{self, hash_off_thread, verify};
use crate::record::record;
use crate::resets::{shows_the_person, take_up};

/// Changes one's own password; every other session of the login ends.
///
/// # Errors
/// Fields that were not accepted.
#[boxed]
pub async fn change_password(
    office: &Arc<Office>,
    who: &Identity,
    old: &str,
    new: &str,
    again: &str,
) -> Result<NewSession, AppError> {
    let hash = who.token_hash.clone();
    let found = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let Some(found) = session::get(c, &hash).await? else { return Ok(None) };
                let login = &found.account.login;
                let earlier = account::old_passwords(c, login).await?;
                let reset = account::reset(c, login).await?;
                Ok::<_, AppError>(Some((found, earlier, reset)))
            })
        })
        .await?;
    let (session::Found { session: s, account, .. }, earlier, reset) = found.ok_or(AppError::NoSession)?;
    if account.checked == Checked::Directory {
        return Err(elsewhere(office));
    }
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError { field: field.to_owned(), message: message.to_owned() })
    };
    let right = verify(office, account.password.clone(), old.to_owned()).await?;
    if !right {
        wrong("old", "今のパスワードが違います。");
    }
    if let Some(fault) = password::fault(new, &account.login) {
        wrong("new", fault);
    } else if new == old {
        wrong("new", "今のパスワードと同じです。別のものにしてください。");
    } else if right {
        for hash in earlier {
            if verify(office, hash, new.to_owned()).await? {
                wrong("new", "前に使っていたパスワードです。使ったことのないものにしてください。");
                break;
            }
        }
    }
    if new != again {
        wrong("again", "確認のための入力が新しいパスワードと違います。");
    }
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    let taken_up = reset.filter(|r| {
        // Where others vouched for a second factor, this one was not used.
        matches!(s.via, Via::Password | Via::Passkey) && shows_the_person(s.factor_since, r)
    });
    let place = Place { address: s.address.clone(), agent: s.agent.clone() };
    let (token, mut row) = new_session(office, &account.login, &place, s.stage, s.via)?;
    (row.previous, row.failed, row.factor_since) = (s.previous, s.failed, s.factor_since);
    let now = row.created_at;
    let seals = [office.seal()?, office.seal()?];
    let before = account.password.clone();
    let temporary = account.must_change;
    let account = AccountRow {
        password: hash_off_thread(office, new.to_owned()).await?,
        must_change: false,
        changed_at: now,
        ..account
    };
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                if !temporary {
                    account::keep_old_password(c, &account.login, &before, now, password::EARLIER).await?;
                }
                account::put(c, &account).await?;
                session::end_others(c, &account.login, "").await?;
                session::put(c, &row).await?;
                let (stream, [first, second]) = (stream_of(&account.person), seals);
                let payload = json!({"person": account.person, "at": now});
                record(c, first, &stream, "account.password", &payload, now).await?;
                if let Some(reset) = taken_up {
                    take_up(c, &account, &reset, (&account.person, "second factor"), second, now).await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(NewSession { token, must_change: false, stage: s.stage })
}
