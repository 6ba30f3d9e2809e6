//! `POST /api/orgs/{org_id}/events/`, and the same for other services.

use std::time::Instant;

use carillon_bus::Bus;
use carillon_contract::{
    Channel,
    messages::{HttpReply, HttpRequest, PublishEventReply, PublishEventRequest},
};
use carillon_service::{
    Failure, Publisher,
    http::{self, Problem},
};
use carillon_store::{GroupCommit, StoreError};
use serde_json::json;

use crate::{
    fields::Fields,
    metrics::Metrics,
    org_event::{Frame, Publication, Publications, Published},
    organisation::Organisation,
};

/// Publishes organisation events.
pub(crate) struct Events {
    pub(crate) bus: Bus,
    pub(crate) publications: GroupCommit<Publications>,
    pub(crate) publisher: Publisher,
    pub(crate) metrics: Metrics,
}

/// Answers the route. Its callers have the scope; that the organisation exists is asked of auth.
pub(crate) async fn publish(events: &Events, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let frame = Frame::take(&mut Fields::parse(&request.body)?)?;
    let org = http::parameter(request, "org_id");
    let unknown = || Problem::not_found("there is no such organisation");
    let organisation = Organisation::new(&events.bus, org).ok_or_else(unknown)?;
    let user = request.identity.as_ref().map_or("", |identity| identity.user.as_str());
    if !organisation.membership(user).await?.exists {
        return Err(unknown());
    }
    let channel = Channel::org(org).map_err(|_| unknown())?;
    let offset = events.publish(Publication { channel, frame, cause: http::cause(request)? }).await?;
    let offset = offset.ok_or_else(|| Problem::conflict("the Idempotency-Key was used for another event"))?;
    Ok(http::json(200, &json!({"status": "success", "offset": offset})))
}

/// Answers another service. It owes the event until this is acknowledged, and knows its organisation.
pub(crate) async fn publish_event(
    events: &Events,
    request: PublishEventRequest,
) -> Result<PublishEventReply, Failure> {
    let malformed = |error: &dyn std::fmt::Display| Failure::Malformed(error.to_string());
    if request.cause.is_empty() {
        return Err(Failure::Malformed("an event has a cause".to_owned()));
    }
    let frame = Frame::new(&request.event_type, &request.data).map_err(|error| malformed(&error))?;
    let channel = Channel::org(&request.org).map_err(|error| malformed(&error))?;
    let cause = format!("service:{}", request.cause);
    let offset = events.publish(Publication { channel, frame, cause }).await?;
    let offset = offset.ok_or_else(|| Failure::Malformed("the cause is another event's".to_owned()))?;
    Ok(PublishEventReply { offset })
}

impl Events {
    /// The event's offset; `None` if its cause is another event's.
    async fn publish(&self, publication: Publication) -> Result<Option<u64>, StoreError> {
        let started = Instant::now();
        match self.publications.submit(publication).await? {
            Published::CauseTaken => Ok(None),
            Published::At(offset, outgoing) => {
                outgoing.publish(&self.publisher).await;
                self.metrics.events.inc();
                self.metrics.seconds.observe(started.elapsed().as_secs_f64());
                Ok(Some(offset))
            }
        }
    }
}
