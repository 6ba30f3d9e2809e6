//! The endpoint table: one row for each URL pattern that WebSocket clients connect to.

use std::sync::LazyLock;

use matchit::Router;

use crate::{
    Channel, ChannelTemplate, ServiceName,
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
    /// Those of `carillon.v1`: after 4100 to 4199 a client comes back, after 4500 to 4599 it doesn't.
    pub const CHANNELS: Self =
        Self { missing: 4501, invalid: 4502, expired: 4101, denied: 4503, mismatch: 4503 };
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
    /// Text frames of `carillon.v1`: requests about any number of channels, and what they tell.
    Channels,
}

/// What becomes of a connection whose outgoing queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowConsumer {
    /// Closed with 1013 and the place from which to resume.
    Close,
    /// Ephemeral events are dropped and counted; a durable one that doesn't fit closes it all the same.
    Drop,
}

/// The name of the endpoint, and the subprotocol, of the protocol for new clients.
pub const CHANNELS: &str = "carillon.v1";

/// What holds of an endpoint whose row doesn't say otherwise.
const USUAL: Endpoint = Endpoint {
    name: "",
    pattern: "",
    numbered: None,
    owner: ServiceName::Auth,
    channels: &[],
    presence: false,
    requires: None,
    own: None,
    anonymous: false,
    dialects: false,
    close_codes: CloseCodes::EVENTS,
    payload: Payload::Json,
    invalid_json: "Invalid JSON",
    slow_consumer: SlowConsumer::Close,
};

/// What a subscription of a back end is a session of: it only listens, so it is counted nowhere, and no
/// channel's owner is asked whether it may. It has no path.
pub static BACK_END: Endpoint =
    Endpoint { name: "back-end", dialects: true, close_codes: CloseCodes::CHANNELS, ..USUAL };

