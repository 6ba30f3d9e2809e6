//! The endpoint table: one row for each URL pattern that WebSocket clients connect to.

use std::sync::LazyLock;

use matchit::Router;

use crate::{
    ChannelTemplate, ServiceName,
    path::{self, Located},
};

/// A URL pattern, who owns it, and all that a gateway needs to know about it.
#[derive(Debug)]
pub struct Endpoint {
    /// Its name in messages, metrics, logs and `--allow-anonymous`.
    pub name: &'static str,
    /// The pattern of its path; the trailing slash is optional.
    pub pattern: &'static str,
    /// The service that opens its sessions and handles its frames.
    pub owner: ServiceName,
    /// The channels that a connection listens to. One with `{user}` is left out for anonymous clients.
    pub channels: &'static [ChannelTemplate],
    /// The membership that a connection needs for as long as it lives, if any.
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
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["everyone"]), ChannelTemplate(&["user", "{user}"])],
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
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["everyone"]), ChannelTemplate(&["user", "{user}"])],
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
        owner: ServiceName::Notification,
        channels: &[ChannelTemplate(&["org", "{org_id}"])],
        requires: Some(ChannelTemplate(&["org", "{org_id}"])),
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
    static ROUTER: LazyLock<Router<&'static Endpoint>> =
        LazyLock::new(|| path::router(ENDPOINTS.iter().map(|endpoint| (endpoint.pattern, endpoint))));
    let found = ROUTER.at(path).ok()?;
    Some(Located { row: found.value, parameters: path::decode(&found.params)? })
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

    #[test]
    fn every_channel_of_an_endpoint_belongs_to_its_owner() {
        let parameters =
            ["org_id", "user_id"].map(|name| (name.to_owned(), "x".to_owned())).into_iter().collect();
        for endpoint in ENDPOINTS {
            for template in endpoint.channels {
                let channel =
                    template.resolve(&parameters, Some("1")).expect("a channel").expect("a channel");
                assert_eq!(channel.owner(), endpoint.owner, "{}", endpoint.name);
            }
        }
    }
}
