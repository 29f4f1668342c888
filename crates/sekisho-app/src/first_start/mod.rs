//! The first start of a body through pages. A one-time code from the terminal opens them to one browser; each step is kept, so that a restart
//! loses nothing; the last one gives the first administrator a login and closes the pages for ever (`docs/decisions/0028-first-start.md`).
//! Nobody has a login yet, so there is no second person: design §5 excepts the first start and has it recorded.
//!
//! | module | step |
//! |---|---|
//! | [`steps`] | name of the body, standard, mail |
//! | [`units`] | organization: a file with a dry run, or a small form |
//! | [`officers`] | who holds the posts and roles that the standard asks for |
//! | [`administrator`] | first administrator with a second factor, and the end |

mod administrator;
mod officers;
mod steps;
mod units;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sekisho_base::Instant;
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::text::{normalize_code, shorten};
use sekisho_boxed::boxed;
use sekisho_ledger::LogSigner;
use sekisho_ledger::permit::PermitSigner;
use sekisho_store::{Conn, account, setting};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use administrator::{AdministratorForm, AdministratorPage, Finished};
pub use officers::{Headless, MOST_OF_ROLE, OfficersPage, Seat, row_key, rows_of_role};
pub use steps::{BodyPage, MailForm, MailPage, PackPage};
pub use units::{HeadLine, SeatHolder, UnitFields, UnitsForm, UnitsPage};

use crate::error::AppError;
use crate::first::temporary_password;
use crate::login::{Identity, Place};
use crate::office::Office;
use crate::record::record;
use crate::setup::write_private;

/// Setting with what was done so far.
const STATE: &str = "first_start";
/// How long a setup code can be used.
const CODE_MS: i64 = 24 * 3_600_000;
/// How long the browser that used it may go on.
const SESSION_MS: i64 = 24 * 3_600_000;
/// Who acted, in entries of the ledger, before anybody has a login.
pub(crate) const SETUP: &str = "setup";
/// File in the data folder with the setup code.
pub const CODE_FILE: &str = "setup-code";

/// What is kept between the steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// It is over, for ever.
    done: bool,
    /// SHA-256 of the code that waits to be used; empty when it was.
    code: String,
    code_until: Option<Instant>,
    /// SHA-256 of the token of the browser that used it.
    session: String,
    session_until: Option<Instant>,
    title: String,
    body: String,
    /// Somebody looked at the officers and went on.
    officers: bool,
    /// Hash of the pack that was agreed to.
    pack: String,
    /// `later`, or `tested` after a message went out.
    mail: String,
    administrator: Option<administrator::Chosen>,
}

/// What the terminal shows at a first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupCode {
    /// The code.
    pub code: String,
    /// Until when it can be used.
    pub until: Instant,
}

/// The browser that used the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Token that every form carries.
    pub csrf: String,
    session: String,
}

/// How the pages of the first start stand towards somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// The body runs: there are no such pages.
    Closed,
    /// The code is asked for.
    Locked,
    /// Come in.
    Open(Setup),
}

/// A step in the list at the head of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Address.
    pub href: &'static str,
    /// Name.
    pub label: &'static str,
    /// It holds what is needed.
    pub done: bool,
}

/// What the body is called from the end of the first start on; until then as it was opened.
#[derive(Debug)]
pub(crate) struct Names {
    pub title: String,
    pub body: String,
    pub signer: Option<LogSigner>,
    pub permit_signer: Option<PermitSigner>,
}

/// Of this process: whether the ledger waits with signing until the body has its name, and the name.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    waits: AtomicBool,
    /// The name is being given: written, perhaps, and not yet known here.
    ends: AtomicBool,
    pub names: std::sync::OnceLock<Names>,
}

/// The state while the first start is open; none once somebody can log in or it is over.
async fn open_state(c: &mut Conn<'_>) -> Result<Option<State>, AppError> {
    let state: State = match setting::get(c, STATE).await? {
        Some(text) => serde_json::from_str(&text).map_err(AppError::internal)?,
        None => State::default(),
    };
    Ok(if state.done || account::count(c).await? > 0 { None } else { Some(state) })
}

async fn put_state(c: &mut Conn<'_>, state: &State) -> Result<(), AppError> {
    let text = serde_json::to_string(state).map_err(AppError::internal)?;
    setting::set(c, STATE, &text).await.map_err(AppError::from)
}

/// The ledger stream of the first start: one for each body, so that it needs no column.
fn stream() -> String {
    hex(&sha256(b"first start")).chars().take(32).collect()
}

