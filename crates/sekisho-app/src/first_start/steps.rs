//! Name of the body, standard, mail.

use std::sync::Arc;

use sekisho_base::text::normalize_code;
use sekisho_boxed::boxed;
use sekisho_case::decide::case_number;
use sekisho_ledger::LogSigner;
use serde_json::json;

use super::{Setup, State};
use crate::error::{AppError, FieldError};
use crate::mail::{MailConfig, MailServer, MailTls};
use crate::office::Office;
use crate::pack_tools;

/// Longest name of a body, in characters.
const TITLE: usize = 40;
/// Longest host name (RFC 1035, 2.3.4).
const HOST: usize = 253;

/// The step 団体.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyPage {
    /// Name, as typed.
    pub title: String,
    /// Code, as typed.
    pub body: String,
    /// Today's fiscal year as pages show it.
    pub year: String,
    /// The first number of this year, as forms will carry it.
    pub number: String,
}

/// The step 基準.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackPage {
    /// Name of the standard.
    pub title: String,
    /// Version.
    pub version: String,
    /// What of the standard is built, line by line.
    pub coverage: String,
}

/// The form of the step メール, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailForm {
    /// `host:port`.
    pub server: String,
    /// `none`, `starttls` or `tls`.
    pub tls: String,
    /// Sender.
    pub from: String,
    /// Whom to send the test to.
    pub to: String,
}

/// The step メール.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailPage {
    /// The configuration names a server.
    pub configured: bool,
    /// A message went out.
    pub tested: bool,
    /// It was put off.
    pub later: bool,
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl MailForm {
    /// What to write into the configuration file.
    #[must_use]
    pub fn lines(&self) -> String {
        format!(
            "[mail]\nserver = {}\ntls = {}\nfrom = {}\n",
            toml_text(self.server.trim()),
            toml_text(&self.tls),
            toml_text(self.from.trim())
        )
    }

    fn read(&self) -> Result<MailServer, AppError> {
        let mut wrong = Vec::new();
        let mut fault = |field: &str, message: &str| {
            wrong.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        };
        let server = normalize_code(&self.server);
        let split = server.rsplit_once(':').and_then(|(h, p)| Some((h.to_owned(), p.parse::<u16>().ok()?)));
        let split = split.filter(|(host, _)| !host.is_empty() && host.len() <= HOST);
        if split.is_none() {
            fault("server", "「mail.city.example:25」のように、名前とポートの番号を入力してください。");
        }
        let tls = match self.tls.as_str() {
            "none" => Some(MailTls::None),
            "starttls" => Some(MailTls::StartTls),
            "tls" => Some(MailTls::Wrapped),
            _ => None,
        };
        if tls.is_none() {
            fault("tls", "つなぎ方を選んでください。");
        }
        let (Some((host, port)), Some(tls), true) = (split, tls, wrong.is_empty()) else {
            return Err(AppError::Invalid(wrong));
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let from = self.from.trim().to_owned();
        let config = MailConfig { host, port, tls, authority: None, login: None, from, site: String::new() };
        MailServer::new(&config)
            .map_err(|_| AppError::field("from", "「関所 <sekisho@city.example>」のように入力してください。"))
    }
}

#[boxed]
impl Office {
    /// The step 団体.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_body(&self, setup: &Setup) -> Result<BodyPage, AppError> {
        let state = self.state_of(setup).await?;
        Ok(BodyPage { title: state.title, body: state.body, ..self.year_sample() })
    }

    /// How the fiscal year is written, today.
    #[must_use]
    pub fn year_sample(&self) -> BodyPage {
        let today = self.clock.today();
        let pack = self.pack();
        let number = pack.procedures.values().next().map(|p| case_number(&p.number, today, 1));
        let year = today.fiscal_year_start();
        BodyPage {
            year: format!("{}〜{}", year.japanese(), today.fiscal_year_end().japanese()),
            number: number.unwrap_or_default(),
            ..BodyPage::default()
        }
    }

    /// Keeps what the body is called.
    ///
    /// # Errors
    /// Fields that cannot be taken; the browser may not go on.
    pub async fn keep_first_body(&self, setup: &Setup, title: &str, body: &str) -> Result<(), AppError> {
        let mut wrong = Vec::new();
        let mut fault = |field: &str, message: &str| {
            wrong.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        };
        if title.is_empty() || title.chars().count() > TITLE || title.chars().any(char::is_control) {
            fault("title", "団体の名前を40文字以内で入力してください。");
        }
        let body = normalize_code(body).to_lowercase();
        if LogSigner::from_seed(&body, &[0; 32]).is_err() {
            fault(
                "body",
                "半角の英小文字と数字、「- _ .」で63文字以内にしてください。先頭と末尾は英数字です（例：minatono-city）。",
            );
        }
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let title = title.to_owned();
        let payload = json!({"title": title, "body": body});
        let change = |s: &mut State| (s.title, s.body) = (title, body);
        self.keep_step(setup, "setup.body", payload, change).await
    }

    /// The step 基準.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_pack(&self, setup: &Setup) -> Result<PackPage, AppError> {
        self.state_of(setup).await?;
        let pack = self.pack();
        Ok(PackPage {
            title: pack.meta.title.clone(),
            version: pack.meta.version.clone(),
            coverage: pack_tools::coverage_text(&pack),
        })
    }

    /// Agrees to begin with the running pack.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn keep_first_pack(&self, setup: &Setup) -> Result<(), AppError> {
        let hash = self.pack().hash.clone();
        let payload = json!({"hash": hash});
        self.keep_step(setup, "setup.pack", payload, |s| s.pack = hash).await
    }

    /// The step メール.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_mail(&self, setup: &Setup) -> Result<MailPage, AppError> {
        let mail = self.state_of(setup).await?.mail;
        Ok(MailPage { configured: self.mails(), tested: mail == "tested", later: mail == "later" })
    }

    /// Puts mail off.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn put_off_mail(&self, setup: &Setup) -> Result<(), AppError> {
        self.keep_step(setup, "setup.mail", json!({"mail": "later"}), |s| s.mail = "later".to_owned()).await
    }

    /// Sends one message through the server of the configuration, or, where there is none, through the one that was typed.
    ///
    /// # Errors
    /// Fields that cannot be taken; what the server said, at the field `to`; the browser may not go on.
    pub async fn try_mail(self: &Arc<Self>, setup: &Setup, form: &MailForm) -> Result<(), AppError> {
        let title = self.state_of(setup).await?.title;
        let server = match self.mail.get() {
            Some(server) => Arc::clone(server),
            None => Arc::new(form.read()?),
        };
        if let Err(said) = server.send_test(form.to.trim(), &title).await {
            return Err(AppError::field(
                "to",
                format!("送れませんでした（{said}）。サーバの名前と番号、つなぎ方、宛先を確かめてください。"),
            ));
        }
        self.keep_step(setup, "setup.mail", json!({"mail": "tested"}), |s| s.mail = "tested".to_owned()).await
    }
}
