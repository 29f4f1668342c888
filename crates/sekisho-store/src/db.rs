//! The handle of one body's database: SQLite by default, PostgreSQL for more than one application node.

use std::future::Future;
use std::ops::DerefMut;
use std::path::Path;
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;

use sekisho_boxed::boxed;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool, Transaction,
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::args;
use crate::conn::{Conn, counted_within};
use crate::error::{MayBeTrouble, StoreError, Trouble};
use crate::lease;
use crate::maintenance::is_postgres;
use crate::once;
use crate::writer::{self, Finished, Job, Message, On, Told};

/// Pages of the write-ahead log after which it is copied into the database file, with two fsyncs more: 16 MiB instead of 4.
const CHECKPOINT_PAGES: &str = "4000";
/// Connections of an SQLite database that only read.
const READERS: u32 = 4;
/// Bytes of an SQLite file that readers map instead of copying page by page; all of them share the operating system's memory.
const MAPPED: &str = "268435456";
/// Connections to a PostgreSQL database.
const CONNECTIONS: u32 = 8;
/// Connections of all bodies of a process together, where that leaves each at least [`FEWEST_CONNECTIONS`].
const ALL_CONNECTIONS: u32 = 80;
/// Connections of a body at least: one writes.
const FEWEST_CONNECTIONS: u32 = 4;

/// How long a connection may have been idle and still be used without asking whether the other end is there: a question for each reading is as
/// dear as the reading itself. A server that ended meanwhile is noticed by whoever reads within this time.
const FRESH: std::time::Duration = std::time::Duration::from_secs(1);
/// Prepared statements that a connection keeps; the library's default is 100. In half a minute of the eight routes of `bench/nodes` the
/// connection that writes had prepared 214, each of those that read 59 to 73.
const PREPARED: usize = 500;

/// How long a request waits for a connection before it is told that the database is gone.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// How long PostgreSQL waits for a node that stands still in the middle of a transaction before it ends that transaction, so that the
/// others go on; a node that wakes up later finds its connection closed and nothing of the act kept.
const STILL: &str = "20s";
/// How long an act waits for its turn among the nodes: longer than [`STILL`].
const TURN: &str = "30s";

/// A boxed future that borrows its connection.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whether a commit waits for the disk. `Off` exists for the benchmark that compares the two, and for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// `synchronous=FULL`.
    Full,
    /// `synchronous=OFF`.
    Off,
}

#[derive(Debug, Clone)]
enum Db {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.db {
            Db::Sqlite(_) => "Store(sqlite)",
            Db::Postgres(_) => "Store(postgres)",
        })
    }
}

/// What was taken from either pool.
enum Taken<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// A transaction that only reads.
type Reading = Taken<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>;
/// A connection for one query.
type Asking = Taken<PoolConnection<Sqlite>, PoolConnection<Postgres>>;

impl<S, P> Taken<S, P>
where
    S: DerefMut<Target = SqliteConnection>,
    P: DerefMut<Target = PgConnection>,
{
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(c) => Conn::Sqlite(c),
            Self::Postgres(c) => Conn::Postgres(c),
        }
    }
}

/// Apart from [`Store::write`], so that it is compiled once and not for every closure.
#[boxed]
async fn may_write(
    conn: &mut Conn<'_>,
    fence: Option<lease::Held>,
    claim: Option<once::Claim>,
) -> Result<(), StoreError> {
    lease::keep(conn, fence.as_ref()).await?;
    once::keep(conn, claim.as_ref()).await
}

