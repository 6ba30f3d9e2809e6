//! Which connections count in which topics. Changed only in topics that are locked.

use std::collections::BTreeSet;

use carillon_store::{StoreError, Transaction, values};
use sqlx::{
    Any, AssertSqlSafe, Row as _,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::Entry;

/// A connection that has come to count in a topic, or that has ceased to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) connection: String,
    pub(crate) topic: String,
    pub(crate) member: String,
}

/// The topics that connections are in.
pub(crate) async fn topics_of(
    tx: &mut Transaction,
    connections: &[String],
) -> Result<BTreeSet<String>, StoreError> {
    let mut topics = BTreeSet::new();
    for connections in connections.chunks(values::MAX_ROWS) {
        let list = values::list(connections.len(), 1);
        let statement = format!("SELECT DISTINCT topic FROM presence_entry WHERE connection IN ({list})");
        let query = bound(statement, connections);
        for row in query.fetch_all(&mut **tx).await? {
            topics.insert(row.try_get(0)?);
        }
    }
    Ok(topics)
}

/// Which topics connections are in: `(connection, topic)`.
pub(crate) async fn of(
    tx: &mut Transaction,
    connections: &BTreeSet<&str>,
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let connections: Vec<_> = connections.iter().copied().collect();
    let mut found = BTreeSet::new();
    for connections in connections.chunks(values::MAX_ROWS) {
        let list = values::list(connections.len(), 1);
        let statement = format!("SELECT connection, topic FROM presence_entry WHERE connection IN ({list})");
        for row in bound(statement, connections).fetch_all(&mut **tx).await? {
            found.insert((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(found)
}

/// Enters connections, and returns what was not there before.
pub(crate) async fn add(tx: &mut Transaction, entries: &[&Entry]) -> Result<Vec<Counted>, StoreError> {
    let mut added = Vec::new();
    for entries in entries.chunks(values::MAX_ROWS) {
        let statement = format!(
            "INSERT INTO presence_entry (connection, topic, member) VALUES {} \
             ON CONFLICT (connection, topic) DO NOTHING RETURNING connection, topic, member",
            values::rows(entries.len(), 3)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(entries.len()));
        let query = entries.iter().fold(query, |query, entry| {
            query.bind(entry.connection.as_str()).bind(entry.topic.as_str()).bind(entry.member.as_str())
        });
        collect(&query.fetch_all(&mut **tx).await?, &mut added)?;
    }
    Ok(added)
}

/// Removes whatever connections have, and returns it.
pub(crate) async fn remove(tx: &mut Transaction, connections: &[String]) -> Result<Vec<Counted>, StoreError> {
    let mut removed = Vec::new();
    for connections in connections.chunks(values::MAX_ROWS) {
        let list = values::list(connections.len(), 1);
        let statement = format!(
            "DELETE FROM presence_entry WHERE connection IN ({list}) RETURNING connection, topic, member"
        );
        collect(&bound(statement, connections).fetch_all(&mut **tx).await?, &mut removed)?;
    }
    Ok(removed)
}

/// Removes members from topics, with all their connections, and returns what was there.
pub(crate) async fn remove_members(
    tx: &mut Transaction,
    members: &[(&str, &str)],
) -> Result<Vec<Counted>, StoreError> {
    let mut removed = Vec::new();
    for members in members.chunks(values::MAX_ROWS) {
        let statement = format!(
            "DELETE FROM presence_entry WHERE (topic, member) IN (VALUES {}) \
             RETURNING connection, topic, member",
            values::rows(members.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(members.len()));
        let query = members.iter().fold(query, |query, (topic, member)| query.bind(*topic).bind(*member));
        collect(&query.fetch_all(&mut **tx).await?, &mut removed)?;
    }
    Ok(removed)
}

fn bound<T: AsRef<str>>(statement: String, texts: &[T]) -> Query<'_, Any, AnyArguments> {
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(texts.len()));
    texts.iter().fold(query, |query, text| query.bind(text.as_ref()))
}

fn collect(rows: &[AnyRow], counted: &mut Vec<Counted>) -> Result<(), StoreError> {
    for row in rows {
        let (connection, topic) = (row.try_get(0)?, row.try_get(1)?);
        counted.push(Counted { connection, topic, member: row.try_get(2)? });
    }
    Ok(())
}
