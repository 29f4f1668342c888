//! Coming in by what somebody else vouches for: an identity provider, or the authority of a certificate. They say who it is; the account, its
//! stops and locks, the second factor and the roles are those of this body, and no account is made.

use std::sync::Arc;

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_store::account::{self, AccountRow};
use sekisho_store::outside::{self, LinkRow};
use sekisho_store::{Conn, StoreError, second_factor as factors, session};
use serde_json::json;

use crate::cards::{self, Mark};
use crate::error::AppError;
use crate::login::{
    Identity, NewSession, Place, STOPPED, Stage, Via, entered, failure_key, first_stage, is_locked,
    login_name, must_change, new_session, still_open, stream_of,
};
use crate::office::Office;
use crate::record::record;

/// Somebody as others vouch for them.
pub(crate) struct Vouched {
    /// Login name that they give.
    pub(crate) login: String,
    /// Provider and its own name for the person, where there is one that outlives the login name.
    pub(crate) subject: Option<(String, String)>,
    /// Whether it stands for a second factor too.
    pub(crate) strong: bool,
    /// When the person proved there who they are; none when that is not known.
    pub(crate) proved: Option<Instant>,
    /// The provider's answer and until when it could come back: it is taken once.
    pub(crate) answer: Option<(String, Instant)>,
    /// How they come in.
    pub(crate) via: Via,
    /// The certificate of the card, where it is one.
    pub(crate) card: Option<Mark>,
}

/// What stands in the way, for the person.
fn no_account(login: &str) -> AppError {
    AppError::refused(
        "Q002",
        format!(
            "本人であることは確かめられましたが、関所に「{login}」というログインがありません。関所を使う仕事なら、情報政策担当課に登録を頼んでください。"
        ),
    )
}

const OTHER: &str = "このログイン名は、以前は別の人として確かめられていました。名前が付け直された可能性があるため、ログインできません。情報政策担当課へ連絡してください。";

/// The account that somebody comes in with, whether it has a second factor, and whether it must be linked first.
async fn account_of(office: &Office, v: &Vouched) -> Result<(AccountRow, bool, bool), AppError> {
    // Letter for letter but for capitals: full-width letters that fold to somebody's login are not that somebody.
    let login = if v.login.is_ascii() { login_name(&v.login) } else { String::new() };
    let subject = v.subject.clone();
    let found = office
        .store
        .read(move |c| {
            Box::pin(async move {
                let linked = match &subject {
                    Some((issuer, subject)) => outside::login_of(c, issuer, subject).await?,
                    None => None,
                };
                let found = account::by_login(c, linked.as_ref().unwrap_or(&login)).await?;
                let Some(account) = found else { return Ok(None) };
                let known = match &subject {
                    Some((issuer, _)) if linked.is_none() => {
                        outside::subject_of(c, issuer, &account.login).await?
                    }
                    _ => None,
                };
                let factor = factors::any(c, &account.login).await?;
                let link = subject.is_some() && linked.is_none();
                Ok::<_, AppError>(Some((account, factor, link, known.is_some())))
            })
        })
        .await?;
    let Some((account, factor, link, other)) = found else {
        tracing::warn!("somebody whom others vouch for has no account here");
        return Err(no_account(&v.login));
    };
    if !other {
        return Ok((account, factor, link));
    }
    let (now, seal, person, via) = (office.clock.now(), office.seal()?, account.person, v.via);
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                let payload = json!({"person": person, "at": now, "via": via.code()});
                record(c, seal, &stream_of(&person), "account.link_refused", &payload, now).await
            })
        })
        .await?;
    Err(AppError::refused("Q003", OTHER))
}

