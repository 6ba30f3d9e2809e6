//! How often a login may fail before one has to wait, counted by all replicas together.

use std::net::{IpAddr, Ipv6Addr};

use carillon_service::time::microseconds;
use carillon_store::{Database, StoreError, now};
use sqlx::Row;

use crate::{args::LoginArgs, users::folded};

/// The most users and addresses that failures are remembered of; beyond, the oldest are forgotten.
const MAX_SUBJECTS: i64 = 100_000;

/// Limits failed logins by user and by address.
pub(crate) struct LoginLimits {
    database: Database,
    per_user: i64,
    per_address: i64,
    window: i64,
}

/// Whose failure a login's would be.
pub(crate) struct Attempt {
    user: String,
    address: String,
}

/// Whether a login may be tried.
pub(crate) enum Verdict {
    /// Yes. `failed_before`: the user's counter is to be cleared at success.
    Allowed { failed_before: bool },
    /// Not for so many seconds.
    Wait(u32),
}

impl Attempt {
    pub(crate) fn new(username: &str, address: &str) -> Self {
        Self { user: format!("user:{}", folded(username)), address: format!("address:{}", network(address)) }
    }
}

impl LoginLimits {
    pub(crate) fn new(database: Database, args: &LoginArgs) -> Self {
        Self {
            database,
            per_user: args.login_failures_per_user.into(),
            per_address: args.login_failures_per_address.into(),
            window: microseconds(args.login_failure_window),
        }
    }

    /// Whether the login may be tried now.
    pub(crate) async fn check(&self, attempt: &Attempt) -> Result<Verdict, StoreError> {
        let now = now();
        let rows = sqlx::query(
            "SELECT subject, failures, ends_at FROM login_failure
             WHERE (subject = $1 OR subject = $2) AND ends_at > $3",
        )
        .bind(&attempt.user)
        .bind(&attempt.address)
        .bind(now)
        .fetch_all(self.database.reader())
        .await?;
        let mut failed_before = false;
        let mut ends_at = 0;
        for row in &rows {
            let of_user = row.try_get::<String, _>("subject")? == attempt.user;
            let limit = if of_user { self.per_user } else { self.per_address };
            failed_before |= of_user;
            if row.try_get::<i64, _>("failures")? >= limit {
                ends_at = row.try_get::<i64, _>("ends_at")?.max(ends_at);
            }
        }
        Ok(if ends_at == 0 {
            Verdict::Allowed { failed_before }
        } else {
            Verdict::Wait(seconds(ends_at - now))
        })
    }

    /// Counts a failure.
    pub(crate) async fn failed(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let now = now();
        let mut tx = self.database.begin().await?;
        // Always in this order: two that fail at once don't wait for each other.
        for subject in [&attempt.address, &attempt.user] {
            sqlx::query(
                "INSERT INTO login_failure (subject, failures, ends_at) VALUES ($1, 1, $2)
                 ON CONFLICT (subject) DO UPDATE SET
                     failures = CASE WHEN login_failure.ends_at > $3 THEN login_failure.failures + 1 ELSE 1 END,
                     ends_at = CASE WHEN login_failure.ends_at > $3 THEN login_failure.ends_at
                                    ELSE excluded.ends_at END",
            )
            .bind(subject)
            .bind(now + self.window)
            .bind(now)
            .execute(tx.connection())
            .await?;
        }
        tx.commit().await
    }

    /// Forgets the failures of a user who has logged in. Those of the address stay: whoever has one
    /// password could otherwise go on guessing others.
    pub(crate) async fn succeeded(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        sqlx::query("DELETE FROM login_failure WHERE subject = $1")
            .bind(&attempt.user)
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }

    /// Forgets windows that have ended, and the oldest of too many.
    pub(crate) async fn prune(&self) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        sqlx::query("DELETE FROM login_failure WHERE ends_at <= $1")
            .bind(now())
            .execute(tx.connection())
            .await?;
        sqlx::query(
            "DELETE FROM login_failure WHERE ends_at <
                 (SELECT ends_at FROM login_failure ORDER BY ends_at DESC LIMIT 1 OFFSET $1)",
        )
        .bind(MAX_SUBJECTS)
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}

/// What one customer of a provider has: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        Ok(address) => address.to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

/// At least one.
fn seconds(micros: i64) -> u32 {
    u32::try_from(micros / 1_000_000 + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_an_address_or_a_network() {
        for (address, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("", "unknown"),
        ] {
            assert_eq!(network(address), expected);
        }
    }
}
