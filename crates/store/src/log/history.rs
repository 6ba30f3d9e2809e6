//! Reading a channel's past.

use carillon_contract::messages;
use sqlx::{Row as _, any::AnyRow};

use super::{Log, decode_content, offset};
use crate::StoreError;

/// The most events of one reply.
const MAX_EVENTS: u32 = 1_000;

/// The most bytes of one reply, so that it fits a message of the bus; a single event may be larger.
const MAX_BYTES: i64 = 512 * 1024;

/// What a message adds to an event's texts, at most: tags, lengths, numbers, the epoch.
const OVERHEAD: usize = 64;

/// One statement, so that head, first and events are of one snapshot. The innermost select takes
/// no more events than wanted, the middle one adds up their sizes, the join keeps what fits.
const HISTORY: &str = "\
    SELECT channel.head, channel.first, page.position, page.at, page.except_connection, page.variants \
    FROM channel LEFT JOIN (\
        SELECT position, at, except_connection, variants, size, \
            CAST(SUM(size) OVER (ORDER BY position) AS BIGINT) AS total \
        FROM (\
            SELECT position, at, except_connection, variants, \
                LENGTH(variants) + LENGTH(except_connection) + $4 AS size \
            FROM event WHERE channel = $1 AND position > $2 ORDER BY position LIMIT $3\
        ) AS wanted\
    ) AS page ON page.total <= $5 OR page.total = page.size \
    WHERE channel.name = $1 ORDER BY page.position";

impl Log {
    /// The events after an offset, in order: at most as many as asked for, 1,000, or 512 KiB, but
    /// at least one if one is asked for and there is one. They start later than asked for if
    /// `first` says that the log no longer holds what lies between.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn history(
        &self,
        request: &messages::HistoryRequest,
    ) -> Result<messages::HistoryReply, StoreError> {
        let after = i64::try_from(request.after).unwrap_or(i64::MAX);
        let overhead = i64::try_from(request.channel.len() + OVERHEAD).map_err(StoreError::other)?;
        let rows = sqlx::query(HISTORY)
            .bind(request.channel.as_str())
            .bind(after)
            .bind(i64::from(request.limit.min(MAX_EVENTS)))
            .bind(overhead)
            .bind(MAX_BYTES)
            .fetch_all(self.database.reader())
            .await?;
        let (head, first) = match rows.first() {
            Some(row) => (row.try_get(0)?, row.try_get(1)?),
            None => (0, 1),
        };
        let events = rows.iter().filter_map(|row| self.event(&request.channel, row).transpose());
        Ok(messages::HistoryReply {
            epoch: self.epoch().to_owned(),
            head: offset(head),
            first: offset(first),
            events: events.collect::<Result<_, _>>()?,
        })
    }

    /// The event of a row, if it has one: a channel without any has a row as well.
    fn event(&self, channel: &str, row: &AnyRow) -> Result<Option<messages::Event>, StoreError> {
        let Some(position) = row.try_get::<Option<i64>, _>(2)? else { return Ok(None) };
        let content = decode_content(row.try_get(5)?)?;
        Ok(Some(messages::Event {
            channel: channel.to_owned(),
            epoch: self.epoch().to_owned(),
            offset: offset(position),
            at: row.try_get(3)?,
            except_connection: row.try_get(4)?,
            ..content
        }))
    }
}