fn code_hash(typed: &str) -> String {
    let code: String =
        normalize_code(typed).to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    hex(&sha256(format!("setup:{code}").as_bytes()))
}

fn closed() -> AppError {
    AppError::NotFound
}

#[boxed]
impl Office {
    /// Begins the first start, or goes on with it: makes a new code, which replaces an earlier one, and writes it into a file of the data folder
    /// that its owner alone can read. None once somebody can log in. `named`: the names that the body was opened with were given, not defaults.
    ///
    /// # Errors
    /// The database failed or the file cannot be written.
    pub async fn begin_first_start(self: &Arc<Self>, named: bool) -> Result<Option<SetupCode>, AppError> {
        // A node that does not sign cannot put the key under the name that the end gives.
        if self.signer().is_none() {
            return Ok(None);
        }
        let code = temporary_password(self)?;
        let (hash, now, seal) = (code_hash(&code), self.clock.now(), self.seal()?);
        let until = now.plus_millis(CODE_MS);
        let names = named.then(|| (self.body_title().to_owned(), self.body().to_owned()));
        let begun = self
            .store
            .write(move |c| {
                Box::pin(async move {
                    let Some(mut state) = open_state(c).await? else { return Ok(false) };
                    (state.code, state.code_until) = (hash, Some(until));
                    if let Some((title, body)) = names.filter(|_| state.title.is_empty()) {
                        (state.title, state.body) = (title, body);
                    }
                    put_state(c, &state).await?;
                    let payload = json!({"by": "terminal", "at": now, "until": until});
                    record(c, seal, &stream(), "setup.code", &payload, now).await?;
                    Ok::<_, AppError>(true)
                })
            })
            .await?;
        let file = self.code_file();
        if !begun {
            return Ok(None);
        }
        self.naming.waits.store(true, Ordering::Release);
        if let Some(file) = file {
            let place = |e: std::io::Error| {
                AppError::refused(
                    "F013",
                    format!("最初の設定のコードを {} に書けません: {e}", file.display()),
                )
            };
            // In one step: another node that shares the folder may be at it too.
            let beside = file.with_extension(self.new_id()?.to_string());
            write_private(&beside, format!("{code}\n").as_bytes()).map_err(place)?;
            std::fs::rename(&beside, &file).map_err(place)?;
        }
        Ok(Some(SetupCode { code, until }))
    }

    /// Where the code is written; nowhere when it is not known where the data is.
    #[must_use]
    pub fn code_file(&self) -> Option<std::path::PathBuf> {
        self.surroundings.get().map(|s| s.data.join(CODE_FILE))
    }

    /// Whether the ledger must wait because the body has no name yet: what is signed once can be renamed no more.
    pub(crate) async fn waits_for_name(&self) -> Result<bool, AppError> {
        if !self.naming.waits.load(Ordering::Acquire) {
            return Ok(false);
        }
        let (open, body) = self
            .store
            .read(|c| {
                Box::pin(async move {
                    let body = setting::get(c, crate::ledger::BODY).await?;
                    Ok::<_, AppError>((open_state(c).await?.is_some(), body))
                })
            })
            .await?;
        if open {
            return Ok(true);
        }
        // Read before the name: where it is over already, the name is known.
        let ends = self.naming.ends.load(Ordering::Acquire);
        if body.as_deref() != Some(self.body()) {
            if ends {
                return Ok(true);
            }
            return Err(AppError::internal(
                "the body was named by another process: this one must start again",
            ));
        }
        // The first login came from the terminal: the names are those of the start.
        self.naming.waits.store(false, Ordering::Release);
        Ok(false)
    }

    /// Whether the pages of the first start answer.
    ///
    /// # Errors
    /// The database failed.
    pub async fn first_start_open(&self) -> Result<bool, AppError> {
        if !self.naming.waits.load(Ordering::Acquire) {
            return Ok(false);
        }
        Ok(self.first_state().await?.is_some())
    }

    async fn first_state(&self) -> Result<Option<State>, AppError> {
        self.store.read(|c| Box::pin(async move { open_state(c).await })).await
    }

