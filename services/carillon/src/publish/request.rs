//! Which HTTP request publishes to a channel.

use carillon_contract::Channel;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{
    client::{Api, ApiError},
    output::Usage,
};

/// What stays as it is in a path's parameter.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// One request.
#[derive(Debug)]
pub(super) struct Request {
    /// To which channels it publishes.
    pub(super) channels: Vec<String>,
    /// Its path.
    pub(super) path: String,
    body: Value,
}

impl Request {
    /// Makes it.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(super) async fn make(&self, api: &Api, key: &str) -> Result<Value, ApiError> {
        api.call(Method::POST, &self.path, Some(&self.body), Some(key)).await
    }
}

/// The requests for these channels: one for all users, and one for each other channel.
///
/// # Errors
/// A channel to which nobody publishes over HTTP.
pub(super) fn requests(channels: &[Channel], payload: &Map<String, Value>) -> Result<Vec<Request>, Usage> {
    let users: Vec<&Channel> = channels.iter().filter(|channel| channel.kind() == "user").collect();
    let mut requests = Vec::new();
    if !users.is_empty() {
        requests.push(to_users(&users, payload));
    }
    for channel in channels.iter().filter(|channel| channel.kind() != "user") {
        requests.push(to(channel, payload)?);
    }
    Ok(requests)
}

fn to_users(users: &[&Channel], payload: &Map<String, Value>) -> Request {
    let ids: Vec<String> = users.iter().flat_map(|channel| channel.parts()).collect();
    let recipients = match ids.as_slice() {
        [id] => ("user_id", json!(id)),
        ids => ("user_ids", json!(ids)),
    };
    Request {
        channels: users.iter().map(ToString::to_string).collect(),
        path: "/api/notifications/send/".to_owned(),
        body: with(payload, recipients.0, recipients.1),
    }
}

fn to(channel: &Channel, payload: &Map<String, Value>) -> Result<Request, Usage> {
    let parts = channel.parts();
    let parts: Vec<String> = parts.iter().map(|part| utf8_percent_encode(part, PLAIN).to_string()).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let mut body = Value::Object(payload.clone());
    let path = match (channel.kind(), parts.as_slice()) {
        ("everyone", []) => {
            body = with(payload, "everyone", json!(true));
            "/api/notifications/send/".to_owned()
        }
        ("org", [org]) => format!("/api/orgs/{org}/events/"),
        ("room", [room]) => format!("/api/chat/rooms/{room}/messages/"),
        ("conversation", [id]) => format!("/api/chat/conversations/{id}/messages/"),
        ("counter", [name]) => format!("/api/counter/{name}/"),
        ("project", [id, "tickets" | "events"]) => format!("/api/projects/{id}/events/"),
        _ => {
            return Err(Usage(format!(
                "nothing is published to {channel} over HTTP: everyone, user.ID, org.ID, room.NAME, \
                 conversation.ID, counter.NAME, project.ID.tickets and project.ID.events are"
            )));
        }
    };
    Ok(Request { channels: vec![channel.to_string()], path, body })
}

fn with(payload: &Map<String, Value>, name: &str, value: Value) -> Value {
    let mut body = payload.clone();
    body.insert(name.to_owned(), value);
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(channels: &[&str]) -> Result<Vec<Request>, Usage> {
        let channels: Vec<Channel> = channels.iter().map(|text| text.parse().expect("a channel")).collect();
        requests(&channels, &Map::new())
    }

    #[test]
    fn each_kind_of_channel_has_its_route() {
        let made = of(&["user.7", "room.a=2Fb", "everyone", "user.8", "project.1.events"]).expect("requests");
        let paths: Vec<&str> = made.iter().map(|request| request.path.as_str()).collect();
        let send = "/api/notifications/send/";
        assert_eq!(paths, [send, "/api/chat/rooms/a%2Fb/messages/", send, "/api/projects/1/events/"]);
        assert_eq!(made[0].body, json!({"user_ids": ["7", "8"]}));
        assert_eq!(of(&["user.7"]).expect("a request")[0].body, json!({"user_id": "7"}));
        assert_eq!(made[2].body, json!({"everyone": true}));
    }

    #[test]
    fn what_nobody_publishes_to_is_said() {
        for channel in ["collaboration.plan", "document.x", "access", "project.1", "project.1.presence"] {
            assert!(of(&[channel]).is_err(), "{channel}");
        }
    }
}