/// Connections to PostgreSQL that are opened when they are needed.
fn pool_of(most: u32) -> sqlx::postgres::PgPoolOptions {
    sqlx::postgres::PgPoolOptions::new()
        .max_connections(most)
        .min_connections(0)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(|conn, of| {
            Box::pin(async move {
                if of.idle_for >= FRESH {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Lists, ranges of keys and the search index rely on text being in the order of its bytes, as SQLite has it.
async fn check_order(c: &mut Conn<'_>) -> Result<(), StoreError> {
    let by_bytes = c.count("SELECT CASE WHEN 'B' < 'a' AND 'a' < 'ア' AND 'a-z' < 'ab' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END", vec![]).await?;
    if by_bytes == 1 {
        return Ok(());
    }
    Err(StoreError::Address(
        "this PostgreSQL database sorts text by a language: make one that sorts by bytes, CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'".to_owned(),
    ))
}

/// One body's database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// For reading.
    db: Db,
    write: mpsc::Sender<Message>,
    committed: Arc<Notify>,
    told: Told,
    writer_done: Arc<tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>>,
}

impl Store {
    /// Opens or makes an SQLite file and brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened, or its schema is newer than this program.
    #[boxed]
    pub async fn open_sqlite(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .foreign_keys(true)
            .busy_timeout(std::time::Duration::from_secs(10))
            .pragma("cache_size", "-16384")
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .statement_cache_capacity(PREPARED)
            .synchronous(match durability {
                Durability::Full => SqliteSynchronous::Full,
                Durability::Off => SqliteSynchronous::Off,
            });
        let mut conn = options.connect().await?;
        crate::migrate::run(&mut Conn::Sqlite(&mut conn)).await?;
        // `read_only` refuses to create the WAL index, so readers open normally and are told to refuse writing.
        let pool =
            SqlitePoolOptions::new().max_connections(READERS).min_connections(0).test_before_acquire(false);
        let read = pool.connect_with(options.pragma("query_only", "1").pragma("mmap_size", MAPPED)).await?;
        Ok(Self::with_writer(Db::Sqlite(read), On::Sqlite(conn)))
    }

    fn with_writer(db: Db, on: On) -> Self {
        let (write, jobs) = mpsc::channel(1024);
        let committed = Arc::new(Notify::new());
        let told = Told::default();
        let task = tokio::spawn(writer::run(on, jobs, Arc::clone(&committed), Arc::clone(&told)));
        let writer_done = Arc::new(tokio::sync::Mutex::new(Some(task)));
        Self { db, write, committed, told, writer_done }
    }

    /// Opens a PostgreSQL database (`postgres://…`) and brings its schema up to date.
    ///
    /// # Errors
    /// It cannot be reached, it does not sort text by bytes, or its schema is newer than this program.
    #[boxed]
    pub async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        Self::open_postgres_sized(url, CONNECTIONS).await
    }

    async fn open_postgres_sized(url: &str, connections: u32) -> Result<Self, StoreError> {
        // The data is in memory or on a solid-state disk; the default, for turning disks, prefers reading whole tables. Queries are
        // too short for compiling them to pay.
        let options =
            sqlx::postgres::PgConnectOptions::from_str(url)?.statement_cache_capacity(PREPARED).options([
                ("random_page_cost", "1.1"),
                ("jit", "off"),
                ("idle_in_transaction_session_timeout", STILL),
                ("lock_timeout", TURN),
            ]);
        // The writer has a connection to itself: an act never waits for readings to end.
        let writes = pool_of(1).connect_with(options.clone()).await?;
        let mut conn = writes.acquire().await?;
        check_order(&mut Conn::Postgres(&mut conn)).await?;
        crate::migrate::run(&mut Conn::Postgres(&mut conn)).await?;
        drop(conn);
        let reads = pool_of(connections.saturating_sub(1).max(1))
            .connect_lazy_with(options.options([("default_transaction_read_only", "on")]));
        Ok(Self::with_writer(Db::Postgres(reads), On::Postgres(writes)))
    }

    /// Opens by address: `postgres://…`, or the path of an SQLite file.
    ///
    /// # Errors
    /// As the two above.
    #[boxed]
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        if is_postgres(address) {
            Self::open_postgres(address).await
        } else {
            Self::open_sqlite(Path::new(address), Durability::Full).await
        }
    }

    /// The same as one of several bodies, which share the connections that a PostgreSQL server has: a body may have fewer, and always
    /// enough to write and read at once. They are closed when they are idle.
    ///
    /// # Errors
    /// As [`Store::open`].
    #[boxed]
    pub async fn open_among(address: &str, bodies: usize) -> Result<Self, StoreError> {
        if !is_postgres(address) {
            return Self::open(address).await;
        }
        let share = ALL_CONNECTIONS / u32::try_from(bodies.max(1)).unwrap_or(u32::MAX);
        Self::open_postgres_sized(address, share.clamp(FEWEST_CONNECTIONS, CONNECTIONS)).await
    }

    /// Whether this is SQLite.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.db, Db::Sqlite(_))
    }

    /// What kept the last act from being written; nothing once one was written again.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        *self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Is told after every commit; the sequencer and the checks wait for it.
    #[must_use]
    pub fn committed(&self) -> Arc<Notify> {
        Arc::clone(&self.committed)
    }

    /// Runs a use case in one transaction. `Ok` is returned only after the commit reached the disk; `Err` leaves nothing behind.
    ///
    /// # Errors
    /// The closure's own error, or the store's when the commit fails.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + MayBeTrouble + Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn<'_>) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let (fence, claim) = (lease::held(), once::held());
        let boxed: Job = Box::new(move |conn| {
            Box::pin(async move {
                let result = match may_write(conn, fence, claim).await {
                    Ok(()) => job(conn).await,
                    Err(e) => Err(E::from(e)),
                };
                Finished {
                    keep: result.is_ok(),
                    trouble: result.as_ref().err().and_then(MayBeTrouble::trouble),
                    answer: Box::new(move |commit: Result<(), StoreError>| {
                        // A caller that went away (closed browser) does not undo its act.
                        let _ = tell.send(match commit {
                            Ok(()) => result,
                            Err(e) => Err(E::from(e)),
                        });
                    }),
                }
            })
        });
        self.write.send(Message::Job(boxed)).await.map_err(|_| E::from(StoreError::Stopped))?;
        told.await.map_err(|_| {
            E::from(match self.trouble() {
                _ if self.write.is_closed() => StoreError::Stopped,
                trouble @ Some(_) => StoreError::Commit { text: "not begun".to_owned(), trouble },
                None => StoreError::Broken,
            })
        })?
    }

    /// Runs queries on a connection that only reads. All of them see the database as it was at one moment.
    ///
    /// # Errors
    /// The closure's own error, or the store's when no connection is to be had.
    pub async fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'c> FnOnce(&'c mut Conn<'_>) -> BoxFuture<'c, Result<T, E>> + Send,
    {
        // Ends when it is dropped, on its way back to the pool: nothing was written, and the answer need not wait for that.
        let mut reading = self.begin_reading().await?;
        job(&mut reading.conn()).await
    }

    /// Apart from [`Store::read`], so that it is compiled once and not for every closure.
    #[boxed]
    async fn begin_reading(&self) -> Result<Reading, StoreError> {
        Ok(match &self.db {
            Db::Sqlite(read) => Reading::Sqlite(read.begin().await?),
            Db::Postgres(read) => {
                Reading::Postgres(read.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?)
            }
        })
    }

    /// Runs one query on a connection that only reads, without a transaction around it, which on PostgreSQL would be two more questions to
    /// the server. Several would not see the same moment: for those there is [`Store::read`].
    ///
    /// # Errors
    /// As [`Store::read`].
    ///
    /// # Panics
    /// In a build with debug assertions, when the closure sends more than one statement.
    pub async fn ask<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
        F: for<'c> FnOnce(&'c mut Conn<'_>) -> BoxFuture<'c, Result<T, E>> + Send,
    {
        let mut asking = self.begin_asking().await?;
        let (value, sent) = counted_within(job(&mut asking.conn())).await;
        debug_assert!(sent <= 1, "{sent} statements without a transaction around them");
        value
    }

    /// Apart from [`Store::ask`], as [`Store::begin_reading`] is from [`Store::read`].
    #[boxed]
    async fn begin_asking(&self) -> Result<Asking, StoreError> {
        Ok(match &self.db {
            Db::Sqlite(read) => Asking::Sqlite(read.acquire().await?),
            Db::Postgres(read) => Asking::Postgres(read.acquire().await?),
        })
    }

    /// A counter's present value, 0 when it never counted, and a setting's: one query.
    ///
    /// # Errors
    /// The database failed.
    #[boxed]
    pub async fn counter_and_setting(
        &self,
        counter: &str,
        setting: &str,
    ) -> Result<(i64, Option<String>), StoreError> {
        let sql = "SELECT COALESCE((SELECT value FROM counter WHERE name = $1), 0), (SELECT value FROM setting WHERE name = $2)";
        let args = args![counter, setting];
        let row = self.ask(|c| Box::pin(async move { c.one(sql, args).await })).await?;
        row.map_or(Ok((0, None)), |r| Ok((r.int(0)?, r.opt_text(1)?)))
    }

    /// Waits for what is in flight and closes the database, for every clone of this handle; later calls fail with
    /// [`StoreError::Stopped`].
    #[boxed]
    pub async fn close(self) {
        // Acts sent before this message are carried out; a writer that has ended already needs none.
        let _ = self.write.send(Message::Close).await;
        if let Some(task) = self.writer_done.lock().await.take()
            && let Err(e) = task.await
        {
            tracing::error!(error = %e, "the writer broke off");
        }
        match self.db {
            Db::Sqlite(read) => read.close().await,
            Db::Postgres(read) => read.close().await,
        }
    }
}
