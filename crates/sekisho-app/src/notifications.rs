//! Notifications (お知らせ): who was told what and when. They are written in the transaction that causes them, each with its ledger entry,
//! which names the person by number only.

mod case;

use schemars::JsonSchema;
use sekisho_base::limits::PAGE_ROWS;
use sekisho_base::text::shorten;
use sekisho_base::{Id, Instant, limits};
use sekisho_boxed::boxed;
use sekisho_store::notification::{self, NotificationRow};
use sekisho_store::{Conn, ledger};
use serde::Serialize;
use serde_json::json;

use crate::error::AppError;
use crate::login::Identity;
use crate::office::Office;
use crate::record::{Seal, record_first};

pub(crate) use case::case_changed;

/// Most people told by one act.
const MOST_PERSONS: usize = 2_000;
/// Unread ones are counted up to this.
const UNREAD_CAP: i64 = 99;

/// What somebody is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    /// Kind, a stable code.
    pub kind: &'static str,
    /// What the person reads; names nobody.
    pub subject: &'a str,
    /// Path of the page it is about.
    pub link: &'a str,
}

/// A message as it is kept.
fn said(text: &str) -> String {
    shorten(text, limits::LINE_CHARS)
}

/// Tells persons something, each in an own row with an own ledger entry.
pub(crate) async fn notify(
    c: &mut Conn<'_>,
    office: &Office,
    told: &Told<'_>,
    persons: &[String],
    at: Instant,
) -> Result<(), AppError> {
    let mail = if office.mails() { "waiting" } else { "none" };
    let subject = said(told.subject);
    let (mut entries, mut rows) = (Vec::new(), Vec::new());
    for person in persons.iter().take(MOST_PERSONS) {
        let (id, seal): (Id, Seal) = (office.new_id()?, office.seal()?);
        let payload = json!({"notification": id.to_string(), "person": person, "kind": told.kind, "subject": subject, "about": told.link, "at": at});
        entries.push((seal, ledger::stream_id(id), payload));
        rows.push(NotificationRow {
            id: id.to_string(),
            person: person.clone(),
            kind: told.kind.to_owned(),
            subject: subject.clone(),
            link: told.link.to_owned(),
            created_at: at,
            read_at: None,
            mail: mail.to_owned(),
            tries: 0,
            try_after: at,
            mailed_at: None,
            mail_error: String::new(),
            entry: seal.id(),
            settled_at: None,
        });
    }
    record_first(c, &entries, "notification.made", at).await?;
    notification::add(c, &rows).await.map_err(AppError::from)
}

/// A message in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotificationLine {
    /// Id.
    pub id: String,
    /// 処理待ち, 期限, 決定 …
    pub kind: &'static str,
    /// What it says.
    pub subject: String,
    /// When.
    pub at: String,
    /// Not opened yet, and still to be done where it asks for something.
    pub unread: bool,
    /// What it asked for was done before it was opened.
    pub settled: bool,
    /// How its mail stands; empty when none is sent.
    pub mail: String,
    /// Ledger entry.
    pub entry: String,
}

/// The page 「お知らせ」.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotificationsView {
    /// Lines, the newest first.
    pub rows: Vec<NotificationLine>,
    /// Page from 1.
    pub page: i64,
    /// Whether there is another.
    pub more: bool,
    /// Whether any is unread.
    pub unread: bool,
}

fn kind_words(kind: &str) -> &'static str {
    match kind {
        "task" => "処理待ち",
        "overdue" | "duty_late" => "期限切れ",
        "duty_escalated" => "上申",
        "decision" => "決定",
        "duty_open" | "duty_remind" => "定期の仕事",
        "assessment" => "自己点検",
        "account" => "ログイン",
        _ => "お知らせ",
    }
}

/// How the mail of a message stands, for people.
pub(crate) fn mail_words(n: &NotificationRow) -> String {
    match n.mail.as_str() {
        "sent" => n.mailed_at.map(|at| format!("メール送信 {}", at.short())).unwrap_or_default(),
        "failed" => "メールを送れませんでした".to_owned(),
        "waiting" if n.tries > 0 => format!("メール送信待ち（{}回失敗）", n.tries),
        "waiting" => "メール送信待ち".to_owned(),
        _ => String::new(),
    }
}

#[boxed]
impl Office {
    /// Somebody's notifications.
    ///
    /// # Errors
    /// The database failed.
    pub async fn notifications(&self, who: &Identity, page: i64) -> Result<NotificationsView, AppError> {
        let person = who.person.clone();
        let page = page.clamp(1, 100_000);
        let (rows, unread) = self
            .store
            .read(move |c| {
                Box::pin(async move {
                    let rows =
                        notification::of_person(c, &person, (page - 1) * PAGE_ROWS, PAGE_ROWS + 1).await?;
                    Ok::<_, AppError>((rows, notification::unread(c, &person, 1).await?))
                })
            })
            .await?;
        let shown = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        let more = rows.len() > shown;
        let line = |n: NotificationRow| NotificationLine {
            kind: kind_words(&n.kind),
            at: n.created_at.short(),
            unread: n.read_at.is_none() && n.settled_at.is_none(),
            settled: n.settled_at.is_some(),
            mail: mail_words(&n),
            id: n.id,
            subject: n.subject,
            entry: n.entry,
        };
        Ok(NotificationsView {
            rows: rows.into_iter().take(shown).map(line).collect(),
            page,
            more,
            unread: unread > 0,
        })
    }

    /// How many notifications somebody has not opened, up to 99.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unread(&self, who: &Identity) -> Result<i64, AppError> {
        let person = who.person.clone();
        self.store
            .ask(move |c| {
                Box::pin(
                    async move { notification::unread(c, &person, UNREAD_CAP).await.map_err(AppError::from) },
                )
            })
            .await
    }

    /// Opens a notification: it is read from now on. Gives the page it is about.
    ///
    /// # Errors
    /// [`AppError::NotFound`] also for somebody else's.
    pub async fn open_notification(&self, who: &Identity, id: &str) -> Result<String, AppError> {
        let (person, id, now) = (who.person.clone(), id.to_owned(), self.clock.now());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    let n = notification::get(c, &id).await?.filter(|n| n.person == person);
                    let n = n.ok_or(AppError::NotFound)?;
                    notification::mark_read(c, &person, Some(&id), now).await?;
                    Ok(n.link)
                })
            })
            .await
    }

    /// Marks all of somebody's notifications as read.
    ///
    /// # Errors
    /// The database failed.
    pub async fn read_notifications(&self, who: &Identity) -> Result<(), AppError> {
        let (person, now) = (who.person.clone(), self.clock.now());
        self.store
            .write(move |c| {
                Box::pin(async move {
                    notification::mark_read(c, &person, None, now).await.map_err(AppError::from)
                })
            })
            .await
    }

    /// Persons who hold a post today, as the organization was last loaded: for messages, which may lag by a moment.
    pub(crate) fn holders_of(&self, post: &str) -> Vec<String> {
        let today = self.clock.today();
        self.cached_directory()
            .map(|d| d.holders(post, today).iter().map(|p| p.number.clone()).collect())
            .unwrap_or_default()
    }
}
