//! Who is online (S4-04): told to everyone who shares a conversation with a user, once, however many
//! its tabs.

use std::collections::BTreeMap;

use carillon_contract::{Id, messages::Variant};
use carillon_presence::Transition;
use carillon_store::{NewEvent, StoreError, Transaction, values};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};

use super::{channel, participant::status};

/// The most conversations that hear of one user, those in which something has happened last: others
/// may add a user to as many as they like.
const MAX_CONVERSATIONS: i64 = 1_000;

/// Document 4's frame.
pub(super) fn frame(user: &Id, is_online: bool) -> Value {
    json!({"type": "user_status", "user_id": user, "status": status(is_online)})
}

/// Tells everyone who shares a conversation that users have come online or gone offline.
pub(crate) async fn status_announcements(
    tx: &mut Transaction,
    transitions: &[&Transition],
) -> Result<Vec<NewEvent>, StoreError> {
    let mut users: Vec<&str> = transitions.iter().map(|transition| transition.member.as_str()).collect();
    users.sort_unstable();
    users.dedup();
    let conversations = conversations(tx, &users).await?;
    let mut events = Vec::new();
    for transition in transitions {
        let user = Id::new(transition.member.as_str()).map_err(StoreError::other)?;
        let json = frame(&user, transition.joined).to_string();
        for conversation in conversations.get(&transition.member).into_iter().flatten() {
            let cause = format!("status:{}:{}", transition.member, transition.version);
            let variants = vec![Variant::json(json.clone())];
            events.push(NewEvent::new(channel(*conversation)?, cause, variants));
        }
    }
    Ok(events)
}

/// The conversations of each user.
async fn conversations(
    tx: &mut Transaction,
    users: &[&str],
) -> Result<BTreeMap<String, Vec<i64>>, StoreError> {
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for users in users.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT user_id, id FROM (\
                 SELECT participant.user_id, conversation.id, ROW_NUMBER() OVER (\
                     PARTITION BY participant.user_id \
                     ORDER BY conversation.active_at DESC, conversation.id DESC) AS place \
                 FROM participant JOIN conversation ON conversation.id = participant.conversation_id \
                 WHERE participant.user_id IN ({})\
             ) AS latest WHERE place <= $1",
            values::list(users.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(users.len()));
        let query = users.iter().fold(query.bind(MAX_CONVERSATIONS), |query, user| query.bind(*user));
        for row in query.fetch_all(&mut **tx).await? {
            found.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
    }
    Ok(found)
}
