//! The first administrator: password, second factor with recovery codes, and the end of the first start.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sekisho_base::text::normalize_code;
use sekisho_boxed::boxed;
use sekisho_store::account::{self, AccountRow, Checked};
use sekisho_store::{second_factor as factors, setting};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Names, SETUP, Setup, State, closed, open_state, put_state, stream};
use crate::error::{AppError, FieldError};
use crate::login::{login_fault, login_name, stream_of};
use crate::office::{Office, TITLE};
use crate::password::{fault as password_fault, hash_off_thread};
use crate::record::record;
use crate::sealed::{open_secret, seal_secret};
use crate::totp;

/// Who was chosen, until the second factor is proved.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chosen {
    person: String,
    login: String,
    /// As a hash.
    password: String,
    /// Sealed.
    secret: String,
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chosen")
            .field("person", &self.person)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// The form, as typed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AdministratorForm {
    /// Person number.
    pub person: String,
    /// Login.
    pub login: String,
    /// Password.
    pub password: String,
    /// The same again.
    pub again: String,
}

/// The step 最初の管理者.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdministratorPage {
    /// Who may be it: number and name with post.
    pub people: Vec<(String, String)>,
    /// Steps that are not done yet: address and name.
    pub missing: Vec<(&'static str, &'static str)>,
    /// Who was chosen: name and login; none while nobody is.
    pub chosen: Option<(String, String)>,
    /// The secret to be typed into the app, in groups of four.
    pub typed_secret: String,
    /// What will be so: label and text.
    pub summary: Vec<(&'static str, String)>,
}

/// What the last page shows, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Name of the body.
    pub title: String,
    /// Login of the administrator.
    pub login: String,
    /// Recovery codes; stored only as hashes.
    pub codes: Vec<String>,
    /// What to know because nobody else can confirm imports yet; empty when somebody can.
    pub alone: String,
    /// Mail was put off.
    pub mail_later: bool,
}

