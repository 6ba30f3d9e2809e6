//! Carrying out what a client says in a conversation.

use carillon_contract::{Id, messages::FrameReply};
use carillon_service::Failure;
use carillon_store::StoreError;
use serde_json::json;

use super::{
    Conversations,
    caller::Caller,
    changes::{Change, Outcome},
    frame::{self, Action, Said, Text},
    number, participant,
};
use crate::{
    messages::{Author, Draft, cause},
    reply::{Refusal, frames, refused, silence},
    visitor::Visitor,
};

/// Somebody who says something: where, and with which frame.
struct Speaker<'a> {
    caller: Caller,
    conversation: i64,
    visitor: &'a Visitor,
    frame: u64,
    client_id: Option<Id>,
}

/// Handles one frame: what it says is stored and published before its sender is told.
pub(super) async fn handle(
    conversations: &Conversations,
    visitor: &Visitor,
    frame: u64,
    payload: &[u8],
) -> Result<FrameReply, Failure> {
    let conversation = number(&visitor.name)
        .ok_or_else(|| Failure::Malformed("a conversation's name is a number".to_owned()))?;
    let (said, client_id) = frame::read(payload);
    let speaker = Speaker { caller: Caller::at(visitor)?, conversation, visitor, frame, client_id };
    let reply = match said {
        Err(refusal) => Err(refusal),
        Ok(Said::Message(text)) => speaker.send(conversations, text).await?,
        Ok(Said::Typing(is_typing)) => speaker.types(conversations, is_typing).await?,
        Ok(Said::Change(action)) => speaker.change(conversations, action).await?,
    };
    Ok(reply.unwrap_or_else(|refusal| refused(&refusal, speaker.client_id.as_ref())))
}

impl Speaker<'_> {
    async fn send(
        &self,
        conversations: &Conversations,
        text: Text,
    ) -> Result<Result<FrameReply, Refusal>, Failure> {
        let sent = match conversations.messages.send(self.draft(text)?).await? {
            Ok(sent) => sent,
            Err(refusal) => return Ok(Err(refusal)),
        };
        conversations.typing.sent(self.conversation, self.visitor, self.frame).await;
        let ack = self.client_id.as_ref().map(|client_id| {
            let (id, offset) = (sent.id, sent.offset);
            json!({"type": "message_ack", "client_id": client_id, "message_id": id, "offset": offset})
        });
        Ok(Ok(ack.map_or_else(silence, |ack| frames([&ack]))))
    }

    fn draft(&self, text: Text) -> Result<Draft, Failure> {
        let client_id = self.client_id.as_ref().map(Id::as_str);
        Ok(Draft {
            channel: self.visitor.channel()?,
            conversation: Some(self.conversation),
            cause: cause(self.caller.user(), client_id, &self.visitor.connection, self.frame),
            author: Author::User(self.caller.person.clone()),
            message_type: text.message_type,
            body: text.body,
            reply_to: text.reply_to,
            attachments: text.attachments,
            client_id: client_id.map(str::to_owned),
        })
    }

    /// It is not stored, so that one statement suffices to see that it is a participant's.
    async fn types(
        &self,
        conversations: &Conversations,
        is_typing: bool,
    ) -> Result<Result<FrameReply, Refusal>, Failure> {
        let mut connection = conversations.database.reader().acquire().await.map_err(StoreError::from)?;
        let known = participant::find(&mut connection, self.conversation, self.caller.user()).await?;
        drop(connection);
        if known.is_none() {
            return Ok(Err(crate::reply::not_a_participant()));
        }
        let typing = &conversations.typing;
        typing.said(self.conversation, &self.caller.person, self.visitor, self.frame, is_typing).await;
        Ok(Ok(silence()))
    }

    async fn change(
        &self,
        conversations: &Conversations,
        action: Action,
    ) -> Result<Result<FrameReply, Refusal>, Failure> {
        let change = Change {
            conversation: self.conversation,
            by: self.caller.clone(),
            cause: format!("{}:{}", self.visitor.connection, self.frame),
            action,
        };
        match conversations.changes.submit(change).await? {
            Outcome::Refused(refusal) => Ok(Err(refusal)),
            Outcome::Done(outgoing) => {
                outgoing.publish(&conversations.publisher).await;
                Ok(Ok(silence()))
            }
        }
    }
}
