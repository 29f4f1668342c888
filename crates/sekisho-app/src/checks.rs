//! Checks: each is evaluated into rows that break it, kept as intervals. After an act only what it touched is evaluated; at start, at the
//! turn of the day and after imports everything is (docs/decisions/0004-clause-state.md).

pub mod queries;
mod soon;

pub(crate) use soon::due_soon;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sekisho_base::table::{Storage, TableSpec};
use sekisho_base::{Date, Instant};
use sekisho_boxed::boxed;
use sekisho_pack::expr::sql::{SqlArg, to_sql};
use sekisho_pack::model::{Check, CheckRule, HeldBy, Pack, Period, Register, Role, Scope};
use sekisho_store::case::{self, CaseRow, InboxRow, TaskRow};
use sekisho_store::register::{self, CheckedRow};
use sekisho_store::violation::{self, RunRow, ViolationRow};
use sekisho_store::{Arg, Conn};

use crate::directory::Directory;
use crate::error::AppError;
use crate::office::Office;
use crate::registers::table_spec;

/// A row that breaks a check now.
struct Broken {
    key: String,
    unit: String,
    says: String,
    link: String,
}

/// What one evaluation found.
#[derive(Default)]
struct Found {
    broken: Vec<Broken>,
    looked_at: i64,
    due: i64,
}

/// What is evaluated.
#[derive(Clone, Copy)]
enum Touched<'a> {
    Everything,
    Row(&'a str),
}

/// Evaluates every check of the running pack.
///
/// # Errors
/// The database failed.
#[boxed]
pub async fn run_all(office: &Arc<Office>) -> Result<(), AppError> {
    let directory = office.directory().await?;
    let inner = Arc::clone(office);
    office
        .store
        .write(move |c| {
            Box::pin(async move {
                let pack = inner.pack();
                for check in pack.checks.values() {
                    evaluate(c, &inner, &pack, Some(&directory), check, "").await?;
                }
                Ok::<_, AppError>(())
            })
        })
        .await?;
    queries::run(office).await
}

/// After one row of a register changed.
pub(crate) async fn after_row(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    row: &str,
    entry: &str,
) -> Result<(), AppError> {
    let (pack, now) = (office.pack(), office.clock.now());
    let mut open = violation::open_for(c, &format!("{}/{row}", r.id)).await?;
    let mut touched = Vec::new();
    for check in pack.checks.values().filter(|k| register_of(k) == Some(r.id.as_str())) {
        let Some(found) = find(c, &pack, None, check, Touched::Row(row), now.date()).await? else { continue };
        let was = open.remove(&check.id).unwrap_or_default();
        change(c, office, &pack, check, found.broken, was, now, entry).await?;
        touched.push(check.id.as_str());
    }
    violation::touch_runs(c, &touched, &pack.hash, now).await.map_err(AppError::from)
}

/// After many rows of a register changed.
pub(crate) async fn after_register(
    c: &mut Conn<'_>,
    office: &Office,
    r: &Register,
    entry: &str,
) -> Result<(), AppError> {
    let pack = office.pack();
    for check in pack.checks.values().filter(|k| register_of(k) == Some(r.id.as_str())) {
        evaluate(c, office, &pack, None, check, entry).await?;
    }
    Ok(())
}

/// After an act on a case: it changes checks of its own procedure alone, and what they look at is in hand.
pub(crate) async fn after_case(
    c: &mut Conn<'_>,
    office: &Office,
    row: &CaseRow,
    tasks: Vec<TaskRow>,
    entry: &str,
) -> Result<(), AppError> {
    let (pack, now) = (office.pack(), office.clock.now());
    let tasks: Vec<InboxRow> = tasks.into_iter().map(|task| InboxRow::of_case(row, task)).collect();
    let mut open = violation::open_for(c, &format!("case/{}#%", row.id)).await?;
    let mut touched = Vec::new();
    for check in pack.checks.values() {
        let broken = match &check.rule {
            CheckRule::Overdue { procedure, step } if *procedure == row.procedure => {
                late(tasks.iter().filter(|t| step.as_ref().is_none_or(|s| t.task.step == *s)), now.date())
            }
            CheckRule::SelfApproval => to_review(tasks.iter().filter(|t| t.task.kind == POST_REVIEW), check),
            _ => continue,
        };
        let was = open.remove(&check.id).unwrap_or_default();
        change(c, office, &pack, check, broken, was, now, entry).await?;
        touched.push(check.id.as_str());
    }
    violation::touch_runs(c, &touched, &pack.hash, now).await.map_err(AppError::from)
}

