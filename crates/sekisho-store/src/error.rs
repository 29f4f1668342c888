//! Errors of the store.

/// What went wrong in the database. Codes are stable; the text is for the operator's log, not for pages.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("S001 database: {0}")]
    Database(#[source] sqlx::Error),
    /// The writer has stopped: the server is shutting down.
    #[error("S002 the writer has stopped")]
    Stopped,
    /// A row was changed by somebody else since it was read.
    #[error("S003 {0} was changed by somebody else since it was read")]
    Conflict(String),
    /// A stored value is not what this version writes.
    #[error("S004 stored value of {0} cannot be read: {1}")]
    Corrupt(&'static str, String),
    /// The database was made by a newer version.
    #[error("S005 the database has schema {found}, this program knows up to {known}: use the newer program")]
    NewerSchema {
        /// Version found.
        found: i64,
        /// Highest version known.
        known: i64,
    },
    /// An applied migration differs from the one in this program.
    #[error("S006 migration {0} was applied with other contents")]
    ChangedMigration(i64),
    /// The address names no database that can be used.
    #[error("S007 {0}")]
    Address(String),
    /// A name that may not become part of a table name.
    #[error("S008 {0:?} is no identifier")]
    Identifier(String),
    /// A unique value is taken.
    #[error("S009 already taken: {0}")]
    Taken(String),
    /// The transaction was carried out but its commit failed: nothing of it is kept, unless the trouble says that this is not known.
    #[error("S010 the commit failed: {text}")]
    Commit {
        /// What the database said.
        text: String,
        /// What keeps it from its work, where that is known.
        trouble: Option<Trouble>,
    },
    /// The transaction was not carried out, or broke off in the middle: nothing of it is kept. The log says why.
    #[error("S011 the transaction broke off, nothing was kept")]
    Broken,
    /// A program of the database's own that copies or restores it is not installed.
    #[error("S012 {0} is not installed")]
    NoTool(String),
    /// A lease ran out and another node holds it now: what was to be written under it is that node's to write.
    #[error("S014 the lease {0} is held by another node now")]
    LeaseLost(String),
    /// Another sending of the same request holds its key: this one writes nothing.
    #[error("S015 another sending of the request holds its key")]
    Claimed,
    /// Such a program failed.
    #[error("S013 {0}: {1}")]
    Tool(String, String),
}

/// What keeps a database from its work, as far as waiting or an operator can cure it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// No space is left.
    Full,
    /// It may be read but not written.
    ReadOnly,
    /// Somebody else holds it longer than a request waits.
    Locked,
    /// It cannot be reached, or it ended the connection.
    Gone,
    /// Reading or writing its file failed, or the file is damaged.
    Damaged,
    /// The connection was lost while a commit was under way: whether it was kept is not known.
    Unsure,
    /// The program is being stopped.
    Stopping,
    /// Another node with a newer program has changed the schema: this program may no longer write.
    Outdated,
}

/// An error of a use case that may come from the database.
pub trait MayBeTrouble {
    /// What keeps the database from its work; nothing when the error has another cause.
    fn trouble(&self) -> Option<Trouble>;
}

impl MayBeTrouble for StoreError {
    fn trouble(&self) -> Option<Trouble> {
        self.trouble()
    }
}

impl Trouble {
    /// A name for logs and measurements that stays the same when words change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Locked => "locked",
            Self::Gone => "gone",
            Self::Damaged => "damaged",
            Self::Unsure => "unsure",
            Self::Stopping => "stopping",
            Self::Outdated => "outdated",
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        match e {
            sqlx::Error::PoolClosed => Self::Stopped,
            e => Self::Database(e),
        }
    }
}

/// <https://www.sqlite.org/rescode.html>: the lower byte is the primary code.
fn sqlite_trouble(code: &str) -> Option<Trouble> {
    Some(match code.parse::<u32>().ok()? & 0xff {
        5 | 6 => Trouble::Locked,
        8 => Trouble::ReadOnly,
        13 => Trouble::Full,
        10 | 11 | 26 => Trouble::Damaged,
        14 => Trouble::Gone,
        _ => return None,
    })
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn postgres_trouble(code: &str) -> Option<Trouble> {
    Some(match code {
        "53100" => Trouble::Full,
        "25006" => Trouble::ReadOnly,
        "55P03" | "40P01" => Trouble::Locked,
        "XX001" | "XX002" | "58030" => Trouble::Damaged,
        // Shut down, starting up, too many connections, closed to connections, ended because the node stood still.
        "57P01" | "57P02" | "57P03" | "53300" | "55000" | "25P03" => Trouble::Gone,
        c if c.starts_with("08") => Trouble::Gone,
        _ => return None,
    })
}

impl StoreError {
    /// A commit that PostgreSQL did not confirm.
    pub(crate) fn of_commit(e: Self) -> Self {
        // Refused by the server: rolled back. Anything else happened on the way there or back.
        if matches!(e, Self::Database(sqlx::Error::Database(_))) {
            return e;
        }
        Self::Commit { text: e.to_string(), trouble: Some(Trouble::Unsure) }
    }

    /// What keeps the database from its work; nothing when the error has another cause.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Database(sqlx::Error::Database(e)) => {
                let code = e.code()?;
                if e.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                    sqlite_trouble(&code)
                } else {
                    postgres_trouble(&code)
                }
            }
            Self::Database(
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Protocol(_),
            ) => Some(Trouble::Gone),
            Self::Commit { trouble, .. } => *trouble,
            Self::Stopped => Some(Trouble::Stopping),
            Self::NewerSchema { .. } => Some(Trouble::Outdated),
            _ => None,
        }
    }

    /// Whether a unique constraint refused the row.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.is_unique_violation())
            || matches!(self, Self::Taken(_))
    }
}
