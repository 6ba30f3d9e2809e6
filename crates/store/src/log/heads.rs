//! Where channels end: asked for, and announced.

use std::{collections::HashMap, time::Duration};

use carillon_contract::messages;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Log, offset};
use crate::{
    StoreError, microseconds, now,
    values::{self, MAX_ROWS},
};

/// The most events, the latest, whose channels are announced. Others' listeners find out when they
/// compare heads, within a minute.
const MAX_ANNOUNCED: i64 = 100_000;

impl Log {
    /// The head of each channel, in the order asked for; 0 for one that has no event yet.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn heads(&self, channels: &[String]) -> Result<Vec<messages::ChannelHead>, StoreError> {
        let mut connection = self.database.reader().acquire().await?;
        self.heads_at(&mut connection, channels).await
    }

    /// [`heads`](Self::heads) as a snapshot or a transaction sees them.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn heads_at(
        &self,
        connection: &mut AnyConnection,
        channels: &[String],
    ) -> Result<Vec<messages::ChannelHead>, StoreError> {
        let mut heads: HashMap<String, i64> = HashMap::with_capacity(channels.len());
        for names in channels.chunks(MAX_ROWS) {
            let list = values::list(names.len(), 1);
            let statement = format!("SELECT name, head FROM channel WHERE name IN ({list})");
            let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(names.len()));
            let query = names.iter().fold(query, |query, name| query.bind(name.as_str()));
            for row in query.fetch_all(&mut *connection).await? {
                heads.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        let head = |name: &String| offset(heads.get(name).copied().unwrap_or_default());
        Ok(channels
            .iter()
            .map(|name| messages::ChannelHead { channel: name.clone(), offset: head(name) })
            .collect())
    }

    /// The heads of the channels that changed lately, each as an event without variants, for a
    /// replica that has started: a predecessor may have died between commit and publishing.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn announcements(&self, changed_within: Duration) -> Result<Vec<messages::Event>, StoreError> {
        let rows = sqlx::query(
            "SELECT channel, MAX(position), MAX(at) FROM \
             (SELECT channel, position, at FROM event WHERE at >= $1 ORDER BY at DESC LIMIT $2) AS latest \
             GROUP BY channel",
        )
        .bind(now().saturating_sub(microseconds(changed_within)))
        .bind(MAX_ANNOUNCED)
        .fetch_all(self.database.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(messages::Event {
                    channel: row.try_get(0)?,
                    epoch: self.epoch().to_owned(),
                    offset: offset(row.try_get(1)?),
                    at: row.try_get(2)?,
                    ..Default::default()
                })
            })
            .collect()
    }
}
