//! The page of one's own account: sessions, what happened to the account, ending sessions.

use sekisho_base::Instant;
use sekisho_boxed::boxed;
use sekisho_store::ledger::{self, EntryRow};
use sekisho_store::session::{self, SessionRow};
use sekisho_store::{account, account_card, api_token, second_factor as factors};
use serde_json::{Value, json};

use crate::cards::CardLine;
use crate::error::AppError;
use crate::ledger::kind_label;
use crate::login::{IDLE_MS, Identity, Stage, stream_of};
use crate::office::Office;
use crate::record::record;
use crate::tokens::TokenLine;

/// Events shown.
const EVENTS: i64 = 20;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// What names it in a form: the hash of its token, which opens nothing.
    pub id: String,
    /// When it began.
    pub since: String,
    /// Last request.
    pub seen: String,
    /// From where.
    pub address: String,
    /// Browser in plain words.
    pub browser: String,
    /// The one that asks.
    pub current: bool,
}

/// Something that happened to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLine {
    /// When.
    pub at: String,
    /// What.
    pub what: &'static str,
    /// From where, by whom.
    pub detail: String,
    /// Ledger entry.
    pub entry: String,
}

/// The page of one's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    /// Login name.
    pub login: String,
    /// The login before this one; empty when this is the first.
    pub previous: String,
    /// Failed logins between the two.
    pub failed: i64,
    /// When the password was last set.
    pub password_since: String,
    /// What people call the directory, where the password is checked there.
    pub directory: Option<String>,
    /// Whether there is a second factor.
    pub second_factor: bool,
    /// Whether a role asks for one.
    pub required: bool,
    /// Recovery codes left.
    pub codes_left: i64,
    /// Decisions are barred since somebody else set the credentials.
    pub barred: bool,
    /// Sessions, the newest first.
    pub sessions: Vec<SessionLine>,
    /// Certificates of IC cards by which one came in, the last one first.
    pub cards: Vec<CardLine>,
    /// Programs' tokens, the newest first.
    pub tokens: Vec<TokenLine>,
    /// What happened, the newest first.
    pub events: Vec<EventLine>,
}

/// What a browser calls itself, in words that its owner knows.
pub(crate) fn browser_words(agent: &str) -> String {
    let first = |list: &[(&str, &'static str)]| {
        list.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, word)| *word)
    };
    // Edge and Chrome carry the names of others too: the order matters.
    let browser = first(&[
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(b), Some(s)) => format!("{b}（{s}）"),
        (Some(b), None) => b.to_owned(),
        (None, Some(s)) => format!("ブラウザ（{s}）"),
        (None, None) => "不明".to_owned(),
    }
}

#[boxed]
impl Office {
    /// The page of one's own account.
    ///
    /// # Errors
    /// The database failed.
    pub async fn account_page(&self, who: &Identity) -> Result<AccountPage, AppError> {
        let (login, stream, now) = (who.login.clone(), stream_of(&who.person), self.clock.now());
        let (account, codes_left, sessions, tokens, cards, events) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    Ok::<_, AppError>((
                        account::by_login(c, &login).await?,
                        factors::codes_left(c, &login).await?,
                        session::of_login(c, &login, now).await?,
                        api_token::of_login(c, &login).await?,
                        account_card::of_logins(c, std::slice::from_ref(&login)).await?,
                        ledger::newest_of(c, &stream, EVENTS).await?,
                    ))
                })
            })
            .await?;
        let account = account.ok_or(AppError::NoSession)?;
        let d = self.directory().await?;
        let event = |e: EntryRow| {
            let payload: Value =
                e.payload.as_deref().and_then(|p| serde_json::from_str(p).ok()).unwrap_or_default();
            let text = |key: &str| payload.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let by = text("by");
            let by =
                if by.is_empty() || by == who.person { String::new() } else { d.person_name(&by).to_owned() };
            let parts = [text("from"), text("browser"), text("name"), text("issuer"), by];
            EventLine {
                at: e.at.short(),
                what: kind_label(&e.kind),
                detail: parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" "),
                entry: e.id,
            }
        };
        Ok(AccountPage {
            login: account.login,
            previous: who.previous.map(Instant::japanese).unwrap_or_default(),
            failed: who.failed,
            password_since: account.changed_at.japanese(),
            directory: who
                .directory
                .then(|| self.directory_title().unwrap_or("庁内のディレクトリ").to_owned()),
            second_factor: who.second_factor,
            required: self.needs_second_factor(&who.person).await?,
            codes_left,
            barred: who.barred,
            cards: cards.into_iter().map(CardLine::of).collect(),
            tokens: tokens.into_iter().map(|t| TokenLine::of(t, now)).collect(),
            sessions: sessions
                .iter()
                .filter(|s| s.stage != Stage::Code && s.seen_at.plus_millis(IDLE_MS) > now)
                .map(|s| line(s, &who.token_hash))
                .collect(),
            events: events.into_iter().map(event).collect(),
        })
    }

    /// Ends another session of one's own, or all others when none is named.
    ///
    /// # Errors
    /// Refused when there is none to end.
    pub async fn end_own_sessions(&self, who: &Identity, id: Option<&str>) -> Result<(), AppError> {
        let (login, person, own, now) =
            (who.login.clone(), who.person.clone(), who.token_hash.clone(), self.clock.now());
        let (id, seal) = (id.filter(|id| *id != own).map(str::to_owned), self.seal()?);
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let ended = match &id {
                        Some(id) => u64::from(session::end(c, &login, id).await?),
                        None => session::end_others(c, &login, &own).await?,
                    };
                    if ended == 0 {
                        return Err(AppError::refused("L008", "終わらせるログインは、もうありません。"));
                    }
                    let payload = json!({"person": person, "at": now, "ended": ended});
                    record(c, seal, &stream_of(&person), "account.sessions_ended", &payload, now).await?;
                    Ok(())
                })
            })
            .await
    }
}

fn line(s: &SessionRow, own: &str) -> SessionLine {
    SessionLine {
        id: s.token_hash.clone(),
        since: s.created_at.short(),
        seen: s.seen_at.short(),
        address: if s.address.is_empty() { "不明".to_owned() } else { s.address.clone() },
        browser: browser_words(&s.agent),
        current: s.token_hash == own,
    }
}

#[cfg(test)]
mod tests {
    use super::browser_words;

    #[test]
    fn browsers_have_the_names_people_know() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";
        assert_eq!(browser_words(edge), "Edge（Windows）");
        assert_eq!(
            browser_words("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox（Linux）"
        );
        assert_eq!(browser_words("curl/8.5.0"), "curl");
        assert_eq!(browser_words(""), "不明");
    }
}
