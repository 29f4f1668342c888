//! Mail: notifications go out through the body's SMTP server, are tried again with growing pauses, and each outcome is a ledger entry.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use sekisho_base::text::shorten;
use sekisho_boxed::boxed;
use sekisho_store::notification::{self, NotificationRow};
use sekisho_store::{Conn, ledger};
use serde_json::json;

use crate::error::AppError;
use crate::login::Identity;
use crate::notifications::mail_words;
use crate::office::Office;
use crate::record::record;

/// Messages of one round.
const ROUND: i64 = 50;
/// Attempts before a message counts as failed: the pauses between them add up to about two days.
const MOST_TRIES: i64 = 12;
/// First pause in milliseconds; it doubles with each attempt.
const FIRST_PAUSE: i64 = 60_000;
/// Longest pause in milliseconds.
const LONGEST_PAUSE: i64 = 12 * 3_600_000;
/// How long one node keeps the right to send, in milliseconds: longer than one message may take.
const LEASE: i64 = 2 * 60_000;
/// How long one message may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Messages in trouble that the page shows.
const SHOWN: i64 = 50;

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all: inside the zone.
    None,
    /// STARTTLS, required.
    StartTls,
    /// TLS from the first byte.
    Wrapped,
}

/// Where mail goes out, from the command line.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// Host of the SMTP server.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    pub tls: MailTls,
    /// Certificate of the authority that signed the server's, as PEM; none: those the operating system trusts.
    pub authority: Option<Vec<u8>>,
    /// User name and password, where the server asks for them.
    pub login: Option<(String, String)>,
    /// Sender, `関所 <sekisho@city.example>`.
    pub from: String,
    /// Address of the site, which links begin with.
    pub site: String,
}

/// A mail server ready to be talked to.
pub struct MailServer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    site: String,
}

