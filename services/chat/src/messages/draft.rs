//! A message that is to be sent.

use carillon_contract::Channel;

use super::Author;

/// A message that is to be sent, with all that can be told of it without the database checked.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) channel: Channel,
    /// Where it is sent to, if that is a conversation.
    pub(crate) conversation: Option<i64>,
    /// Unique in its channel: the same again is the same message.
    pub(crate) cause: String,
    pub(crate) author: Author,
    pub(crate) message_type: String,
    pub(crate) body: String,
    /// The message that it answers.
    pub(crate) reply_to: Option<i64>,
    /// Ids of attachments.
    pub(crate) attachments: Vec<String>,
    /// The client's own id.
    pub(crate) client_id: Option<String>,
}

impl Draft {
    /// Whether its sender may repeat it at any time, under an id of its own. Another one is repeated only
    /// by the gateway, within seconds.
    pub(crate) fn may_come_late(&self) -> bool {
        self.client_id.is_some() || self.cause.starts_with("key:")
    }

    /// Whether it has to be known if it is a message already. The log knows the causes of other drafts, but too
    /// late for conversations, where notifications are owed and attachments taken before it is asked.
    pub(crate) fn may_be_known(&self) -> bool {
        self.may_come_late() || self.conversation.is_some()
    }

    /// The conversation's user who sends it, who has to be a participant. A back end needs not.
    pub(crate) fn participant(&self) -> Option<(i64, &str)> {
        self.conversation.map(|id| (id, self.author.user())).filter(|(_, user)| !user.is_empty())
    }
}

/// The cause of a message: the client's own id for it, else the frame that brought it.
pub(crate) fn cause(sender: &str, client_id: Option<&str>, connection: &str, number: u64) -> String {
    match client_id {
        Some(client_id) => format!("client:{}:{sender}:{client_id}", sender.len()),
        None => format!("frame:{connection}:{number}"),
    }
}
