//! A connection of either database, and the few calls that everything else is written in.

use sekisho_base::limits::COUNT_CAP;
use sekisho_base::table::Value;
use sekisho_base::{Date, Id, Instant};
use sekisho_boxed::boxed;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _};

use crate::StoreError;

/// A bound value. NULL has a type because PostgreSQL wants one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
}

macro_rules! arg_from {
    ($($t:ty => |$v:ident| $e:expr),* $(,)?) => {$(
        impl From<$t> for Arg { fn from($v: $t) -> Self { $e } }
    )*};
}
arg_from! {
    &str => |v| Self::Text(Some(v.to_owned())),
    &String => |v| Self::Text(Some(v.clone())),
    String => |v| Self::Text(Some(v)),
    Option<String> => |v| Self::Text(v),
    Option<&str> => |v| Self::Text(v.map(str::to_owned)),
    i64 => |v| Self::Int(Some(v)),
    Option<i64> => |v| Self::Int(v),
    bool => |v| Self::Bool(Some(v)),
    Option<bool> => |v| Self::Bool(v),
    Instant => |v| Self::Text(Some(v.to_string())),
    Option<Instant> => |v| Self::Text(v.map(|i| i.to_string())),
    Date => |v| Self::Text(Some(v.to_string())),
    Option<Date> => |v| Self::Text(v.map(|d| d.to_string())),
    Id => |v| Self::Text(Some(v.to_string())),
}

/// Builds an argument list: `args![a, b]`.
#[macro_export]
macro_rules! args {
    ($($e:expr),* $(,)?) => { vec![$($crate::Arg::from($e)),*] };
}

/// `$n, $n+1, …` for values that are appended to the arguments; `NULL`, which nothing equals, when there are none.
pub(crate) fn marks<T: Into<Arg>>(values: impl IntoIterator<Item = T>, args: &mut Vec<Arg>) -> String {
    let mut out = String::new();
    for value in values {
        args.push(value.into());
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(&format!("${}", args.len()));
    }
    if out.is_empty() { "NULL".to_owned() } else { out }
}

/// How many rows each of several tables has for which a condition holds, counted no further than one beyond what lists show as exact:
/// one query, however many tables.
pub(crate) async fn capped_counts(
    c: &mut Conn<'_>,
    tables: impl IntoIterator<Item = (String, String)>,
    a: Vec<Arg>,
) -> Result<Vec<i64>, StoreError> {
    let parts: Vec<String> = tables
        .into_iter()
        .enumerate()
        .map(|(at, (table, terms))| {
            let some = format!("SELECT 1 FROM {table} WHERE {terms} LIMIT {}", COUNT_CAP + 1);
            format!("SELECT CAST({at} AS BIGINT), (SELECT COUNT(*) FROM ({some}) t)")
        })
        .collect();
    let mut found = vec![0; parts.len()];
    if parts.is_empty() {
        return Ok(found);
    }
    for row in c.all(&parts.join(" UNION ALL "), a).await? {
        if let Some(n) = usize::try_from(row.int(0)?).ok().and_then(|at| found.get_mut(at)) {
            *n = row.int(1)?;
        }
    }
    Ok(found)
}

/// Rows written by one statement; databases bound how many values one may carry.
const AT_ONCE: usize = 64;

/// Inserts many rows with few statements. `into` is the table with its columns, `end` what follows the values.
pub(crate) async fn insert(
    c: &mut Conn<'_>,
    into: &str,
    rows: Vec<Vec<Arg>>,
    end: &str,
) -> Result<(), StoreError> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut a = Vec::new();
        let values: Vec<String> =
            rows.by_ref().take(AT_ONCE).map(|row| format!("({})", marks(row, &mut a))).collect();
        c.exec(&format!("INSERT INTO {into} VALUES {}{end}", values.join(", ")), a).await?;
    }
    Ok(())
}

/// One result row.
#[derive(Debug)]
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

macro_rules! get {
    ($self:ident, $i:ident, $t:ty) => {
        match $self {
            Self::Sqlite(r) => r.try_get::<$t, _>($i).map_err(StoreError::from),
            Self::Postgres(r) => r.try_get::<$t, _>($i).map_err(StoreError::from),
        }
    };
}

