//! `POST /api/projects/{project_id}/events/`: what a back end that keeps its own tickets has to tell
//! (S3-04).

mod body;
mod notify;

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
    channels,
    metrics::Metrics,
};

use body::Body;

/// Publishes back ends' events.
#[derive(Clone)]
pub(crate) struct Events {
    commits: GroupCommit<Publications>,
    publisher: Publisher,
    outbox: Outbox,
    metrics: Metrics,
}

/// Stores events with the notifications that they owe.
struct Publications {
    log: Log,
    outbox: Outbox,
}

/// An event that is to be published, and whom it notifies.
struct Publication {
    event: NewEvent,
    /// The project's other channel for back ends' events: a key that was used there is used.
    elsewhere: String,
    notices: Vec<Notice>,
}

/// What became of a publication.
struct Published {
    /// Where the event stands in its channel's log. `None` if its cause was another event's.
    offset: Option<u64>,
    is_new: bool,
    outgoing: Arc<Outgoing>,
    owes: bool,
}

impl Events {
    pub(crate) fn new(
        database: &Database,
        log: &Log,
        publisher: &Publisher,
        outbox: &Outbox,
        metrics: &Metrics,
    ) -> Self {
        let publications = Publications { log: log.clone(), outbox: outbox.clone() };
        Self {
            commits: GroupCommit::new(database.clone(), publications),
            publisher: publisher.clone(),
            outbox: outbox.clone(),
            metrics: metrics.clone(),
        }
    }

    /// Answers the route, whose callers have the scope.
    pub(crate) async fn answer(&self, access: &Access, request: &HttpRequest) -> Result<HttpReply, Problem> {
        let body = Body::read(&request.body)?;
        let project = access.ask(http::parameter(request, "project_id"), Asked::default()).await?;
        let project = project.ok_or_else(|| Denied::Unknown.problem())?;
        let cause = http::cause(request)?;
        let (tickets, events) =
            (channels::tickets(project.id.as_str())?, channels::events(project.id.as_str())?);
        let (channel, elsewhere) = if body.is_of_tickets() { (tickets, events) } else { (events, tickets) };
        let name = channel.to_string();
        let notices = body.notices(&project, &format!("{name}:{cause}"));
        let event = NewEvent::new(channel, format!("event:{cause}"), vec![Variant::json(body.frame())]);
        let elsewhere = elsewhere.to_string();
        let published = self.publish(Publication { event, elsewhere, notices }).await?;
        let offset =
            published.ok_or_else(|| Problem::conflict("the Idempotency-Key was used for another event"))?;
        Ok(http::json(201, &json!({"channel": name, "offset": offset})))
    }

    async fn publish(&self, publication: Publication) -> Result<Option<u64>, StoreError> {
        let published = self.commits.submit(publication).await?;
        published.outgoing.publish(&self.publisher).await;
        if published.owes {
            self.outbox.wake();
        }
        if published.is_new {
            self.metrics.events.inc();
        }
        Ok(published.offset)
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
        let elsewhere: Vec<(&str, &str)> =
            items.iter().map(|item| (item.elsewhere.as_str(), item.event.cause.as_str())).collect();
        let used = self.log.known(tx, &elsewhere).await?;
        let is_used = |item: &Publication| used.contains(&(item.elsewhere.clone(), item.event.cause.clone()));
        let unused = items.iter().enumerate().filter(|(_, item)| !is_used(item));
        let events: Vec<NewEvent> = unused.map(|(index, item)| item.event.clone().of_item(index)).collect();
        let mut appended = self.log.append(tx, &events).await?.into_iter();
        let (mut outcomes, mut fresh, mut owed) = (Vec::with_capacity(items.len()), Vec::new(), Vec::new());
        for item in items {
            let event = if is_used(item) { None } else { appended.next() };
            let same = event.as_ref().filter(|appended| appended.event.variants == item.event.variants);
            let is_new = event.as_ref().is_some_and(|appended| !appended.duplicate);
            outcomes.push((same.map(|appended| appended.event.offset), is_new));
            // Whom it notifies is owed with an event, not with its repetition, or with what only has its key.
            if is_new {
                fresh.extend(event);
                owed.extend(item.notices.iter().cloned());
            }
        }
        let debts = notices::debts(owed);
        self.outbox.owe_all(tx, &debts).await?;
        let (outgoing, owes) = (Arc::new(Outgoing::of(fresh)), !debts.is_empty());
        let published = |(offset, is_new)| Published { offset, is_new, outgoing: outgoing.clone(), owes };
        Ok(outcomes.into_iter().map(published).collect())
    }
}
