//! Notifications to participants who are away (S4-05): owed by the transaction that stores the message.

use std::collections::{BTreeMap, BTreeSet};

use carillon_contract::{Channel, messages::Notice};
use carillon_service::notices;
use carillon_store::{Debt, StoreError, Transaction, values};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Message, quote};

/// What is owed for some messages.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    pub(crate) debts: Vec<Debt>,
}

/// A notice of each message, for those participants who don't have its conversation open. `sent`:
/// messages with the conversations that they are sent to.
pub(crate) async fn away(tx: &mut Transaction, sent: &[(i64, &Message)]) -> Result<Notices, StoreError> {
    let conversations: BTreeSet<i64> = sent.iter().map(|(conversation, _)| *conversation).collect();
    let absent = absent(tx, &conversations).await?;
    let notices: Vec<_> = sent.iter().filter_map(|sent| notice(sent, &absent)).collect();
    Ok(Notices { debts: notices::debts(notices) })
}

/// The participants of each conversation who don't have it open.
async fn absent(
    tx: &mut Transaction,
    conversations: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Vec<String>>, StoreError> {
    let participants = participants(tx, conversations).await?;
    let places: Vec<_> =
        participants.iter().map(|(_, (topic, user))| (topic.as_str(), user.as_str())).collect();
    let present = carillon_presence::present_in(tx, &places).await?;
    let mut absent: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for (conversation, place) in participants {
        if !present.contains(&place) {
            absent.entry(conversation).or_default().push(place.1);
        }
    }
    Ok(absent)
}

/// The participants of conversations, each with the topic in which it is who has it open.
async fn participants(
    tx: &mut Transaction,
    conversations: &BTreeSet<i64>,
) -> Result<Vec<(i64, (String, String))>, StoreError> {
    let conversations: Vec<_> = conversations.iter().copied().collect();
    let mut participants = Vec::new();
    for conversations in conversations.chunks(values::MAX_ROWS) {
        let sql = format!(
            "SELECT conversation_id, user_id FROM participant WHERE conversation_id IN ({})",
            values::list(conversations.len(), 1)
        );
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(conversations.len()));
        let query = conversations.iter().fold(query, |query, id| query.bind(*id));
        for row in query.fetch_all(&mut **tx).await? {
            let conversation = row.try_get(0)?;
            participants.push((conversation, (channel(conversation)?.to_string(), row.try_get(1)?)));
        }
    }
    Ok(participants)
}

fn notice((conversation, message): &(i64, &Message), absent: &BTreeMap<i64, Vec<String>>) -> Option<Notice> {
    let author = message.author.user();
    let users: Vec<String> =
        absent.get(conversation)?.iter().filter(|user| user.as_str() != author).cloned().collect();
    if users.is_empty() {
        return None;
    }
    let mut data = json!({
        "conversation_id": conversation,
        "message_id": message.id,
        "excerpt": quote::excerpt(&message.body),
    });
    data["sender_id"] = json!(message.author.id());
    Some(Notice {
        users,
        title: "New Message".to_owned(),
        message: format!("You have a new message from {}", full_name(message)),
        notification_type: "message".to_owned(),
        data: data.to_string().into(),
        cause: format!("message:{}", message.id),
        ..Notice::default()
    })
}

/// Document 4 names the sender in full.
fn full_name(message: &Message) -> String {
    let sender = message.author.sender();
    let part = |name: &str| sender[name].as_str().unwrap_or_default().to_owned();
    let full = format!("{} {}", part("first_name"), part("last_name")).trim().to_owned();
    if full.is_empty() { message.author.display_name() } else { full }
}

fn channel(conversation: i64) -> Result<Channel, StoreError> {
    Channel::new("conversation", &[&conversation.to_string()]).map_err(StoreError::other)
}