/// The register a check is about.
pub(crate) fn register_of(check: &Check) -> Option<&str> {
    match &check.rule {
        CheckRule::Required { register, .. }
        | CheckRule::Stale { register, .. }
        | CheckRule::Rows { register, .. } => Some(register),
        _ => None,
    }
}

/// Evaluates a check over everything it is about.
async fn evaluate(
    c: &mut Conn<'_>,
    office: &Office,
    pack: &Pack,
    directory: Option<&Directory>,
    check: &Check,
    entry: &str,
) -> Result<(), AppError> {
    let now = office.clock.now();
    match find(c, pack, directory, check, Touched::Everything, now.date()).await? {
        Some(found) => settle(c, office, pack, check, found, now, entry).await,
        None => Ok(()),
    }
}

/// What breaks a check now; nothing when it cannot be told here.
async fn find(
    c: &mut Conn<'_>,
    pack: &Pack,
    directory: Option<&Directory>,
    check: &Check,
    touched: Touched<'_>,
    today: Date,
) -> Result<Option<Found>, AppError> {
    Ok(Some(match &check.rule {
        CheckRule::Required { register, column, when } => {
            let Some(r) = pack.registers.get(register) else { return Ok(None) };
            let spec = table_spec(r);
            let empty = empty_predicate(&spec, column);
            let (predicate, args) = match when {
                // An error or a null in the condition means that it applies.
                Some(e) => {
                    let (text, args) = condition(e, today)?;
                    (format!("{empty} AND COALESCE({text}, TRUE)"), args)
                }
                None => (empty, vec![]),
            };
            rows(c, r, &spec, check, &predicate, args, touched).await?
        }
        CheckRule::Stale { register, column, after } => {
            let Some(r) = pack.registers.get(register) else { return Ok(None) };
            let spec = table_spec(r);
            let cutoff = before(today, *after);
            let mut found =
                rows(c, r, &spec, check, &format!("r.c_{column} < $1"), vec![cutoff.into()], touched).await?;
            if matches!(touched, Touched::Everything) {
                found.due = count(soon::stale_soon(c, &spec, column, cutoff).await?.len());
            }
            found
        }
        CheckRule::Rows { register, when } => {
            let Some(r) = pack.registers.get(register) else { return Ok(None) };
            let spec = table_spec(r);
            let (text, args) = condition(when, today)?;
            rows(c, r, &spec, check, &format!("COALESCE({text}, FALSE)"), args, touched).await?
        }
        CheckRule::Overdue { procedure, step } => overdue(c, procedure, step.as_deref(), today).await?,
        CheckRule::SelfApproval => post_reviews(c, check).await?,
        CheckRule::Vacant { role } => match (directory, pack.roles.get(role)) {
            (Some(d), Some(role)) => vacant(d, role, check, today),
            _ => return Ok(None),
        },
        // A query reads on a connection of its own: see queries.rs.
        CheckRule::Sql { .. } => return Ok(None),
    }))
}

/// Keeps what a full evaluation found.
async fn settle(
    c: &mut Conn<'_>,
    office: &Office,
    pack: &Pack,
    check: &Check,
    found: Found,
    now: Instant,
    entry: &str,
) -> Result<(), AppError> {
    let open = violation::open_rows(c, &check.id).await?;
    let run =
        RunRow { pack: pack.hash.clone(), ran_at: now, looked_at: found.looked_at, due_rows: found.due };
    change(c, office, pack, check, found.broken, open, now, entry).await?;
    violation::put_run(c, &check.id, &run).await.map_err(AppError::from)
}

