//! Local accounts: an administrator issues a temporary password, never for themselves; the person must change it before anything else.

use std::sync::Arc;

use sekisho_store::account::{self, AccountRow};
use serde_json::json;

use crate::error::AppError;
use crate::first::temporary_password;
use crate::login::{Identity, hash_password, login_name, stream_of};
use crate::office::Office;
use crate::record::record;

/// What is handed to the person, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Name.
    pub name: String,
    /// Login.
    pub login: String,
    /// Temporary password; stored only as a hash.
    pub password: String,
}

impl Office {
    /// Issues a temporary password for a person, making the account when there is none. Every session of that login ends.
    ///
    /// # Errors
    /// Refused for others than administrators and for one's own account; fields when the login is taken or not usable.
    pub async fn issue_password(
        self: &Arc<Self>,
        who: &Identity,
        person: &str,
        login: &str,
    ) -> Result<Slip, AppError> {
        self.may_import_organization(who).await?;
        if person == who.person {
            return Err(AppError::refused(
                "U001",
                "自分の仮パスワードは発行できません。ほかの管理者に依頼してください。",
            ));
        }
        let directory = self.directory().await?;
        let name = directory.person(person).ok_or(AppError::NotFound)?.name.clone();
        let key = person.to_owned();
        let before = self
            .store
            .read(move |c| Box::pin(async move { account::by_person(c, &key).await.map_err(AppError::from) }))
            .await?;
        let login = before.as_ref().map_or_else(|| login_name(login), |a| a.login.clone());
        if !(3..=60).contains(&login.len())
            || !login.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-@".contains(&b))
        {
            return Err(AppError::field(
                "login",
                "ログイン名は半角の英小文字・数字・「. _ - @」で3文字以上60文字以下にしてください。",
            ));
        }
        let asked = login.clone();
        let taken = self
            .store
            .read(move |c| {
                Box::pin(async move { account::by_login(c, &asked).await.map_err(AppError::from) })
            })
            .await?;
        if taken.is_some_and(|a| a.person != person) {
            return Err(AppError::field(
                "login",
                "このログイン名はほかの人が使っています。別の名前にしてください。",
            ));
        }
        let password = temporary_password(self)?;
        let (office, typed) = (Arc::clone(self), password.clone());
        let hash = tokio::task::spawn_blocking(move || hash_password(&office, &typed))
            .await
            .map_err(AppError::internal)??;
        let row = AccountRow {
            login: login.clone(),
            person: person.to_owned(),
            password: hash,
            must_change: true,
            active: true,
            changed_at: self.clock.now(),
        };
        let (seal, by) = (self.seal()?, who.person.clone());
        let kind = if before.is_some() { "account.reset" } else { "account.create" };
        self.store
            .write(move |c| {
                Box::pin(async move {
                    account::put(c, &row).await?;
                    account::end_sessions_of(c, &row.login).await?;
                    let payload = json!({"person": row.person, "by": by, "at": row.changed_at});
                    record(c, seal, &stream_of(&row.person), kind, &payload, row.changed_at).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        Ok(Slip { name, login, password })
    }
}
