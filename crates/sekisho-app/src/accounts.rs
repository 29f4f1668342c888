//! Accounts of other people (利用者): an administrator issues temporary passwords, says where passwords are checked, stops and unlocks logins and takes away second factors, never
//! for themselves. Whoever is affected is told, with the next heads above (`resets.rs`).

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_base::limits::PAGE_ROWS;
use sekisho_base::text::search_words;
use sekisho_boxed::boxed;
use sekisho_store::Conn;
pub use sekisho_store::account::Checked;
use sekisho_store::account::{self, AccountRow, Listed, Reset};
use sekisho_store::{account_card, api_token, outside, second_factor as factors, session};
use serde_json::json;

use crate::cards::CardLine;
use crate::directory::Directory;
use crate::error::AppError;
use crate::first::temporary_password;
use crate::login::{Identity, failure_key, login_fault, login_name, stream_of};
use crate::notifications::{Told, notify};
use crate::office::Office;
use crate::password::hash_off_thread;
use crate::people::roles;
use crate::record::{Seal, record};

/// What is handed to the person, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Name.
    pub name: String,
    /// Login.
    pub login: String,
    /// Temporary password, stored only as a hash; empty where the directory checks another.
    pub password: String,
}

/// An account in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// Login.
    pub login: String,
    /// Person number.
    pub person: String,
    /// Name.
    pub name: String,
    /// Section and post.
    pub place: String,
    /// How it stands.
    pub state: &'static str,
    /// Style class of the state.
    pub class: &'static str,
    /// Too many failures: it waits.
    pub locked: bool,
    /// It may not log in.
    pub stopped: bool,
    /// It has a second factor.
    pub second_factor: bool,
    /// An identity provider knows it by a subject of its own.
    pub linked: bool,
    /// Certificates of IC cards by which it was opened, the last one first.
    pub cards: Vec<CardLine>,
    /// Its password is checked at the directory.
    pub directory: bool,
    /// Whose reset waits to be taken up; empty when none does.
    pub reset: String,
    /// The viewer's own: nobody administers themselves.
    pub own: bool,
}

/// The page 「利用者」.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsPage {
    /// Words searched for.
    pub q: String,
    /// Lines, by login.
    pub rows: Vec<AccountLine>,
    /// Page from 1.
    pub page: i64,
    /// Whether there is another.
    pub more: bool,
    /// Titles of the roles that ask for a second factor.
    pub required_roles: String,
}

/// What an administrator does to an account, other than issuing a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It may no longer log in.
    Stop,
    /// It may log in again.
    Resume,
    /// It need not wait after failures.
    Unlock,
    /// Its second factor is gone: the phone and the recovery codes are lost.
    DropSecondFactor,
    /// Whoever the identity provider names next by its login is linked with it.
    Unlink,
}

impl Change {
    /// Kind of the ledger entry.
    fn kind(self) -> &'static str {
        match self {
            Self::Stop => "account.disabled",
            Self::Resume => "account.enabled",
            Self::Unlock => "account.unlocked",
            Self::DropSecondFactor => "account.second_factor_reset",
            Self::Unlink => "account.unlinked",
        }
    }

    /// What the person and those above are told.
    fn told(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Stop => {
                Some(("あなたのログインの利用が停止されました。", "部下のログインの利用が停止されました。"))
            }
            Self::Resume => {
                Some(("あなたのログインの利用が再開されました。", "部下のログインの利用が再開されました。"))
            }
            Self::Unlock => None,
            Self::DropSecondFactor => Some((
                "あなたの多要素認証が管理者によって取り消されました。頼んだ覚えがないときは、すぐに上司と情報政策担当課へ連絡してください。",
                "部下の多要素認証が取り消されました。本人が頼んだことかを、本人に会うか電話して確かめてください。",
            )),
            Self::Unlink => Some((
                "あなたのログインと、シングルサインオンとの結び付きが取り消されました。頼んだ覚えがないときは、すぐに上司と情報政策担当課へ連絡してください。",
                "部下のログインと、シングルサインオンとの結び付きが取り消されました。本人が頼んだことかを、本人に会うか電話して確かめてください。",
            )),
        }
    }
}

