//! The two engines, and the closed set of fragments in which their SQL differs.

use url::Url;

use crate::StoreError;

/// Which database a [`Database`](crate::Database) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Postgres 15 or later: many replicas.
    Postgres,
    /// SQLite: one file, one process.
    Sqlite,
}

impl Engine {
    /// The engine that a database URL names.
    pub(crate) fn of(url: &Url) -> Result<Self, StoreError> {
        match url.scheme() {
            "postgres" | "postgresql" => Ok(Self::Postgres),
            "sqlite" => Ok(Self::Sqlite),
            other => Err(StoreError::other(format!(
                "a database URL starts with postgres: or sqlite:, this one with {other}:"
            ))),
        }
    }

    /// The name as it stands in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }

    /// What `BYTES` in a migration becomes.
    pub(crate) const fn bytes_type(self) -> &'static str {
        match self {
            Self::Postgres => "BYTEA",
            Self::Sqlite => "BLOB",
        }
    }

    /// How a writing transaction starts.
    ///
    /// On Postgres the isolation is named because the log depends on it: after waiting for a
    /// channel's counter, the next statement must see what the other transaction committed.
    /// On SQLite the write lock is taken at once: one taken later can fail half-way.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// How a transaction starts whose reads all see the state of the first.
    pub(crate) const fn snapshot(self) -> &'static str {
        match self {
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Sqlite => "BEGIN",
        }
    }

    /// The suffix of a SELECT that locks its rows until the transaction ends.
    pub const fn for_update(self) -> &'static str {
        match self {
            Self::Postgres => " FOR UPDATE",
            Self::Sqlite => "",
        }
    }
}
