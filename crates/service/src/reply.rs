//! Answers to a connection: frames for the sender, refusals, and the acceptance of a session.

use bytes::Bytes;
use carillon_contract::{
    Id,
    messages::{Accept, ChannelHead, Close, FrameReply, OpenReply, open_reply::Outcome},
};
use serde_json::{Value, json};

/// Why a frame was refused, as its sender is told. The connection stays open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs: one word of letters and `_`. Empty where the document has none.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// Why, for programs and for people.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The error frame, with the frame's `client_id` where it had one.
    pub fn frame(&self, client_id: Option<&Id>) -> Value {
        let mut frame = json!({"type": "error", "code": self.code, "message": self.message});
        if let Some(client_id) = client_id {
            frame["client_id"] = json!(client_id);
        }
        frame
    }
}

/// A reply that says nothing: what is to be told is published.
pub fn silence() -> FrameReply {
    FrameReply::default()
}

/// A reply of JSON frames for the sender alone.
pub fn frames<'a>(frames: impl IntoIterator<Item = &'a Value>) -> FrameReply {
    FrameReply {
        frames: frames.into_iter().map(|frame| frame.to_string().into()).collect(),
        ..FrameReply::default()
    }
}

/// A reply that refuses a frame.
pub fn refused(refusal: &Refusal, client_id: Option<&Id>) -> FrameReply {
    frames([&refusal.frame(client_id)])
}

/// Refuses a session.
pub fn reject(code: u16, reason: &str) -> OpenReply {
    let close = Close { code: code.into(), reason: reason.to_owned() };
    OpenReply { outcome: Some(Outcome::Reject(close)) }
}

/// Accepts a session: its greeting, and the heads as of which it was read.
pub fn accept(epoch: &str, heads: Vec<ChannelHead>, greeting: &[Value], requires: &str) -> OpenReply {
    let greeting = greeting.iter().map(|frame| frame.to_string().into()).collect();
    accept_binary(epoch, heads, greeting, requires)
}

/// [`accept`] with frames of any kind.
pub fn accept_binary(
    epoch: &str,
    heads: Vec<ChannelHead>,
    greeting: Vec<Bytes>,
    requires: &str,
) -> OpenReply {
    let accept = Accept { greeting, epoch: epoch.to_owned(), channels: heads, requires: requires.to_owned() };
    OpenReply { outcome: Some(Outcome::Accept(accept)) }
}
