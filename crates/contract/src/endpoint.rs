//! The endpoint table: one row for each URL pattern that WebSocket clients connect to.

use std::sync::LazyLock;

use matchit::Router;

use crate::{
    ChannelTemplate, ServiceName,
    path::{self, Located, Parameters},
};

/// A URL pattern, who owns it, and all that a gateway needs to know about it.
#[derive(Debug)]
pub struct Endpoint {
    /// Its name in messages, metrics, logs and `--allow-anonymous`.
    pub name: &'static str,
    /// The pattern of its path; the trailing slash is optional. Of two endpoints with one pattern,
    /// the first is for paths whose parameter is [`numbered`](Self::numbered).
    pub pattern: &'static str,
    /// The parameter that is all ASCII digits in this endpoint's paths, if that tells it from another.
    pub numbered: Option<&'static str>,
    /// The service that opens its sessions and handles its frames.
    pub owner: ServiceName,
    /// The channels that a connection listens to. One with `{user}` is left out for anonymous clients.
    pub channels: &'static [ChannelTemplate],
    /// Whether its owner keeps count of who is there: the gateway renews its lease with it.
    pub presence: bool,
    /// The membership that a connection needs for as long as it lives, if any. (The owner may ask
    /// for one when it accepts, too.)
    pub requires: Option<ChannelTemplate>,
    /// The parameter that must be the user's own id, if any (S4-02).
    pub own: Option<&'static str>,
    /// Whether a deployment may let anonymous clients in (`--allow-anonymous`).
    pub anonymous: bool,
    /// Whether clients choose a dialect.
    pub dialects: bool,
    /// The document's close codes.
    pub close_codes: CloseCodes,
    /// What its frames are made of.
    pub payload: Payload,
    /// What the error frame says about text that is not JSON.
    pub invalid_json: &'static str,
    /// What becomes of a client that doesn't keep up.
    pub slow_consumer: SlowConsumer,
}

/// The codes with which a document has refused connections closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCodes {
    /// No token where one is needed.
    pub missing: u16,
    /// A token that is not valid, or no longer.
    pub invalid: u16,
    /// A token that has expired.
    pub expired: u16,
    /// A valid token of someone who may not be here.
    pub denied: u16,
    /// Someone else's endpoint.
    pub mismatch: u16,
}

impl CloseCodes {
    /// Document 1's (S1-07).
    pub const EVENTS: Self =
        Self { missing: 4001, invalid: 4001, expired: 4001, denied: 4003, mismatch: 4003 };
    /// Document 4's (S4-06).
    pub const CONVERSATIONS: Self =
        Self { missing: 4003, invalid: 4001, expired: 4002, denied: 4004, mismatch: 4005 };
    /// Those of documents: `y-websocket` comes back for ever but for codes from 4400 to 4499.
    pub const DOCUMENTS: Self =
        Self { missing: 4401, invalid: 4401, expired: 4401, denied: 4403, mismatch: 4403 };
}

/// What an endpoint's frames are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// Text frames, each one JSON value.
    Json,
    /// Binary frames that only the owner understands.
    Binary,
}

/// What becomes of a connection whose outgoing queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowConsumer {
    /// Closed with 1013 and the place from which to resume.
    Close,
    /// Ephemeral events are dropped and counted; a durable one that doesn't fit closes it all the same.
    Drop,
}

