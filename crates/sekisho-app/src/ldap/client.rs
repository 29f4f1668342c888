//! The directory over LDAP version 3 (RFC 4511). Referrals are never followed: whoever answers is who was named.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ldap3::controls::{Control, ControlType, MakeCritical as _, PagedResults};
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry, SearchOptions,
    StdStream,
};
use sekisho_base::text::{normalize_code, shorten};
use tokio::sync::Semaphore;

use super::config::{Checked, Server};
use super::wire::{self, Wire};
use super::{Answer, DirectoryServer, Entry, Health, LdapConfig, LdapFault, Verdict};
use crate::error::AppError;
use crate::login::login_name;

/// Conversations at the same time: a flood of logins here is none there.
const AT_ONCE: usize = 8;
/// People asked for at once (RFC 2696); Active Directory gives no more than 1,000.
const PAGE: i32 = 500;
/// How long reading everybody may take.
const READING: Duration = Duration::from_secs(60);
/// Characters of one value.
const VALUE: usize = 200;
/// Bit of `userAccountControl` that says that the account is disabled ([MS-ADTS] 2.2.16).
const ACCOUNT_DISABLE: i64 = 2;

/// Result codes (RFC 4511, appendix A).
mod code {
    pub const SUCCESS: u32 = 0;
    pub const SIZE_LIMIT: u32 = 4;
    pub const CONSTRAINT: u32 = 19;
    pub const NO_SUCH_OBJECT: u32 = 32;
    pub const INAPPROPRIATE: u32 = 48;
    pub const INVALID_CREDENTIALS: u32 = 49;
    pub const INSUFFICIENT: u32 = 50;
    pub const UNWILLING: u32 = 53;
    /// Limits of time and size, and those of an administrator.
    pub const LIMITS: [u32; 3] = [3, SIZE_LIMIT, 11];
    /// A bind answered by one of these was refused because of the password or the account: wrong, expired, locked, disabled.
    pub const WRONG: [u32; 6] =
        [CONSTRAINT, NO_SUCH_OBJECT, INAPPROPRIATE, INVALID_CREDENTIALS, INSUFFICIENT, UNWILLING];
}

/// A directory that is talked to by LDAP.
pub struct LdapClient(Arc<Inner>);

struct Inner {
    config: Checked,
    /// The server that answered last.
    last: AtomicUsize,
    slots: Semaphore,
}

impl LdapClient {
    /// Checks a configuration. No connection is made.
    ///
    /// # Errors
    /// What cannot be used, in Japanese.
    pub fn new(config: LdapConfig) -> Result<Self, AppError> {
        let config = Checked::of(config)?;
        Ok(Self(Arc::new(Inner { config, last: AtomicUsize::new(0), slots: Semaphore::new(AT_ONCE) })))
    }

    /// Asks the servers one after the other until one answers.
    async fn ask<T, F>(
        &self,
        patience: Duration,
        job: impl Fn(Arc<Inner>, Server) -> F,
    ) -> Result<T, LdapFault>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, LdapFault>> + Send + 'static,
    {
        let inner = &self.0;
        let late = || LdapFault::Late(patience.as_secs());
        let slot = tokio::time::timeout(patience, inner.slots.acquire()).await;
        let _slot = slot.map_err(|_| late())?.map_err(|e| LdapFault::Away(e.to_string()))?;
        let (count, first) = (inner.config.servers.len(), inner.last.load(Ordering::Relaxed));
        let mut fault = late();
        for at in (0..count).map(|n| (first + n) % count) {
            let Some(server) = inner.config.servers.get(at) else { continue };
            // A task of its own: what the library cannot read makes it panic, which ends the task and nothing else.
            let task = tokio::spawn(tokio::time::timeout(patience, job(Arc::clone(inner), server.clone())));
            fault = match task.await {
                Ok(Ok(Ok(answer))) => {
                    inner.last.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Ok(Ok(Err(fault))) => fault,
                Ok(Err(_)) => late(),
                Err(_) => LdapFault::Garbled,
            };
            tracing::warn!(server = %server, error = %fault, "the directory gave no answer");
        }
        Err(fault)
    }
}

impl DirectoryServer for LdapClient {
    fn title(&self) -> &str {
        &self.0.config.title
    }

