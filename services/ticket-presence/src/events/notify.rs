//! Whom a back end's event notifies.

use std::collections::BTreeSet;

use carillon_contract::{Id, messages::Notice};
use carillon_service::http::Problem;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access::Project;

const MAX_NOTICES: usize = 100;
const MAX_USERS: usize = 1_000;
const MAX_TITLE: usize = 200;
const MAX_MESSAGE: usize = 5_000;
const MAX_TYPE: usize = 100;
const MAX_TIMESTAMP: usize = 100;

/// The most bytes of a notification, below what the notification service takes.
const MAX_BYTES: usize = 60_000;

/// Whom to notify, and of what: as in `POST /api/notifications/send/`.
#[derive(Debug, Deserialize)]
pub(super) struct Notify {
    user_id: Option<Id>,
    #[serde(default)]
    user_ids: Vec<Id>,
    title: String,
    message: String,
    notification_type: Option<String>,
    priority: Option<String>,
    data: Option<Map<String, Value>>,
    /// Its sender's own `id`, `ticket_id`, `ticket_key`, and whatever else.
    #[serde(flatten)]
    members: Map<String, Value>,
}

/// One, or several.
///
/// # Errors
/// 422
pub(super) fn read(value: Option<Value>) -> Result<Vec<Notify>, Problem> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(item) => vec![item],
    };
    if items.len() > MAX_NOTICES {
        return Err(Problem::unprocessable("notify", "must be at most 100"));
    }
    items.into_iter().map(Notify::read).collect()
}

impl Notify {
    fn read(item: Value) -> Result<Self, Problem> {
        let size = item.to_string().len();
        let notify: Self = serde_json::from_value(item)
            .map_err(|error| Problem::unprocessable("notify", &error.to_string()))?;
        let refusal = |detail| Err(Problem::unprocessable("notify", detail));
        notify.fault(size).map_or(Ok(notify), refusal)
    }

    /// What the notification service would refuse: here its caller still hears of it.
    fn fault(&self, size: usize) -> Option<&'static str> {
        let length = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
        let id = self.members.get("id").filter(|id| !id.is_null());
        if !(1..=MAX_USERS).contains(&self.users().len()) {
            Some("needs user_id, or 1 to 1000 user_ids")
        } else if !(1..=MAX_TITLE).contains(&self.title.chars().count()) {
            Some("needs a title of at most 200 characters")
        } else if !(1..=MAX_MESSAGE).contains(&self.message.chars().count()) {
            Some("needs a message of at most 5000 characters")
        } else if !matches!(self.priority.as_deref(), None | Some("" | "low" | "normal" | "high")) {
            Some("priority must be low, normal or high")
        } else if length(&self.notification_type) > MAX_TYPE {
            Some("notification_type has at most 100 characters")
        } else if id.is_some_and(|id| serde_json::from_value::<Id>(id.clone()).is_err()) {
            Some("id must be a text of at most 255 bytes or a whole number")
        } else if !self.members.get("timestamp").is_none_or(is_time) {
            Some("timestamp must be a short string or a number")
        } else if size > MAX_BYTES {
            Some("has at most 60000 bytes")
        } else {
            None
        }
    }

    fn users(&self) -> BTreeSet<&Id> {
        self.user_ids.iter().chain(&self.user_id).collect()
    }

    /// The notification, of which each user gets one.
    pub(super) fn notice(&self, project: &Project, cause: String) -> Notice {
        let mut members = self.members.clone();
        members.entry("project_id").or_insert_with(|| json!(project.id));
        let data = self.data.clone().map(|data| Value::Object(data).to_string());
        Notice {
            users: self.users().into_iter().map(Id::to_string).collect(),
            title: self.title.clone(),
            message: self.message.clone(),
            notification_type: self.notification_type.clone().unwrap_or_default(),
            priority: self.priority.clone().unwrap_or_default(),
            data: data.unwrap_or_default().into(),
            cause,
            members: Value::Object(members).to_string().into(),
        }
    }
}

fn is_time(value: &Value) -> bool {
    match value {
        Value::Null | Value::Number(_) => true,
        Value::String(_) => value.to_string().len() <= MAX_TIMESTAMP,
        _ => false,
    }
}
