//! What the gateway itself says in `carillon.v1`.

use std::borrow::Cow;

use carillon_contract::{
    ChannelError, Endpoint, Id,
    messages::{HistoryReply, PresenceReply},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::RequestId;
use crate::{
    session::{Format, SessionInfo, frames::json},
    shard::variant,
    websocket::{Cause, CloseReason},
};

/// Why a request is refused, or a subscription has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// By which a program knows it.
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
    /// Whether the same request may succeed later.
    pub(super) retry: bool,
    /// In how many seconds, where that is known.
    pub(super) retry_after: Option<u64>,
}

impl Problem {
    pub(super) const INVALID_JSON: Self = Self::fixed("invalid_json", "Invalid JSON");
    pub(super) const UNKNOWN_TYPE: Self = Self::fixed("unknown_type", "There is no such request");
    pub(super) const BINARY: Self = Self::fixed("invalid", "Requests are text");
    pub(super) const NO_SUCH_CHANNEL: Self =
        Self::fixed("unknown_channel", "There is no such channel for clients");
    pub(super) const BINARY_CHANNEL: Self =
        Self::fixed("unsupported", "Its frames are binary: connect to its own endpoint");
    pub(super) const DENIED: Self = Self::fixed("denied", "It is somebody else's");
    pub(super) const NO_TOKEN: Self = Self::fixed("token_missing", "A token is needed");
    pub(super) const ALREADY_SUBSCRIBED: Self = Self::fixed("already_subscribed", "Subscribed to already");
    pub(super) const NOT_SUBSCRIBED: Self = Self::fixed("not_subscribed", "Not subscribed to");
    pub(super) const ONLY_LISTENS: Self = Self::fixed("denied", "A back end publishes over HTTP");
    pub(super) const NO_PRESENCE: Self = Self::fixed("unsupported", "Nobody counts who is there");
    pub(super) const TOO_MANY: Self = Self::fixed("too_many_subscriptions", "Too many subscriptions");
    pub(super) const UNAVAILABLE: Self = Self {
        code: "unavailable",
        message: Cow::Borrowed("Temporarily unavailable, please try again"),
        retry: true,
        retry_after: None,
    };

    const fn fixed(code: &'static str, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message), retry: false, retry_after: None }
    }

    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..Self::fixed("invalid", "") }
    }

    pub(super) fn unknown_channel(error: ChannelError) -> Self {
        Self { message: error.to_string().into(), ..Self::NO_SUCH_CHANNEL }
    }

    pub(super) fn refresh(message: String) -> Self {
        Self { message: message.into(), ..Self::fixed("refresh", "") }
    }

    pub(super) fn rate_limited(retry_after: u64) -> Self {
        Self {
            retry: true,
            retry_after: Some(retry_after),
            ..Self::fixed("rate_limited", "Rate limit exceeded")
        }
    }

    /// What has closed a session of this endpoint, or refused to open it.
    pub(super) fn of_close(reason: &CloseReason, endpoint: &Endpoint) -> Self {
        let codes = &endpoint.close_codes;
        let (code, retry) = match reason.cause {
            Cause::Unavailable => ("unavailable", true),
            Cause::Slow => ("out_of_step", true),
            Cause::Restart => ("restart", true),
            Cause::Internal => ("internal", true),
            Cause::Access => ("denied", false),
            _ if (1011..=1013).contains(&reason.code) => ("restart", true),
            _ if reason.code == codes.denied || reason.code == codes.mismatch => ("denied", false),
            _ if reason.code == codes.missing => ("token_missing", false),
            _ if reason.code == 4004 => ("not_found", false),
            _ => ("refused", false),
        };
        Self { code, message: reason.reason.clone(), retry, retry_after: None }
    }
}

#[derive(Serialize)]
struct Connected<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    protocol: &'static str,
    connection: &'a str,
    user_id: Option<Id>,
}

/// The first frame of a connection.
pub(super) fn connected(info: &SessionInfo) -> Vec<u8> {
    let user_id = info.user().and_then(|user| Id::new(user).ok());
    let (kind, protocol) = ("connected", carillon_contract::CHANNELS);
    json(&Connected { kind, protocol, connection: &info.connection, user_id })
}

#[derive(Serialize)]
struct Subscribed<'a> {
    id: &'a RawValue,
    #[serde(rename = "type")]
    kind: &'static str,
    channel: &'a str,
    epoch: &'a str,
    offset: u64,
}

