//! Topics: their locks, sizes and versions.

use std::collections::{BTreeMap, BTreeSet};

use carillon_store::{StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row as _};

/// A topic that is locked until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    pub(crate) members: i64,
    pub(crate) version: i64,
}

/// Locks topics, in order; those that are new are made.
pub(crate) async fn lock(
    tx: &mut Transaction,
    topics: &BTreeSet<String>,
    now: i64,
) -> Result<BTreeMap<String, Topic>, StoreError> {
    let new = Topic { members: 0, version: now };
    let topics: Vec<_> = topics.iter().map(|topic| (topic.as_str(), &new)).collect();
    write(tx, &topics, now, "changed_at = excluded.changed_at").await
}

/// Writes the sizes and versions of topics that are locked.
pub(crate) async fn save(
    tx: &mut Transaction,
    topics: &BTreeMap<String, Topic>,
    now: i64,
) -> Result<(), StoreError> {
    let topics: Vec<_> = topics.iter().map(|(name, topic)| (name.as_str(), topic)).collect();
    write(tx, &topics, now, "members = excluded.members, version = excluded.version").await?;
    Ok(())
}

async fn write(
    tx: &mut Transaction,
    topics: &[(&str, &Topic)],
    now: i64,
    change: &'static str,
) -> Result<BTreeMap<String, Topic>, StoreError> {
    let mut written = BTreeMap::new();
    for topics in topics.chunks(values::MAX_ROWS) {
        let statement = format!(
            "INSERT INTO presence_topic (topic, members, version, changed_at) VALUES {} \
             ON CONFLICT (topic) DO UPDATE SET {change} RETURNING topic, members, version",
            values::rows(topics.len(), 4)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(topics.len()));
        let query = topics.iter().fold(query, |query, (name, topic)| {
            query.bind(*name).bind(topic.members).bind(topic.version).bind(now)
        });
        for row in query.fetch_all(&mut **tx).await? {
            written.insert(row.try_get(0)?, Topic { members: row.try_get(1)?, version: row.try_get(2)? });
        }
    }
    Ok(written)
}
