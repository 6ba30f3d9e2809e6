//! Numbers that are given out in order, by all replicas together.

use carillon_store::{Database, StoreError, Transaction};
use sqlx::{AssertSqlSafe, Row};

/// A row of the table `counter`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counter {
    /// The highest user id.
    Users,
    /// The highest project id that is a number.
    Projects,
    /// The set of signing keys: counts its changes.
    Keys,
    /// 1 once the demo has been made.
    Demo,
}

impl Counter {
    const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Projects => "projects",
            Self::Keys => "keys",
            Self::Demo => "demo",
        }
    }

    /// Its value, without waiting.
    pub(crate) async fn read(self, database: &Database) -> Result<i64, StoreError> {
        let query = sqlx::query("SELECT value FROM counter WHERE name = $1").bind(self.name());
        Ok(query.fetch_one(database.reader()).await?.try_get("value")?)
    }

    /// Its value, which no other transaction changes until this one ends.
    pub(crate) async fn lock(self, database: &Database, tx: &mut Transaction) -> Result<i64, StoreError> {
        let sql = format!("SELECT value FROM counter WHERE name = $1{}", database.for_update());
        let query = sqlx::query(AssertSqlSafe(sql)).bind(self.name());
        Ok(query.fetch_one(tx.connection()).await?.try_get("value")?)
    }

    /// The next number.
    pub(crate) async fn next(self, tx: &mut Transaction) -> Result<i64, StoreError> {
        let query = sqlx::query("UPDATE counter SET value = value + 1 WHERE name = $1 RETURNING value")
            .bind(self.name());
        Ok(query.fetch_one(tx.connection()).await?.try_get("value")?)
    }

    /// From now on only numbers above this one are given out.
    pub(crate) async fn pass(self, tx: &mut Transaction, number: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE counter SET value = $2 WHERE name = $1 AND value < $2")
            .bind(self.name())
            .bind(number)
            .execute(tx.connection())
            .await?;
        Ok(())
    }
}
