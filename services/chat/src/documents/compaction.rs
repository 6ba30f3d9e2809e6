//! Compaction: many updates become one that says the same.
//!
//! What takes time happens outside of the transaction that replaces them, so typists hardly wait. Any
//! replica may do it, and any may die at it: either all of it is there or nothing.

use std::{collections::BTreeSet, sync::Mutex};

use carillon_store::{Database, StoreError};
use sqlx::Row as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use yrs::updates::encoder::Encode as _;

use super::{
    stored,
    update::{Extent, merge, tidy},
    writing::length,
};

/// Updates are merged up to that size, so that a large document can be told in parts; and a document
/// of that size is tidied as a whole.
const PIECE: i64 = 512 * 1024;

/// The most documents that wait for it. Any other is remembered when it is next written to.
const WAITING: usize = 10_000;

/// See the module.
pub(crate) struct Compaction {
    database: Database,
    waiting: Mutex<BTreeSet<String>>,
    wanted: Notify,
}

/// Neighbouring updates that become one.
#[derive(Debug, PartialEq)]
struct Group {
    first: i64,
    last: i64,
    bytes: i64,
    /// It is the whole document.
    is_whole: bool,
}

/// What a group becomes.
struct Merged {
    group: Group,
    content: Vec<u8>,
    extent: Extent,
}

impl Compaction {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, waiting: Mutex::default(), wanted: Notify::new() }
    }

    /// Has a document compacted in the background.
    pub(crate) fn want(&self, document: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if waiting.len() < WAITING {
            waiting.insert(document.to_owned());
        }
        drop(waiting);
        self.wanted.notify_one();
    }

    /// Compacts what is wanted, one document after the other, until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        loop {
            let next = self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop_first();
            let Some(document) = next else {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = self.wanted.notified() => continue,
                }
            };
            if shutdown.is_cancelled() {
                return;
            }
            if let Err(error) = self.compact(&document).await {
                tracing::warn!(%error, "a document could not be compacted; trying again when it is written to");
            }
        }
    }

    /// Compacts a document now.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn compact(&self, document: &str) -> Result<(), StoreError> {
        let mut snapshot = self.database.snapshot().await?;
        let compacted: Option<i64> = sqlx::query_scalar("SELECT compacted FROM document WHERE name = $1")
            .bind(document)
            .fetch_optional(&mut *snapshot)
            .await?;
        let Some(compacted) = compacted else { return Ok(()) };
        let statement = "SELECT number, CAST(length(content) AS BIGINT) FROM document_update WHERE document = $1 ORDER BY number";
        let rows = sqlx::query(statement).bind(document).fetch_all(&mut *snapshot).await?;
        drop(snapshot);
        let sizes: Result<Vec<(i64, i64)>, sqlx::Error> =
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
        let sizes = sizes?;
        let Some((up_to, _)) = sizes.last().copied().filter(|(last, _)| *last > compacted) else {
            return Ok(());
        };
        let mut merged = Vec::new();
        for group in groups(&sizes) {
            merged.extend(self.merge(document, group).await?);
        }
        let was_loose = sizes.iter().filter(|(number, _)| *number > compacted).map(|(_, bytes)| bytes).sum();
        self.replace(document, Progress { compacted, up_to, was_loose }, &merged).await
    }

    /// What a group becomes. `None` if it is better left as it is.
    async fn merge(&self, document: &str, group: Group) -> Result<Option<Merged>, StoreError> {
        let mut connection = self.database.reader().acquire().await?;
        let updates = stored::updates_between(&mut connection, document, group.first, group.last).await?;
        drop(connection);
        let merging = tokio::task::spawn_blocking(move || {
            let updates: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
            if group.is_whole
                && let Ok((content, extent)) = tidy(&updates)
            {
                return Ok(Merged { group, content, extent });
            }
            merge(&updates).map(|(content, extent)| Merged { group, content, extent })
        });
        match merging.await.map_err(StoreError::other)? {
            Ok(merged) => Ok(Some(merged)),
            Err(error) => {
                tracing::warn!(%error, "updates of a document could not be merged, and stay as they are");
                Ok(None)
            }
        }
    }

    /// Puts the results into the place of what they were made of, unless another replica was first.
    async fn replace(&self, document: &str, progress: Progress, merged: &[Merged]) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        let statement =
            format!("SELECT compacted FROM document WHERE name = $1{}", self.database.for_update());
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).bind(document);
        let compacted: i64 = query.fetch_one(&mut *tx).await?;
        if compacted != progress.compacted {
            return Ok(());
        }
        let mut saved = 0;
        for merged in merged {
            let Merged { group, content, extent } = merged;
            sqlx::query("DELETE FROM document_update WHERE document = $1 AND number >= $2 AND number <= $3")
                .bind(document)
                .bind(group.first)
                .bind(group.last)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO document_update (document, number, content, inserted, deleted) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(document)
            .bind(group.last)
            .bind(content.as_slice())
            .bind(extent.inserted.encode_v1())
            .bind(extent.deleted.encode_v1())
            .execute(&mut *tx)
            .await?;
            saved += group.bytes - length(content.len());
        }
        sqlx::query(
            "UPDATE document SET compacted = $2, bytes = bytes - $3, loose_bytes = loose_bytes - $4 \
             WHERE name = $1",
        )
        .bind(document)
        .bind(progress.up_to)
        .bind(saved)
        .bind(progress.was_loose)
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }
}

/// How far a compaction gets.
struct Progress {
    /// Up to which number it had been done.
    compacted: i64,
    /// Up to which it is done now.
    up_to: i64,
    /// The bytes in between.
    was_loose: i64,
}

/// Which neighbours become one: all of a small document; of a large one those that fit into a piece.
fn groups(sizes: &[(i64, i64)]) -> Vec<Group> {
    let total: i64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    let mut groups: Vec<Group> = Vec::new();
    for (number, bytes) in sizes.iter().copied() {
        match groups.last_mut() {
            Some(group) if group.bytes + bytes <= PIECE => {
                group.last = number;
                group.bytes += bytes;
            }
            _ => groups.push(Group { first: number, last: number, bytes, is_whole: total <= PIECE }),
        }
    }
    // One alone has nothing to be merged with.
    groups.retain(|group| group.first != group.last);
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_merged_up_to_the_size_of_a_piece() {
        let group = |first, last, bytes, is_whole| Group { first, last, bytes, is_whole };
        assert_eq!(groups(&[]), []);
        assert_eq!(groups(&[(3, 10)]), []);
        assert_eq!(groups(&[(3, 10), (4, 5), (9, 1)]), [group(3, 9, 16, true)]);
        let sizes = [(1, PIECE), (2, PIECE / 2), (3, PIECE / 2), (4, PIECE / 2), (5, 1)];
        let expected = [group(2, 3, PIECE, false), group(4, 5, PIECE / 2 + 1, false)];
        assert_eq!(groups(&sizes), expected);
    }
}
