//! What a notification says, rendered once in each dialect.

use carillon_contract::{Dialect, Id, messages::Variant};
use carillon_service::time;
use serde_json::value::RawValue;

use crate::fields::{FieldError, Fields, is_object, push_member, quoted, read};

const MAX_TITLE: usize = 200;
const MAX_MESSAGE: usize = 5_000;
const MAX_TYPE: usize = 100;
const MAX_TIMESTAMP: usize = 100;

/// The type of a notification whose caller names none (S3-01).
const DEFAULT_TYPE: &str = "\"general\"";

/// Names that ours take the place of, and those that say who is to receive it.
const RESERVED: [&str; 7] =
    ["is_read", "external_id", "notification_id", "user_id", "user_ids", "org_id", "everyone"];

/// User notification types of document 1's catalogue; any other is allowed (S1-15).
pub const USER_NOTIFICATION_TYPES: [&str; 5] =
    ["task.completed", "task.failed", "message.received", "mention.received", "system.alert"];

/// Why no notification can be made of a body.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ContentError {
    /// In document 2's words (S2-08).
    #[error("Title and message are required")]
    Missing,
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// A notification before it has an id. All parts are JSON texts, as the caller wrote them.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) title: Box<str>,
    pub(crate) message: Box<str>,
    pub(crate) priority: Box<str>,
    timestamp: Box<str>,
    /// The caller's own id.
    pub(crate) external_id: Option<Id>,
    /// The members of the notification's object but for `id` and `is_read`.
    members: Box<str>,
}

impl Content {
    /// Takes a notification out of what a caller sent; `now` is its time unless the caller says otherwise.
    pub(crate) fn take(fields: &mut Fields, now: i64) -> Result<Self, ContentError> {
        let title = text(fields.take_raw("title"), "title", MAX_TITLE, "has at most 200 characters")?;
        let body = fields.take_raw("body");
        let message = fields.take_raw("message").or_else(|| body.clone());
        let message = text(message, "message", MAX_MESSAGE, "has at most 5000 characters")?;
        let (Some(title), Some(message)) = (title, message) else { return Err(ContentError::Missing) };
        let content = Self {
            title,
            message,
            priority: priority(fields)?,
            timestamp: timestamp(fields, now)?,
            external_id: fields.take("id", "must be a text of at most 255 bytes or a whole number")?,
            members: "".into(),
        };
        Ok(Self { members: content.members(fields, body.as_deref())?.into(), ..content })
    }

    /// The object as it is stored.
    pub(crate) fn body(&self) -> String {
        format!("{{{}}}", self.members)
    }

    /// The caller's own id, or the empty text.
    pub(crate) fn external_id(&self) -> &str {
        self.external_id.as_ref().map_or("", Id::as_str)
    }

    /// The event's JSON in each dialect: one superset frame for all that speak `notification`
    /// (S1-04, S2-04, S4-05), and document 3's (S3-01).
    pub(crate) fn variants(&self, id: &Id) -> Vec<Variant> {
        let ticketing = vec![Dialect::Ticketing.as_str().to_owned()];
        vec![
            Variant::json(self.superset(id)),
            Variant { dialects: ticketing, ..Variant::json(self.ticketing(id)) },
        ]
    }

    fn superset(&self, id: &Id) -> String {
        let Self { title, message, priority, timestamp, members, .. } = self;
        let id = id_json(id);
        format!(
            r#"{{"type":"notification","title":{title},"message":{message},"priority":{priority},"timestamp":{timestamp},"notification":{{"id":{id},"is_read":false,{members}}}}}"#
        )
    }

    fn ticketing(&self, id: &Id) -> String {
        let callers = id_json(self.external_id.as_ref().unwrap_or(id));
        let (id, members) = (id_json(id), &self.members);
        format!(
            r#"{{"type":"notification_message","data":{{"id":{callers},"notification_id":{id},{members}}}}}"#
        )
    }

    fn members(&self, fields: &mut Fields, body: Option<&RawValue>) -> Result<String, FieldError> {
        let kind = text(fields.take_raw("notification_type"), "notification_type", MAX_TYPE, TYPE_LENGTH)?;
        let data = fields.take_raw("data");
        if data.as_deref().is_some_and(|data| !is_object(data)) {
            return Err(FieldError::Invalid { field: "data", expected: "must be an object" });
        }
        let mut members = String::new();
        push_member(&mut members, "title", &self.title);
        push_member(&mut members, "message", &self.message);
        push_member(&mut members, "notification_type", kind.as_deref().unwrap_or(DEFAULT_TYPE));
        push_member(&mut members, "priority", &self.priority);
        push_member(&mut members, "timestamp", &self.timestamp);
        push_member(&mut members, "data", data.as_deref().map_or("{}", RawValue::get));
        if let Some(external_id) = &self.external_id {
            push_member(&mut members, "external_id", &id_json(external_id));
        }
        if let Some(body) = body {
            push_member(&mut members, "body", body.get());
        }
        for (name, value) in fields.iter().filter(|(name, _)| !RESERVED.contains(name)) {
            push_member(&mut members, name, value);
        }
        Ok(members)
    }
}

const TYPE_LENGTH: &str = "has at most 100 characters";

/// An id as a JSON value.
pub(crate) fn id_json(id: &Id) -> String {
    serde_json::to_string(id).unwrap_or_else(|_| quoted(id.as_str()))
}

