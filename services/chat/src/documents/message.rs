//! The messages of the y-websocket protocol.

use bytes::Bytes;
use yrs::{
    StateVector,
    encoding::read::{Cursor, Error, Read as _},
    sync::{
        AwarenessUpdate, Message, SyncMessage,
        protocol::{
            MSG_AWARENESS, MSG_QUERY_AWARENESS, MSG_SYNC, MSG_SYNC_STEP_1, MSG_SYNC_STEP_2, MSG_SYNC_UPDATE,
        },
    },
    updates::encoder::Encode as _,
};

use super::guard::{Unreadable, decode};

/// The most messages of one frame. Clients put one into each.
const MAX_MESSAGES: usize = 32;

/// What a client says.
#[derive(Debug)]
pub(crate) enum Said {
    /// Its state: it asks for what it lacks.
    State(StateVector),
    /// A change of the document.
    Update {
        content: Bytes,
        /// It answers our state with what we lacked, which may be nothing.
        is_answer: bool,
    },
    /// Who it is, where its cursor is; and what it has heard of others.
    Awareness {
        update: AwarenessUpdate,
        /// Of the message.
        bytes: usize,
    },
    /// It asks for everybody's awareness.
    AwarenessQuery,
}

/// Why a connection is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) code: u16,
    pub(crate) reason: String,
}

impl Closing {
    /// Of a kind that this endpoint has no use for.
    fn unsupported(what: &str) -> Self {
        Self { code: 1003, reason: what.to_owned() }
    }

    /// What can't be understood.
    pub(crate) fn unreadable(what: &str, why: &Unreadable) -> Self {
        Self { code: 1007, reason: format!("{what} can't be read: {why}") }
    }

    /// What is larger than allowed.
    pub(crate) fn too_large(what: &str, limit: u32) -> Self {
        Self { code: 4413, reason: format!("{what} has more than {limit} bytes") }
    }
}

/// Reads a frame. It is not told here whether an update is one.
///
/// # Errors
/// Why the client is to be sent away.
pub(crate) fn read(frame: &Bytes) -> Result<Vec<Said>, Closing> {
    let mut cursor = Cursor::new(frame);
    let mut said = Vec::new();
    while cursor.has_content() || said.is_empty() {
        if said.len() == MAX_MESSAGES {
            return Err(Closing::unsupported("too many messages in one frame"));
        }
        said.push(next(frame, &mut cursor)?);
    }
    Ok(said)
}

fn next(frame: &Bytes, cursor: &mut Cursor<'_>) -> Result<Said, Closing> {
    let unreadable = |error: Error| Closing::unreadable("the message", &error.into());
    match cursor.read_var::<u32>().map(u8::try_from).map_err(unreadable)? {
        Ok(MSG_SYNC) => {
            let kind = cursor.read_var::<u32>().map_err(unreadable)?;
            let body = body(frame, cursor).map_err(unreadable)?;
            sync(u8::try_from(kind).ok(), body)
        }
        Ok(MSG_AWARENESS) => {
            let body = body(frame, cursor).map_err(unreadable)?;
            let update = awareness_of(&body).map_err(|why| Closing::unreadable("awareness", &why))?;
            Ok(Said::Awareness { update, bytes: body.len() })
        }
        Ok(MSG_QUERY_AWARENESS) => Ok(Said::AwarenessQuery),
        _ => Err(Closing::unsupported("this kind of message is not known here")),
    }
}

fn sync(kind: Option<u8>, body: Bytes) -> Result<Said, Closing> {
    match kind {
        Some(MSG_SYNC_STEP_1) => {
            let state = decode(&body).map_err(|why| Closing::unreadable("the state", &why))?;
            Ok(Said::State(state))
        }
        Some(MSG_SYNC_STEP_2) => Ok(Said::Update { content: body, is_answer: true }),
        Some(MSG_SYNC_UPDATE) => Ok(Said::Update { content: body, is_answer: false }),
        _ => Err(Closing::unsupported("this kind of message is not known here")),
    }
}

/// The length-prefixed bytes that come next.
fn body(frame: &Bytes, cursor: &mut Cursor<'_>) -> Result<Bytes, Error> {
    let length = cursor.read_buf()?.len();
    Ok(frame.slice(cursor.next - length..cursor.next))
}

/// Other clients would stumble over a state that is not JSON.
fn awareness_of(body: &[u8]) -> Result<AwarenessUpdate, Unreadable> {
    let update: AwarenessUpdate = decode(body)?;
    for client in update.clients.values() {
        serde_json::from_str::<serde::de::IgnoredAny>(&client.json)
            .map_err(|error| Unreadable(error.to_string()))?;
    }
    Ok(update)
}

/// Our state, for a newcomer, which then sends what we lack.
pub(crate) fn state(state: StateVector) -> Bytes {
    encode(&Message::Sync(SyncMessage::SyncStep1(state)))
}

/// The end of what a client lacked: it takes itself for up to date then.
pub(crate) fn answer(update: Vec<u8>) -> Bytes {
    encode(&Message::Sync(SyncMessage::SyncStep2(update)))
}

/// A change.
pub(crate) fn update(update: &[u8]) -> Bytes {
    encode(&Message::Sync(SyncMessage::Update(update.to_vec())))
}

/// Where somebody's cursor is.
pub(crate) fn awareness(update: AwarenessUpdate) -> Bytes {
    encode(&Message::Awareness(update))
}

/// Asks everybody for its awareness.
pub(crate) fn awareness_query() -> Bytes {
    encode(&Message::AwarenessQuery)
}

fn encode(message: &Message) -> Bytes {
    message.encode_v1().into()
}