#[boxed]
impl Office {
    /// Refuses others than administrators with a fresh proof, and everybody for their own account.
    async fn may_administer(&self, who: &Identity, person: &str) -> Result<(), AppError> {
        self.may_import_organization(who).await?;
        self.proved(who)?;
        Self::may_decide_now(who)?;
        if person == who.person {
            return Err(AppError::refused(
                "U001",
                "自分のログインは、自分では管理できません。ほかの管理者に依頼してください。",
            ));
        }
        Ok(())
    }

    /// Accounts, for administrators.
    ///
    /// # Errors
    /// Refused for others.
    pub async fn accounts(&self, who: &Identity, q: &str, page: i64) -> Result<AccountsPage, AppError> {
        self.may_import_organization(who).await?;
        let words: Vec<String> = search_words(q).take(8).collect();
        let page = page.clamp(1, 100_000);
        let (rows, locks, cards) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let rows = account::list(c, &words, (page - 1) * PAGE_ROWS, PAGE_ROWS + 1).await?;
                    let keys: Vec<String> = rows
                        .iter()
                        .flat_map(|r| ["login", "code"].map(|what| failure_key(what, &r.account.login)))
                        .collect();
                    let logins: Vec<String> = rows.iter().map(|r| r.account.login.clone()).collect();
                    let cards = account_card::of_logins(c, &logins).await?;
                    Ok::<_, AppError>((rows, account::locks(c, &keys).await?, cards))
                })
            })
            .await?;
        let (d, now, today) = (self.directory().await?, self.clock.now(), self.clock.today());
        let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let more = rows.len() > shown;
        let line = |r: Listed| {
            let a = r.account;
            let locked =
                |what| locks.iter().any(|(key, until)| *key == failure_key(what, &a.login) && *until > now);
            let locked = locked("login") || locked("code");
            let (state, class) = match (a.active, r.reset.is_some(), locked, a.must_change) {
                (false, ..) => ("停止中", "refused"),
                (_, true, ..) => ("引取り待ち", "wait"),
                (_, _, true, _) => ("失敗のため一時停止", "wait"),
                (.., true) => ("仮パスワード", "wait"),
                _ => ("使えます", "done"),
            };
            AccountLine {
                name: d.person_name(&a.person).to_owned(),
                place: d.main_post(&a.person, today),
                state,
                class,
                locked,
                stopped: !a.active,
                second_factor: r.second_factor,
                linked: r.linked,
                cards: cards.iter().filter(|c| c.login == a.login).cloned().map(CardLine::of).collect(),
                directory: a.checked == Checked::Directory,
                reset: r.reset.map(|(by, _)| d.person_name(&by).to_owned()).unwrap_or_default(),
                own: a.person == who.person,
                login: a.login,
                person: a.person,
            }
        };
        let pack = self.pack();
        let required = self.second_factor_roles().await?;
        let titles = required.iter().filter_map(|r| pack.roles.get(r)).map(|r| r.title.clone());
        Ok(AccountsPage {
            q: q.to_owned(),
            rows: rows.into_iter().take(shown).map(line).collect(),
            page,
            more,
            required_roles: titles.collect::<Vec<_>>().join("、"),
        })
    }

    /// Changes how somebody's account stands. Every session of that login ends, but after unlocking.
    ///
    /// # Errors
    /// Refused for others than administrators and for one's own account; when there is nothing to change.
    pub async fn change_account(
        self: &Arc<Self>,
        who: &Identity,
        person: &str,
        change: Change,
    ) -> Result<(), AppError> {
        self.may_administer(who, person).await?;
        let key = person.to_owned();
        let account = self
            .store
            .read(move |c| Box::pin(async move { account::by_person(c, &key).await.map_err(AppError::from) }))
            .await?
            .ok_or(AppError::NotFound)?;
        let nothing = || AppError::refused("U002", "すでにその状態です。画面を開き直してください。");
        if matches!((change, account.active), (Change::Stop, false) | (Change::Resume, true)) {
            return Err(nothing());
        }
        let above = self.takers(person, &who.person).await?;
        let (by, now, seal, office) = (who.person.clone(), self.clock.now(), self.seal()?, Arc::clone(self));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let login = account.login.as_str();
                    match change {
                        Change::Stop | Change::Resume => {
                            return office.switch_account(c, &account, &by, change, seal, &above).await;
                        }
                        Change::Unlock => {
                            account::clear_failures(c, &failure_key("login", login)).await?;
                            account::clear_failures(c, &failure_key("code", login)).await?;
                        }
                        Change::DropSecondFactor | Change::Unlink => {
                            let gone = match change {
                                Change::Unlink => outside::unlink(c, login).await?,
                                _ => factors::remove_all(c, login).await?,
                            };
                            if !gone {
                                return Err(nothing());
                            }
                            let reset =
                                Reset { login: login.to_owned(), by: by.clone(), at: now, since: now };
                            account::put_reset(c, &reset).await?;
                            api_token::revoke(c, login, "", now).await?;
                            session::end_others(c, login, "").await?;
                        }
                    }
                    let payload = json!({"person": account.person, "by": by, "at": now});
                    record(c, seal, &stream_of(&account.person), change.kind(), &payload, now).await?;
                    if let Some(told) = change.told() {
                        office.announce(c, &account.person, &above, told, now).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Stops an account or lets it be used again: its sessions end, and with a stop its tokens; the person and those above are told.
    pub(crate) async fn switch_account(
        &self,
        c: &mut Conn<'_>,
        a: &AccountRow,
        by: &str,
        change: Change,
        seal: Seal,
        above: &[String],
    ) -> Result<(), AppError> {
        let now = self.clock.now();
        account::set_active(c, &a.login, change == Change::Resume).await?;
        if change == Change::Stop {
            api_token::revoke(c, &a.login, "", now).await?;
        }
        session::end_others(c, &a.login, "").await?;
        let payload = json!({"person": a.person, "by": by, "at": now});
        record(c, seal, &stream_of(&a.person), change.kind(), &payload, now).await?;
        match change.told() {
            Some(told) => self.announce(c, &a.person, above, told, now).await,
            None => Ok(()),
        }
    }

    /// Gives a person a login: a temporary password, or the one of the directory, making the account when there is none. Every session and token
    /// of that login ends. Where there was one, decisions are barred until the person is known to have taken it up: whoever can say where a
    /// password is checked can say who comes in with it.
    ///
    /// # Errors
    /// Refused for others than administrators and for one's own account; when there is no directory, or it checks the password already; fields
    /// when the login is taken or not usable.
    pub async fn issue_login(
        self: &Arc<Self>,
        who: &Identity,
        person: &str,
        login: &str,
        checked: Checked,
    ) -> Result<Slip, AppError> {
        self.may_administer(who, person).await?;
        let directory = self.directory().await?;
        let name = directory.person(person).ok_or(AppError::NotFound)?.name.clone();
        let key = person.to_owned();
        let before = self
            .store
            .read(move |c| Box::pin(async move { account::by_person(c, &key).await.map_err(AppError::from) }))
            .await?;
        self.may_check_at(checked, before.as_ref())?;
        let login = before.as_ref().map_or_else(|| login_name(login), |a| a.login.clone());
        if let Some(says) = login_fault(&login) {
            return Err(AppError::field("login", says));
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
        let (password, hash) = self.new_credentials(checked).await?;
        let row = AccountRow {
            login: login.clone(),
            person: person.to_owned(),
            password: hash,
            must_change: checked == Checked::Own,
            active: before.as_ref().is_none_or(|a| a.active),
            changed_at: self.clock.now(),
            checked,
        };
        let above = self.takers(person, &who.person).await?;
        let holds_power = self.holds_power(&directory, person);
        let (seal, by, office) = (self.seal()?, who.person.clone(), Arc::clone(self));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let now: Instant = row.changed_at;
                    let Some(before) = before else {
                        let above = if holds_power { above } else { vec![] };
                        return office.put_new_account(c, &row, &by, seal, &above).await;
                    };
                    account::put(c, &row).await?;
                    session::end_others(c, &row.login, "").await?;
                    let payload =
                        json!({"person": row.person, "by": by, "at": now, "checked": checked.code()});
                    if !before.must_change && before.checked == Checked::Own {
                        account::keep_old_password(
                            c,
                            &row.login,
                            &before.password,
                            now,
                            crate::password::EARLIER,
                        )
                        .await?;
                    }
                    let (kind, told) = told_of_new_credentials(before.checked, checked);
                    record(c, seal, &stream_of(&row.person), kind, &payload, now).await?;
                    api_token::revoke(c, &row.login, "", now).await?;
                    account::put_reset(c, &Reset { login: row.login.clone(), by, at: now, since: now })
                        .await?;
                    office.announce(c, &row.person, &above, told, now).await
                })
            })
            .await?;
        Ok(Slip { name, login, password })
    }

    /// Refuses what makes no sense where the password is checked.
    pub(crate) fn may_check_at(&self, checked: Checked, before: Option<&AccountRow>) -> Result<(), AppError> {
        if checked == Checked::Own {
            return Ok(());
        }
        if self.directory_server().is_none() {
            return Err(AppError::refused(
                "L012",
                "ディレクトリが設定されていません。設定ファイルの [ldap] を書いて、関所を起動し直してください。",
            ));
        }
        if before.is_some_and(|a| a.checked == Checked::Directory) {
            return Err(AppError::refused(
                "U002",
                "このログインのパスワードは、すでにディレクトリで確かめています。忘れたときは、ディレクトリの側で設定し直してください。",
            ));
        }
        Ok(())
    }

    /// A temporary password with its hash; both empty where the directory checks another.
    pub(crate) async fn new_credentials(
        self: &Arc<Self>,
        checked: Checked,
    ) -> Result<(String, String), AppError> {
        if checked == Checked::Directory {
            return Ok((String::new(), String::new()));
        }
        let password = temporary_password(self)?;
        let hash = hash_off_thread(self, password.clone()).await?;
        Ok((password, hash))
    }

    /// Whether somebody holds a role today that not everybody holds.
    pub(crate) fn holds_power(&self, d: &Directory, person: &str) -> bool {
        let pack = self.pack();
        roles(&pack, d, person, self.clock.today()).iter().any(|r| {
            pack.roles.get(&r.role).is_some_and(|r| r.held_by != sekisho_pack::model::HeldBy::Everyone)
        })
    }

    /// Keeps an account that was not there; those above are told.
    pub(crate) async fn put_new_account(
        &self,
        c: &mut Conn<'_>,
        row: &AccountRow,
        by: &str,
        seal: Seal,
        above: &[String],
    ) -> Result<(), AppError> {
        let now = row.changed_at;
        account::put(c, row).await?;
        let payload = json!({"person": row.person, "by": by, "at": now, "checked": row.checked.code()});
        record(c, seal, &stream_of(&row.person), "account.create", &payload, now).await?;
        let told = Told {
            kind: "account",
            subject: "部下に、関所のログインが新しく発行されました。本人が使っているかを確かめてください。",
            link: "/organization",
        };
        notify(c, self, &told, above, now).await
    }
}

