//! A conversation as one of its participants sees it, alone or in a list: a few queries, however many
//! conversations.

use std::collections::HashMap;

use carillon_contract::Id;
use carillon_service::time;
use carillon_store::{StoreError, values};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

use super::participant::{self, Participants};
use crate::messages::{COLUMNS, Message, quote_all, react_all};

/// Unread messages are counted up to here.
const MAX_UNREAD: i64 = 1_000;

/// What a participant sees of a conversation, without its participants and messages.
#[derive(Debug, Clone)]
pub(super) struct Overview {
    pub(super) id: i64,
    /// Empty: it has none.
    pub(super) name: String,
    created_by: String,
    created_at: i64,
    pub(super) active_at: i64,
    last_message: i64,
    /// Messages of others that it has not read, at most [`MAX_UNREAD`].
    pub(super) unread: i64,
}

/// Where a list of conversations goes on: after this one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    pub(super) active_at: i64,
    pub(super) id: i64,
}

impl Cursor {
    /// Before the first page.
    pub(super) const START: Self = Self { active_at: i64::MAX, id: i64::MAX };
}

/// The conversation, if the user is a participant.
pub(super) async fn one(
    connection: &mut AnyConnection,
    conversation: i64,
    user: &str,
) -> Result<Option<Overview>, StoreError> {
    let sql = counted("AND conversation.id = $3");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(user).bind(MAX_UNREAD).bind(conversation);
    query.fetch_optional(connection).await?.as_ref().map(Overview::read).transpose()
}

/// A user's conversations, those in which something has happened last first.
pub(super) async fn latest(
    connection: &mut AnyConnection,
    user: &str,
    after: Cursor,
    limit: i64,
) -> Result<Vec<Overview>, StoreError> {
    let sql = counted(
        "AND (conversation.active_at < $3 OR conversation.active_at = $3 AND conversation.id < $4) \
         ORDER BY conversation.active_at DESC, conversation.id DESC LIMIT $5",
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(user).bind(MAX_UNREAD);
    let query = query.bind(after.active_at).bind(after.id).bind(limit);
    query.fetch_all(connection).await?.iter().map(Overview::read).collect()
}

/// Counts what is unread only in the conversations of the page.
fn counted(condition: &str) -> String {
    format!(
        "SELECT page.id, page.name, page.created_by, page.created_at, page.active_at, page.last_message, \
             (SELECT COUNT(*) FROM (\
                 SELECT 1 AS one FROM message \
                 WHERE message.channel = 'conversation.' || CAST(page.id AS TEXT) \
                     AND message.id > page.read_up_to AND message.user_id <> $1 AND message.deleted_at = 0 \
                 LIMIT $2\
             ) AS unread) \
         FROM (\
             SELECT conversation.id, conversation.name, conversation.created_by, conversation.created_at, \
                 conversation.active_at, conversation.last_message, participant.read_up_to \
             FROM participant JOIN conversation ON conversation.id = participant.conversation_id \
             WHERE participant.user_id = $1 {condition}\
         ) AS page ORDER BY page.active_at DESC, page.id DESC"
    )
}

impl Overview {
    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            created_by: row.try_get(2)?,
            created_at: row.try_get(3)?,
            active_at: row.try_get(4)?,
            last_message: row.try_get(5)?,
            unread: row.try_get(6)?,
        })
    }

    /// As a newcomer sees it.
    pub(super) fn greeting(&self, participants: &Participants) -> Value {
        let objects: Vec<_> = participants.first.iter().map(|participant| participant.object()).collect();
        json!({
            "id": self.id,
            "name": name(&self.name),
            "participants": objects,
            "unread_count": self.unread,
        })
    }

    fn object(&self, participants: &Participants, last_message: Option<&Message>) -> Value {
        let mut object = self.greeting(participants);
        object["participant_count"] = participants.count.into();
        object["created_by"] = json!(Id::new(self.created_by.as_str()).ok());
        object["created_at"] = time::timestamp(self.created_at).into();
        object["last_activity"] = time::timestamp(self.active_at).into();
        object["last_message"] = last_message.map_or(Value::Null, Message::object);
        object
    }
}

/// A conversation's name as clients see it: null if it has none.
pub(super) fn name(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty())
}

/// Conversations with their last messages and their participants, at most so many of each.
pub(super) async fn objects(
    connection: &mut AnyConnection,
    overviews: &[Overview],
    most: i64,
    reader: &str,
) -> Result<Vec<Value>, StoreError> {
    let ids: Vec<i64> = overviews.iter().map(|overview| overview.id).collect();
    let mut participants = participant::of(connection, &ids, most).await?;
    let last: Vec<i64> = overviews.iter().map(|it| it.last_message).filter(|id| *id > 0).collect();
    let messages = messages(connection, &last, reader).await?;
    let object = |overview: &Overview| {
        let participants = participants.remove(&overview.id).unwrap_or_default();
        overview.object(&participants, messages.get(&overview.last_message))
    };
    Ok(overviews.iter().map(object).collect())
}

/// Messages by their ids, as one user sees them.
async fn messages(
    connection: &mut AnyConnection,
    ids: &[i64],
    reader: &str,
) -> Result<HashMap<i64, Message>, StoreError> {
    let mut messages = find_messages(connection, ids).await?;
    quote_all(connection, &mut messages).await?;
    react_all(connection, &mut messages, reader).await?;
    Ok(messages.into_iter().map(|message| (message.id, message)).collect())
}

/// Those of these messages that exist.
pub(super) async fn find_messages(
    connection: &mut AnyConnection,
    ids: &[i64],
) -> Result<Vec<Message>, StoreError> {
    let mut messages = Vec::with_capacity(ids.len());
    for ids in ids.chunks(values::MAX_ROWS) {
        let list = values::list(ids.len(), 1);
        let sql = format!("SELECT {COLUMNS} FROM message WHERE id IN ({list})");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(ids.len()));
        let query = ids.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(&mut *connection).await? {
            messages.push(Message::read(&row)?);
        }
    }
    Ok(messages)
}
