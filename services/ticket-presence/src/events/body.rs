//! What a back end sends: the frame as clients are to receive it, and whom to notify.

use carillon_contract::messages::Notice;
use carillon_service::http::Problem;
use serde_json::{Map, Value};

use super::notify::{self, Notify};
use crate::access::Project;

const MAX_TYPE: usize = 100;

/// What this service, or the gateway, says itself.
const RESERVED: [&str; 15] = [
    "connection_established",
    "connection.established",
    "connection_status",
    "error",
    "gap",
    "notification",
    "ping",
    "pong",
    "reconnect",
    "recovery",
    "status_update",
    "ticket_viewing",
    "user_status",
    "user_typing",
    "viewing",
];

/// What the gateway adds to each frame.
const ADDED: [&str; 3] = ["channel", "offset", "epoch"];

/// A back end's event.
#[derive(Debug)]
pub(super) struct Body {
    kind: String,
    frame: Map<String, Value>,
    notify: Vec<Notify>,
}

impl Body {
    /// Reads a request's body.
    ///
    /// # Errors
    /// 400 or 422.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let frame: Value = serde_json::from_slice(body)
            .map_err(|error| Problem::bad_request(&format!("the body is not JSON: {error}")))?;
        let Value::Object(mut frame) = frame else {
            return Err(Problem::unprocessable("body", "must be an object"));
        };
        let notify = notify::read(frame.remove("notify"))?;
        let kind = kind(&frame)?;
        if let Some(name) = ADDED.into_iter().find(|name| frame.contains_key(*name)) {
            return Err(Problem::unprocessable(name, "is added to each frame on its way"));
        }
        let body = Self { kind, frame, notify };
        body.check()?;
        Ok(body)
    }

    /// Whether those who listen to the project's tickets hear it; otherwise those who listen to the project.
    pub(super) fn is_of_tickets(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "ticket_update" | "comment_added" | "comment_updated" | "comment_deleted"
        )
    }

    /// The frame as clients receive it.
    pub(super) fn frame(&self) -> String {
        Value::Object(self.frame.clone()).to_string()
    }

    /// The notifications that it owes, each unique for its users.
    pub(super) fn notices(&self, project: &Project, cause: &str) -> Vec<Notice> {
        let notice = |(place, notify): (usize, &Notify)| notify.notice(project, format!("{cause}:{place}"));
        self.notify.iter().enumerate().map(notice).collect()
    }

    /// S3-02: the documented frames have what their clients look for.
    fn check(&self) -> Result<(), Problem> {
        if !self.is_of_tickets() {
            return Ok(());
        }
        if !self.frame.get("data").is_some_and(Value::is_object) {
            return Err(Problem::unprocessable("data", "must be an object"));
        }
        let action = self.frame.get("action").and_then(Value::as_str);
        if self.kind == "ticket_update" && !matches!(action, Some("created" | "updated" | "deleted")) {
            return Err(Problem::unprocessable("action", "must be created, updated or deleted"));
        }
        Ok(())
    }
}

/// The event's type.
fn kind(frame: &Map<String, Value>) -> Result<String, Problem> {
    let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if kind.is_empty() || kind.len() > MAX_TYPE || !kind.bytes().all(is_word) {
        let rule = "must have 1 to 100 letters, digits, dots, - and _";
        return Err(Problem::unprocessable("type", rule));
    }
    if RESERVED.contains(&kind) {
        return Err(Problem::unprocessable("type", "is the name of one of Carillon's own frames"));
    }
    Ok(kind.to_owned())
}
