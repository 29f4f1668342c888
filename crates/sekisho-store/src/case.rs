//! Cases: the folded state as JSON, the acts it was folded from, open tasks for inboxes.

mod count;
mod draft;
mod list;

pub use count::{count_all, count_of, counts_of, states_at};
pub use draft::{DraftRow, drafts, drafts_of, drop_draft, get_draft, put_draft};
pub use list::{CaseFilter, by_ids, list, newest_of, under_way};

use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;

use crate::conn::{Row, insert, marks};
use crate::index::{self, Source};
use crate::{Conn, StoreError, Viewer, args, search};

/// A case's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// Id.
    pub id: String,
    /// Procedure.
    pub procedure: String,
    /// Number, empty until it has one.
    pub number: String,
    /// What people see in a list.
    pub title: String,
    /// Status code.
    pub status: String,
    /// Applicant's person number.
    pub applicant: String,
    /// Post applied from.
    pub post: String,
    /// Unit that owns it.
    pub unit: String,
    /// Pack version.
    pub pack: String,
    /// Rises by one with every write.
    pub version: i64,
    /// The folded state, JSON.
    pub state: String,
    /// When it was applied for.
    pub opened_at: Instant,
    /// When it ended.
    pub closed_at: Option<Instant>,
    /// Earliest due date of an open step.
    pub due: Option<Date>,
    /// Day on which time alone changes something.
    pub next_change_on: Option<Date>,
    /// Text by which it is found; kept folded.
    pub search: String,
}

const COLUMNS: &str = "id, procedure, number, title, status, applicant, post, unit, pack, version, state, opened_at, closed_at, due, next_change_on, search";

fn case(r: &Row) -> Result<CaseRow, StoreError> {
    Ok(CaseRow {
        id: r.text(0)?,
        procedure: r.text(1)?,
        number: r.text(2)?,
        title: r.text(3)?,
        status: r.text(4)?,
        applicant: r.text(5)?,
        post: r.text(6)?,
        unit: r.text(7)?,
        pack: r.text(8)?,
        version: r.int(9)?,
        state: r.text(10)?,
        opened_at: r.instant(11)?,
        closed_at: r.opt_instant(12)?,
        due: r.opt_date(13)?,
        next_change_on: r.opt_date(14)?,
        search: search::shown(r.text(15)?),
    })
}

fn or_never(d: Option<Date>) -> String {
    // Order only by NOT NULL columns: no date is the empty text.
    d.map(|d| d.to_string()).unwrap_or_default()
}

/// Adds a case (version 1) or replaces it when its version is one less than given.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else wrote in between.
#[boxed]
pub async fn put(c: &mut Conn<'_>, r: &CaseRow) -> Result<(), StoreError> {
    let source = Source::of_cases();
    let mut text = String::new();
    search::push(&mut text, &r.search);
    if r.version > 1 && is_indexed_alike(c, r, &text).await? {
        return put_columns(c, r, text, None).await;
    }
    let no = index::next_no(c, &source).await?;
    let before = if r.version == 1 { None } else { index::number_of(c, &source, &r.id).await? };
    let written = put_columns(c, r, text, Some(no)).await;
    if let (Ok(()), Some(before)) = (&written, before) {
        index::left(c, &source, before, no).await?;
    }
    // Also when the case was refused: its number may have filled a block of others.
    let indexed = index::filled(c, &source, no).await;
    written.and(indexed)
}

/// Whether what lists find a case by stays as it is; then it keeps its number.
async fn is_indexed_alike(c: &mut Conn<'_>, r: &CaseRow, text: &str) -> Result<bool, StoreError> {
    let sql = "SELECT search, unit, applicant, procedure, opened_at FROM case_file WHERE id = $1";
    let Some(was) = c.one(sql, args![&r.id]).await? else { return Ok(false) };
    Ok(was.text(0)? == text
        && was.text(1)? == r.unit
        && was.text(2)? == r.applicant
        && was.text(3)? == r.procedure
        && was.instant(4)? == r.opened_at)
}

