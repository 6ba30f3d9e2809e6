//! Who is a member of what.

use std::collections::BTreeSet;

use carillon_contract::{Resource, ResourceKind};
use carillon_store::{StoreError, Transaction, now, values};
use sqlx::{AnyPool, AssertSqlSafe, Row};

use crate::effects::Effects;

/// Rows of one statement: SQLite takes 32,766 parameters, and long texts are slow to parse. One of
/// several rows is not kept prepared: there are too many such texts.
const CHUNK: usize = 500;

/// How a replacement changed the members.
#[derive(Debug)]
pub(crate) struct Replaced {
    pub(crate) added: usize,
    pub(crate) removed: usize,
}

/// Whether a user is a member.
pub(crate) async fn is_member(reader: &AnyPool, resource: &Resource, user: &str) -> Result<bool, StoreError> {
    let row =
        sqlx::query("SELECT user_id FROM membership WHERE kind = $1 AND resource_id = $2 AND user_id = $3")
            .bind(resource.kind().as_str())
            .bind(resource.id())
            .bind(user)
            .fetch_optional(reader)
            .await?;
    Ok(row.is_some())
}

/// Those of these users who are members.
pub(crate) async fn among(
    reader: &AnyPool,
    resource: &Resource,
    users: BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let users: Vec<String> = users.into_iter().collect();
    let mut found = BTreeSet::new();
    for users in users.chunks(CHUNK) {
        let sql = format!(
            "SELECT user_id FROM membership WHERE kind = $1 AND resource_id = $2 AND user_id IN ({})",
            values::list(users.len(), 3)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(users.len()));
        let query = query.bind(resource.kind().as_str()).bind(resource.id());
        let query = users.iter().fold(query, |query, user| query.bind(user));
        for row in query.fetch_all(reader).await? {
            found.insert(row.try_get("user_id")?);
        }
    }
    Ok(found)
}

/// Members in the order of their ids, from the one after `after`.
pub(crate) async fn page(
    reader: &AnyPool,
    resource: &Resource,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(
        "SELECT user_id FROM membership WHERE kind = $1 AND resource_id = $2 AND user_id > $3
         ORDER BY user_id LIMIT $4",
    )
    .bind(resource.kind().as_str())
    .bind(resource.id())
    .bind(after)
    .bind(limit)
    .fetch_all(reader)
    .await?;
    Ok(rows.iter().map(|row| row.try_get("user_id")).collect::<sqlx::Result<_>>()?)
}

/// Adds a member to a locked group. No effect on one who is a member already.
pub(crate) async fn add(
    tx: &mut Transaction,
    resource: &Resource,
    user: &str,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    insert(tx, resource, &[user.to_owned()], effects).await
}

/// Removes a member from a locked group. False for one who is none.
pub(crate) async fn remove(
    tx: &mut Transaction,
    resource: &Resource,
    user: &str,
    effects: &mut Effects,
) -> Result<bool, StoreError> {
    Ok(delete(tx, resource, &[user.to_owned()], effects).await? > 0)
}

/// Makes these, and nobody else, the members of a locked group.
pub(crate) async fn replace(
    tx: &mut Transaction,
    resource: &Resource,
    wanted: &BTreeSet<String>,
    effects: &mut Effects,
) -> Result<Replaced, StoreError> {
    let present = all(tx, resource).await?;
    let added: Vec<String> = wanted.difference(&present).cloned().collect();
    let removed: Vec<String> = present.difference(wanted).cloned().collect();
    for users in added.chunks(CHUNK) {
        insert(tx, resource, users, effects).await?;
    }
    for users in removed.chunks(CHUNK) {
        delete(tx, resource, users, effects).await?;
    }
    Ok(Replaced { added: added.len(), removed: removed.len() })
}

/// Ends every membership of a user. How many there were.
pub(crate) async fn leave_all(
    tx: &mut Transaction,
    user: &str,
    effects: &mut Effects,
) -> Result<usize, StoreError> {
    let mut ended = 0;
    for kind in ResourceKind::ALL {
        let rows =
            sqlx::query("DELETE FROM membership WHERE user_id = $1 AND kind = $2 RETURNING resource_id")
                .bind(user)
                .bind(kind.as_str())
                .fetch_all(tx.connection())
                .await?;
        for row in &rows {
            let resource = Resource::new(kind, row.try_get::<String, _>("resource_id")?);
            effects.membership_ended(user, &resource.map_err(StoreError::other)?);
        }
        ended += rows.len();
    }
    Ok(ended)
}

async fn all(tx: &mut Transaction, resource: &Resource) -> Result<BTreeSet<String>, StoreError> {
    let rows = sqlx::query("SELECT user_id FROM membership WHERE kind = $1 AND resource_id = $2")
        .bind(resource.kind().as_str())
        .bind(resource.id())
        .fetch_all(tx.connection())
        .await?;
    Ok(rows.iter().map(|row| row.try_get("user_id")).collect::<sqlx::Result<_>>()?)
}

async fn insert(
    tx: &mut Transaction,
    resource: &Resource,
    users: &[String],
    effects: &mut Effects,
) -> Result<(), StoreError> {
    let rows: Vec<String> =
        (4..).take(users.len()).map(|number| format!("($1, $2, ${number}, $3)")).collect();
    let sql = format!(
        "INSERT INTO membership (kind, resource_id, user_id, since) VALUES {}
         ON CONFLICT DO NOTHING RETURNING user_id",
        rows.join(", ")
    );
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(users.len() == 1);
    let mut query = query.bind(resource.kind().as_str()).bind(resource.id()).bind(now());
    for user in users {
        query = query.bind(user);
    }
    for row in query.fetch_all(tx.connection()).await? {
        effects.membership_began(&row.try_get::<String, _>("user_id")?, resource);
    }
    Ok(())
}

async fn delete(
    tx: &mut Transaction,
    resource: &Resource,
    users: &[String],
    effects: &mut Effects,
) -> Result<usize, StoreError> {
    let numbers: Vec<String> = (3..).take(users.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "DELETE FROM membership WHERE kind = $1 AND resource_id = $2 AND user_id IN ({}) RETURNING user_id",
        numbers.join(", ")
    );
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(users.len() == 1);
    let mut query = query.bind(resource.kind().as_str()).bind(resource.id());
    for user in users {
        query = query.bind(user);
    }
    let rows = query.fetch_all(tx.connection()).await?;
    for row in &rows {
        effects.membership_ended(&row.try_get::<String, _>("user_id")?, resource);
    }
    Ok(rows.len())
}