#[boxed]
impl MailServer {
    /// Checks a configuration. No connection is made.
    ///
    /// # Errors
    /// A sender or certificate that cannot be read, in Japanese.
    pub fn new(c: &MailConfig) -> Result<Self, AppError> {
        let wrong = |what: &str, e: &dyn std::fmt::Display| {
            AppError::refused(
                "N001",
                format!("メールの設定の{what}を読めません（{e}）。書き方を確かめてください。"),
            )
        };
        let from: Mailbox = c.from.parse().map_err(|e| wrong("差出人", &e))?;
        let parameters = || -> Result<TlsParameters, AppError> {
            let mut b = TlsParameters::builder(c.host.clone());
            if let Some(pem) = &c.authority {
                let authority = Certificate::from_pem(pem).map_err(|e| wrong("証明書", &e))?;
                b = b.certificate_store(CertificateStore::None).add_root_certificate(authority);
            }
            b.build_rustls().map_err(|e| wrong("TLS", &e))
        };
        let tls = match c.tls {
            MailTls::None => Tls::None,
            MailTls::StartTls => Tls::Required(parameters()?),
            MailTls::Wrapped => Tls::Wrapper(parameters()?),
        };
        let domain = from.email.domain().to_owned();
        let mut b = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&c.host)
            .port(c.port)
            .tls(tls)
            .hello_name(ClientId::Domain(domain))
            .timeout(Some(TIMEOUT));
        if let Some((user, password)) = &c.login {
            b = b.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { transport: b.build(), from, site: c.site.trim_end_matches('/').to_owned() })
    }

    /// Whether the server answers now.
    ///
    /// # Errors
    /// What it said, or why it cannot be reached.
    pub async fn answers(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("断られました".to_owned()),
            Err(e) => Err(shorten(&e.to_string(), 200)),
        }
    }

    /// Sends one message to see whether it arrives.
    ///
    /// # Errors
    /// What the server said, or why the address cannot be used.
    pub async fn send_test(&self, to: &str, body: &str) -> Result<(), String> {
        let to: Mailbox = to.parse().map_err(|e| format!("宛先「{}」: {e}", shorten(to, 80)))?;
        let text = format!(
            "{body}の関所から、メールが届くかを確かめています。このメールが読めれば、設定は正しくできています。\n"
        );
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject("【関所】メールの確認")
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|e| e.to_string())?;
        self.transport.send(message).await.map(|_| ()).map_err(|e| shorten(&e.to_string(), 200))
    }

    /// The message of one notification. Its id is the notification's, so that a message sent twice is known as the same.
    fn message(&self, n: &NotificationRow, to: &str, body: &str) -> Result<Message, String> {
        let to: Mailbox = to.parse().map_err(|e| format!("宛先「{}」: {e}", shorten(to, 80)))?;
        let text = format!(
            "{}\n\n{}{}\n\nこのメールは、{body}の関所が自動で送っています。返信はできません。\n",
            n.subject, self.site, n.link
        );
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(format!("【関所】{}", n.subject))
            .message_id(Some(format!("<{}@{}>", n.id, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|e| e.to_string())
    }
}

/// How an attempt ended.
enum Outcome {
    Sent,
    /// Not now: the server says to come again.
    Later(String),
    /// Not now, nor any other message: the server cannot be reached.
    Unreachable(String),
    /// Never: the server or the address refuses.
    Never(String),
    /// The person has no address.
    NoAddress,
}

impl Office {
    /// Sends notifications through this server from now on; the first call counts.
    pub fn use_mail(&self, server: impl Into<Arc<MailServer>>) {
        let _ = self.mail.set(server.into());
    }

    /// Whether mail is sent at all.
    pub(crate) fn mails(&self) -> bool {
        self.mail.get().is_some()
    }
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Messages looked at.
    pub looked_at: usize,
    /// The server could not be reached: the rest waits.
    pub halted: bool,
}

/// Sends what waits and may be tried now. One node at a time sends.
///
/// # Errors
/// The database failed. What the mail server says is no error: it is written beside the message.
#[boxed]
pub async fn deliver(office: &Arc<Office>) -> Result<Round, AppError> {
    let Some(server) = office.mail.get() else { return Ok(Round::default()) };
    if waiting(office).await?.is_empty() {
        return Ok(Round::default());
    }
    let sent = office.alone("mail", LEASE, send(office, server)).await?;
    Ok(sent.unwrap_or(Round { looked_at: 0, halted: true }))
}

async fn waiting(office: &Office) -> Result<Vec<NotificationRow>, AppError> {
    let now = office.clock.now();
    office
        .store
        .read(move |c| {
            Box::pin(async move { notification::to_mail(c, now, ROUND).await.map_err(AppError::from) })
        })
        .await
}

/// Sends under the lease, which the outcome of each message renews: a node that stood still for longer than the lease lasts writes none.
async fn send(office: &Arc<Office>, server: &MailServer) -> Result<Round, AppError> {
    let directory = office.directory().await?;
    let mut round = Round::default();
    // Read under the lease: what another node sent just before no longer waits.
    for row in waiting(office).await? {
        let to = directory.person(&row.person).map(|p| p.mail.clone()).unwrap_or_default();
        let outcome = attempt(server, &row, to.trim(), office.body_title()).await;
        round.looked_at += 1;
        round.halted = matches!(outcome, Outcome::Unreachable(_));
        let inner = Arc::clone(office);
        office.store.write(move |c| Box::pin(async move { settle(c, &inner, row, outcome).await })).await?;
        if round.halted {
            break;
        }
    }
    Ok(round)
}

async fn attempt(server: &MailServer, row: &NotificationRow, to: &str, body: &str) -> Outcome {
    if to.is_empty() {
        return Outcome::NoAddress;
    }
    let message = match server.message(row, to, body) {
        Ok(m) => m,
        Err(e) => return Outcome::Never(e),
    };
    match server.transport.send(message).await {
        Ok(_) => Outcome::Sent,
        Err(e) if e.is_permanent() => Outcome::Never(e.to_string()),
        Err(e) if e.is_transient() => Outcome::Later(e.to_string()),
        Err(e) => Outcome::Unreachable(e.to_string()),
    }
}

async fn settle(
    c: &mut Conn<'_>,
    office: &Office,
    mut row: NotificationRow,
    outcome: Outcome,
) -> Result<(), AppError> {
    let now = office.clock.now();
    row.tries += 1;
    let kind = match outcome {
        Outcome::NoAddress => {
            row.mail = "none".to_owned();
            None
        }
        Outcome::Sent => {
            row.mail = "sent".to_owned();
            row.mailed_at = Some(now);
            row.mail_error = String::new();
            Some("notification.mailed")
        }
        Outcome::Later(e) | Outcome::Unreachable(e) if row.tries < MOST_TRIES => {
            row.mail_error = shorten(&e, 200);
            row.try_after = now.plus_millis(pause(row.tries));
            None
        }
        Outcome::Later(e) | Outcome::Unreachable(e) | Outcome::Never(e) => {
            row.mail = "failed".to_owned();
            row.mail_error = shorten(&e, 200);
            Some("notification.mail_failed")
        }
    };
    if let Some(kind) = kind {
        let stream = row.id.parse().map(ledger::stream_id).map_err(AppError::internal)?;
        let payload = json!({"notification": row.id, "person": row.person, "tries": row.tries, "at": now});
        record(c, office.seal()?, &stream, kind, &payload, now).await?;
    }
    notification::put_mail(c, &row).await.map_err(AppError::from)
}

/// Pause after so many attempts, in milliseconds.
fn pause(tries: i64) -> i64 {
    let doublings = u32::try_from(tries - 1).unwrap_or(0).min(20);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Delivers after every commit, and once a minute for what is to be tried again.
pub(crate) async fn run(office: Arc<Office>) {
    let committed = office.store.committed();
    loop {
        match deliver(&office).await {
            Ok(round) if round.halted => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                continue;
            }
            Ok(round) if round.looked_at > 0 => continue,
            Ok(_) => {}
            Err(e) => {
                tracing::error!(error = %e, "mail could not be looked at; it is tried again in a minute")
            }
        }
        let _ = tokio::time::timeout(Duration::from_secs(60), committed.notified()).await;
    }
}

/// A message in trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubledMail {
    /// Who was to get it.
    pub person: String,
    /// What it says.
    pub subject: String,
    /// How it stands.
    pub state: String,
    /// What the server said.
    pub error: String,
    /// When it is tried again, or empty.
    pub again: String,
}

