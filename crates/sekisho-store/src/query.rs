//! Queries of a pack: the views they may read, and running one with nothing but reading, a bound on its work and a bound on its answer.
//!
//! On SQLite the connection refuses writing and the virtual machine stops after a number of steps. On PostgreSQL the query runs in a
//! transaction that only reads, under a role that has SELECT on these views alone, with a time limit of the server.

use sekisho_base::Date;
use sekisho_base::canonical::{hex, sha256};
use sekisho_base::table::{Storage, TableSpec};
use sekisho_boxed::boxed;

use crate::{Conn, StoreError, args, setting};

/// Role that queries run under on PostgreSQL; it cannot log in.
const ROLE: &str = "sekisho_check";
/// Rows of one answer; a check that finds more says so with the last one.
pub const MOST_ROWS: usize = 5_000;
/// Steps of SQLite's virtual machine between two looks at the bound.
const STEPS: i32 = 10_000;
/// After how much work a query is broken off.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// On SQLite: looks, one every 10,000 steps of its virtual machine.
    pub looks: u32,
    /// On PostgreSQL: milliseconds.
    pub milliseconds: u32,
}

/// The share of a query of a check: 200 million steps, some seconds of work, or ten seconds.
pub const SHARE: Share = Share { looks: 20_000, milliseconds: 10_000 };

/// Longest text of one cell, in characters.
const CELL_CHARS: usize = 300;
/// Setting that remembers which views there are.
const MADE: &str = "views";

/// One row that breaks a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryRow {
    /// `register/row` or `case/id`.
    pub key: String,
    /// Unit that owns it.
    pub unit: String,
    /// What is wrong.
    pub says: String,
}

/// Views over cases: name and definition.
const CASE_VIEWS: [(&str, &str); 3] = [
    (
        "v_case",
        "SELECT 'case/' || id AS row_key, unit AS owner_unit, id, procedure, number, title, status, applicant, unit, opened_at, closed_at, NULLIF(due, '9999-12-31') AS due FROM case_file",
    ),
    (
        "v_case_item",
        "SELECT i.case_id, i.register, i.register || '/' || i.row_id AS row_key, f.unit AS owner_unit FROM case_item i JOIN case_file f ON f.id = i.case_id",
    ),
    (
        "v_open_task",
        "SELECT 'case/' || t.case_id || '#' || t.step AS row_key, f.unit AS owner_unit, t.case_id, t.step, t.kind, t.title, NULLIF(t.due, '9999-12-31') AS due, t.opened_at FROM open_task t JOIN case_file f ON f.id = t.case_id",
    ),
];

fn views(specs: &[TableSpec]) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> =
        CASE_VIEWS.iter().map(|(n, d)| ((*n).to_owned(), (*d).to_owned())).collect();
    for s in specs {
        let mut columns =
            vec![format!("'{}/' || r.id AS row_key", s.id), format!("r.c_{} AS owner_unit", s.owner)];
        // An empty text is no value, as it is in conditions. What has many values is in no column.
        for c in s.columns.iter().filter(|c| !c.many && !matches!(c.id.as_str(), "row_key" | "owner_unit")) {
            columns.push(match c.storage {
                Storage::Text => format!("NULLIF(r.c_{id}, '') AS \"{id}\"", id = c.id),
                Storage::Int | Storage::Bool => format!("r.c_{id} AS \"{id}\"", id = c.id),
            });
        }
        out.push((format!("v_{}", s.id), format!("SELECT {} FROM r_{} r", columns.join(", "), s.id)));
    }
    out
}

