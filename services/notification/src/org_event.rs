//! Events of organisations (S1-02, S1-04, S1-15).

use std::sync::Arc;

use carillon_contract::{Channel, messages::Variant};
use carillon_service::Outgoing;
use carillon_store::{Appended, Batch, Log, NewEvent, StoreError, Transaction};

use crate::fields::{FieldError, Fields, is_object, push_member, quoted};

/// Organisation event types of document 1's catalogue; any other is allowed (S1-15).
pub const ORG_EVENT_TYPES: [&str; 7] = [
    "resource.created",
    "resource.updated",
    "resource.deleted",
    "member.joined",
    "member.left",
    "system.alert",
    "quota.warning",
];

const MAX_TYPE: usize = 100;

/// Names at the top level of a frame that are ours and the gateway's.
const RESERVED: [&str; 4] = ["type", "channel", "offset", "epoch"];

/// The frame of an event, made of what a caller sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame(String);

impl Frame {
    /// `event_type`, `data`, and every further field as it came.
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, FieldError> {
        let event_type: Option<String> = fields.take("event_type", "must be a string")?;
        let data = fields.take_raw("data");
        if data.as_deref().is_some_and(|data| !is_object(data)) {
            return Err(FieldError::Invalid { field: "data", expected: "must be an object" });
        }
        let mut frame =
            Self::members(&event_type.unwrap_or_default(), data.as_deref().map_or("{}", |data| data.get()))?;
        for field in RESERVED {
            if fields.has(field) {
                return Err(FieldError::Invalid { field, expected: "is a name that events have already" });
            }
        }
        fields.iter().for_each(|(name, value)| push_member(&mut frame, name, value));
        Ok(Self(format!("{{{frame}}}")))
    }

    /// An event without further fields, from a service: `data` is a JSON object.
    pub(crate) fn new(event_type: &str, data: &[u8]) -> Result<Self, FieldError> {
        Fields::parse(data)?;
        let data = std::str::from_utf8(data).map_err(|_| FieldError::NotJson)?;
        Ok(Self(format!("{{{}}}", Self::members(event_type, data.trim())?)))
    }

    fn members(event_type: &str, data: &str) -> Result<String, FieldError> {
        if !(1..=MAX_TYPE).contains(&event_type.chars().count()) {
            return Err(FieldError::Invalid { field: "event_type", expected: "has 1 to 100 characters" });
        }
        let mut members = String::new();
        push_member(&mut members, "type", "\"event\"");
        push_member(&mut members, "event_type", &quoted(event_type));
        push_member(&mut members, "data", data);
        Ok(members)
    }
}

/// An event that is to be published.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) channel: Channel,
    pub(crate) frame: Frame,
    /// What makes its repetition harmless.
    pub(crate) cause: String,
}

/// What became of a publication.
#[derive(Debug)]
pub(crate) enum Published {
    /// It has this offset, now or since the first time.
    At(u64, Arc<Outgoing>),
    /// Its cause is that of another event.
    CauseTaken,
}

/// Appends publications to the log.
pub(crate) struct Publications {
    pub(crate) log: Log,
}

impl Batch for Publications {
    type Item = Publication;
    type Output = Published;

    async fn apply(
        &self,
        tx: &mut Transaction,
        items: &[&Publication],
    ) -> Result<Vec<Published>, StoreError> {
        let events = items.iter().enumerate().map(|(index, item)| item.event().of_item(index));
        let events: Vec<NewEvent> = events.collect();
        let appended = self.log.append(tx, &events).await?;
        // What is repeated is published again: perhaps it was not, the first time.
        let outgoing = Arc::new(Outgoing::of(appended.iter().cloned()));
        let output = |(appended, new): (Appended, &NewEvent)| {
            if appended.duplicate && appended.event.variants != new.variants {
                Published::CauseTaken
            } else {
                Published::At(appended.event.offset, outgoing.clone())
            }
        };
        Ok(appended.into_iter().zip(&events).map(output).collect())
    }
}

impl Publication {
    fn event(&self) -> NewEvent {
        let variants = vec![Variant::json(self.frame.0.clone())];
        NewEvent::new(self.channel.clone(), self.cause.as_str(), variants)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(body: &str) -> Result<String, FieldError> {
        Frame::take(&mut Fields::parse(body.as_bytes()).expect("fields")).map(|frame| frame.0)
    }

    /// S1-04: unknown fields are carried through.
    #[test]
    fn further_fields_stand_beside_the_documented_ones() {
        assert_eq!(
            frame(r#"{"actor": 1.50, "event_type": "x\"y", "data": {"a":  1}}"#),
            Ok(r#"{"type":"event","event_type":"x\"y","data":{"a":  1},"actor":1.50}"#.to_owned())
        );
    }

    /// S1-15: the catalogue's types, and any other.
    #[test]
    fn every_type_of_the_catalogue_is_an_event() {
        for event_type in ORG_EVENT_TYPES.iter().chain(&["anything.else"]) {
            let expected = format!(r#"{{"type":"event","event_type":"{event_type}","data":{{}}}}"#);
            assert_eq!(frame(&format!(r#"{{"event_type":"{event_type}"}}"#)), Ok(expected.clone()));
            assert_eq!(Frame::new(event_type, b"{}"), Ok(Frame(expected)));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let invalid = |body: &str| match frame(body) {
            Err(FieldError::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(invalid("{}"), "event_type");
        assert_eq!(invalid(r#"{"event_type":1}"#), "event_type");
        assert_eq!(invalid(&format!(r#"{{"event_type":"{}"}}"#, "x".repeat(101))), "event_type");
        assert_eq!(invalid(r#"{"event_type":"x","data":[]}"#), "data");
        assert_eq!(invalid(r#"{"event_type":"x","offset":3}"#), "offset");
        assert_eq!(Frame::new("x", b"[]"), Err(FieldError::NotObject));
    }
}
