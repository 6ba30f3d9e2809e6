//! An inbox's row, locked for a change.

use carillon_store::{StoreError, Transaction};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use crate::values::{places, slices};

/// An inbox while its row is locked. Nobody else changes it before the transaction ends.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) user: String,
    /// Incremented with each change.
    pub(crate) version: i64,
    pub(crate) counts: Counts,
    /// Notifications to everyone up to this number have been copied; [`UNUSED`] at first.
    pub(crate) everyone_through: i64,
}

/// `everyone_through` of an inbox that its user has never read or marked. It is left alone until
/// then, so that nothing is copied for users who never look.
pub(crate) const UNUSED: i64 = -1;

/// How much an inbox holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) total: i64,
    pub(crate) unread: i64,
}

impl State {
    /// Locks a user's inbox, which is made if need be.
    pub(crate) async fn lock(tx: &mut Transaction, user: &str) -> Result<Self, StoreError> {
        let row = sqlx::query(
            "INSERT INTO inbox (user_id, version, unread, total, everyone_through) VALUES ($1, 0, 0, 0, $2)
             ON CONFLICT (user_id) DO UPDATE SET version = inbox.version
             RETURNING user_id, version, unread, total, everyone_through",
        )
        .bind(user)
        .bind(UNUSED)
        .fetch_one(&mut **tx)
        .await?;
        Self::read(&row)
    }

    /// Writes some rows. Needs their locks.
    pub(crate) async fn save<'a>(
        tx: &mut Transaction,
        states: impl IntoIterator<Item = &'a Self>,
    ) -> Result<(), StoreError> {
        let states: Vec<&Self> = states.into_iter().collect();
        for slice in slices(&states) {
            let sql = format!(
                "UPDATE inbox SET version = saved.column2, unread = saved.column3, total = saved.column4,
                     everyone_through = saved.column5
                 FROM (VALUES {}) AS saved WHERE inbox.user_id = saved.column1",
                places(slice.len(), 5)
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for state in slice {
                query = query.bind(state.user.clone()).bind(state.version).bind(state.counts.unread);
                query = query.bind(state.counts.total).bind(state.everyone_through);
            }
            query.execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// From a row with all of the columns.
    pub(crate) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            user: row.try_get("user_id")?,
            version: row.try_get("version")?,
            counts: Counts { total: row.try_get("total")?, unread: row.try_get("unread")? },
            everyone_through: row.try_get("everyone_through")?,
        })
    }
}
