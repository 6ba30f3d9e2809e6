//! Members of topics, and by how many connections each is there.

use std::collections::BTreeMap;

use carillon_store::{StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row as _};

/// A topic and a member.
pub(crate) type Place = (String, String);

/// What happens to a member in a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// Connections that come, less those that go.
    pub(crate) difference: i64,
    /// What the latest that comes says about it, if one does.
    pub(crate) detail: Option<String>,
    /// The latest of those connections.
    pub(crate) connection: String,
}

/// What is so now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) connections: i64,
    pub(crate) detail: String,
}

/// Applies changes in topics that are locked.
pub(crate) async fn count(
    tx: &mut Transaction,
    changes: &[(Place, Change)],
    now: i64,
) -> Result<BTreeMap<Place, Count>, StoreError> {
    // A member of whom something goes has a row. Only one who comes has a detail, and a time with it.
    const ON_CONFLICT: &str = "ON CONFLICT (topic, member) DO UPDATE SET \
         connections = presence_member.connections + excluded.connections, \
         detail = CASE WHEN excluded.since > 0 THEN excluded.detail ELSE presence_member.detail END \
         RETURNING topic, member, connections, detail";
    let mut counts = BTreeMap::new();
    for changes in changes.chunks(values::MAX_ROWS) {
        let statement = format!(
            "INSERT INTO presence_member (topic, member, connections, detail, since) VALUES {} {ON_CONFLICT}",
            values::rows(changes.len(), 5)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(changes.len()));
        for ((topic, member), change) in changes {
            let since = if change.detail.is_some() { now } else { 0 };
            query = query.bind(topic.as_str()).bind(member.as_str()).bind(change.difference);
            query = query.bind(change.detail.as_deref().unwrap_or_default()).bind(since);
        }
        for row in query.fetch_all(&mut **tx).await? {
            let count = Count { connections: row.try_get(2)?, detail: row.try_get(3)? };
            counts.insert((row.try_get(0)?, row.try_get(1)?), count);
        }
    }
    let gone: Vec<_> =
        counts.iter().filter(|(_, count)| count.connections <= 0).map(|(place, _)| place).collect();
    remove(tx, &gone).await?;
    Ok(counts)
}

async fn remove(tx: &mut Transaction, gone: &[&Place]) -> Result<(), StoreError> {
    for gone in gone.chunks(values::MAX_ROWS) {
        let rows = values::rows(gone.len(), 2);
        let statement = format!("DELETE FROM presence_member WHERE (topic, member) IN (VALUES {rows})");
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(gone.len()));
        let query = gone
            .iter()
            .fold(query, |query, (topic, member)| query.bind(topic.as_str()).bind(member.as_str()));
        query.execute(&mut **tx).await?;
    }
    Ok(())
}