    /// How the pages stand towards a browser with this token, or with none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn first_start_door(&self, token: Option<&str>) -> Result<Door, AppError> {
        if !self.naming.waits.load(Ordering::Acquire) {
            return Ok(Door::Closed);
        }
        let Some(state) = self.first_state().await? else { return Ok(Door::Closed) };
        let Some(token) = token else { return Ok(Door::Locked) };
        let session = hex(&sha256(token.as_bytes()));
        let now = self.clock.now();
        if state.session != session || state.session_until.is_none_or(|until| until <= now) {
            return Ok(Door::Locked);
        }
        let csrf = hex(&sha256(format!("csrf:{token}").as_bytes())).chars().take(32).collect();
        Ok(Door::Open(Setup { csrf, session }))
    }

    /// Takes the code, once, and gives the token of the browser that typed it. A browser that came in before is out.
    ///
    /// # Errors
    /// Refused when it is wrong, was used or is too old; [`AppError::NotFound`] once the body runs.
    pub async fn enter_first_start(&self, typed: &str, place: &Place) -> Result<String, AppError> {
        if !self.naming.waits.load(Ordering::Acquire) {
            return Err(closed());
        }
        let mut secret = [0u8; 32];
        self.entropy.fill(&mut secret).map_err(AppError::internal)?;
        let token = hex(&secret);
        let (hash, session) = (code_hash(typed), hex(&sha256(token.as_bytes())));
        let (now, seal, from) = (self.clock.now(), self.seal()?, shorten(&place.address, 60));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let mut state = open_state(c).await?.ok_or_else(closed)?;
                    let fresh = state.code_until.is_some_and(|until| until > now);
                    if state.code.is_empty() || state.code != hash || !fresh {
                        return Err(AppError::refused(
                            "F010",
                            "コードが違うか、すでに使われたか、期限（24時間）が過ぎています。サーバを動かしている人が関所を起動し直すと、新しいコードが端末に表示されます。途中まで進めた設定は残ります。",
                        ));
                    }
                    (state.code, state.code_until) = (String::new(), None);
                    (state.session, state.session_until) = (session, Some(now.plus_millis(SESSION_MS)));
                    put_state(c, &state).await?;
                    let payload = json!({"by": SETUP, "at": now, "from": from});
                    record(c, seal, &stream(), "setup.enter", &payload, now).await?;
                    Ok(())
                })
            })
            .await?;
        self.forget_code_file();
        Ok(token)
    }

    fn forget_code_file(&self) {
        if let Some(file) = self.code_file()
            && let Err(e) = remove_if_there(&file)
        {
            tracing::warn!(error = %e, "the file with the setup code cannot be removed; the code is void");
        }
    }

    /// The state, if the browser is still the one that may go on.
    async fn state_of(&self, setup: &Setup) -> Result<State, AppError> {
        let state = self.first_state().await?.ok_or_else(closed)?;
        if state.session == setup.session { Ok(state) } else { Err(AppError::NoSession) }
    }

    /// Changes the state and records the step, if the browser is still the one that may go on.
    async fn keep_step(
        &self,
        setup: &Setup,
        kind: &'static str,
        mut payload: Value,
        change: impl FnOnce(&mut State) + Send + 'static,
    ) -> Result<(), AppError> {
        let (session, now, seal) = (setup.session.clone(), self.clock.now(), self.seal()?);
        if let Some(fields) = payload.as_object_mut() {
            fields.insert("by".to_owned(), json!(SETUP));
            fields.insert("at".to_owned(), json!(now));
        }
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let mut state = open_state(c).await?.ok_or_else(closed)?;
                    if state.session != session {
                        return Err(AppError::NoSession);
                    }
                    change(&mut state);
                    put_state(c, &state).await?;
                    record(c, seal, &stream(), kind, &payload, now).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The steps, with what is done.
    ///
    /// # Errors
    /// The browser may not go on.
    pub async fn first_steps(&self, setup: &Setup) -> Result<Vec<Step>, AppError> {
        let state = self.state_of(setup).await?;
        let people = !self.directory().await?.rows().persons.is_empty();
        let vacant = self.vacant_seats().await?;
        let step = |href, label, done| Step { href, label, done };
        Ok(vec![
            step("/setup/body", "団体", !state.title.is_empty()),
            step("/setup/organization", "組織", people),
            step("/setup/officers", "責任者", state.officers && people && vacant.is_empty()),
            step("/setup/pack", "基準", state.pack == self.pack().hash),
            step("/setup/mail", "メール", !state.mail.is_empty()),
            step("/setup/administrator", "最初の管理者", false),
        ])
    }
}

/// Under whose name files wait between dry run and import.
fn keeper() -> Identity {
    Identity::of_person(SETUP)
}

fn remove_if_there(file: &std::path::Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
