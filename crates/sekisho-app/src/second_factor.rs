//! Second factors: who must have one, enrolling it, its codes and recovery codes.

use std::sync::Arc;

use sekisho_base::canonical::{hex, sha256};
use sekisho_base::text::normalize_code;
use sekisho_boxed::boxed;
use sekisho_pack::model::HeldBy;
use sekisho_store::account::{self, Checked};
use sekisho_store::{ledger, passkey, second_factor as factors, session, setting};
use serde_json::json;

use crate::error::AppError;
use crate::first::temporary_password;
use crate::login::{Identity, Taken, stream_of};
use crate::office::Office;
use crate::packs::publishes;
use crate::passkeys::PasskeysPage;
use crate::qr::Symbol;
use crate::record::record;
use crate::sealed::{open_secret, seal_secret};
use crate::{people, totp};

/// Setting with the roles whose holders must have a second factor: ids between spaces.
pub(crate) const ROLES: &str = "login.second_factor_roles";
/// These roles where nobody has set others: they run the system or decide for the whole body.
const DEFAULT_ROLES: [&str; 6] = [
    "information_system_manager",
    "system_operator",
    "ciso",
    "deputy_ciso",
    "head_security_officer",
    "csirt_leader",
];
/// Recovery codes made at once.
const CODES: usize = 10;

/// The page on which a second factor is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactorPage {
    /// Since when there is an app; empty when there is none.
    pub since: String,
    /// Whether there is any second factor.
    pub any: bool,
    /// Whether the app may be given up.
    pub may_drop: bool,
    /// Passkeys.
    pub passkeys: PasskeysPage,
    /// Recovery codes left.
    pub codes_left: i64,
    /// Whether a role of the person asks for one.
    pub required: bool,
    /// The secret that is being enrolled, in groups of four to be typed; empty when none is.
    pub typed_secret: String,
}

/// What somebody can type to prove who they are; passkeys come beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proofs {
    /// A password, here or at the directory.
    pub password: bool,
    /// The code of an authenticator app.
    pub app: bool,
    /// A recovery code that was not used yet.
    pub recovery: bool,
}

impl Proofs {
    /// Those that a question before privileged work takes. A recovery code is for whoever has neither password nor app: it is gone afterwards.
    #[must_use]
    pub fn of_proof(self) -> Self {
        Self { recovery: self.recovery && !self.password && !self.app, ..self }
    }

    /// Those that stand beside a password that was right.
    #[must_use]
    pub fn of_second(self) -> Self {
        Self { password: false, ..self }
    }

    /// Whether there is any.
    #[must_use]
    pub fn any(self) -> bool {
        self.password || self.app || self.recovery
    }

    /// What they are called beside a field.
    #[must_use]
    pub fn names(self) -> String {
        let names = [
            (self.password, "パスワード"),
            (self.app, "認証アプリの6桁のコード"),
            (self.recovery, "回復コード"),
        ];
        let all: Vec<&str> = names.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect();
        all.join("、または")
    }

    /// What is said when none of them was right.
    #[must_use]
    pub fn wrong(self) -> String {
        if !self.any() {
            return "入力したものでは確かめられません。画面にある方法で確かめてください。".to_owned();
        }
        let once = match (self.app, self.recovery) {
            (true, true) => {
                "コードは一度しか使えません。アプリに今出ている6桁の数字か、まだ使っていない回復コードを入力してください。"
            }
            (true, false) => "コードは一度しか使えません。アプリに今出ている6桁の数字を入力してください。",
            (false, true) => "まだ使っていない回復コードを入力してください。",
            (false, false) => "",
        };
        format!("{}が違います。{once}続けて間違えると、15分間使えなくなります。", self.names())
    }
}

/// The page on which roles are chosen whose holders must have a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorRolesPage {
    /// Roles: id, title, whether it asks.
    pub roles: Vec<(String, String, bool)>,
    /// Whether the viewer may also take roles off the list.
    pub may_remove: bool,
}

fn code_hash(login: &str, code: &str) -> String {
    hex(&sha256(format!("recovery:{login}:{code}").as_bytes()))
}