/// The channel's events follow from that offset on, after what its owner says first.
pub(crate) fn subscribed(id: &RequestId, channel: &str, epoch: &str, offset: u64) -> Vec<u8> {
    json(&Subscribed { id: id.raw(), kind: "subscribed", channel, epoch, offset })
}

#[derive(Serialize)]
struct Done<'a> {
    id: &'a RawValue,
    #[serde(rename = "type")]
    kind: &'static str,
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<&'a RawValue>>,
}

/// Nothing of the channel follows.
pub(super) fn unsubscribed(id: &RequestId, channel: &str) -> Vec<u8> {
    json(&Done { id: id.raw(), kind: "unsubscribed", channel, data: None })
}

/// The channel's owner has handled a frame, and says this to its sender.
pub(super) fn published<'a>(
    id: &RequestId,
    channel: &str,
    frames: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let data = frames.into_iter().filter_map(raw).collect();
    json(&Done { id: id.raw(), kind: "published", channel, data: Some(data) })
}

#[derive(Serialize)]
struct Ended<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    code: &'static str,
    message: &'a str,
    retry: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// A subscription is over without having been asked to.
pub(super) fn ended(channel: &str, problem: &Problem) -> Vec<u8> {
    problem.said("unsubscribed", None, Some(channel))
}

/// A request was not carried out.
pub(super) fn error(id: Option<&RequestId>, channel: Option<&str>, problem: &Problem) -> Vec<u8> {
    problem.said("error", id, channel)
}

impl Problem {
    fn said(&self, kind: &'static str, id: Option<&RequestId>, channel: Option<&str>) -> Vec<u8> {
        let (id, message) = (id.map(RequestId::raw), &*self.message);
        json(&Ended {
            id,
            kind,
            channel,
            code: self.code,
            message,
            retry: self.retry,
            retry_after: self.retry_after,
        })
    }
}

#[derive(Serialize)]
struct Pong<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a RawValue>,
}

/// The answer to a ping, with what it had.
pub(super) fn pong(id: Option<&RawValue>, timestamp: Option<&RawValue>) -> Vec<u8> {
    json(&Pong { id, kind: "pong", timestamp })
}

#[derive(Serialize)]
struct Refreshed<'a> {
    id: &'a RawValue,
    #[serde(rename = "type")]
    kind: &'static str,
    expires_in: i64,
}

/// The new token is valid for so many seconds.
pub(super) fn refreshed(id: &RequestId, expires_in: i64) -> Vec<u8> {
    json(&Refreshed { id: id.raw(), kind: "refreshed", expires_in })
}

#[derive(Serialize)]
struct History<'a> {
    id: &'a RawValue,
    #[serde(rename = "type")]
    kind: &'static str,
    channel: &'a str,
    epoch: &'a str,
    first: u64,
    head: u64,
    events: Vec<Past<'a>>,
}

#[derive(Serialize)]
struct Past<'a> {
    offset: u64,
    data: &'a RawValue,
}

/// A page of a channel's log, as clients of this format see its events.
pub(super) fn history(id: &RequestId, channel: &str, format: Format, reply: &HistoryReply) -> Vec<u8> {
    let past = |event| {
        let data = raw(&variant(event, format)?.json)?;
        Some(Past { offset: event.offset, data })
    };
    let events = reply.events.iter().filter_map(past).collect();
    let (kind, epoch, first, head) = ("history", &*reply.epoch, reply.first, reply.head);
    json(&History { id: id.raw(), kind, channel, epoch, first, head, events })
}

#[derive(Serialize)]
struct Presence<'a> {
    id: &'a RawValue,
    #[serde(rename = "type")]
    kind: &'static str,
    channel: &'a str,
    count: u64,
    members: Vec<&'a RawValue>,
    next: Option<&'a str>,
}

/// A page of those who are there.
pub(super) fn presence(id: &RequestId, channel: &str, reply: &PresenceReply) -> Vec<u8> {
    let members = reply.members.iter().filter_map(|member| raw(member)).collect();
    let next = Some(&*reply.next).filter(|next| !next.is_empty());
    json(&Presence { id: id.raw(), kind: "presence", channel, count: reply.count, members, next })
}

/// What a service says is JSON.
fn raw(json: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(json).ok()
}
