//! Who is typing in a conversation (S4-04).

use carillon_contract::{Channel, Person, ServiceName};
use carillon_presence::typing::{Indicator, Said, Typist, Typists};
use carillon_service::Shell;
use serde_json::{Value, json};

use super::{args::ConversationArgs, channel, number};
use crate::visitor::Visitor;

/// Who is typing in which conversation, which is a topic by its number.
pub(super) struct Typing(Typists<Frames>);

impl Typing {
    pub(super) fn new(shell: &Shell, epoch: &str, settings: &ConversationArgs) -> Self {
        Self(Typists::new(shell, ServiceName::Chat, epoch, settings.chat_typing_for, Frames))
    }

    /// What goes on by itself.
    pub(super) fn typists(&self) -> &Typists<Frames> {
        &self.0
    }

    /// A client says that its user is typing, or no longer.
    pub(super) async fn said(
        &self,
        conversation: i64,
        person: &Person,
        visitor: &Visitor,
        number: u64,
        is_typing: bool,
    ) {
        let typist = typist(conversation, person.id.as_str());
        let connection = visitor.connection.clone();
        self.0.said(Said { typist, person: json!(person), connection, number, is_typing }).await;
    }

    /// A message was sent over a connection: it is not being typed any more.
    pub(super) async fn sent(&self, conversation: i64, visitor: &Visitor, number: u64) {
        let Some(user) = visitor.user() else { return };
        self.0.stop(&typist(conversation, user), &visitor.connection, number).await;
    }

    /// The frames that tell who else is typing in a conversation.
    pub(super) async fn in_conversation(&self, conversation: i64, reader: &str) -> Vec<Value> {
        let typing = self.0.typing_in(&conversation.to_string()).await.into_iter();
        let others = typing.filter(|(typist, _)| typist.user != reader);
        others.map(|(_, person)| frame(&person, true)).collect()
    }
}

fn typist(conversation: i64, user: &str) -> Typist {
    Typist { topic: conversation.to_string(), user: user.to_owned() }
}

/// Tells a conversation's channel.
pub(super) struct Frames;

impl Indicator for Frames {
    fn show(&self, typist: &Typist, person: &Value, is_typing: bool) -> Option<(Channel, Value)> {
        Some((channel(number(&typist.topic)?).ok()?, frame(person, is_typing)))
    }
}

/// Document 4's frame.
fn frame(person: &Value, is_typing: bool) -> Value {
    json!({"type": "typing_indicator", "user": person, "is_typing": is_typing})
}
