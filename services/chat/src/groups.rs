//! Groups: what back ends tell each other. No client can listen to them, or say anything there.
//!
//! A back end of several processes needs that for whatever is none of its clients' business: Django Channels'
//! own groups, for instance. Events are of the log like others, so that a listener that was away gets them.

use std::sync::Arc;

use carillon_contract::{
    Channel,
    messages::{HttpReply, HttpRequest, Variant},
};
use carillon_service::{
    Outgoing, Publisher,
    http::{self, Problem},
};
use carillon_store::{Batch, Database, GroupCommit, Log, NewEvent, StoreError, Transaction};
use serde_json::{Map, Value, json};

use crate::visitor::MAX_NAME;

/// Every group.
pub(crate) struct Groups {
    publishing: GroupCommit<Publishing>,
    publisher: Publisher,
}

/// Many events in one transaction.
struct Publishing {
    log: Log,
}

/// What became of an event.
struct Published {
    /// Where it stands in its group's log. `None`: its cause was another event's.
    offset: Option<u64>,
    outgoing: Arc<Outgoing>,
}

impl Groups {
    pub(crate) fn new(database: &Database, log: &Log, publisher: &Publisher) -> Self {
        let publishing = GroupCommit::new(database.clone(), Publishing { log: log.clone() });
        Self { publishing, publisher: publisher.clone() }
    }

    /// `POST /api/groups/{group}/events/` with any JSON object, which is passed on as it is.
    pub(crate) async fn http(&self, request: &HttpRequest) -> Result<HttpReply, Problem> {
        let channel = group(request)?;
        let object: Map<String, Value> = http::body(request)?;
        let name = channel.to_string();
        let cause = format!("group:{}", http::cause(request)?);
        let text = Value::Object(object).to_string();
        let published =
            self.publishing.submit(NewEvent::new(channel, cause, vec![Variant::json(text)])).await?;
        published.outgoing.publish(&self.publisher).await;
        let offset = published.offset;
        let offset =
            offset.ok_or_else(|| Problem::conflict("the Idempotency-Key was used for another event"))?;
        Ok(http::json(201, &json!({"channel": name, "offset": offset})))
    }
}

impl Batch for Publishing {
    type Item = NewEvent;
    type Output = Published;

    async fn apply(&self, tx: &mut Transaction, items: &[&NewEvent]) -> Result<Vec<Published>, StoreError> {
        let item = |(index, event): (usize, &&NewEvent)| (*event).clone().of_item(index);
        let events: Vec<_> = items.iter().enumerate().map(item).collect();
        let appended = self.log.append(tx, &events).await?;
        let place = |(event, appended): (&NewEvent, &carillon_store::Appended)| {
            (appended.event.variants == event.variants).then_some(appended.event.offset)
        };
        let offsets: Vec<_> = events.iter().zip(&appended).map(place).collect();
        let outgoing = Arc::new(Outgoing::of(appended));
        let published = |offset| Published { offset, outgoing: outgoing.clone() };
        Ok(offsets.into_iter().map(published).collect())
    }
}

/// The group's channel.
fn group(request: &HttpRequest) -> Result<Channel, Problem> {
    let name = http::parameter(request, "group");
    if name.chars().count() > MAX_NAME {
        return Err(Problem::unprocessable("group", "must have at most 100 characters"));
    }
    Channel::new("group", &[name]).map_err(|error| Problem::unprocessable("group", &error.to_string()))
}
