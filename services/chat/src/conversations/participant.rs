//! Who takes part in conversations, as clients see it.

use carillon_contract::Person;
use std::collections::BTreeMap;

use carillon_store::{StoreError, values};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::attendance::online_topic;

/// Somebody who takes part in a conversation.
#[derive(Debug, Clone)]
pub(super) struct Participant {
    pub(super) person: Person,
    pub(super) is_online: bool,
    /// The last message that it has read, or 0.
    pub(super) read_up_to: i64,
}

/// The participants of a conversation, those who joined first first.
#[derive(Debug, Default)]
pub(super) struct Participants {
    /// Those that were asked for.
    pub(super) first: Vec<Participant>,
    /// How many there are.
    pub(super) count: i64,
}

impl Participant {
    /// As clients see it.
    pub(super) fn object(&self) -> Value {
        let mut object = json!(self.person);
        object["status"] = status(self.is_online).into();
        object["read_up_to"] = self.read_up_to.into();
        object
    }
}

/// Document 4's word.
pub(super) fn status(is_online: bool) -> &'static str {
    if is_online { "online" } else { "offline" }
}

/// A stored person.
pub(super) fn person(text: &str) -> Result<Person, StoreError> {
    serde_json::from_str(text).map_err(StoreError::other)
}

/// What is known of a participant of this conversation. `None` if it is none.
pub(super) async fn find(
    connection: &mut AnyConnection,
    conversation: i64,
    user: &str,
) -> Result<Option<Person>, StoreError> {
    let sql = "SELECT person FROM participant WHERE conversation_id = $1 AND user_id = $2";
    let row = sqlx::query(sql).bind(conversation).bind(user).fetch_optional(connection).await?;
    row.map(|row| person(&row.try_get::<String, _>(0)?)).transpose()
}

/// The participants of conversations, at most so many of each.
pub(super) async fn of(
    connection: &mut AnyConnection,
    conversations: &[i64],
    most: i64,
) -> Result<BTreeMap<i64, Participants>, StoreError> {
    let mut found: BTreeMap<i64, Participants> = BTreeMap::new();
    for conversations in conversations.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT conversation_id, person, read_up_to, total FROM (\
                 SELECT conversation_id, person, read_up_to, \
                     ROW_NUMBER() OVER (PARTITION BY conversation_id ORDER BY joined_at, user_id) AS place, \
                     COUNT(*) OVER (PARTITION BY conversation_id) AS total \
                 FROM participant WHERE conversation_id IN ({})\
             ) AS counted WHERE place <= $1 ORDER BY conversation_id, place",
            values::list(conversations.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(conversations.len()));
        let query = conversations.iter().fold(query.bind(most), |query, id| query.bind(*id));
        for row in query.fetch_all(&mut *connection).await? {
            let participants = found.entry(row.try_get(0)?).or_default();
            participants.count = row.try_get(3)?;
            let person = person(&row.try_get::<String, _>(1)?)?;
            let read_up_to = row.try_get(2)?;
            participants.first.push(Participant { person, is_online: false, read_up_to });
        }
    }
    look_who_is_online(connection, found.values_mut().flat_map(|it| &mut it.first)).await?;
    Ok(found)
}

/// Fills in who is online.
pub(super) async fn look_who_is_online<'a>(
    connection: &mut AnyConnection,
    participants: impl Iterator<Item = &'a mut Participant>,
) -> Result<(), StoreError> {
    let mut topics: BTreeMap<String, Vec<&mut Participant>> = BTreeMap::new();
    for participant in participants {
        topics.entry(online_topic(participant.person.id.as_str())).or_default().push(participant);
    }
    let asked: Vec<&str> = topics.keys().map(String::as_str).collect();
    let online = carillon_presence::sizes(connection, &asked).await?;
    for (topic, participants) in &mut topics {
        let is_online = online.contains_key(topic);
        participants.iter_mut().for_each(|participant| participant.is_online = is_online);
    }
    Ok(())
}