/// Begins a session for somebody whom others vouch for.
///
/// # Errors
/// There is no account of that name, it is stopped or locked, or the name was somebody else's; the answer was taken before.
pub(crate) async fn enter(office: &Arc<Office>, v: Vouched, place: &Place) -> Result<NewSession, AppError> {
    let (account, factor, link) = account_of(office, &v).await?;
    let key = failure_key("login", &account.login);
    if !account.active || is_locked(office, &key).await? {
        return Err(AppError::refused("Q004", STOPPED));
    }
    let stage = if v.strong { Stage::Open } else { first_stage(office, &account.person, factor).await? };
    let (token, mut row) = new_session(office, &account.login, place, stage, v.via)?;
    // A factor that others vouch for is known here since this login, so that it never shows who somebody was before.
    row.factor_since = v.strong.then_some(row.created_at);
    // Whoever came in without proving anything just now proves it before privileged work.
    row.proved_at = v.proved.unwrap_or(Instant::from_millis(0)).min(row.created_at);
    let must_change = must_change(&account, v.via);
    let (now, seals) = (row.created_at, [office.seal()?, office.seal()?]);
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                accept(c, &v, &key, now).await?;
                // It may have been stopped since it was looked at.
                if !account::by_login(c, &account.login).await?.is_some_and(|a| a.active) {
                    return Err(AppError::refused("Q004", STOPPED));
                }
                let [first, second] = seals;
                if let Some(mark) = v.card {
                    cards::note(c, (&account.person, &account.login), mark, first, now).await?;
                } else if let Some((issuer, subject)) = v.subject.filter(|_| link) {
                    let payload = json!({"person": account.person, "at": now, "issuer": issuer, "subject": subject, "name": v.login});
                    outside::link(c, &LinkRow { issuer, subject, login: account.login.clone(), linked_at: now })
                        .await?;
                    record(c, first, &stream_of(&account.person), "account.linked", &payload, now).await?;
                }
                session::sweep(c, now).await?;
                if stage != Stage::Code {
                    entered(c, &account.person, &mut row, "", second).await?;
                }
                session::put(c, &row).await?;
                Ok::<_, AppError>(())
            })
        })
        .await?;
    Ok(NewSession { token, must_change, stage })
}

/// Notes that somebody with a session has just proved to the provider again who they are.
///
/// # Errors
/// It was somebody else, or the answer was taken before.
pub(crate) async fn prove(office: &Arc<Office>, who: &Identity, v: Vouched) -> Result<(), AppError> {
    let (account, _, link) = account_of(office, &v).await?;
    if account.login != who.login || link {
        return Err(AppError::refused(
            "Q005",
            "ログインし直した人が、今この画面を使っている人と違います。自分の名前でやり直してください。",
        ));
    }
    let (now, hash, key) = (office.clock.now(), who.token_hash.clone(), failure_key("login", &account.login));
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                accept(c, &v, &key, now).await?;
                session::prove(c, &hash, now).await.map_err(AppError::from)
            })
        })
        .await
}

/// Takes the provider's answer, once, and only while the login is not locked.
async fn accept(c: &mut Conn<'_>, v: &Vouched, key: &str, now: Instant) -> Result<(), AppError> {
    if let Some((answer, until)) = &v.answer {
        outside::take_answer(c, answer, *until, now).await.map_err(taken)?;
    }
    still_open(c, key, now, STOPPED).await
}

/// An answer that came a second time.
fn taken(e: StoreError) -> AppError {
    match e {
        StoreError::Conflict(_) => AppError::refused(
            "Q006",
            "この返事は、もう使われました。ログインの画面から、もう一度始めてください。",
        ),
        e => e.into(),
    }
}

#[boxed]
impl Office {
    /// Begins a session for whoever holds the card with a certificate that a trusted authority vouches for; which one it was is kept.
    ///
    /// # Errors
    /// As for every login that others vouch for.
    pub async fn enter_by_card(
        self: &Arc<Self>,
        login: &str,
        mark: Mark,
        strong: bool,
        place: &Place,
    ) -> Result<NewSession, AppError> {
        let (login, card) = (login.to_owned(), Some(mark));
        let vouched =
            Vouched { login, subject: None, strong, proved: None, answer: None, via: Via::Card, card };
        enter(self, vouched, place).await
    }
}