#[boxed]
impl Office {
    /// The step 最初の管理者.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_administrator(&self, setup: &Setup) -> Result<AdministratorPage, AppError> {
        let state = self.state_of(setup).await?;
        let (d, today) = (self.directory().await?, self.clock.today());
        let steps = self.first_steps(setup).await?;
        let missing = steps.iter().filter(|s| !s.done && s.href != "/setup/administrator");
        let people = self.importers(&d).into_iter();
        let label = |p: String| (p.clone(), format!("{} {}", d.person_name(&p), d.main_post(&p, today)));
        let typed_secret = match &state.administrator {
            Some(a) => totp::typed(&open_secret(self, &a.login, &a.secret)?),
            None => String::new(),
        };
        let pack = self.pack();
        Ok(AdministratorPage {
            people: people.map(label).collect(),
            missing: missing.map(|s| (s.href, s.label)).collect(),
            chosen: state.administrator.map(|a| (d.person_name(&a.person).to_owned(), a.login)),
            typed_secret,
            summary: vec![
                ("団体", format!("{}（{}）", state.title, state.body)),
                ("組織", format!("{}の組織、{}人の職員", d.rows().units.len(), d.rows().persons.len())),
                ("基準", format!("{} {}", pack.meta.title, pack.meta.version)),
                (
                    "メール",
                    if state.mail == "tested" { "試しに送れました" } else { "後で設定します" }.to_owned(),
                ),
            ],
        })
    }

    /// Chooses who it is, with login and password, and makes the secret of the second factor.
    ///
    /// # Errors
    /// Fields that cannot be taken; the browser may not go on.
    pub async fn choose_administrator(
        self: &Arc<Self>,
        setup: &Setup,
        form: &AdministratorForm,
    ) -> Result<(), AppError> {
        self.state_of(setup).await?;
        let mut wrong = Vec::new();
        let mut fault = |field: &str, message: &str| {
            wrong.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        };
        let d = self.directory().await?;
        if !self.importers(&d).contains(&form.person) {
            fault(
                "person",
                "情報システム管理者か、その担当者から選んでください。いないときは「責任者」に戻ります。",
            );
        }
        let login = login_name(&form.login);
        if let Some(says) = login_fault(&login) {
            fault("login", says);
        }
        if let Some(weak) = password_fault(&form.password, &login) {
            fault("password", weak);
        } else if form.password != form.again {
            fault("again", "2つのパスワードが違います。同じものを入力してください。");
        }
        if !wrong.is_empty() {
            return Err(AppError::Invalid(wrong));
        }
        let mut secret = [0u8; totp::SECRET_BYTES];
        self.entropy.fill(&mut secret).map_err(AppError::internal)?;
        let chosen = Chosen {
            person: form.person.clone(),
            password: hash_off_thread(self, form.password.clone()).await?,
            secret: seal_secret(self, &login, &secret)?,
            login,
        };
        let payload = json!({"person": chosen.person});
        self.keep_step(setup, "setup.administrator", payload, |s| s.administrator = Some(chosen)).await
    }

    /// Goes back to the choice.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn choose_administrator_again(&self, setup: &Setup) -> Result<(), AppError> {
        self.keep_step(setup, "setup.administrator", json!({"person": ""}), |s| s.administrator = None).await
    }

    /// The QR code of the second factor, as SVG.
    ///
    /// # Errors
    /// [`AppError::NotFound`] while nobody is chosen; the browser may not go on.
    pub async fn first_administrator_qr(&self, setup: &Setup) -> Result<String, AppError> {
        let state = self.state_of(setup).await?;
        let a = state.administrator.ok_or(AppError::NotFound)?;
        let secret = open_secret(self, &a.login, &a.secret)?;
        crate::second_factor::picture(&state.title, &a.login, &secret)
    }

    /// Ends the first start: the body has its name, the administrator a login with a second factor, and these pages are gone.
    ///
    /// # Errors
    /// Something is missing, or the code is wrong, at the field `code`; the browser may not go on.
    pub async fn finish_first_start(
        self: &Arc<Self>,
        setup: &Setup,
        typed: &str,
    ) -> Result<Finished, AppError> {
        let state = self.state_of(setup).await?;
        let page = self.first_administrator(setup).await?;
        if let Some((_, label)) = page.missing.first() {
            return Err(AppError::field(
                "code",
                format!("「{label}」がまだ済んでいません。先に済ませてください。"),
            ));
        }
        let Some(a) = state.administrator.clone() else {
            return Err(AppError::refused(
                "F012",
                "最初の管理者がまだ選ばれていません。画面を開き直してください。",
            ));
        };
        // The organization may have changed since the choice.
        if !page.people.iter().any(|(number, _)| *number == a.person) {
            return Err(AppError::field(
                "code",
                "選んだ人は、もう情報システム管理者でもその担当者でもありません。選び直してください。",
            ));
        }
        let now = self.clock.now();
        let secret = open_secret(self, &a.login, &a.secret)?;
        let step = totp::step_of(&secret, &normalize_code(typed).replace(' ', ""), now).ok_or_else(|| {
            AppError::field(
                "code",
                "コードが違います。アプリに今出ている6桁の数字を入力してください。違いが続くときは、スマートフォンとサーバの時計が合っているか確かめてください。",
            )
        })?;
        let (codes, hashes) = self.recovery_codes(&a.login)?;
        let signer = self.signer().map(|s| s.of_body(&state.body)).transpose().map_err(AppError::internal)?;
        let permit_signer =
            self.permit_signer().map(|s| s.of_body(&state.body)).transpose().map_err(AppError::internal)?;
        let names = Names { title: state.title.clone(), body: state.body.clone(), signer, permit_signer };
        let vkey = names.signer.as_ref().map(sekisho_ledger::LogSigner::vkey);
        let row = AccountRow {
            login: a.login.clone(),
            person: a.person.clone(),
            password: a.password.clone(),
            must_change: false,
            active: true,
            changed_at: now,
            checked: Checked::Own,
        };
        let payload = json!({"person": a.person, "by": SETUP, "at": now, "first": true});
        let finish = json!({"title": state.title, "body": state.body, "pack": state.pack, "administrator": a.person, "by": SETUP, "at": now});
        let (session, seals) = (setup.session.clone(), [self.seal()?, self.seal()?, self.seal()?]);
        let (shown, sealed) = (state.clone(), a.secret.clone());
        self.naming.ends.store(true, Ordering::Release);
        let ended = self
            .store
            .write(move |c| {
                Box::pin(async move {
                    let present = open_state(c).await?.ok_or_else(closed)?;
                    if present.session != session {
                        return Err(AppError::NoSession);
                    }
                    // Another window of the same browser may have gone back.
                    if present != shown {
                        return Err(AppError::refused(
                            "F011",
                            "ほかの画面で設定が変わりました。画面を開き直してください。",
                        ));
                    }
                    setting::set(c, crate::ledger::BODY, &present.body).await?;
                    setting::set(c, TITLE, &present.title).await?;
                    if let Some(vkey) = &vkey {
                        setting::set(c, crate::ledger::VKEY, vkey).await?;
                    }
                    account::put(c, &row).await?;
                    factors::begin(c, &row.login, &sealed).await?;
                    factors::confirm(c, &row.login, &sealed, step, &hashes, now).await?;
                    let [first, second, third] = seals;
                    let own = stream_of(&row.person);
                    record(c, first, &own, "account.create", &payload, now).await?;
                    record(c, second, &own, "account.second_factor", &payload, now).await?;
                    record(c, third, &stream(), "setup.finish", &finish, now).await?;
                    put_state(c, &State { done: true, ..State::default() }).await
                })
            })
            .await;
        if ended.is_ok() {
            // From here on the ledger signs under the body's own name.
            let _ = self.naming.names.set(names);
            self.naming.waits.store(false, Ordering::Release);
        }
        self.naming.ends.store(false, Ordering::Release);
        ended?;
        self.forget_code_file();
        self.store.committed().notify_one();
        Ok(Finished {
            title: state.title,
            login: a.login,
            codes,
            alone: self.second_importer_missing().await?.unwrap_or_default(),
            mail_later: state.mail != "tested",
        })
    }
}
