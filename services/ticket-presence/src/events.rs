//! `POST /api/projects/{project_id}/events/`: what a back end that keeps its own tickets has to tell
//! (S3-04).

mod body;

use std::sync::Arc;

use carillon_contract::messages::{HttpReply, HttpRequest, Notice, Variant};
use carillon_service::{
    Outgoing, Publisher,
    http::{self, Problem},
    notices,
};
use carillon_store::{Batch, Database, GroupCommit, Log, NewEvent, Outbox, StoreError, Transaction};
use serde_json::json;

use crate::{
    access::{Access, Asked, Denied},
    session,
};

use body::Body;

/// Publishes back ends' events.
#[derive(Clone)]
pub(crate) struct Events {
    commits: GroupCommit<Publications>,
    publisher: Publisher,
    outbox: Outbox,
}

/// Stores events with the notifications that they owe.
struct Publications {
    log: Log,
    outbox: Outbox,
}

/// An event that is to be published, and whom it notifies.
struct Publication {
    event: NewEvent,
    notices: Vec<Notice>,
}

/// Where an event stands in its channel's log.
struct Published {
    offset: u64,
    /// Its cause was another event's.
    is_other: bool,
    outgoing: Arc<Outgoing>,
}

impl Events {
    pub(crate) fn new(database: &Database, log: &Log, publisher: &Publisher, outbox: &Outbox) -> Self {
        let publications = Publications { log: log.clone(), outbox: outbox.clone() };
        Self {
            commits: GroupCommit::new(database.clone(), publications),
            publisher: publisher.clone(),
            outbox: outbox.clone(),
        }
    }

    /// Answers the route, whose callers have the scope.
    pub(crate) async fn answer(&self, access: &Access, request: &HttpRequest) -> Result<HttpReply, Problem> {
        let body = Body::read(&request.body)?;
        let project = access.ask(http::parameter(request, "project_id"), Asked::default()).await?;
        let project = project.ok_or_else(|| Denied::Unknown.problem())?;
        let cause = http::cause(request)?;
        let channel = match body.is_of_tickets() {
            true => session::tickets_channel(project.id.as_str())?,
            false => session::events_channel(project.id.as_str())?,
        };
        let event =
            NewEvent::new(channel.clone(), format!("event:{cause}"), vec![Variant::json(body.frame())]);
        let notices = body.notices(&project, &cause)?;
        let published = self.publish(Publication { event, notices }).await?;
        if published.is_other {
            return Err(Problem::conflict("the Idempotency-Key was used for another event"));
        }
        Ok(http::json(201, &json!({"channel": channel.to_string(), "offset": published.offset})))
    }

    async fn publish(&self, publication: Publication) -> Result<Published, StoreError> {
        let owes = !publication.notices.is_empty();
        let published = self.commits.submit(publication).await?;
        published.outgoing.publish(&self.publisher).await;
        if owes {
            self.outbox.wake();
        }
        Ok(published)
    }
}

impl Batch for Publications {
    type Item = Publication;
    type Output = Published;

    async fn apply(
        &self,
        tx: &mut Transaction,
        items: &[&Publication],
    ) -> Result<Vec<Published>, StoreError> {
        let owed: Vec<Notice> = items.iter().flat_map(|item| item.notices.clone()).collect();
        self.outbox.owe_all(tx, &notices::debts(owed)).await?;
        let events: Vec<NewEvent> = items.iter().map(|item| item.event.clone()).collect();
        let appended = self.log.append(tx, &events).await?;
        let fresh = appended.iter().filter(|appended| !appended.duplicate);
        let outgoing = Arc::new(Outgoing::new(fresh.map(|appended| appended.event.clone()).collect()));
        let published = appended.iter().zip(&events).map(|(appended, event)| Published {
            offset: appended.event.offset,
            is_other: appended.event.variants != event.variants,
            outgoing: outgoing.clone(),
        });
        Ok(published.collect())
    }
}