/// The QR code that an authenticator app reads, as SVG.
pub(crate) fn picture(body: &str, login: &str, secret: &[u8]) -> Result<String, AppError> {
    Symbol::of(&totp::uri(&format!("関所 {body}"), login, secret)).map(|code| code.svg())
}

#[boxed]
impl Office {
    /// Roles whose holders must have a second factor.
    ///
    /// # Errors
    /// The database failed.
    pub async fn second_factor_roles(&self) -> Result<Vec<String>, AppError> {
        let set = self
            .store
            .read(|c| Box::pin(async move { setting::get(c, ROLES).await.map_err(AppError::from) }))
            .await?;
        Ok(set.map_or_else(
            || DEFAULT_ROLES.map(str::to_owned).to_vec(),
            |text| text.split_whitespace().map(str::to_owned).collect(),
        ))
    }

    /// The page on which those roles are chosen.
    ///
    /// # Errors
    /// Refused for others than administrators and those who decide the standard.
    pub async fn second_factor_roles_page(&self, who: &Identity) -> Result<FactorRolesPage, AppError> {
        let me = self.me(who).await?;
        let may_remove = publishes(&me);
        if !may_remove {
            self.may_import_organization(who).await?;
        }
        let asked = self.second_factor_roles().await?;
        let pack = self.pack();
        let held = pack.roles.values().filter(|r| r.held_by != HeldBy::Everyone);
        let roles = held.map(|r| (r.id.clone(), r.title.clone(), asked.contains(&r.id))).collect();
        Ok(FactorRolesPage { roles, may_remove })
    }

    /// Sets the roles whose holders must have a second factor. Administrators may add roles; taking one off weakens what holds themselves, so that
    /// those who decide the standard do it.
    ///
    /// # Errors
    /// Refused for others; [`AppError::Unproved`].
    pub async fn set_second_factor_roles(&self, who: &Identity, chosen: &[String]) -> Result<(), AppError> {
        let page = self.second_factor_roles_page(who).await?;
        self.proved(who)?;
        Self::may_decide_now(who)?;
        let removed = page.roles.iter().any(|(id, _, asked)| *asked && !chosen.contains(id));
        if removed && !page.may_remove {
            return Err(AppError::refused(
                "L009",
                "役割を外せるのは、基準を決める人（CISO、副CISO、統括情報セキュリティ責任者）だけです。管理者は加えることだけができます。",
            ));
        }
        let known = page.roles.into_iter().map(|(id, ..)| id).filter(|id| chosen.contains(id));
        let roles = known.collect::<Vec<_>>().join(" ");
        let (by, now, seal, stream) =
            (who.person.clone(), self.clock.now(), self.seal()?, ledger::stream_id(self.new_id()?));
        self.store
            .write(move |c| {
                Box::pin(async move {
                    setting::set(c, ROLES, &roles).await?;
                    let payload = json!({"roles": roles, "by": by, "at": now});
                    record(c, seal, &stream, "account.policy", &payload, now).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await
    }

    /// Whether somebody must have a second factor today.
    pub(crate) async fn needs_second_factor(&self, person: &str) -> Result<bool, AppError> {
        let asked = self.second_factor_roles().await?;
        if asked.is_empty() {
            return Ok(false);
        }
        let d = self.directory().await?;
        let held = people::roles(&self.pack(), &d, person, self.clock.today());
        Ok(held.iter().any(|r| asked.contains(&r.role)))
    }

    /// Takes a code of somebody's second factor or a recovery code, each only once; none: it was not right.
    pub(crate) async fn take_second_factor(
        &self,
        who: &Identity,
        typed: &str,
    ) -> Result<Option<Taken>, AppError> {
        let taken = |since| Taken { since, name: String::new() };
        let (login, now) = (who.login.clone(), self.clock.now());
        let typed = normalize_code(typed).replace([' ', '-'], "").to_lowercase();
        if totp::is_code(&typed) {
            let row = self.factor(&login).await?;
            if row.secret.is_empty() {
                return Ok(None);
            }
            let secret = open_secret(self, &login, &row.secret)?;
            let Some(step) = totp::step_of(&secret, &typed, now) else { return Ok(None) };
            let right = self
                .store
                .write(move |c| {
                    Box::pin(async move { factors::take_step(c, &login, step).await.map_err(AppError::from) })
                })
                .await?;
            return Ok(right.then(|| taken(row.confirmed_at)));
        }
        let (hash, seal, person) = (code_hash(&login, &typed), self.seal()?, who.person.clone());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    if !factors::take_code(c, &login, &hash, now).await? {
                        return Ok(None);
                    }
                    let payload =
                        json!({"person": person, "at": now, "left": factors::codes_left(c, &login).await?});
                    record(c, seal, &stream_of(&person), "account.recovery_code", &payload, now).await?;
                    // The codes came with the oldest factor.
                    let app = factors::get(c, &login).await?.confirmed_at;
                    let keys = passkey::of_login(c, &login).await?;
                    Ok::<_, AppError>(Some(taken(app.or(keys.first().map(|k| k.created_at)))))
                })
            })
            .await
    }

