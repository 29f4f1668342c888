//! Who was told what and when, and how the mail about it fared.

use sekisho_base::Instant;
use sekisho_boxed::boxed;

use crate::conn::{insert, marks};
use crate::{Conn, Row, StoreError, args};

/// One message to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRow {
    /// Id.
    pub id: String,
    /// Person number.
    pub person: String,
    /// task, overdue, permit, duty_remind …
    pub kind: String,
    /// What the person reads.
    pub subject: String,
    /// Path of the page it is about.
    pub link: String,
    /// When.
    pub created_at: Instant,
    /// When the person opened it.
    pub read_at: Option<Instant>,
    /// none, waiting, sent, failed.
    pub mail: String,
    /// Attempts to send.
    pub tries: i64,
    /// Not to be tried before this moment.
    pub try_after: Instant,
    /// When the mail server took it.
    pub mailed_at: Option<Instant>,
    /// What the last attempt failed with.
    pub mail_error: String,
    /// Ledger entry.
    pub entry: String,
    /// When what it asked for was done, by whoever did it.
    pub settled_at: Option<Instant>,
}

const COLUMNS: &str = "id, person, kind, subject, link, created_at, read_at, mail, tries, try_after, mailed_at, mail_error, entry, settled_at";

fn read(r: &Row) -> Result<NotificationRow, StoreError> {
    Ok(NotificationRow {
        id: r.text(0)?,
        person: r.text(1)?,
        kind: r.text(2)?,
        subject: r.text(3)?,
        link: r.text(4)?,
        created_at: r.instant(5)?,
        read_at: r.opt_instant(6)?,
        mail: r.text(7)?,
        tries: r.int(8)?,
        try_after: r.instant(9)?,
        mailed_at: r.opt_instant(10)?,
        mail_error: r.text(11)?,
        entry: r.text(12)?,
        settled_at: r.opt_instant(13)?,
    })
}

/// Adds messages.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn add(c: &mut Conn<'_>, all: &[NotificationRow]) -> Result<(), StoreError> {
    let row = |n: &NotificationRow| {
        args![
            &n.id,
            &n.person,
            &n.kind,
            &n.subject,
            &n.link,
            n.created_at,
            n.read_at,
            &n.mail,
            n.tries,
            n.try_after,
            n.mailed_at,
            &n.mail_error,
            &n.entry,
            n.settled_at
        ]
    };
    insert(c, &format!("notification ({COLUMNS})"), all.iter().map(row).collect(), "").await
}

/// A person's messages, the newest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn of_person(
    c: &mut Conn<'_>,
    person: &str,
    offset: i64,
    limit: i64,
) -> Result<Vec<NotificationRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notification WHERE person = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
    );
    c.all(&sql, args![person, limit, offset]).await?.iter().map(read).collect()
}

/// How many of a person's messages are unread, counted up to `cap`.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn unread(c: &mut Conn<'_>, person: &str, cap: i64) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM notification WHERE person = $1 AND read_at IS NULL AND settled_at IS NULL LIMIT $2) t";
    c.count(sql, args![person, cap]).await
}

/// One message.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, id: &str) -> Result<Option<NotificationRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM notification WHERE id = $1");
    c.one(&sql, args![id]).await?.as_ref().map(read).transpose()
}

/// Notes that a person read one message, or all of them when `id` is nothing.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn mark_read(
    c: &mut Conn<'_>,
    person: &str,
    id: Option<&str>,
    at: Instant,
) -> Result<(), StoreError> {
    match id {
        Some(id) => {
            let sql =
                "UPDATE notification SET read_at = $3 WHERE person = $1 AND id = $2 AND read_at IS NULL";
            c.exec(sql, args![person, id, at]).await.map(|_| ())
        }
        None => {
            let sql = "UPDATE notification SET read_at = $2 WHERE person = $1 AND read_at IS NULL";
            c.exec(sql, args![person, at]).await.map(|_| ())
        }
    }
}

/// Notes that what messages about a page asked for was done: those that say one of these things.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn settle(
    c: &mut Conn<'_>,
    link: &str,
    subjects: &[String],
    at: Instant,
) -> Result<(), StoreError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let mut values = args![link, at];
    let said = marks(subjects, &mut values);
    let sql = format!(
        "UPDATE notification SET settled_at = $2 WHERE link = $1 AND read_at IS NULL AND settled_at IS NULL AND subject IN ({said})"
    );
    c.exec(&sql, values).await.map(|_| ())
}

/// Mail that waits and may be tried now, the oldest first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn to_mail(c: &mut Conn<'_>, now: Instant, limit: i64) -> Result<Vec<NotificationRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notification WHERE mail = 'waiting' AND try_after <= $1 ORDER BY try_after, id LIMIT $2"
    );
    c.all(&sql, args![now, limit]).await?.iter().map(read).collect()
}

/// Writes how an attempt to send ended.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn put_mail(c: &mut Conn<'_>, n: &NotificationRow) -> Result<(), StoreError> {
    let sql = "UPDATE notification SET mail = $2, tries = $3, try_after = $4, mailed_at = $5, mail_error = $6 WHERE id = $1";
    c.exec(sql, args![&n.id, &n.mail, n.tries, n.try_after, n.mailed_at, &n.mail_error]).await.map(|_| ())
}

/// How much mail is in each state, and the newest that failed or waits after a failed attempt.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn mail_state(
    c: &mut Conn<'_>,
    limit: i64,
) -> Result<(Vec<(String, i64)>, Vec<NotificationRow>), StoreError> {
    let sql = "SELECT mail, COUNT(*) FROM notification GROUP BY mail ORDER BY mail";
    let counts = c
        .all(sql, vec![])
        .await?
        .iter()
        .map(|r| Ok((r.text(0)?, r.int(1)?)))
        .collect::<Result<_, StoreError>>()?;
    let sql = format!(
        "SELECT {COLUMNS} FROM notification WHERE mail IN ('waiting', 'failed') AND tries > 0 ORDER BY try_after DESC, id DESC LIMIT $1"
    );
    let troubled = c.all(&sql, args![limit]).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok((counts, troubled))
}