/// The page about mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailView {
    /// Whether a mail server is configured.
    pub on: bool,
    /// State and number.
    pub counts: Vec<(&'static str, i64)>,
    /// Messages in trouble.
    pub troubled: Vec<TroubledMail>,
}

/// How many messages are in a state.
pub(crate) fn in_state(counts: &[(String, i64)], state: &str) -> i64 {
    counts.iter().filter(|(s, _)| s == state).map(|(_, n)| n).sum()
}

#[boxed]
impl Office {
    /// How mail fares, for those who run the system.
    ///
    /// # Errors
    /// Refused for others.
    pub async fn mail_state(&self, who: &Identity) -> Result<MailView, AppError> {
        if !self.me(who).await?.administers() {
            return Err(AppError::refused(
                "N002",
                "メールの送信の様子は、情報システム管理者とその担当者が確かめます。",
            ));
        }
        let (counts, troubled) = self
            .store
            .read(|c| {
                Box::pin(async move { notification::mail_state(c, SHOWN).await.map_err(AppError::from) })
            })
            .await?;
        let d = self.directory().await?;
        let words = |state: &str| match state {
            "sent" => "送信済み",
            "waiting" => "送信待ち",
            "failed" => "送信できず",
            _ => "画面のみ",
        };
        Ok(MailView {
            on: self.mails(),
            counts: counts.iter().map(|(s, n)| (words(s), *n)).collect(),
            troubled: troubled
                .iter()
                .map(|n| TroubledMail {
                    person: d.person_name(&n.person).to_owned(),
                    subject: n.subject.clone(),
                    state: mail_words(n),
                    error: n.mail_error.clone(),
                    again: if n.mail == "waiting" { n.try_after.short() } else { String::new() },
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_within_days() {
        assert_eq!(pause(1), 60_000);
        assert_eq!(pause(4), 480_000);
        assert_eq!(pause(30), LONGEST_PAUSE);
        let all: i64 = (1..MOST_TRIES).map(pause).sum();
        assert!((86_400_000..5 * 86_400_000).contains(&all), "{all}");
    }
}