/// Every endpoint.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        name: "notifications",
        pattern: "/ws/notifications/",
        numbered: None,
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["everyone"]), ChannelTemplate(&["user", "{user}"])],
        presence: false,
        requires: None,
        own: None,
        anonymous: true,
        dialects: true,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "user-notifications",
        pattern: "/ws/notifications/{user_id}/",
        numbered: None,
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["everyone"]), ChannelTemplate(&["user", "{user}"])],
        presence: false,
        requires: None,
        own: Some("user_id"),
        anonymous: false,
        dialects: true,
        close_codes: CloseCodes::CONVERSATIONS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "events",
        pattern: "/ws/events/{org_id}/",
        numbered: None,
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["org", "{org_id}"])],
        presence: false,
        requires: Some(ChannelTemplate(&["org", "{org_id}"])),
        own: None,
        anonymous: false,
        dialects: false,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "conversation",
        pattern: "/ws/chat/{room_name}/",
        numbered: Some("room_name"),
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["conversation", "{room_name}"])],
        presence: true,
        requires: None,
        own: None,
        anonymous: false,
        dialects: false,
        close_codes: CloseCodes::CONVERSATIONS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON format",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "chat",
        pattern: "/ws/chat/{room_name}/",
        numbered: None,
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["room", "{room_name}"])],
        presence: true,
        requires: None,
        own: None,
        anonymous: true,
        dialects: false,
        close_codes: CloseCodes::CONVERSATIONS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON format",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "collaboration",
        pattern: "/ws/collaboration/{room_name}/",
        numbered: None,
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["collaboration", "{room_name}"])],
        presence: true,
        requires: None,
        own: None,
        anonymous: false,
        dialects: false,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON format",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "document",
        pattern: "/ws/documents/{name}/",
        numbered: None,
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["document", "{name}"])],
        presence: true,
        requires: None,
        own: None,
        anonymous: true,
        dialects: false,
        close_codes: CloseCodes::DOCUMENTS,
        payload: Payload::Binary,
        invalid_json: "Binary frames only",
        slow_consumer: SlowConsumer::Drop,
    },
    Endpoint {
        name: "counter",
        pattern: "/ws/counter/",
        numbered: None,
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["counter", "global"])],
        presence: true,
        requires: None,
        own: None,
        anonymous: true,
        dialects: false,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON format",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "named-counter",
        pattern: "/ws/counter/{name}/",
        numbered: None,
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["counter", "{name}"])],
        presence: true,
        requires: None,
        own: None,
        anonymous: true,
        dialects: false,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON format",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "tickets",
        pattern: "/ws/projects/{project_id}/tickets/",
        numbered: None,
        owner: ServiceName::TicketPresence,
        channels: &[ChannelTemplate(&["project", "{project_id}", "tickets"])],
        presence: false,
        requires: Some(ChannelTemplate(&["project", "{project_id}"])),
        own: None,
        anonymous: false,
        dialects: false,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "presence",
        pattern: "/ws/projects/{project_id}/presence/",
        numbered: None,
        owner: ServiceName::TicketPresence,
        channels: &[ChannelTemplate(&["project", "{project_id}", "presence"])],
        presence: true,
        requires: Some(ChannelTemplate(&["project", "{project_id}"])),
        own: None,
        anonymous: false,
        dialects: false,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON",
        slow_consumer: SlowConsumer::Close,
    },
    Endpoint {
        name: "project",
        pattern: "/ws/projects/{project_id}/",
        numbered: None,
        owner: ServiceName::TicketPresence,
        channels: &[
            ChannelTemplate(&["project", "{project_id}", "tickets"]),
            ChannelTemplate(&["project", "{project_id}", "presence"]),
            ChannelTemplate(&["project", "{project_id}", "events"]),
        ],
        presence: true,
        requires: Some(ChannelTemplate(&["project", "{project_id}"])),
        own: None,
        anonymous: false,
        dialects: false,
        close_codes: CloseCodes::EVENTS,
        payload: Payload::Json,
        invalid_json: "Invalid JSON",
        slow_consumer: SlowConsumer::Close,
    },
];

/// The endpoint of that name.
pub fn endpoint(name: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.name == name)
}

/// The endpoint at a URL's path (without the query).
pub fn endpoint_at(path: &str) -> Option<Located<Endpoint>> {
    static ROUTER: LazyLock<Router<Vec<&'static Endpoint>>> =
        LazyLock::new(|| path::grouped_router(ENDPOINTS.iter().map(|endpoint| (endpoint.pattern, endpoint))));
    let found = ROUTER.at(path).ok()?;
    let parameters = path::decode(&found.params)?;
    let row = found.value.iter().find(|endpoint| endpoint.is_for(&parameters))?;
    Some(Located { row, parameters })
}

impl Endpoint {
    fn is_for(&self, parameters: &Parameters) -> bool {
        let is_number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
        self.numbered.is_none_or(|name| parameters.get(name).is_some_and(is_number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_with_and_without_its_last_slash() {
        for path in ["/ws/events/a%2Fb/", "/ws/events/a%2Fb"] {
            let found = endpoint_at(path).expect("an endpoint");
            assert_eq!(found.row.name, "events");
            assert_eq!(found.parameters["org_id"], "a/b");
        }
        assert!(endpoint_at("/ws/events/").is_none());
        assert!(endpoint_at("/ws/events/%FF/").is_none());
        assert!(endpoint_at("/ws/events/a%00/").is_none());
        assert!(endpoint_at("/ws/nothing/").is_none());
    }

    /// S4-01: an all-digit name is a conversation's and never a room's.
    #[test]
    fn names_of_digits_are_conversations() {
        for (path, name) in [
            ("/ws/chat/7/", "conversation"),
            ("/ws/chat/007", "conversation"),
            ("/ws/chat/%37/", "conversation"),
            ("/ws/chat/general/", "chat"),
            ("/ws/chat/7a/", "chat"),
            ("/ws/chat/-7/", "chat"),
            ("/ws/chat/%D9%A7/", "chat"),
        ] {
            assert_eq!(endpoint_at(path).expect("an endpoint").row.name, name, "{path}");
        }
    }

    #[test]
    fn every_channel_of_an_endpoint_belongs_to_its_owner() {
        let parameters = ["org_id", "user_id", "room_name", "name", "project_id"]
            .map(|name| (name.to_owned(), "x".to_owned()))
            .into_iter()
            .collect();
        for endpoint in ENDPOINTS {
            for template in endpoint.channels {
                let channel =
                    template.resolve(&parameters, Some("1")).expect("a channel").expect("a channel");
                assert_eq!(channel.owner(), endpoint.owner, "{}", endpoint.name);
            }
        }
    }
}
