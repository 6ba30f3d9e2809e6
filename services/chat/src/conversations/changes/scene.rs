//! What changes of one transaction meet: read once, and kept up to date as they are made.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use carillon_store::{Log, StoreError, Transaction, now, values};
use sqlx::{AssertSqlSafe, Row as _};

use super::{Change, Effect};
use crate::{
    conversations::{
        channel,
        frame::{Action, unknown_message},
        overview::find_messages,
    },
    messages::{Message, quote_all},
    reply::Refusal,
};

/// See the module. Everything is of conversations that the transaction has locked.
pub(super) struct Scene {
    /// When it happens, in microseconds since 1970.
    pub(super) now: i64,
    /// Channels and causes of changes that have been made.
    made: HashSet<(String, String)>,
    messages: HashMap<i64, Message>,
    /// What each participant has read up to.
    read_up_to: HashMap<(i64, String), i64>,
    /// Whose of those are not saved yet.
    moved: BTreeSet<(i64, String)>,
}

impl Scene {
    pub(super) async fn read(
        tx: &mut Transaction,
        log: &Log,
        changes: &[&Change],
    ) -> Result<Self, StoreError> {
        let mut causes = Vec::with_capacity(changes.len());
        for change in changes {
            causes.push((channel(change.conversation)?.to_string(), change.event_cause()));
        }
        let causes: Vec<_> =
            causes.iter().map(|(channel, cause)| (channel.as_str(), cause.as_str())).collect();
        let made = log.known(tx, &causes).await?;
        let ids: BTreeSet<i64> = changes.iter().map(|change| message_of(&change.action)).collect();
        let mut messages = find_messages(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
        quote_all(tx, &mut messages).await?;
        let messages = messages.into_iter().map(|message| (message.id, message)).collect();
        let read_up_to = participants(tx, changes).await?;
        Ok(Self { now: now(), made, messages, read_up_to, moved: BTreeSet::new() })
    }

    /// Whether the change has been made already.
    pub(super) fn is_made(&self, change: &Change) -> Result<bool, StoreError> {
        Ok(self.made.contains(&(channel(change.conversation)?.to_string(), change.event_cause())))
    }

    /// From now on the change has been made.
    pub(super) fn made(&mut self, change: &Change) -> Result<(), StoreError> {
        self.made.insert((channel(change.conversation)?.to_string(), change.event_cause()));
        Ok(())
    }

    pub(super) fn has_participant(&self, change: &Change) -> bool {
        self.read_up_to.contains_key(&reader(change))
    }

    /// The message that a change is about, if it is there, of this conversation.
    pub(super) fn message(&mut self, change: &Change, id: i64) -> Result<Option<&mut Message>, StoreError> {
        let channel = channel(change.conversation)?;
        Ok(self.messages.get_mut(&id).filter(|message| message.channel == channel.as_str()))
    }

    /// Moves what a user has read forward. False if it has read that far already.
    pub(super) fn read_on(&mut self, change: &Change, message: i64) -> bool {
        let reader = reader(change);
        let Some(read_up_to) = self.read_up_to.get_mut(&reader).filter(|read| **read < message) else {
            return false;
        };
        *read_up_to = message;
        self.moved.insert(reader);
        true
    }

    pub(super) async fn save_reads(&self, tx: &mut Transaction) -> Result<(), StoreError> {
        let moved: Vec<_> = self.moved.iter().collect();
        for moved in moved.chunks(values::MAX_ROWS) {
            let sql = format!(
                "UPDATE participant SET read_up_to = CAST(moved.column3 AS BIGINT), read_at = $1 \
                 FROM (VALUES {}) AS moved \
                 WHERE participant.conversation_id = CAST(moved.column1 AS BIGINT) \
                 AND participant.user_id = moved.column2",
                values::rows_from(2, moved.len(), 3)
            );
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(moved.len()));
            let query = moved.iter().fold(query.bind(self.now), |query, reader| {
                let read_up_to = self.read_up_to.get(*reader).copied().unwrap_or_default();
                query.bind(reader.0).bind(reader.1.as_str()).bind(read_up_to)
            });
            query.execute(&mut **tx).await?;
        }
        Ok(())
    }
}

/// The refusal of a change to a message that is not there.
pub(super) fn unknown() -> Effect {
    Effect::Refused(unknown_message())
}

/// The refusal of a change to what has been deleted.
pub(super) fn gone() -> Effect {
    Effect::Refused(Refusal::new("deleted_message", "That message has been deleted"))
}

fn reader(change: &Change) -> (i64, String) {
    (change.conversation, change.by.user().to_owned())
}

fn message_of(action: &Action) -> i64 {
    match action {
        Action::Read(message) | Action::Delete(message) => *message,
        Action::React { message, .. } | Action::Edit { message, .. } => *message,
    }
}

/// Those who make changes and are participants, with what they have read up to.
async fn participants(
    tx: &mut Transaction,
    changes: &[&Change],
) -> Result<HashMap<(i64, String), i64>, StoreError> {
    let wanted: BTreeMap<(i64, &str), ()> =
        changes.iter().map(|change| ((change.conversation, change.by.user()), ())).collect();
    let wanted: Vec<_> = wanted.into_keys().collect();
    let mut found = HashMap::new();
    for wanted in wanted.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT participant.conversation_id, participant.user_id, participant.read_up_to \
             FROM (VALUES {}) AS wanted \
             JOIN participant ON participant.conversation_id = CAST(wanted.column1 AS BIGINT) \
             AND participant.user_id = wanted.column2",
            values::rows(wanted.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(wanted.len()));
        let query = wanted.iter().fold(query, |query, (id, user)| query.bind(*id).bind(*user));
        for row in query.fetch_all(&mut **tx).await? {
            found.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
    }
    Ok(found)
}
