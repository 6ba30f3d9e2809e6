//! What clients say in a conversation (S4-03, S4-04), read and checked as far as that goes without the
//! database.

use carillon_contract::Id;
use serde::Deserialize;

use super::number;
use crate::reply::Refusal;

/// The longest message, in characters.
pub(super) const MAX_MESSAGE: usize = 10_000;

/// The longest type of a message, in characters.
const MAX_TYPE: usize = 32;

/// The most attachments of one message, whatever the operator allows.
const MAX_ATTACHMENTS: usize = 100;

/// The type of a message that names none.
const TEXT: &str = "text";

/// A frame as it is written.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Written {
    ChatMessage {
        message: String,
        message_type: Option<String>,
        reply_to: Option<Id>,
        attachments: Option<Vec<Id>>,
    },
    TypingIndicator {
        is_typing: bool,
    },
    MessageRead {
        message_id: Id,
    },
    MessageReaction {
        message_id: Id,
        emoji: String,
        action: ReactionAction,
    },
    MessageEdit {
        message_id: Id,
        message: String,
    },
    MessageDelete {
        message_id: Id,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReactionAction {
    Add,
    Remove,
}

/// What is said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    Message(Text),
    Typing(bool),
    Change(Action),
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) body: String,
    pub(super) message_type: String,
    pub(super) reply_to: Option<i64>,
    pub(super) attachments: Vec<String>,
}

/// What is done about a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// It, and everything before it, is read.
    Read(i64),
    React {
        message: i64,
        emoji: &'static str,
        is_added: bool,
    },
    Edit {
        message: i64,
        body: String,
    },
    Delete(i64),
}

/// Reads a frame, and the client's own id for it, which its answer names.
pub(super) fn read(payload: &[u8]) -> (Result<Said, Refusal>, Option<Id>) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(payload) else {
        return (Err(Refusal::new("invalid_json", "Invalid JSON format")), None);
    };
    let client_id = value.get("client_id").filter(|id| !id.is_null());
    let client_id = match client_id.map(Id::deserialize).transpose() {
        Ok(client_id) => client_id,
        Err(_) => return (Err(crate::reply::wrong_format()), None),
    };
    let written = serde_json::from_value(value).map_err(|_| crate::reply::wrong_format());
    (written.and_then(Written::check), client_id)
}

impl Written {
    fn check(self) -> Result<Said, Refusal> {
        let change = match self {
            Self::ChatMessage { message, message_type, reply_to, attachments } => {
                let attachments = attachments.unwrap_or_default();
                return Ok(Said::Message(Text {
                    body: text(message, !attachments.is_empty())?,
                    message_type: kind(message_type)?,
                    reply_to: reply_to.as_ref().map(message_id).transpose()?,
                    attachments: attached(attachments)?,
                }));
            }
            Self::TypingIndicator { is_typing } => return Ok(Said::Typing(is_typing)),
            Self::MessageRead { message_id: id } => Action::Read(message_id(&id)?),
            Self::MessageReaction { message_id: id, emoji, action } => Action::React {
                message: message_id(&id)?,
                emoji: emojis::get(&emoji).map(emojis::Emoji::as_str).ok_or_else(no_emoji)?,
                is_added: action == ReactionAction::Add,
            },
            // Whether it has attachments, so that its text may be empty, only the database knows.
            Self::MessageEdit { message_id: id, message } => {
                Action::Edit { message: message_id(&id)?, body: text(message, true)? }
            }
            Self::MessageDelete { message_id: id } => Action::Delete(message_id(&id)?),
        };
        Ok(Said::Change(change))
    }
}

/// A message has 1 to 10,000 characters; one with attachments may have none.
pub(super) fn text(text: String, may_be_empty: bool) -> Result<String, Refusal> {
    match text.chars().count() {
        0 if !may_be_empty => Err(empty()),
        count if count > MAX_MESSAGE => Err(empty()),
        _ if text.contains('\0') => {
            Err(Refusal::new("invalid_message", "Invalid message (NUL characters can't be stored)"))
        }
        _ => Ok(text),
    }
}

/// The refusal of a message that is empty or too long.
pub(super) fn empty() -> Refusal {
    Refusal::new("invalid_message", "Invalid message (max 10000 characters)")
}

/// A message's type is one short word.
pub(super) fn kind(kind: Option<String>) -> Result<String, Refusal> {
    let Some(kind) = kind else { return Ok(TEXT.to_owned()) };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if (1..=MAX_TYPE).contains(&kind.len()) && kind.bytes().all(is_word) {
        return Ok(kind);
    }
    Err(Refusal::new("invalid_message_type", "Invalid message_type (1 to 32 letters, digits, _ and -)"))
}

fn attached(attachments: Vec<Id>) -> Result<Vec<String>, Refusal> {
    if attachments.len() > MAX_ATTACHMENTS {
        return Err(Refusal::new(
            "invalid_attachments",
            format!("A message has at most {MAX_ATTACHMENTS} attachments"),
        ));
    }
    Ok(attachments.into_iter().map(Id::into_string).collect())
}

/// What can't be an id is none of a message of this conversation.
fn message_id(id: &Id) -> Result<i64, Refusal> {
    number(id.as_str()).ok_or_else(unknown_message)
}

/// The refusal of a message that is not there.
pub(super) fn unknown_message() -> Refusal {
    Refusal::new("unknown_message", "There is no such message in this conversation")
}

fn no_emoji() -> Refusal {
    Refusal::new("invalid_emoji", "That is not an emoji")
}

#[cfg(test)]
#[path = "frame/tests.rs"]
mod tests;