/// Every endpoint. Whoever names a channel alone is told of it as at the first that lists it.
pub static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        name: "notifications",
        pattern: "/ws/notifications/",
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["everyone"]), ChannelTemplate(&["user", "{user}"])],
        anonymous: true,
        dialects: true,
        ..USUAL
    },
    Endpoint {
        name: "user-notifications",
        pattern: "/ws/notifications/{user_id}/",
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["everyone"]), ChannelTemplate(&["user", "{user}"])],
        own: Some("user_id"),
        dialects: true,
        close_codes: CloseCodes::CONVERSATIONS,
        ..USUAL
    },
    Endpoint {
        name: "events",
        pattern: "/ws/events/{org_id}/",
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["org", "{org_id}"])],
        requires: Some(ChannelTemplate(&["org", "{org_id}"])),
        ..USUAL
    },
    Endpoint {
        name: "conversation",
        pattern: "/ws/chat/{room_name}/",
        numbered: Some("room_name"),
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["conversation", "{room_name}"])],
        presence: true,
        close_codes: CloseCodes::CONVERSATIONS,
        invalid_json: "Invalid JSON format",
        ..USUAL
    },
    Endpoint {
        name: "chat",
        pattern: "/ws/chat/{room_name}/",
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["room", "{room_name}"])],
        presence: true,
        anonymous: true,
        close_codes: CloseCodes::CONVERSATIONS,
        invalid_json: "Invalid JSON format",
        ..USUAL
    },
    Endpoint {
        name: "collaboration",
        pattern: "/ws/collaboration/{room_name}/",
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["collaboration", "{room_name}"])],
        presence: true,
        invalid_json: "Invalid JSON format",
        ..USUAL
    },
    Endpoint {
        name: "document",
        pattern: "/ws/documents/{name}/",
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["document", "{name}"])],
        presence: true,
        anonymous: true,
        close_codes: CloseCodes::DOCUMENTS,
        payload: Payload::Binary,
        invalid_json: "Binary frames only",
        slow_consumer: SlowConsumer::Drop,
        ..USUAL
    },
    Endpoint {
        name: "counter",
        pattern: "/ws/counter/",
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["counter", "global"])],
        presence: true,
        anonymous: true,
        invalid_json: "Invalid JSON format",
        ..USUAL
    },
    Endpoint {
        name: "named-counter",
        pattern: "/ws/counter/{name}/",
        owner: ServiceName::Chat,
        channels: &[ChannelTemplate(&["counter", "{name}"])],
        presence: true,
        anonymous: true,
        invalid_json: "Invalid JSON format",
        ..USUAL
    },
    Endpoint {
        name: "tickets",
        pattern: "/ws/projects/{project_id}/tickets/",
        owner: ServiceName::TicketPresence,
        channels: &[ChannelTemplate(&["project", "{project_id}", "tickets"])],
        requires: Some(ChannelTemplate(&["project", "{project_id}"])),
        ..USUAL
    },
    Endpoint {
        name: "presence",
        pattern: "/ws/projects/{project_id}/presence/",
        owner: ServiceName::TicketPresence,
        channels: &[ChannelTemplate(&["project", "{project_id}", "presence"])],
        presence: true,
        requires: Some(ChannelTemplate(&["project", "{project_id}"])),
        ..USUAL
    },
    Endpoint {
        name: "project-events",
        pattern: "/ws/projects/{project_id}/events/",
        owner: ServiceName::TicketPresence,
        channels: &[ChannelTemplate(&["project", "{project_id}", "events"])],
        requires: Some(ChannelTemplate(&["project", "{project_id}"])),
        ..USUAL
    },
    Endpoint {
        name: "project",
        pattern: "/ws/projects/{project_id}/",
        owner: ServiceName::TicketPresence,
        channels: &[
            ChannelTemplate(&["project", "{project_id}", "tickets"]),
            ChannelTemplate(&["project", "{project_id}", "presence"]),
            ChannelTemplate(&["project", "{project_id}", "events"]),
        ],
        presence: true,
        requires: Some(ChannelTemplate(&["project", "{project_id}"])),
        ..USUAL
    },
    Endpoint {
        name: "system-health",
        pattern: "/ws/system-health/",
        owner: ServiceName::Metrics,
        channels: &[ChannelTemplate(&["system", "health"])],
        invalid_json: "Invalid JSON format",
        slow_consumer: SlowConsumer::Drop,
        ..USUAL
    },
    // What a client asks for here is asked of the channels' owners; of the connection itself, nobody.
    Endpoint {
        name: CHANNELS,
        pattern: "/ws/v1/",
        owner: ServiceName::Auth,
        channels: &[],
        anonymous: true,
        close_codes: CloseCodes::CHANNELS,
        payload: Payload::Channels,
        ..USUAL
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

/// The endpoint that speaks for a channel, for clients who name the channel alone, and its parameters.
/// `None` if clients can't listen to it.
pub fn endpoint_of(channel: &Channel) -> Option<Located<Endpoint>> {
    let listed = |row: &'static Endpoint| {
        let parameters = row.channels.iter().find_map(|template| template.parameters_of(channel))?;
        // No path holds a control character, either.
        let is_text = parameters.values().all(|value| !value.chars().any(char::is_control));
        is_text.then_some(Located { row, parameters })
    };
    let found = ENDPOINTS.iter().find_map(listed)?;
    let mut of_this_pattern = ENDPOINTS.iter().filter(|row| row.pattern == found.row.pattern);
    let meant = of_this_pattern.find(|row| row.is_for(&found.parameters))?;
    (meant.name == found.row.name).then_some(found)
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
    fn a_channel_has_the_endpoint_at_which_it_alone_is_told_of() {
        for (channel, name, parameters) in [
            ("everyone", "notifications", vec![]),
            ("user.42", "notifications", vec![]),
            ("org.a=2Fb", "events", vec![("org_id", "a/b")]),
            ("room.general", "chat", vec![("room_name", "general")]),
            ("conversation.7", "conversation", vec![("room_name", "7")]),
            ("counter.global", "counter", vec![]),
            ("counter.likes", "named-counter", vec![("name", "likes")]),
            ("project.1.tickets", "tickets", vec![("project_id", "1")]),
            ("project.1.presence", "presence", vec![("project_id", "1")]),
            ("project.1.events", "project-events", vec![("project_id", "1")]),
            ("system.health", "system-health", vec![]),
        ] {
            let found = endpoint_of(&channel.parse().expect("a channel")).expect("an endpoint");
            let parameters = parameters.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            assert_eq!((found.row.name, found.parameters), (name, parameters.collect()), "{channel}");
        }
        for channel in ["access", "room.7", "conversation.x", "project.1", "project.1.x", "room.a=00", "room"]
        {
            assert!(endpoint_of(&channel.parse().expect("a channel")).is_none(), "{channel}");
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