    fn check<'a>(&'a self, login: &'a str, password: Option<&'a str>) -> Answer<'a, Verdict> {
        Box::pin(async move {
            self.ask(self.0.config.timeout, |inner, server| {
                // A bind with an empty password is anonymous and succeeds (RFC 4513, 5.1.2): it is never sent.
                let password = password.filter(|p| !p.is_empty()).map(str::to_owned);
                let login = login.to_owned();
                async move { check(&inner.config, &server, &login, password.as_deref()).await }
            })
            .await
        })
    }

    fn find<'a>(&'a self, logins: &'a [String]) -> Answer<'a, Vec<Option<Entry>>> {
        Box::pin(self.ask(READING, |inner, server| {
            let logins = logins.to_vec();
            async move { find(&inner.config, &server, &logins).await }
        }))
    }

    fn looks_every(&self) -> Duration {
        self.0.config.looks_every
    }

    fn people(&self) -> Answer<'_, Vec<Entry>> {
        Box::pin(self.ask(READING, |inner, server| async move { people(&inner.config, &server).await }))
    }

    fn examine(&self) -> Answer<'_, Health> {
        Box::pin(self.ask(self.0.config.timeout, |inner, server| async move {
            let mut c = Conversation::begin(&inner.config, &server).await?;
            c.search(&inner.config.filter("sekisho"), 2, None).await?;
            Ok(Health { server: server.to_string(), certificate_until: c.wire.certificate_until })
        }))
    }
}

/// A connection at which the account that searches is bound.
struct Conversation<'a> {
    config: &'a Checked,
    ldap: Ldap,
    wire: Wire,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl<'a> Conversation<'a> {
    async fn begin(config: &'a Checked, server: &Server) -> Result<Self, LdapFault> {
        let mut wire = wire::connect(config, server).await?;
        let near = wire.near.take().ok_or(LdapFault::Garbled)?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(near));
        let (connection, ldap) = LdapConnAsync::with_settings(settings, "ldapi:///")
            .await
            .map_err(|e| LdapFault::Away(shorten(&e.to_string(), VALUE)))?;
        let driver = tokio::spawn(async move {
            if let Err(e) = connection.drive().await {
                tracing::debug!(error = %e, "a connection to the directory ended");
            }
        });
        let mut c = Self { config, ldap, wire, driver };
        match c.bind(&config.bind_dn, &config.password).await?.rc {
            code::SUCCESS => Ok(c),
            rc => Err(LdapFault::SearchAccount(rc)),
        }
    }

    fn broke(&self, e: &LdapError) -> LdapFault {
        let cut = self.wire.fault.get().cloned();
        cut.unwrap_or_else(|| LdapFault::Away(shorten(&e.to_string(), VALUE)))
    }

    async fn bind(&mut self, dn: &str, password: &str) -> Result<LdapResult, LdapFault> {
        let done = self.ldap.simple_bind(dn, password).await;
        done.map_err(|e| self.broke(&e))
    }

    /// Entries of one search or of one page of it, and how it ended: for good, or because there are more than `most` (0: no bound).
    async fn search(
        &mut self,
        filter: &str,
        most: i32,
        page: Option<Vec<u8>>,
    ) -> Result<(Vec<SearchEntry>, LdapResult), LdapFault> {
        self.ldap.with_search_options(SearchOptions::new().sizelimit(most));
        if let Some(cookie) = page {
            self.ldap.with_controls(PagedResults { size: PAGE, cookie }.critical());
        }
        let attributes: Vec<String> = self.config.attributes.values().cloned().collect();
        let found = self.ldap.search(&self.config.base, Scope::Subtree, filter, attributes).await;
        let found = found.map_err(|e| self.broke(&e))?;
        let ended = found.1;
        if ended.rc != code::SUCCESS && !code::LIMITS.contains(&ended.rc) {
            return Err(LdapFault::Search(ended.rc));
        }
        Ok((found.0.into_iter().map(SearchEntry::construct).collect(), ended))
    }

    /// The only entry of a login. A search that the server broke off does not say that there is none.
    async fn one(&mut self, login: &str) -> Result<Option<SearchEntry>, LdapFault> {
        let (mut found, ended) = self.search(&self.config.filter(login), 2, None).await?;
        if ended.rc != code::SUCCESS && ended.rc != code::SIZE_LIMIT {
            return Err(LdapFault::Cut(ended.rc));
        }
        Ok(found.pop().filter(|e| found.is_empty() && ended.rc == code::SUCCESS && !e.dn.is_empty()))
    }
}