/// Opens and closes intervals so that the open ones are what was found; `open` are those of the rows that were looked at.
#[expect(clippy::too_many_arguments, reason = "one private step of the callers above, split for reading")]
async fn change(
    c: &mut Conn<'_>,
    office: &Office,
    pack: &Pack,
    check: &Check,
    broken: Vec<Broken>,
    open: BTreeMap<String, String>,
    now: Instant,
    entry: &str,
) -> Result<(), AppError> {
    let now_broken: BTreeSet<&str> = broken.iter().map(|b| b.key.as_str()).collect();
    for (key, id) in &open {
        if !now_broken.contains(key.as_str()) {
            violation::close(c, id, now).await?;
        }
    }
    for b in broken {
        if !open.contains_key(&b.key) {
            let row = ViolationRow {
                id: office.new_id()?.to_string(),
                check: check.id.clone(),
                pack: pack.hash.clone(),
                row_key: b.key,
                unit: b.unit,
                says: b.says,
                link: b.link,
                opened_at: now,
                closed_at: None,
                cause_entry: entry.to_owned(),
            };
            violation::open(c, &row).await?;
        }
    }
    Ok(())
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn empty_predicate(spec: &TableSpec, column: &str) -> String {
    match spec.columns.iter().find(|k| k.id == column) {
        Some(k) if k.many => {
            format!("NOT EXISTS (SELECT 1 FROM m_{} m WHERE m.row_id = r.id AND m.col = '{column}')", spec.id)
        }
        Some(k) if k.storage == Storage::Text => format!("r.c_{column} = ''"),
        _ => format!("r.c_{column} IS NULL"),
    }
}

fn condition(e: &sekisho_pack::expr::Expr, today: Date) -> Result<(String, Vec<Arg>), AppError> {
    let sql = to_sql(e, today).map_err(AppError::internal)?;
    let args = sql
        .args
        .into_iter()
        .map(|a| match a {
            SqlArg::Text(t) => Arg::Text(Some(t)),
            SqlArg::Int(n) => Arg::Int(Some(n)),
            SqlArg::Bool(b) => Arg::Bool(Some(b)),
        })
        .collect();
    Ok((sql.text, args))
}

async fn rows(
    c: &mut Conn<'_>,
    r: &Register,
    spec: &TableSpec,
    check: &Check,
    predicate: &str,
    args: Vec<Arg>,
    touched: Touched<'_>,
) -> Result<Found, AppError> {
    let only = if let Touched::Row(id) = touched { Some(id) } else { None };
    let matched = register::matching(c, spec, predicate, args, only).await?;
    let column = match &check.rule {
        CheckRule::Required { column, .. } => Some((column, "が未記入です")),
        CheckRule::Stale { column, .. } => Some((column, "が古くなっています")),
        _ => None,
    };
    let label = |id: &str| r.columns.iter().find(|k| k.id == id).map_or(id, |k| k.label.as_str()).to_owned();
    let what = column.map_or_else(|| check.title.clone(), |(id, says)| format!("「{}」{says}", label(id)));
    let broken = matched
        .into_iter()
        .map(|CheckedRow { id, key, name, unit }| Broken {
            key: format!("{}/{id}", r.id),
            unit,
            says: format!("{key} {name}：{what}"),
            link: format!("/registers/{}/{id}", r.id),
        })
        .collect();
    let looked_at = if matches!(touched, Touched::Everything) { register::count(c, spec).await? } else { 0 };
    Ok(Found { broken, looked_at, due: 0 })
}

async fn overdue(
    c: &mut Conn<'_>,
    procedure: &str,
    step: Option<&str>,
    today: Date,
) -> Result<Found, AppError> {
    let tasks = case::tasks_of(c, procedure, step).await?;
    let due = count(tasks.iter().filter(|t| soon::due_before_long(t, today).is_some()).count());
    Ok(Found { broken: late(tasks.iter(), today), looked_at: case::count_of(c, procedure).await?, due })
}

/// Tasks whose date has passed, one of each step.
fn late<'a>(tasks: impl Iterator<Item = &'a InboxRow>, today: Date) -> Vec<Broken> {
    let mut broken: BTreeMap<String, Broken> = BTreeMap::new();
    for t in tasks.filter(|t| t.task.due.is_some_and(|d| d < today)) {
        let key = format!("case/{}#{}", t.task.case_id, t.task.step);
        let date = t.task.due.map(|d| d.wareki()).unwrap_or_default();
        let says = format!("{} {}：{}の期限（{date}）を過ぎています", t.number, t.case_title, t.task.title);
        broken.insert(
            key.clone(),
            Broken { key, unit: t.unit.clone(), says, link: format!("/cases/{}", t.task.case_id) },
        );
    }
    broken.into_values().collect()
}

