//! What can go wrong, as far as callers act on the difference.

use sqlx::{error::DatabaseError, migrate::MigrateError};

/// Why the database did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached, is overloaded, or is starting or stopping: the same may work later.
    /// After a commit that failed so, the transaction may or may not have been committed; its
    /// repetition finds out by its cause.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Someone else was there first: a unique key is taken, or a race with another transaction was lost.
    #[error("conflict: {0}")]
    Conflict(String),
    /// Anything else: a mistake in the program or in the database.
    #[error("database error: {0}")]
    Other(String),
}

impl StoreError {
    /// Whether the same request may succeed later without having been changed.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// A mistake that is neither the connection's nor a race's.
    pub fn other(reason: impl ToString) -> Self {
        Self::Other(reason.to_string())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        match error {
            Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed
            | Error::BeginFailed => Self::Unavailable(error.to_string()),
            Error::Database(error) => of_database(error.as_ref()),
            Error::Migrate(error) => (*error).into(),
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) => error.into(),
            MigrateError::ExecuteMigration(error, version) => match Self::from(error) {
                Self::Other(reason) => Self::Other(format!("migration {version}: {reason}")),
                known => known,
            },
            error => Self::Other(error.to_string()),
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> StoreError {
    let code = error.code().unwrap_or_default();
    let text = format!("{error} ({code})");
    if error.is_unique_violation() || is_lost_race(&code) {
        StoreError::Conflict(text)
    } else if is_unavailable(&code) {
        StoreError::Unavailable(text)
    } else {
        StoreError::Other(text)
    }
}

/// Postgres: serialization failure, deadlock.
fn is_lost_race(code: &str) -> bool {
    matches!(code, "40001" | "40P01")
}

fn is_unavailable(code: &str) -> bool {
    match code.parse::<u32>() {
        // A SQLSTATE has five characters, a SQLite result code at most four.
        Ok(number) if code.len() < 5 => is_unavailable_sqlite(number),
        _ => is_unavailable_postgres(code),
    }
}

/// SQLite keeps the primary code in the low byte: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
fn is_unavailable_sqlite(code: u32) -> bool {
    matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14)
}

/// Classes 08 (connection), 53 (resources), 57 (operator: shutting down, starting, statement
/// time-out); a primary that has become a standby (25006); a transaction ended for idling
/// (25P03); a lock that did not come in time (55P03).
fn is_unavailable_postgres(code: &str) -> bool {
    ["08", "53", "57"].iter().any(|class| code.starts_with(class))
        || matches!(code, "25006" | "25P03" | "55P03")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_engines_are_told_apart() {
        for code in ["5", "261", "517", "13", "57P01", "57014", "08006", "53300", "25006", "55P03"] {
            assert!(is_unavailable(code), "{code}");
        }
        for code in ["1", "19", "2067", "1555", "23505", "42P01", "40001", ""] {
            assert!(!is_unavailable(code), "{code}");
        }
    }

    #[test]
    fn a_pool_without_connections_is_unavailable() {
        assert!(StoreError::from(sqlx::Error::PoolTimedOut).is_unavailable());
        assert!(!StoreError::from(sqlx::Error::RowNotFound).is_unavailable());
    }
}
