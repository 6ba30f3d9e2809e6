//! Users as their tokens told them: auth doesn't know the names of another issuer's.

use std::collections::BTreeMap;

use carillon_contract::Person;
use carillon_store::{Database, StoreError, values};
use sqlx::{AssertSqlSafe, Row as _};

/// The most users of one username; of more, the rest is overlooked.
const MAX_NAMESAKES: i64 = 100;

/// How usernames are compared. Postgres stores no U+0000, which a token may have all the same.
pub(crate) fn folded(username: &str) -> String {
    username.trim().to_lowercase().replace('\0', "")
}

/// Remembers what a token has told, if it is news.
pub(crate) async fn remember(database: &Database, person: &Person) -> Result<(), StoreError> {
    let text = serde_json::to_string(person).map_err(StoreError::other)?;
    let known = sqlx::query("SELECT person FROM person WHERE user_id = $1")
        .bind(person.id.as_str())
        .fetch_optional(database.reader())
        .await?;
    if let Some(row) = known
        && row.try_get::<String, _>(0)? == text
    {
        return Ok(());
    }
    let mut tx = database.begin().await?;
    sqlx::query(
        "INSERT INTO person (user_id, folded_username, person) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET \
             folded_username = excluded.folded_username, person = excluded.person",
    )
    .bind(person.id.as_str())
    .bind(folded(&person.username))
    .bind(text)
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// The users that are known by these names.
pub(crate) async fn named(database: &Database, usernames: &[String]) -> Result<Vec<Person>, StoreError> {
    let mut people = Vec::new();
    for usernames in usernames.chunks(values::MAX_ROWS) {
        let list = values::list(usernames.len(), 2);
        let sql = format!("SELECT person FROM person WHERE folded_username IN ({list}) LIMIT $1");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(usernames.len()));
        let query = query.bind(MAX_NAMESAKES);
        let query = usernames.iter().fold(query, |query, username| query.bind(folded(username)));
        for row in query.fetch_all(database.reader()).await? {
            people.push(read(&row.try_get::<String, _>(0)?)?);
        }
    }
    Ok(people)
}

/// Those of these users that are known, by id.
pub(crate) async fn known(
    database: &Database,
    users: &[String],
) -> Result<BTreeMap<String, Person>, StoreError> {
    let mut people = BTreeMap::new();
    for users in users.chunks(values::MAX_ROWS) {
        let list = values::list(users.len(), 1);
        let sql = format!("SELECT user_id, person FROM person WHERE user_id IN ({list})");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(users.len()));
        let query = users.iter().fold(query, |query, user| query.bind(user));
        for row in query.fetch_all(database.reader()).await? {
            people.insert(row.try_get(0)?, read(&row.try_get::<String, _>(1)?)?);
        }
    }
    Ok(people)
}

/// A stored person.
pub(crate) fn read(text: &str) -> Result<Person, StoreError> {
    serde_json::from_str(text).map_err(StoreError::other)
}