/// Kind of the task that a review after the fact is.
const POST_REVIEW: &str = "post_review";

async fn post_reviews(c: &mut Conn<'_>, check: &Check) -> Result<Found, AppError> {
    let tasks = case::tasks_of_kind(c, POST_REVIEW).await?;
    let looked_at = case::count_all(c).await?;
    Ok(Found { broken: to_review(tasks.iter(), check), looked_at, due: 0 })
}

fn to_review<'a>(tasks: impl Iterator<Item = &'a InboxRow>, check: &Check) -> Vec<Broken> {
    tasks
        .map(|t| Broken {
            key: format!("case/{}#{}", t.task.case_id, t.task.step),
            unit: t.unit.clone(),
            says: format!("{} {}：{}", t.number, t.case_title, check.title),
            link: format!("/cases/{}", t.task.case_id),
        })
        .collect()
}

/// Units, or the body, where nobody holds a role today.
fn vacant(d: &Directory, role: &Role, check: &Check, today: Date) -> Found {
    let held = |post: Option<&sekisho_store::org::PostRow>| {
        post.is_some_and(|p| !d.holders(&p.code, today).is_empty())
    };
    let missing = |key: &str, unit: &str, name: &str| Broken {
        key: format!("unit/{key}"),
        unit: unit.to_owned(),
        says: format!("{name}：{}", check.title),
        link: "/organization".to_owned(),
    };
    let by_role = || d.rows().appointments.iter().any(|a| a.role == role.id && a.in_force(today));
    match (&role.held_by, role.scope) {
        (HeldBy::HeadOf(_), scope) => {
            let kinds: &[&str] =
                if scope == Scope::Department { &["department", "organ"] } else { &["section", "branch"] };
            let units: Vec<_> = d
                .rows()
                .units
                .iter()
                .filter(|u| kinds.contains(&u.kind.as_str()) && u.exists_on(today))
                .collect();
            let broken = units
                .iter()
                .filter(|u| !held(d.head_post(&u.code)))
                .map(|u| missing(&u.code, &u.code, &u.name))
                .collect();
            Found { broken, looked_at: count(units.len()), due: 0 }
        }
        (HeldBy::Post(code), _) => Found {
            broken: if held(d.post(code)) { vec![] } else { vec![missing(code, "", &role.title)] },
            looked_at: 1,
            due: 0,
        },
        (HeldBy::Appointment, _) => Found {
            broken: if by_role() { vec![] } else { vec![missing(&role.id, "", &role.title)] },
            looked_at: 1,
            due: 0,
        },
        (HeldBy::Titled(title), _) => {
            let posts = d.rows().posts.iter().filter(|p| p.title == *title);
            let (filled, empty): (Vec<_>, Vec<_>) = posts.partition(|p| held(Some(p)));
            let broken = empty.iter().map(|p| missing(&p.unit, &p.unit, d.unit_name(&p.unit))).collect();
            Found { broken, looked_at: count(filled.len() + empty.len()), due: 0 }
        }
        (HeldBy::Everyone, _) => Found { broken: vec![], looked_at: count(d.rows().persons.len()), due: 0 },
    }
}

fn before(today: Date, p: Period) -> Date {
    match p {
        Period::Hours(_) => today,
        Period::Days(n) | Period::BusinessDays(n) => today.plus_days(-i64::from(n)),
        Period::Months(n) => today.plus_months(-i32::try_from(n).unwrap_or(i32::MAX)),
    }
}