async fn put_columns(
    c: &mut Conn<'_>,
    r: &CaseRow,
    search: String,
    no: Option<i64>,
) -> Result<(), StoreError> {
    let mut args = args![
        &r.id,
        &r.procedure,
        &r.number,
        &r.title,
        &r.status,
        &r.applicant,
        &r.post,
        &r.unit,
        &r.pack,
        r.version,
        &r.state,
        r.opened_at,
        r.closed_at,
        or_never(r.due),
        or_never(r.next_change_on),
        search,
    ];
    if let Some(no) = no {
        args.push(no.into());
    }
    let n = if r.version == 1 {
        let sql = format!(
            "INSERT INTO case_file ({COLUMNS}, no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        );
        c.exec(&sql, args).await?
    } else {
        let renumbered = if no.is_some() { ", no = $17" } else { "" };
        let sql = format!(
            "UPDATE case_file SET procedure = $2, number = $3, title = $4, status = $5, applicant = $6, post = $7, unit = $8, pack = $9, version = $10,
             state = $11, opened_at = $12, closed_at = $13, due = $14, next_change_on = $15, search = $16{renumbered} WHERE id = $1 AND version = $10 - 1"
        );
        c.exec(&sql, args).await?
    };
    if n == 1 { Ok(()) } else { Err(StoreError::Conflict(format!("case {}", r.id))) }
}

/// A case by id, for a viewer.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn get(c: &mut Conn<'_>, viewer: &Viewer, id: &str) -> Result<Option<CaseRow>, StoreError> {
    let mut a = args![id];
    let seen = viewer.case_predicate("f.id", &mut a);
    c.one(&format!("SELECT {COLUMNS} FROM case_file f WHERE f.id = $1 AND {seen}"), a)
        .await?
        .as_ref()
        .map(case)
        .transpose()
}

/// A case by its number, for a viewer.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn by_number(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    number: &str,
) -> Result<Option<CaseRow>, StoreError> {
    let mut a = args![number];
    let seen = viewer.case_predicate("f.id", &mut a);
    c.one(&format!("SELECT {COLUMNS} FROM case_file f WHERE f.number = $1 AND {seen}"), a)
        .await?
        .as_ref()
        .map(case)
        .transpose()
}

/// Adds persons who take part; they may see the case from now on.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn add_parties(c: &mut Conn<'_>, case_id: &str, persons: &[String]) -> Result<(), StoreError> {
    let rows = persons.iter().map(|person| args![case_id, person]).collect();
    insert(c, "case_party (case_id, person)", rows, " ON CONFLICT (case_id, person) DO NOTHING").await
}

/// Sets the register rows a case is about.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn set_items(
    c: &mut Conn<'_>,
    case_id: &str,
    items: &[(String, String)],
) -> Result<(), StoreError> {
    c.exec("DELETE FROM case_item WHERE case_id = $1", args![case_id]).await?;
    let rows = (0i64..).zip(items).map(|(pos, (register, row))| args![case_id, pos, register, row]).collect();
    insert(c, "case_item (case_id, pos, register, row_id)", rows, "").await
}

/// One act as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActRow {
    /// Dense number in the case, from 1.
    pub seq: i64,
    /// Kind.
    pub kind: String,
    /// Person number, or `system`.
    pub person: String,
    /// When.
    pub at: Instant,
    /// The act, JSON.
    pub body: String,
    /// Id of its ledger entry.
    pub entry: String,
}

/// Records an act.
///
/// # Errors
/// The database failed, or that number is taken.
#[boxed]
pub async fn add_act(c: &mut Conn<'_>, case_id: &str, a: &ActRow) -> Result<(), StoreError> {
    c.exec(
        "INSERT INTO case_act (case_id, seq, kind, person, at, body, entry) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![case_id, a.seq, &a.kind, &a.person, a.at, &a.body, &a.entry],
    )
    .await?;
    Ok(())
}