async fn check(
    config: &Checked,
    server: &Server,
    login: &str,
    password: Option<&str>,
) -> Result<Verdict, LdapFault> {
    let mut c = Conversation::begin(config, server).await?;
    let (Some(entry), Some(password)) = (c.one(login).await?, password) else {
        return Ok(Verdict::Wrong);
    };
    match c.bind(&entry.dn, password).await?.rc {
        code::SUCCESS => Ok(Verdict::Right(Box::new(read(config, &entry)))),
        rc if code::WRONG.contains(&rc) => Ok(Verdict::Wrong),
        rc => Err(LdapFault::Bind(rc)),
    }
}

async fn find(config: &Checked, server: &Server, logins: &[String]) -> Result<Vec<Option<Entry>>, LdapFault> {
    let late = |_| LdapFault::Late(config.timeout.as_secs());
    let begun = tokio::time::timeout(config.timeout, Conversation::begin(config, server));
    let mut c = begun.await.map_err(late)??;
    let mut all = Vec::new();
    for login in logins {
        let found = tokio::time::timeout(config.timeout, c.one(login)).await.map_err(late)??;
        all.push(found.map(|e| read(config, &e)));
    }
    Ok(all)
}

async fn people(config: &Checked, server: &Server) -> Result<Vec<Entry>, LdapFault> {
    let mut c = Conversation::begin(config, server).await?;
    let mut all = Vec::new();
    let mut cookie = Vec::new();
    loop {
        let asked = tokio::time::timeout(config.timeout, c.search(&config.people_filter, 0, Some(cookie)));
        let (found, ended) = asked.await.map_err(|_| LdapFault::Late(config.timeout.as_secs()))??;
        if ended.rc != code::SUCCESS {
            return Err(LdapFault::Cut(ended.rc));
        }
        all.extend(found.iter().map(|e| read(config, e)));
        if all.len() > config.max_entries {
            return Err(LdapFault::TooMuch);
        }
        let paged =
            ended.ctrls.iter().find(|Control(kind, _)| matches!(kind, Some(ControlType::PagedResults)));
        cookie = paged.map(|Control(_, raw)| raw.parse::<PagedResults>().cookie).unwrap_or_default();
        if cookie.is_empty() {
            return Ok(all);
        }
    }
}

/// What an entry says. Names of attributes are compared without case (RFC 4512, 2.5).
fn read(config: &Checked, e: &SearchEntry) -> Entry {
    let text = |part: &str| -> String {
        let name = config.attributes.get(part).map(String::as_str).unwrap_or_default();
        let values = e.attrs.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, values)| values);
        let value = values.and_then(|v| v.first()).map(String::as_str).unwrap_or_default();
        let plain: String = value.chars().filter(|c| !c.is_control()).collect();
        shorten(plain.trim(), VALUE)
    };
    let disabled = text("disabled");
    let flags =
        config.attributes.get("disabled").is_some_and(|n| n.eq_ignore_ascii_case("userAccountControl"));
    Entry {
        login: login_name(&text("login")),
        number: normalize_code(&text("number")),
        name: text("name"),
        kana: text("kana"),
        mail: normalize_code(&text("mail")),
        section: normalize_code(&text("section")),
        title: text("title"),
        disabled: if flags {
            disabled.parse::<i64>().is_ok_and(|f| f & ACCOUNT_DISABLE != 0)
        } else {
            !disabled.is_empty() && !disabled.eq_ignore_ascii_case("false")
        },
    }
}