/// Kind of the ledger entry, and what the person and those above are told.
fn told_of_new_credentials(before: Checked, after: Checked) -> (&'static str, (&'static str, &'static str)) {
    match (before, after) {
        (Checked::Own, Checked::Own) => (
            "account.reset",
            (
                "あなたのパスワードが管理者によって設定し直されました。頼んだ覚えがないときは、すぐに上司と情報政策担当課へ連絡してください。",
                "部下のパスワードが設定し直されました。本人が頼んだことかを、本人に会うか電話して確かめてください。",
            ),
        ),
        (_, Checked::Directory) => (
            "account.checked",
            (
                "あなたのログインは、これから庁内のディレクトリのパスワードで確かめます。聞いていないときは、すぐに上司と情報政策担当課へ連絡してください。",
                "部下のログインのパスワードを、庁内のディレクトリで確かめるように変わりました。本人が知っていることかを、本人に会うか電話して確かめてください。",
            ),
        ),
        (Checked::Directory, Checked::Own) => (
            "account.checked",
            (
                "あなたのログインに関所のパスワードが発行され、庁内のディレクトリのパスワードでは入れなくなりました。頼んだ覚えがないときは、すぐに上司と情報政策担当課へ連絡してください。",
                "部下のログインに関所のパスワードが発行されました。本人が頼んだことかを、本人に会うか電話して確かめてください。",
            ),
        ),
    }
}