/// A case's acts in order.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn acts(c: &mut Conn<'_>, case_id: &str) -> Result<Vec<ActRow>, StoreError> {
    let rows = c
        .all(
            "SELECT seq, kind, person, at, body, entry FROM case_act WHERE case_id = $1 ORDER BY seq",
            args![case_id],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(ActRow {
                seq: r.int(0)?,
                kind: r.text(1)?,
                person: r.text(2)?,
                at: r.instant(3)?,
                body: r.text(4)?,
                entry: r.text(5)?,
            })
        })
        .collect()
}

/// A task that waits for a post or a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Case.
    pub case_id: String,
    /// Step.
    pub step: String,
    /// Kind of step.
    pub kind: String,
    /// What is to be done.
    pub title: String,
    /// Post that holds it, or empty.
    pub post: String,
    /// Person who holds it, or empty.
    pub person: String,
    /// Due date.
    pub due: Option<Date>,
    /// When it opened.
    pub opened_at: Instant,
}

/// Replaces a case's open tasks.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn set_tasks(c: &mut Conn<'_>, case_id: &str, tasks: &[TaskRow]) -> Result<(), StoreError> {
    c.exec("DELETE FROM open_task WHERE case_id = $1", args![case_id]).await?;
    let row = |(pos, t): (i64, &TaskRow)| {
        args![case_id, pos, &t.step, &t.kind, &t.title, &t.post, &t.person, or_never(t.due), t.opened_at]
    };
    let rows = (0i64..).zip(tasks).map(row).collect();
    insert(c, "open_task (case_id, pos, step, kind, title, post, person, due, opened_at)", rows, "").await
}

/// A task with what a list shows of its case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The task.
    pub task: TaskRow,
    /// Number of the case.
    pub number: String,
    /// Title of the case.
    pub case_title: String,
    /// Applicant.
    pub applicant: String,
    /// Unit.
    pub unit: String,
}

impl InboxRow {
    /// A task with its case's row beside it.
    #[must_use]
    pub fn of_case(row: &CaseRow, task: TaskRow) -> Self {
        Self {
            task,
            number: row.number.clone(),
            case_title: row.title.clone(),
            applicant: row.applicant.clone(),
            unit: row.unit.clone(),
        }
    }
}

const INBOX: &str = "SELECT t.case_id, t.step, t.kind, t.title, t.post, t.person, t.due, t.opened_at, f.number, f.title, f.applicant, f.unit
         FROM open_task t JOIN case_file f ON f.id = t.case_id";

fn inbox_row(r: &Row) -> Result<InboxRow, StoreError> {
    let task = TaskRow {
        case_id: r.text(0)?,
        step: r.text(1)?,
        kind: r.text(2)?,
        title: r.text(3)?,
        post: r.text(4)?,
        person: r.text(5)?,
        due: r.opt_date(6)?,
        opened_at: r.instant(7)?,
    };
    Ok(InboxRow {
        task,
        number: r.text(8)?,
        case_title: r.text(9)?,
        applicant: r.text(10)?,
        unit: r.text(11)?,
    })
}

/// Tasks of somebody: by the posts held, or by name; those due first come first.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn inbox(
    c: &mut Conn<'_>,
    person: &str,
    posts: &[String],
    limit: i64,
) -> Result<Vec<InboxRow>, StoreError> {
    let mut a = args![person];
    let posts = marks(posts, &mut a);
    a.push(limit.into());
    let sql = format!(
        "{INBOX} WHERE ((t.person = $1 AND t.person <> '') OR (t.person = '' AND t.post IN ({posts})))
         ORDER BY CASE WHEN t.due = '' THEN 1 ELSE 0 END, t.due, t.opened_at, t.case_id, t.pos LIMIT ${}",
        a.len()
    );
    c.all(&sql, a).await?.iter().map(inbox_row).collect()
}

/// Tasks of the cases that a viewer may see with a due date in these days, each step of a case once for each holder.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn tasks_between(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    from: Date,
    until: Date,
    limit: i64,
) -> Result<Vec<InboxRow>, StoreError> {
    let mut a = args![from, until];
    let seen = viewer.case_predicate("f.id", &mut a);
    a.push(limit.into());
    let sql = format!(
        "{INBOX} WHERE t.due >= $1 AND t.due <= $2 AND {seen} ORDER BY t.due, t.case_id, t.pos LIMIT ${}",
        a.len()
    );
    c.all(&sql, a).await?.iter().map(inbox_row).collect()
}

