//! What a back end sends: the frame as clients are to receive it, and whom to notify.

use carillon_contract::{Id, messages::Notice};
use carillon_service::http::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::access::Project;

const MAX_TYPE: usize = 100;
const MAX_NOTICES: usize = 100;
const MAX_USERS: usize = 1_000;

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

/// Whom to notify, and of what: as in `POST /api/notifications/send/`.
#[derive(Debug, Deserialize)]
struct Notify {
    user_id: Option<Id>,
    #[serde(default)]
    user_ids: Vec<Id>,
    title: String,
    message: String,
    #[serde(default)]
    notification_type: String,
    #[serde(default)]
    priority: String,
    #[serde(default)]
    data: Option<Map<String, Value>>,
    /// Its sender's own `id`, `ticket_id`, `ticket_key`, and whatever else.
    #[serde(flatten)]
    members: Map<String, Value>,
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
        let notify = notify(frame.remove("notify"))?;
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
    pub(super) fn notices(&self, project: &Project, cause: &str) -> Result<Vec<Notice>, Problem> {
        let notice = |(place, notify): (usize, &Notify)| {
            let users = notify.user_ids.iter().chain(&notify.user_id).map(Id::to_string).collect();
            let mut members = notify.members.clone();
            members.entry("project_id").or_insert_with(|| serde_json::json!(project.id));
            let data = notify.data.as_ref().map(|data| Value::Object(data.clone()).to_string());
            Notice {
                users,
                title: notify.title.clone(),
                message: notify.message.clone(),
                notification_type: notify.notification_type.clone(),
                priority: notify.priority.clone(),
                data: data.unwrap_or_default().into(),
                cause: format!("project:{}:event:{cause}:{place}", project.id),
                members: Value::Object(members).to_string().into(),
            }
        };
        Ok(self.notify.iter().enumerate().map(notice).collect())
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

/// One, or several.
fn notify(value: Option<Value>) -> Result<Vec<Notify>, Problem> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(item) => vec![item],
    };
    if items.len() > MAX_NOTICES {
        return Err(Problem::unprocessable("notify", "must be at most 100"));
    }
    let read = |item: Value| {
        let notify: Notify = serde_json::from_value(item)
            .map_err(|error| Problem::unprocessable("notify", &error.to_string()))?;
        notify.check()?;
        Ok(notify)
    };
    items.into_iter().map(read).collect()
}

impl Notify {
    /// As the notification service would refuse it: here its caller still hears of it.
    fn check(&self) -> Result<(), Problem> {
        let refuse = |detail| Err(Problem::unprocessable("notify", detail));
        let users = self.user_ids.len() + usize::from(self.user_id.is_some());
        if !(1..=MAX_USERS).contains(&users) {
            return refuse("needs user_id, or 1 to 1000 user_ids");
        }
        if !(1..=200).contains(&self.title.chars().count()) {
            return refuse("needs a title of at most 200 characters");
        }
        if !(1..=5_000).contains(&self.message.chars().count()) {
            return refuse("needs a message of at most 5000 characters");
        }
        if !matches!(self.priority.as_str(), "" | "low" | "normal" | "high") {
            return refuse("priority must be low, normal or high");
        }
        if self.notification_type.chars().count() > 100 {
            return refuse("notification_type has at most 100 characters");
        }
        let id = self.members.get("id");
        if id.is_some_and(|id| serde_json::from_value::<Id>(id.clone()).is_err()) {
            return refuse("id must be a text of at most 255 bytes or a whole number");
        }
        Ok(())
    }
}
