//! A stored message, and how clients read it.

use carillon_contract::Id;
use carillon_service::time;
use carillon_store::StoreError;
use serde_json::{Value, json};
use sqlx::{Row as _, any::AnyRow};

use super::{Author, Quote, Reaction};

/// The columns of [`Message::read`], of a table or its alias `message`.
pub(crate) const COLUMNS: &str = "message.id, message.channel, message.position, message.author, \
     message.message_type, message.body, message.reply_to, message.attachments, message.client_id, \
     message.created_at, message.edited_at, message.deleted_at";

/// A stored message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) channel: String,
    /// The offset of the event that told of it.
    pub(crate) position: i64,
    pub(crate) author: Author,
    pub(crate) message_type: String,
    pub(crate) body: String,
    /// The message that it answers, or 0.
    pub(crate) reply_to: i64,
    /// What it answers, where that was looked up.
    pub(crate) quote: Option<Quote>,
    /// How users have reacted, where that was looked up.
    pub(crate) reactions: Option<Vec<Reaction>>,
    /// As clients see them.
    pub(crate) attachments: Value,
    pub(crate) client_id: String,
    pub(crate) created_at: i64,
    /// 0: never.
    pub(crate) edited_at: i64,
    /// 0: it is there.
    pub(crate) deleted_at: i64,
}

impl Message {
    /// A row of [`COLUMNS`].
    pub(crate) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let json = |text: String| serde_json::from_str(&text).map_err(StoreError::other);
        Ok(Self {
            id: row.try_get(0)?,
            channel: row.try_get(1)?,
            position: row.try_get(2)?,
            author: serde_json::from_str(&row.try_get::<String, _>(3)?).map_err(StoreError::other)?,
            message_type: row.try_get(4)?,
            body: row.try_get(5)?,
            reply_to: row.try_get(6)?,
            quote: None,
            reactions: None,
            attachments: json(row.try_get(7)?)?,
            client_id: row.try_get(8)?,
            created_at: row.try_get(9)?,
            edited_at: row.try_get(10)?,
            deleted_at: row.try_get(11)?,
        })
    }

    /// The frame in which a chat room hears it (S2-01).
    pub(crate) fn room_frame(&self) -> Value {
        let mut frame = json!({
            "type": "chat_message",
            "message": self.body,
            "username": self.author.display_name(),
            "timestamp": time::timestamp(self.created_at),
            "id": self.id,
        });
        match self.author.id() {
            Some(id) => frame["user_id"] = json!(id),
            None if self.author.is_anonymous() => frame["anonymous"] = true.into(),
            None => {}
        }
        if !self.client_id.is_empty() {
            frame["client_id"] = json!(Id::new(self.client_id.as_str()).ok());
        }
        frame
    }

    /// The frame in which a conversation hears it (S4-03).
    pub(crate) fn conversation_frame(&self) -> Value {
        json!({"type": "chat_message", "message": self.object()})
    }

    /// The message of a conversation as an object, in frames and lists.
    pub(crate) fn object(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "content": self.body,
            "sender": self.author.sender(),
            "timestamp": time::timestamp(self.created_at),
            "message_type": self.message_type,
            "reply_to": self.quote.as_ref().map(Quote::object),
            "attachments": self.attachments,
        });
        if let Some(reactions) = &self.reactions {
            object["reactions"] = reactions.iter().map(Reaction::object).collect();
        }
        if !self.client_id.is_empty() {
            object["client_id"] = json!(Id::new(self.client_id.as_str()).ok());
        }
        if self.edited_at > 0 {
            object["edited_at"] = time::timestamp(self.edited_at).into();
        }
        if self.deleted_at > 0 {
            object["deleted"] = true.into();
            object["deleted_at"] = time::timestamp(self.deleted_at).into();
        }
        object
    }
}