/// Makes the views over cases and registers, when they are not those of these registers already. The registers' tables are there.
///
/// # Errors
/// The database failed. That a user of PostgreSQL may not make the role is a warning in the log: the queries then fail one by one.
#[boxed]
pub async fn ensure_views(c: &mut Conn<'_>, specs: &[TableSpec]) -> Result<(), StoreError> {
    let views = views(specs);
    let text: Vec<String> = views.iter().map(|(n, d)| format!("{n} {d}")).collect();
    let mark = hex(&sha256(text.join("\n").as_bytes()));
    if setting::get(c, MADE).await?.as_ref() == Some(&mark) {
        return Ok(());
    }
    // Two nodes may start at once: whoever counts first holds the row until commit.
    setting::next(c, "tables").await?;
    for (name, definition) in &views {
        c.script(&format!("DROP VIEW IF EXISTS {name}")).await?;
        c.script(&format!("CREATE VIEW {name} AS {definition}")).await?;
    }
    if matches!(c, Conn::Postgres(_)) && !grant(c, &views).await? {
        tracing::warn!(
            "this database user may not make the role {ROLE}: checks written as SQL are not evaluated until an administrator makes it (CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO the user) and the program starts again"
        );
        return Ok(());
    }
    setting::set(c, MADE, &mark).await
}

/// Makes the role, lets this user take it on, and lets it read the views. A role belongs to the whole server, where others may do the same
/// at this moment. Tells whether the role is there.
async fn grant(c: &mut Conn<'_>, views: &[(String, String)]) -> Result<bool, StoreError> {
    c.script(&format!(
        "DO $do$ BEGIN
           IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN CREATE ROLE {ROLE} NOLOGIN; END IF;
         EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL; END $do$"
    ))
    .await?;
    if c.count("SELECT COUNT(*) FROM pg_roles WHERE rolname = $1", args![ROLE]).await? == 0 {
        return Ok(false);
    }
    c.script(&format!(
        "DO $do$ BEGIN
           IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN GRANT {ROLE} TO CURRENT_USER; END IF;
         EXCEPTION WHEN unique_violation OR insufficient_privilege THEN NULL; END $do$"
    ))
    .await?;
    for (name, _) in views {
        c.script(&format!("GRANT SELECT ON {name} TO {ROLE}")).await?;
    }
    Ok(true)
}

/// How many rows a view has.
///
/// # Errors
/// The database failed, or it is no view of these.
#[boxed]
pub async fn count(c: &mut Conn<'_>, view: &str) -> Result<i64, StoreError> {
    let plain = view.strip_prefix("v_").is_some_and(sekisho_base::table::valid_ident);
    if !plain {
        return Err(StoreError::Identifier(view.to_owned()));
    }
    c.count(&format!("SELECT COUNT(*) FROM {view}"), vec![]).await
}

/// Runs one checked SELECT that returns row key, unit and text; `$1`, `$2` … are the days. To be called inside [`crate::Store::read`].
///
/// # Errors
/// The database refused it, or it took more than its share ([`SHARE`] but in tests).
#[boxed]
pub async fn run(
    c: &mut Conn<'_>,
    select: &str,
    days: &[Date],
    share: Share,
) -> Result<Vec<QueryRow>, StoreError> {
    let sql = format!("SELECT * FROM ({select}) q LIMIT {MOST_ROWS}");
    let days = days.iter().map(|d| crate::Arg::from(*d)).collect();
    let rows = match c {
        Conn::Sqlite(inner) => {
            let mut looks = 0;
            inner.lock_handle().await?.set_progress_handler(STEPS, move || {
                looks += 1;
                looks < share.looks
            });
            let found = c.all_once(&sql, days).await;
            if let Conn::Sqlite(inner) = c {
                inner.lock_handle().await?.remove_progress_handler();
            }
            found?
        }
        Conn::Postgres(_) => {
            let milliseconds = share.milliseconds;
            c.script(&format!("SET LOCAL statement_timeout = {milliseconds}; SET LOCAL ROLE {ROLE}")).await?;
            let found = c.all_once(&sql, days).await?;
            c.script("RESET ROLE; SET LOCAL statement_timeout = 0").await?;
            found
        }
    };
    let cell = |t: Option<String>| sekisho_base::text::shorten(&t.unwrap_or_default(), CELL_CHARS);
    rows.iter()
        .map(|r| {
            Ok(QueryRow { key: cell(r.opt_text(0)?), unit: cell(r.opt_text(1)?), says: cell(r.opt_text(2)?) })
        })
        .collect()
}
