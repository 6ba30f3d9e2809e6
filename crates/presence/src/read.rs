//! Questions about who is where, within a snapshot or a transaction.

use std::collections::{BTreeMap, BTreeSet};

use carillon_store::{StoreError, values};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::{Cursor, Member};

/// The members of a topic, those who came first first, and at most so many.
///
/// # Errors
/// If the database fails.
pub async fn members(
    connection: &mut AnyConnection,
    topic: &str,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    members_after(connection, topic, None, limit).await
}

/// [`members`] from where a page ended.
///
/// # Errors
/// If the database fails.
pub async fn members_after(
    connection: &mut AnyConnection,
    topic: &str,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Member>, StoreError> {
    let statement = "SELECT member, detail, since FROM presence_member \
         WHERE topic = $1 AND (since > $2 OR since = $2 AND member > $3) ORDER BY since, member LIMIT $4";
    let (since, member) = after.map_or((i64::MIN, ""), |after| (after.since, &*after.member));
    let query = sqlx::query(statement).bind(topic).bind(since).bind(member).bind(limit);
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok(Member { member: row.try_get(0)?, detail: row.try_get(1)?, since: row.try_get(2)? }))
        .collect()
}

/// The topics of a scope that each of these members is at, by any of its connections.
///
/// # Errors
/// If the database fails.
pub async fn positions(
    connection: &mut AnyConnection,
    scope: &str,
    members: &[&str],
) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let mut positions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for members in members.chunks(values::MAX_ROWS) {
        let list = values::list(members.len(), 2);
        let statement = format!(
            "SELECT member, topic FROM presence_position \
             WHERE scope = $1 AND out_since = 0 AND topic <> '' AND member IN ({list})"
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(members.len()));
        let query = members.iter().fold(query.bind(scope), |query, member| query.bind(*member));
        for row in query.fetch_all(&mut *connection).await? {
            positions.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?);
        }
    }
    Ok(positions)
}

/// How many members a topic has.
///
/// # Errors
/// If the database fails.
pub async fn size(connection: &mut AnyConnection, topic: &str) -> Result<i64, StoreError> {
    let statement = "SELECT members FROM presence_topic WHERE topic = $1";
    let row = sqlx::query(statement).bind(topic).fetch_optional(connection).await?;
    row.map_or(Ok(0), |row| Ok(row.try_get(0)?))
}

/// How many members each of these topics has, of those that have any.
///
/// # Errors
/// If the database fails.
pub async fn sizes(
    connection: &mut AnyConnection,
    topics: &[&str],
) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut sizes = BTreeMap::new();
    for topics in topics.chunks(values::MAX_ROWS) {
        let list = values::list(topics.len(), 1);
        let statement =
            format!("SELECT topic, members FROM presence_topic WHERE members > 0 AND topic IN ({list})");
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(topics.len()));
        let query = topics.iter().fold(query, |query, topic| query.bind(*topic));
        for row in query.fetch_all(&mut *connection).await? {
            sizes.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(sizes)
}

/// Which of these members are in a topic.
///
/// # Errors
/// If the database fails.
pub async fn present(
    connection: &mut AnyConnection,
    topic: &str,
    members: &[&str],
) -> Result<BTreeSet<String>, StoreError> {
    let mut present = BTreeSet::new();
    for members in members.chunks(values::MAX_ROWS) {
        let list = values::list(members.len(), 2);
        let statement = format!("SELECT member FROM presence_member WHERE topic = $1 AND member IN ({list})");
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(members.len()));
        let query = members.iter().fold(query.bind(topic), |query, member| query.bind(*member));
        for row in query.fetch_all(&mut *connection).await? {
            present.insert(row.try_get(0)?);
        }
    }
    Ok(present)
}

/// Those of these members who are there, each in the topic that it is named with: `(topic, member)`.
///
/// # Errors
/// If the database fails.
pub async fn present_in(
    connection: &mut AnyConnection,
    places: &[(&str, &str)],
) -> Result<BTreeSet<(String, String)>, StoreError> {
    let mut present = BTreeSet::new();
    for places in places.chunks(values::MAX_ROWS) {
        let statement = format!(
            "SELECT presence_member.topic, presence_member.member FROM (VALUES {}) AS wanted \
             JOIN presence_member ON presence_member.topic = wanted.column1 \
             AND presence_member.member = wanted.column2",
            values::rows(places.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(places.len()));
        let query = places.iter().fold(query, |query, (topic, member)| query.bind(*topic).bind(*member));
        for row in query.fetch_all(&mut *connection).await? {
            present.insert((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(present)
}

/// Topics that begin with a text and have members, a page at a time: at most `limit` of them, after
/// the last of the page before, or after the empty text. It looks through every topic in use: for
/// what an administrator does, not for every message.
///
/// # Errors
/// If the database fails.
pub async fn topics_with_prefix(
    connection: &mut AnyConnection,
    prefix: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    // A range would depend on the database's order of texts.
    let statement = "SELECT topic FROM presence_topic WHERE members > 0 \
         AND substr(topic, 1, CAST($1 AS INTEGER)) = $2 AND topic > $3 ORDER BY topic LIMIT $4";
    let length = i64::try_from(prefix.chars().count()).map_err(StoreError::other)?;
    let query = sqlx::query(statement).bind(length).bind(prefix).bind(after).bind(limit);
    query.fetch_all(connection).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
