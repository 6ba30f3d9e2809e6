//! Users: who can log in.

use carillon_store::{StoreError, Transaction, now, values};
use sqlx::{AnyPool, AssertSqlSafe, Row, any::AnyRow};

use crate::counter::Counter;

/// A user of this deployment. Has no `Debug`, so that no log shows its password's hash.
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password_hash: String,
    pub(crate) roles: Vec<String>,
    pub(crate) active: bool,
    pub(crate) created_at: i64,
}

/// A user to be.
pub(crate) struct NewUser {
    /// The next one, if not given.
    pub(crate) id: Option<i64>,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password_hash: String,
    pub(crate) roles: Vec<String>,
    pub(crate) active: bool,
}

/// A user who may get a token now.
pub(crate) struct Holder {
    pub(crate) user: User,
    /// Tokens issued before this time are void; 0 if none are.
    pub(crate) void_before: i64,
}

/// What other users may know of a user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
}

/// How a username is compared.
pub(crate) fn folded(username: &str) -> String {
    username.trim().to_lowercase()
}

/// The user of that name.
pub(crate) async fn by_name(reader: &AnyPool, username: &str) -> Result<Option<User>, StoreError> {
    let row = sqlx::query("SELECT * FROM users WHERE folded_username = $1")
        .bind(folded(username))
        .fetch_optional(reader)
        .await?;
    Ok(row.map(|row| user(&row)).transpose()?)
}

/// The active users of these names, at most [`values::MAX_ROWS`].
pub(crate) async fn with_names(reader: &AnyPool, usernames: &[String]) -> Result<Vec<Name>, StoreError> {
    if usernames.is_empty() {
        return Ok(Vec::new());
    }
    let list = values::list(usernames.len(), 1);
    let sql = format!("SELECT {NAME} FROM users WHERE active = 1 AND folded_username IN ({list})");
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(usernames.len()));
    let query = usernames.iter().fold(query, |query, username| query.bind(folded(username)));
    Ok(query.fetch_all(reader).await?.iter().map(name).collect::<sqlx::Result<_>>()?)
}

/// The users of these ids.
pub(crate) async fn with_ids(reader: &AnyPool, ids: &[i64]) -> Result<Vec<Name>, StoreError> {
    let mut names = Vec::new();
    for ids in ids.chunks(values::MAX_ROWS) {
        let sql = format!("SELECT {NAME} FROM users WHERE id IN ({})", values::list(ids.len(), 1));
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(ids.len()));
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(reader).await? {
            names.push(name(&row)?);
        }
    }
    Ok(names)
}

/// The active user of that id, and since when its tokens count. `name` is what other services call it.
pub(crate) async fn holder(reader: &AnyPool, id: i64, name: &str) -> Result<Option<Holder>, StoreError> {
    let row = sqlx::query(
        "SELECT users.*, user_revocation.void_before FROM users
         LEFT JOIN user_revocation ON user_revocation.user_id = $2
         WHERE users.id = $1 AND users.active = 1",
    )
    .bind(id)
    .bind(name)
    .fetch_optional(reader)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let void_before: Option<i64> = row.try_get("void_before")?;
    Ok(Some(Holder { user: user(&row)?, void_before: void_before.unwrap_or(0) }))
}

/// Users in the order of their ids, from the one after `after`.
pub(crate) async fn page(reader: &AnyPool, after: i64, limit: i64) -> Result<Vec<User>, StoreError> {
    let rows = sqlx::query("SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(reader)
        .await?;
    Ok(rows.iter().map(user).collect::<sqlx::Result<_>>()?)
}

/// Creates a user. `None` if the name is taken.
pub(crate) async fn create(tx: &mut Transaction, new: NewUser) -> Result<Option<User>, StoreError> {
    let user = User {
        id: next_id(tx, new.id).await?,
        username: new.username,
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        password_hash: new.password_hash,
        roles: new.roles,
        active: new.active,
        created_at: now(),
    };
    Ok(if insert(tx, &user).await? { Some(user) } else { None })
}

/// Removes a user. False if there is none.
pub(crate) async fn delete(tx: &mut Transaction, id: i64) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM users WHERE id = $1").bind(id).execute(tx.connection()).await?;
    Ok(done.rows_affected() > 0)
}

/// The id given, after which none lower is given out; or the next one.
async fn next_id(tx: &mut Transaction, given: Option<i64>) -> Result<i64, StoreError> {
    match given {
        Some(id) => Counter::Users.pass(tx, id).await.map(|()| id),
        None => Counter::Users.next(tx).await,
    }
}

async fn insert(tx: &mut Transaction, user: &User) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO users (id, username, folded_username, email, first_name, last_name,
                            password_hash, roles, active, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(user.id)
    .bind(&user.username)
    .bind(folded(&user.username))
    .bind(&user.email)
    .bind(&user.first_name)
    .bind(&user.last_name)
    .bind(&user.password_hash)
    .bind(user.roles.join(" "))
    .bind(i64::from(user.active))
    .bind(user.created_at)
    .execute(tx.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The columns of a [`Name`].
const NAME: &str = "id, username, first_name, last_name";

fn name(row: &AnyRow) -> sqlx::Result<Name> {
    Ok(Name {
        id: row.try_get("id")?,
        username: row.try_get("username")?,
        first_name: row.try_get("first_name")?,
        last_name: row.try_get("last_name")?,
    })
}

fn user(row: &AnyRow) -> sqlx::Result<User> {
    let roles: String = row.try_get("roles")?;
    Ok(User {
        id: row.try_get("id")?,
        username: row.try_get("username")?,
        email: row.try_get("email")?,
        first_name: row.try_get("first_name")?,
        last_name: row.try_get("last_name")?,
        password_hash: row.try_get("password_hash")?,
        roles: roles.split(' ').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
        active: row.try_get::<i64, _>("active")? == 1,
        created_at: row.try_get("created_at")?,
    })
}
