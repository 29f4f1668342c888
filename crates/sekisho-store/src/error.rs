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
    /// The transaction was carried out but its commit failed: nothing of it is kept.
    #[error("S010 the commit failed, nothing was kept: {0}")]
    Commit(String),
    /// The transaction was not carried out, or broke off in the middle: nothing of it is kept. The log says why.
    #[error("S011 the transaction broke off, nothing was kept")]
    Broken,
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        match e {
            sqlx::Error::PoolClosed => Self::Stopped,
            e => Self::Database(e),
        }
    }
}

impl StoreError {
    /// Whether a unique constraint refused the row.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.is_unique_violation())
            || matches!(self, Self::Taken(_))
    }
}