/// Cases in force in which something changes by a day (an end of a permit among others), as a viewer may see them.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn in_force_until(
    c: &mut Conn<'_>,
    viewer: &Viewer,
    until: Date,
    limit: i64,
) -> Result<Vec<CaseRow>, StoreError> {
    let mut a = args![until];
    let seen = viewer.case_predicate("f.id", &mut a);
    a.push(limit.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM case_file f WHERE f.status = 'in_force' AND f.next_change_on <> '' AND f.next_change_on <= $1 AND {seen} ORDER BY f.next_change_on, f.id LIMIT ${}",
        a.len()
    );
    c.all(&sql, a).await?.iter().map(case).collect()
}

/// Whether a case waits for somebody, by a post held or by name: then it is shown also outside of the units seen.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn waits_for(
    c: &mut Conn<'_>,
    case_id: &str,
    person: &str,
    posts: &[String],
) -> Result<bool, StoreError> {
    let mut a = args![case_id, person];
    let posts = marks(posts, &mut a);
    let sql = format!(
        "SELECT COUNT(*) FROM open_task t WHERE t.case_id = $1
         AND ((t.person = $2 AND t.person <> '') OR (t.person = '' AND t.post IN ({posts})))"
    );
    Ok(c.count(&sql, a).await? > 0)
}

/// Open tasks of a procedure, optionally of one step: for the checks, which see every unit.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn tasks_of(
    c: &mut Conn<'_>,
    procedure: &str,
    step: Option<&str>,
) -> Result<Vec<InboxRow>, StoreError> {
    let mut a = args![procedure];
    let mut sql = format!("{INBOX} WHERE f.procedure = $1");
    if let Some(step) = step {
        a.push(step.into());
        sql.push_str(" AND t.step = $2");
    }
    sql.push_str(" ORDER BY t.case_id, t.pos");
    c.all(&sql, a).await?.iter().map(inbox_row).collect()
}

/// Open tasks of a kind: for the checks, which see every unit.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn tasks_of_kind(c: &mut Conn<'_>, kind: &str) -> Result<Vec<InboxRow>, StoreError> {
    let sql = format!("{INBOX} WHERE t.kind = $1 ORDER BY t.case_id, t.pos");
    c.all(&sql, args![kind]).await?.iter().map(inbox_row).collect()
}

/// Cases for which time alone changes something on or before a day.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn due_for_sweep(c: &mut Conn<'_>, today: Date, limit: i64) -> Result<Vec<CaseRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM case_file WHERE next_change_on <> '' AND next_change_on <= $1 ORDER BY next_change_on, id LIMIT $2"
    );
    c.all(&sql, args![today, limit]).await?.iter().map(case).collect()
}

/// Every case that is not closed, for a full run of the checks.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn all_open(c: &mut Conn<'_>, procedure: &str) -> Result<Vec<CaseRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM case_file WHERE procedure = $1 AND closed_at IS NULL ORDER BY opened_at, id"
    );
    c.all(&sql, args![procedure]).await?.iter().map(case).collect()
}

/// Posts that hold the open steps of cases themselves, not in absence: (case, step, post).
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn acting_posts(
    c: &mut Conn<'_>,
    case_ids: &[String],
) -> Result<Vec<(String, String, String)>, StoreError> {
    let mut a = Vec::new();
    let ids = marks(case_ids, &mut a);
    let sql = format!(
        "SELECT case_id, step, post FROM open_task WHERE kind = 'act' AND case_id IN ({ids}) ORDER BY case_id, pos"
    );
    c.all(&sql, a).await?.iter().map(|r| Ok((r.text(0)?, r.text(1)?, r.text(2)?))).collect()
}

/// How many tasks wait for somebody.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn open_tasks(c: &mut Conn<'_>) -> Result<i64, StoreError> {
    c.count("SELECT COUNT(*) FROM open_task", vec![]).await
}
