//! Reactions to messages, as they are read again.

use std::collections::HashMap;

use carillon_contract::Id;
use carillon_store::{StoreError, values};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::Message;

/// The most users that are named of one emoji: those who were first.
const MAX_NAMED: i64 = 20;

/// One emoji with which users have reacted to a message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reaction {
    emoji: String,
    count: i64,
    /// Those who were first.
    users: Vec<Id>,
    /// Whether the reader is one of all.
    is_own: bool,
}

impl Reaction {
    /// As clients see it.
    pub(crate) fn object(&self) -> Value {
        json!({"emoji": self.emoji, "count": self.count, "user_ids": self.users, "own": self.is_own})
    }
}

/// Looks up how users have reacted to messages, as one of them sees it.
pub(crate) async fn react_all(
    connection: &mut AnyConnection,
    messages: &mut [Message],
    reader: &str,
) -> Result<(), StoreError> {
    let mut reactions = HashMap::new();
    for messages in messages.chunks(values::MAX_ROWS) {
        find(connection, messages, reader, &mut reactions).await?;
    }
    for message in messages {
        message.reactions = Some(reactions.remove(&message.id).unwrap_or_default());
    }
    Ok(())
}

/// Emojis in the order in which they were first used.
async fn find(
    connection: &mut AnyConnection,
    messages: &[Message],
    reader: &str,
    reactions: &mut HashMap<i64, Vec<Reaction>>,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT message_id, emoji, user_id, place, total FROM (\
             SELECT message_id, emoji, user_id, \
                 ROW_NUMBER() OVER (PARTITION BY message_id, emoji ORDER BY created_at, user_id) AS place, \
                 COUNT(*) OVER (PARTITION BY message_id, emoji) AS total, \
                 MIN(created_at) OVER (PARTITION BY message_id, emoji) AS since \
             FROM reaction WHERE message_id IN ({})\
         ) AS counted WHERE place <= $1 OR user_id = $2 ORDER BY message_id, since, emoji, place",
        values::list(messages.len(), 3)
    );
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(messages.len()));
    let query = messages.iter().fold(query.bind(MAX_NAMED).bind(reader), |query, it| query.bind(it.id));
    for row in query.fetch_all(connection).await? {
        let (emoji, user): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        let of_message: &mut Vec<Reaction> = reactions.entry(row.try_get(0)?).or_default();
        if of_message.last().is_none_or(|last| last.emoji != emoji) {
            of_message.push(Reaction { emoji, count: row.try_get(4)?, users: Vec::new(), is_own: false });
        }
        let Some(reaction) = of_message.last_mut() else { continue };
        reaction.is_own |= user == reader;
        if row.try_get::<i64, _>(3)? <= MAX_NAMED {
            reaction.users.push(Id::new(user).map_err(StoreError::other)?);
        }
    }
    Ok(())
}
