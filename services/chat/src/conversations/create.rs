//! Creating a conversation.

use std::collections::{BTreeMap, BTreeSet};

use carillon_contract::{Id, Person};
use carillon_store::{Database, StoreError, Transaction, now, values};
use sqlx::{AssertSqlSafe, Row as _};

use super::participant;

/// A conversation that is to be.
pub(super) struct NewConversation {
    pub(super) by: Person,
    /// The others.
    pub(super) others: BTreeSet<Id>,
    /// Empty: none.
    pub(super) name: String,
    /// The same again is the same conversation.
    pub(super) cause: String,
}

/// Creates a conversation, and gives its id.
pub(super) async fn create(database: &Database, wanted: &NewConversation) -> Result<i64, StoreError> {
    let mut tx = database.begin().await?;
    // Its row is locked until the end: of two with the same cause, the second finds the first.
    let sql = "UPDATE sequence SET value = value + 1 WHERE name = 'conversation' RETURNING value";
    let id = sqlx::query_scalar(sql).fetch_one(&mut *tx).await?;
    let known = sqlx::query_scalar("SELECT id FROM conversation WHERE cause = $1 AND cause <> ''");
    if let Some(known) = known.bind(wanted.cause.as_str()).fetch_optional(&mut *tx).await? {
        return Ok(known);
    }
    let now = now();
    sqlx::query(
        "INSERT INTO conversation (id, name, created_by, created_at, last_message, active_at, cause) \
         VALUES ($1, $2, $3, $4, 0, $4, $5)",
    )
    .bind(id)
    .bind(wanted.name.as_str())
    .bind(wanted.by.id.as_str())
    .bind(now)
    .bind(wanted.cause.as_str())
    .execute(&mut *tx)
    .await?;
    let mut people = people(&mut tx, &wanted.others).await?;
    people.insert(0, wanted.by.clone());
    add(&mut tx, id, &people, 0, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// Users as their tokens have told of them in other conversations; of others only the id is known.
pub(super) async fn people(tx: &mut Transaction, users: &BTreeSet<Id>) -> Result<Vec<Person>, StoreError> {
    let users: Vec<_> = users.iter().collect();
    let mut known: BTreeMap<String, Person> = BTreeMap::new();
    for users in users.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT user_id, MAX(person) FROM participant WHERE user_id IN ({}) GROUP BY user_id",
            values::list(users.len(), 1)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(users.len()));
        let query = users.iter().fold(query, |query, user| query.bind(user.as_str()));
        for row in query.fetch_all(&mut **tx).await? {
            known.insert(row.try_get(0)?, participant::person(&row.try_get::<String, _>(1)?)?);
        }
    }
    let person = |user: &&Id| known.remove(user.as_str()).unwrap_or_else(|| nameless((*user).clone()));
    Ok(users.iter().map(person).collect())
}

/// Adds participants, who have read everything up to a message.
pub(super) async fn add(
    tx: &mut Transaction,
    conversation: i64,
    people: &[Person],
    read_up_to: i64,
    now: i64,
) -> Result<(), StoreError> {
    for people in people.chunks(values::MAX_ROWS) {
        let sql = format!(
            "INSERT INTO participant (conversation_id, user_id, person, joined_at, read_up_to, read_at) \
             VALUES {}",
            values::rows(people.len(), 6)
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(people.len()));
        for person in people {
            let text = serde_json::to_string(person).map_err(StoreError::other)?;
            query = query.bind(conversation).bind(person.id.as_str().to_owned()).bind(text);
            query = query.bind(now).bind(read_up_to).bind(0_i64);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

fn nameless(id: Id) -> Person {
    Person { id, first_name: String::new(), last_name: String::new(), username: String::new() }
}