    async fn factor(&self, login: &str) -> Result<factors::TotpRow, AppError> {
        let login = login.to_owned();
        self.store
            .read(move |c| Box::pin(async move { factors::get(c, &login).await.map_err(AppError::from) }))
            .await
    }

    /// What somebody has of what can be typed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn proofs_of(&self, who: &Identity) -> Result<Proofs, AppError> {
        let login = who.login.clone();
        self.store
            .read(move |c| {
                Box::pin(async move {
                    let account = account::by_login(c, &login).await?.ok_or(AppError::NoSession)?;
                    Ok::<_, AppError>(Proofs {
                        password: account.checked == Checked::Directory || !account.password.is_empty(),
                        app: !factors::get(c, &login).await?.secret.is_empty(),
                        recovery: factors::codes_left(c, &login).await? > 0,
                    })
                })
            })
            .await
    }

    /// The page of one's own second factor.
    ///
    /// # Errors
    /// The database failed.
    pub async fn second_factor(&self, who: &Identity) -> Result<SecondFactorPage, AppError> {
        let login = who.login.clone();
        let (row, codes_left) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    Ok::<_, AppError>((factors::get(c, &login).await?, factors::codes_left(c, &login).await?))
                })
            })
            .await?;
        let secret = if row.pending.is_empty() {
            String::new()
        } else {
            totp::typed(&open_secret(self, &who.login, &row.pending)?)
        };
        let (required, passkeys) = (self.needs_second_factor(&who.person).await?, self.passkeys(who).await?);
        Ok(SecondFactorPage {
            since: row.confirmed_at.map(|at| at.japanese()).unwrap_or_default(),
            any: !row.secret.is_empty() || !passkeys.rows.is_empty(),
            may_drop: !row.secret.is_empty() && (!required || !passkeys.rows.is_empty()),
            passkeys,
            codes_left,
            required,
            typed_secret: secret,
        })
    }

    /// The QR code of the secret that is being enrolled, as SVG.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when none is.
    pub async fn second_factor_qr(&self, who: &Identity) -> Result<String, AppError> {
        let row = self.factor(&who.login).await?;
        if row.pending.is_empty() {
            return Err(AppError::NotFound);
        }
        let secret = open_secret(self, &who.login, &row.pending)?;
        picture(self.body_title(), &who.login, &secret)
    }

    /// Begins to enrol a second factor; one in use stays in use until the new one is confirmed.
    ///
    /// # Errors
    /// [`AppError::Unproved`].
    pub async fn begin_second_factor(&self, who: &Identity) -> Result<(), AppError> {
        self.proved(who)?;
        let mut secret = [0u8; totp::SECRET_BYTES];
        self.entropy.fill(&mut secret).map_err(AppError::internal)?;
        let (login, sealed) = (who.login.clone(), seal_secret(self, &who.login, &secret)?);
        self.store
            .write(move |c| {
                Box::pin(async move { factors::begin(c, &login, &sealed).await.map_err(AppError::from) })
            })
            .await
    }

    pub(crate) fn recovery_codes(&self, login: &str) -> Result<(Vec<String>, Vec<String>), AppError> {
        let codes = (0..CODES).map(|_| temporary_password(self)).collect::<Result<Vec<_>, _>>()?;
        let hashes = codes.iter().map(|c| code_hash(login, &c.replace('-', ""))).collect();
        Ok((codes, hashes))
    }

    /// Confirms the new second factor by a code of it, and gives the recovery codes, which are never shown again.
    ///
    /// # Errors
    /// The field `code` when it is wrong; [`AppError::Unproved`].
    pub async fn confirm_second_factor(
        self: &Arc<Self>,
        who: &Identity,
        typed: &str,
    ) -> Result<Vec<String>, AppError> {
        self.proved(who)?;
        let row = self.factor(&who.login).await?;
        if row.pending.is_empty() {
            return Err(AppError::refused("L005", "設定が始まっていません。画面を開き直してください。"));
        }
        let (now, typed) = (self.clock.now(), normalize_code(typed).replace(' ', ""));
        let secret = open_secret(self, &who.login, &row.pending)?;
        let step = totp::step_of(&secret, &typed, now).ok_or_else(|| {
            AppError::field(
                "code",
                "コードが違います。アプリに今出ている6桁の数字を入力してください。違いが続くときは、スマートフォンの時計が合っているか確かめてください。",
            )
        })?;
        let (codes, hashes) = self.recovery_codes(&who.login)?;
        let (login, person, hash, seal) =
            (who.login.clone(), who.person.clone(), who.token_hash.clone(), self.seal()?);
        let replaced = !row.secret.is_empty();
        self.store
            .write(move |c| {
                Box::pin(async move {
                    factors::confirm(c, &login, &row.pending, step, &hashes, now).await?;
                    session::open(c, &hash).await?;
                    session::prove(c, &hash, now).await?;
                    let payload = json!({"person": person, "at": now, "replaced": replaced});
                    record(c, seal, &stream_of(&person), "account.second_factor", &payload, now).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        Ok(codes)
    }

    /// Makes new recovery codes; the earlier ones are void.
    ///
    /// # Errors
    /// Refused without a second factor; [`AppError::Unproved`].
    pub async fn renew_recovery_codes(&self, who: &Identity) -> Result<Vec<String>, AppError> {
        self.proved(who)?;
        if !who.second_factor {
            return Err(AppError::refused("L006", "多要素認証を設定してから、回復コードを作ってください。"));
        }
        let (codes, hashes) = self.recovery_codes(&who.login)?;
        let (login, person, now, seal) =
            (who.login.clone(), who.person.clone(), self.clock.now(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    factors::put_codes(c, &login, &hashes).await?;
                    let payload = json!({"person": person, "at": now});
                    record(c, seal, &stream_of(&person), "account.recovery_codes", &payload, now).await?;
                    Ok::<_, AppError>(())
                })
            })
            .await?;
        Ok(codes)
    }

    /// Gives up the own app.
    ///
    /// # Errors
    /// Refused where a role asks for a second factor and there is no other; [`AppError::Unproved`].
    pub async fn drop_second_factor(&self, who: &Identity) -> Result<(), AppError> {
        self.proved(who)?;
        let required = self.needs_second_factor(&who.person).await?;
        let (login, person, now, seal) =
            (who.login.clone(), who.person.clone(), self.clock.now(), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let removed = factors::remove_app(c, &login).await?;
                    if required && !factors::any(c, &login).await? {
                        return Err(AppError::refused(
                            "L007",
                            "あなたの役割には多要素認証が必要です。スマートフォンを替えるときは「設定し直す」を使ってください。",
                        ));
                    }
                    if removed {
                        let payload = json!({"person": person, "by": person, "at": now});
                        record(c, seal, &stream_of(&person), "account.second_factor_removed", &payload, now)
                            .await?;
                    }
                    Ok::<_, AppError>(())
                })
            })
            .await
    }
}
