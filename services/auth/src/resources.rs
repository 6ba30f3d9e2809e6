//! Organisations and projects: groups that users are members of.

use carillon_contract::{Id, Resource, ResourceKind};
use carillon_store::{Database, StoreError, Transaction, now};
use sqlx::{AnyPool, AssertSqlSafe, Row, any::AnyRow};

use crate::{counter::Counter, effects::Effects, random::random_uuid};

/// Numbers above are not passed by the counter of project ids, so that it stays within what every
/// JSON reader keeps exact.
const MAX_PASSED: i64 = 1 << 52;

/// An organisation or a project.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: Id,
    pub(crate) name: String,
    /// Prefix of a project's tickets.
    pub(crate) key: Option<String>,
    pub(crate) created_at: i64,
}

/// An organisation or a project to be.
pub(crate) struct NewGroup {
    /// If not given: a UUID for an organisation, the next number for a project.
    pub(crate) id: Option<Id>,
    pub(crate) name: String,
    pub(crate) key: Option<String>,
}

/// Creates an organisation or a project. `None` if its id or key is taken.
pub(crate) async fn create(
    tx: &mut Transaction,
    kind: ResourceKind,
    new: NewGroup,
) -> Result<Option<Group>, StoreError> {
    let id = settle_id(tx, kind, new.id).await?;
    let group = Group { id, name: new.name, key: new.key, created_at: now() };
    Ok(if insert(tx, kind, &group).await? { Some(group) } else { None })
}

/// Removes a group, and with it every membership. The number of those, or `None` if there is no group.
pub(crate) async fn remove(
    tx: &mut Transaction,
    resource: &Resource,
    effects: &mut Effects,
) -> Result<Option<usize>, StoreError> {
    let done = sqlx::query("DELETE FROM resource WHERE kind = $1 AND id = $2")
        .bind(resource.kind().as_str())
        .bind(resource.id())
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let rows = sqlx::query("DELETE FROM membership WHERE kind = $1 AND resource_id = $2 RETURNING user_id")
        .bind(resource.kind().as_str())
        .bind(resource.id())
        .fetch_all(tx.connection())
        .await?;
    for row in &rows {
        effects.membership_ended_with(&row.try_get::<String, _>("user_id")?, resource);
    }
    Ok(Some(rows.len()))
}

/// Groups of a kind in the order of their ids, from the one after `after`.
pub(crate) async fn page(
    reader: &AnyPool,
    kind: ResourceKind,
    after: &str,
    limit: i64,
) -> Result<Vec<Group>, StoreError> {
    let rows = sqlx::query("SELECT * FROM resource WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3")
        .bind(kind.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(reader)
        .await?;
    Ok(rows.iter().map(group).collect::<sqlx::Result<_>>()?)
}

/// Groups of a kind that a user is a member of, in the order of their ids, from the one after `after`.
pub(crate) async fn of_user(
    reader: &AnyPool,
    kind: ResourceKind,
    user: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Group>, StoreError> {
    let rows = sqlx::query(
        "SELECT resource.* FROM membership
         JOIN resource ON resource.kind = membership.kind AND resource.id = membership.resource_id
         WHERE membership.user_id = $1 AND membership.kind = $2 AND resource.id > $3
         ORDER BY resource.id LIMIT $4",
    )
    .bind(user)
    .bind(kind.as_str())
    .bind(after)
    .bind(limit)
    .fetch_all(reader)
    .await?;
    Ok(rows.iter().map(group).collect::<sqlx::Result<_>>()?)
}

/// The group, if there is such a one.
pub(crate) async fn find(reader: &AnyPool, resource: &Resource) -> Result<Option<Group>, StoreError> {
    let row = sqlx::query("SELECT * FROM resource WHERE kind = $1 AND id = $2")
        .bind(resource.kind().as_str())
        .bind(resource.id())
        .fetch_optional(reader)
        .await?;
    Ok(row.map(|row| group(&row)).transpose()?)
}

/// Whether there is such a group.
pub(crate) async fn exists(reader: &AnyPool, resource: &Resource) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT id FROM resource WHERE kind = $1 AND id = $2")
        .bind(resource.kind().as_str())
        .bind(resource.id())
        .fetch_optional(reader)
        .await?;
    Ok(row.is_some())
}

/// Whether there is such a group, whose members then nobody else changes until the transaction ends.
pub(crate) async fn lock(
    database: &Database,
    tx: &mut Transaction,
    resource: &Resource,
) -> Result<bool, StoreError> {
    let sql = format!("SELECT id FROM resource WHERE kind = $1 AND id = $2{}", database.for_update());
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(resource.kind().as_str())
        .bind(resource.id())
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.is_some())
}

async fn settle_id(tx: &mut Transaction, kind: ResourceKind, given: Option<Id>) -> Result<Id, StoreError> {
    match (kind, given) {
        (ResourceKind::Organisation, Some(id)) => Ok(id),
        (ResourceKind::Organisation, None) => Id::new(random_uuid()).map_err(StoreError::other),
        (ResourceKind::Project, None) => {
            Id::new(Counter::Projects.next(tx).await?.to_string()).map_err(StoreError::other)
        }
        (ResourceKind::Project, Some(id)) => {
            if let Some(number) = id.as_str().parse().ok().filter(|number| (0..MAX_PASSED).contains(number)) {
                Counter::Projects.pass(tx, number).await?;
            }
            Ok(id)
        }
    }
}

async fn insert(tx: &mut Transaction, kind: ResourceKind, group: &Group) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO resource (kind, id, name, key, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(kind.as_str())
    .bind(group.id.as_str())
    .bind(&group.name)
    .bind(&group.key)
    .bind(group.created_at)
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

fn group(row: &AnyRow) -> sqlx::Result<Group> {
    Ok(Group {
        id: Id::new(row.try_get::<String, _>("id")?).map_err(|error| sqlx::Error::Decode(error.into()))?,
        name: row.try_get("name")?,
        key: row.try_get("key")?,
        created_at: row.try_get("created_at")?,
    })
}
