//! The body's directory (Active Directory, OpenLDAP) as the program sees it: it checks passwords and lists people. Nothing is written to it.
//!
//! | module | what it is |
//! |---|---|
//! | [`config`] | what the operator says, checked before anything connects |
//! | [`client`] | LDAP (RFC 4511) over TLS |
//! | [`ber`], [`wire`] | StartTLS, TLS, and the bound on what the directory may send |
//! | [`sign_in`] | where the password of an account is checked |
//! | [`standing`] | sessions that end with the account in the directory |
//! | [`people`] | the directory beside the organization and the accounts |

pub(crate) mod ber;
mod client;
mod config;
pub mod people;
pub(crate) mod sign_in;
pub(crate) mod standing;
mod wire;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sekisho_base::Date;

pub use client::LdapClient;
pub use config::{LdapConfig, LdapKind};

use crate::error::AppError;
use crate::office::Office;

/// Why the directory gave no answer that can be used. The text is for the operator; people who log in get one message for all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LdapFault {
    /// Nobody listens, the name is not known, or the connection broke.
    #[error("つながりません（{0}）")]
    Away(String),
    /// It did not answer in time.
    #[error("{0}秒待っても返事がありません")]
    Late(u64),
    /// Its certificate is not accepted.
    #[error("サーバの証明書を確かめられません（{0}）")]
    Certificate(String),
    /// It does not offer StartTLS.
    #[error("StartTLSが断られました（コード {0}）")]
    NoTls(u8),
    /// It refused the account that searches.
    #[error(
        "検索に使うアカウントが断られました（コード {0}）。ldap.bind_dn と ldap.password_file を確かめてください"
    )]
    SearchAccount(u32),
    /// It refused the search.
    #[error("検索が断られました（コード {0}）。ldap.base と検索の条件を確かめてください")]
    Search(u32),
    /// It refused the person's bind for a reason other than the password.
    #[error("パスワードを確かめられませんでした（コード {0}）")]
    Bind(u32),
    /// It gave only some of the people.
    #[error(
        "ディレクトリの側の上限（sizelimitなど）で、途中までしか返されませんでした（コード {0}）。検索に使うアカウントの上限を上げてください"
    )]
    Cut(u32),
    /// It sent more than the limits allow.
    #[error("返事が上限（ldap.max_entries、ldap.max_mb）を超えました")]
    TooMuch,
    /// What it sent is no LDAP.
    #[error("返事を読めません")]
    Garbled,
}

/// Somebody as the directory knows them. What it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Login name as compared.
    pub login: String,
    /// 職員番号.
    pub number: String,
    /// Name, character for character.
    pub name: String,
    /// ふりがな.
    pub kana: String,
    /// Mail address.
    pub mail: String,
    /// Code of the unit.
    pub section: String,
    /// 職名.
    pub title: String,
    /// The directory lets them log in nowhere.
    pub disabled: bool,
}

/// What the directory says of a login and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The password is right, and this is whose it is.
    Right(Box<Entry>),
    /// It is wrong, or nobody or more than one has this login.
    Wrong,
}

/// How a directory stands, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which server answered.
    pub server: String,
    /// Last day of its certificate; none without TLS.
    pub certificate_until: Option<Date>,
}

/// What the directory answers, in time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, LdapFault>> + Send + 'a>>;

/// A directory. Who implements it knows LDAP; nobody else does.
pub trait DirectoryServer: Send + Sync {
    /// What people call it.
    fn title(&self) -> &str;
    /// Looks for a login as [`crate::login::login_name`] gives it and, where a password is given, checks it by a bind as the one entry found.
    /// Without a password nobody is bound, so that nobody's failures are counted there.
    fn check<'a>(&'a self, login: &'a str, password: Option<&'a str>) -> Answer<'a, Verdict>;
    /// The one entry of each of these logins; none where nobody has it, or more than one. Nobody is bound.
    fn find<'a>(&'a self, logins: &'a [String]) -> Answer<'a, Vec<Option<Entry>>>;
    /// How often those who are in are looked for.
    fn looks_every(&self) -> Duration;
    /// Everybody, at most as many as the configuration allows.
    fn people(&self) -> Answer<'_, Vec<Entry>>;
    /// Whether it answers now, and how it stands.
    fn examine(&self) -> Answer<'_, Health>;
}

/// What somebody who logs in reads while the directory gives no answer. It says the same to everybody, so that it does not tell which logins
/// exist.
pub(crate) fn away(title: &str) -> AppError {
    AppError::refused(
        "L010",
        format!(
            "ログインできませんでした。{title}に今つながらないため、{title}のパスワードを使う人のパスワードを確かめられません（失敗には数えません）。しばらくしてから試すか、情報政策担当課へ連絡してください。関所のパスワードを使う人は、ログイン名とパスワードを確かめてください。"
        ),
    )
}

impl Office {
    /// Checks passwords of directory accounts at this directory; the first call counts.
    pub fn use_directory(&self, server: Arc<dyn DirectoryServer>) {
        let _ = self.directory_server.set(server);
    }

    /// The directory, where one is configured.
    pub(crate) fn directory_server(&self) -> Option<&Arc<dyn DirectoryServer>> {
        self.directory_server.get()
    }

    /// What people call the directory, where one is configured.
    #[must_use]
    pub fn directory_title(&self) -> Option<&str> {
        self.directory_server().map(|d| d.title())
    }
}