/// A non-empty string of bounded length, as it came. Empty is as good as absent.
fn text(
    value: Option<Box<RawValue>>,
    field: &'static str,
    longest: usize,
    expected: &'static str,
) -> Result<Option<Box<str>>, FieldError> {
    let Some(value) = value else { return Ok(None) };
    let text: String = read(&value, field, "must be a string")?;
    if text.chars().count() > longest {
        return Err(FieldError::Invalid { field, expected });
    }
    Ok((!text.is_empty()).then(|| value.get().into()))
}

fn priority(fields: &mut Fields) -> Result<Box<str>, FieldError> {
    const EXPECTED: &str = "must be low, normal or high";
    let priority: Option<String> = fields.take("priority", EXPECTED)?;
    match priority.as_deref().unwrap_or("normal") {
        priority @ ("low" | "normal" | "high") => Ok(quoted(priority).into()),
        _ => Err(FieldError::Invalid { field: "priority", expected: EXPECTED }),
    }
}

/// The caller's own, a string or a number, stays as it came.
fn timestamp(fields: &mut Fields, now: i64) -> Result<Box<str>, FieldError> {
    let invalid = FieldError::Invalid { field: "timestamp", expected: "must be a short string or a number" };
    match fields.take_raw("timestamp") {
        None => Ok(quoted(&time::timestamp(now)).into()),
        Some(value) if value.get().len() > MAX_TIMESTAMP => Err(invalid),
        Some(value) if value.get().starts_with(['{', '[', 't', 'f']) => Err(invalid),
        Some(value) => Ok(value.get().into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn content(body: &Value) -> Result<Content, ContentError> {
        let mut fields = Fields::parse(body.to_string().as_bytes()).expect("fields");
        Content::take(&mut fields, 1_737_981_045_123_456)
    }

    fn frames(body: &Value) -> [Value; 2] {
        let variants = content(body).expect("content").variants(&Id::from(7));
        let parsed = |index: usize| serde_json::from_slice(&variants[index].json).expect("JSON");
        assert_eq!(variants[1].dialects, ["ticketing"]);
        [parsed(0), parsed(1)]
    }

    /// S2-04, S4-05: the top level and `notification` say the same.
    #[test]
    fn defaults_are_filled_in() {
        let [superset, ticketing] = frames(&json!({"title": "T\"", "message": "M"}));
        let timestamp = "2025-01-27T12:30:45.123456Z";
        assert_eq!(
            superset,
            json!({
                "type": "notification", "title": "T\"", "message": "M", "priority": "normal",
                "timestamp": timestamp,
                "notification": {
                    "id": 7, "is_read": false, "title": "T\"", "message": "M", "data": {},
                    "notification_type": "general", "priority": "normal", "timestamp": timestamp,
                },
            })
        );
        assert_eq!(ticketing["data"]["id"], 7);
    }

    /// S1-04: document 1's own notification arrives with every field as it was sent.
    #[test]
    fn document_1_is_carried_through() {
        let sent = json!({
            "title": "Task Complete", "body": "Your export is ready",
            "timestamp": "2025-01-15T10:30:00Z", "action_url": "/downloads/export.csv",
        });
        let [superset, _] = frames(&sent);
        for (name, value) in sent.as_object().expect("an object") {
            assert_eq!(&superset["notification"][name], value);
        }
        assert_eq!(superset["message"], "Your export is ready");
        assert_eq!(superset["timestamp"], "2025-01-15T10:30:00Z");
    }

    /// S3-01: document 3's frame has the caller's own id, and ours beside it.
    #[test]
    fn document_3_keeps_the_callers_id() {
        let sent = json!({
            "id": "ticket_123_assigned", "notification_type": "ticket_assigned", "title": "Ticket Assigned",
            "message": "You were assigned", "ticket_id": 123, "ticket_key": "PROJ-456",
            "timestamp": "2025-11-05T12:00:00Z", "user_ids": [1, 2], "is_read": true,
        });
        let [superset, ticketing] = frames(&sent);
        let data = &ticketing["data"];
        for name in ["id", "notification_type", "title", "message", "ticket_id", "ticket_key", "timestamp"] {
            assert_eq!(data[name], sent[name], "{name}");
        }
        assert_eq!(data["notification_id"], 7);
        assert_eq!(superset["notification"]["external_id"], "ticket_123_assigned");
        assert_eq!(superset["notification"]["is_read"], false);
        assert_eq!(superset["notification"].get("user_ids"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = "x".repeat(201);
        for (body, message) in [
            (json!({}), "Title and message are required"),
            (json!({"title": "", "message": "m"}), "Title and message are required"),
            (json!({"title": "t", "message": null}), "Title and message are required"),
            (json!({"title": 1, "message": "m"}), "title must be a string"),
            (json!({"title": long, "message": "m"}), "title has at most 200 characters"),
            (json!({"title": "t", "body": "é".repeat(5_001)}), "message has at most 5000 characters"),
            (json!({"title": "t", "message": "m", "priority": "x"}), "priority must be low, normal or high"),
            (json!({"title": "t", "message": "m", "data": []}), "data must be an object"),
            (
                json!({"title": "t", "message": "m", "timestamp": {}}),
                "timestamp must be a short string or a number",
            ),
            (
                json!({"title": "t", "message": "m", "notification_type": 1}),
                "notification_type must be a string",
            ),
        ] {
            assert_eq!(content(&body).expect_err("an error").to_string(), message);
        }
    }
}