impl Row {
    /// TEXT NOT NULL at a position.
    ///
    /// # Errors
    /// The column is missing or of another type.
    pub fn text(&self, i: usize) -> Result<String, StoreError> {
        get!(self, i, String)
    }
    /// TEXT.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn opt_text(&self, i: usize) -> Result<Option<String>, StoreError> {
        get!(self, i, Option<String>)
    }
    /// BIGINT NOT NULL.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn int(&self, i: usize) -> Result<i64, StoreError> {
        get!(self, i, i64)
    }
    /// BIGINT.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>, StoreError> {
        get!(self, i, Option<i64>)
    }
    /// BOOLEAN NOT NULL.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn bool(&self, i: usize) -> Result<bool, StoreError> {
        get!(self, i, bool)
    }
    /// BOOLEAN.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn opt_bool(&self, i: usize) -> Result<Option<bool>, StoreError> {
        get!(self, i, Option<bool>)
    }
    /// An instant stored as text.
    ///
    /// # Errors
    /// Also when the text is no instant.
    pub fn instant(&self, i: usize) -> Result<Instant, StoreError> {
        self.text(i)?.parse().map_err(|e| StoreError::Corrupt("instant", format!("{e}")))
    }
    /// An instant or nothing.
    ///
    /// # Errors
    /// Also when the text is no instant.
    pub fn opt_instant(&self, i: usize) -> Result<Option<Instant>, StoreError> {
        self.opt_text(i)?
            .map(|t| t.parse().map_err(|e| StoreError::Corrupt("instant", format!("{e}"))))
            .transpose()
    }
    /// A date stored as text.
    ///
    /// # Errors
    /// Also when the text is no date.
    pub fn date(&self, i: usize) -> Result<Date, StoreError> {
        self.text(i)?.parse().map_err(|e| StoreError::Corrupt("date", format!("{e}")))
    }
    /// A date or nothing; an empty text is nothing.
    ///
    /// # Errors
    /// Also when the text is no date.
    pub fn opt_date(&self, i: usize) -> Result<Option<Date>, StoreError> {
        match self.opt_text(i)? {
            Some(t) if !t.is_empty() => {
                t.parse().map(Some).map_err(|e| StoreError::Corrupt("date", format!("{e}")))
            }
            _ => Ok(None),
        }
    }
    /// A register cell by its storage class.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn value(&self, i: usize, storage: sekisho_base::table::Storage) -> Result<Value, StoreError> {
        use sekisho_base::table::Storage;
        Ok(match storage {
            Storage::Text => match self.opt_text(i)? {
                Some(t) if !t.is_empty() => Value::Text(t),
                _ => Value::Null,
            },
            Storage::Int => self.opt_int(i)?.map_or(Value::Null, Value::Int),
            Storage::Bool => self.opt_bool(i)?.map_or(Value::Null, Value::Bool),
        })
    }
}

/// A borrowed connection. Inside [`crate::Store::write`] it is in a transaction; inside [`crate::Store::read`] it only reads.
#[derive(Debug)]
pub enum Conn<'c> {
    /// SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    Postgres(&'c mut PgConnection),
}

tokio::task_local! {
    /// How many statements the running task sent; only inside [`counted`].
    static SENT: std::cell::Cell<u64>;
}

/// What a future gives, and how many statements it sent on connections of its own task (on SQLite, reading ones). For tests and
/// benchmarks that hold pages to a fixed number of queries.
pub async fn counted<T>(work: impl Future<Output = T>) -> (T, u64) {
    SENT.scope(std::cell::Cell::new(0), async {
        let value = work.await;
        (value, SENT.with(std::cell::Cell::get))
    })
    .await
}

/// As [`counted`]; whoever counts around it counts these too.
pub(crate) async fn counted_within<T>(work: impl Future<Output = T>) -> (T, u64) {
    let (value, sent) = counted(work).await;
    count(sent);
    (value, sent)
}

fn count(sent: u64) {
    // Outside of `counted` nobody asks.
    let _ = SENT.try_with(|n| n.set(n.get() + sent));
}

macro_rules! bind_all {
    ($query:expr, $args:expr) => {{
        let mut q = $query;
        for a in $args {
            q = match a {
                Arg::Text(v) => q.bind(v),
                Arg::Int(v) => q.bind(v),
                Arg::Bool(v) => q.bind(v),
            };
        }
        q
    }};
}

#[boxed]
impl Conn<'_> {
    /// Runs a statement and tells how many rows it touched.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn exec(&mut self, sql: &str, args: Vec<Arg>) -> Result<u64, StoreError> {
        count(1);
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Conn::Sqlite(c) => bind_all!(sqlx::query(sql), args).execute(&mut **c).await?.rows_affected(),
            Conn::Postgres(c) => bind_all!(sqlx::query(sql), args).execute(&mut **c).await?.rows_affected(),
        })
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn all(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        count(1);
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Conn::Sqlite(c) => bind_all!(sqlx::query(sql), args)
                .fetch_all(&mut **c)
                .await?
                .into_iter()
                .map(Row::Sqlite)
                .collect(),
            Conn::Postgres(c) => bind_all!(sqlx::query(sql), args)
                .fetch_all(&mut **c)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
        })
    }

    /// As [`Conn::all`], for a text that hardly comes twice: it is not kept among the prepared statements.
    pub(crate) async fn all_once(&mut self, sql: &str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        count(1);
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Conn::Sqlite(c) => {
                let query = bind_all!(sqlx::query(sql), args).persistent(false);
                query.fetch_all(&mut **c).await?.into_iter().map(Row::Sqlite).collect()
            }
            Conn::Postgres(c) => {
                let query = bind_all!(sqlx::query(sql), args).persistent(false);
                query.fetch_all(&mut **c).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row, if any.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn one(&mut self, sql: &str, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        count(1);
        let sql = AssertSqlSafe(sql.to_owned());
        Ok(match self {
            Conn::Sqlite(c) => {
                bind_all!(sqlx::query(sql), args).fetch_optional(&mut **c).await?.map(Row::Sqlite)
            }
            Conn::Postgres(c) => {
                bind_all!(sqlx::query(sql), args).fetch_optional(&mut **c).await?.map(Row::Postgres)
            }
        })
    }

    /// The first column of the first row as a number; 0 when there is none.
    ///
    /// # Errors
    /// The database refused it.
    pub async fn count(&mut self, sql: &str, args: Vec<Arg>) -> Result<i64, StoreError> {
        self.one(sql, args).await?.map_or(Ok(0), |r| r.int(0))
    }

    /// Statements without arguments, separated by `;`.
    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Conn::Sqlite(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(|_| ())?,
            Conn::Postgres(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(|_| ())?,
        }
        Ok(())
    }
}
