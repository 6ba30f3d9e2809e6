//! `POST /api/notifications/send/` (S2-08).

mod notify;
mod order;
mod permission;
mod refusal;
mod replay;

use std::{sync::Arc, time::Instant};

use carillon_bus::Bus;
use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::{
    Publisher,
    http::{self, Problem},
};
use carillon_store::{Database, GroupCommit, StoreError, now};
use futures_util::future::join_all;

use crate::{
    content::{Content, id_json},
    delivery::{Claim, Delivered, Deliveries, Delivery, Recipient},
    metrics::Metrics,
    organisation::Organisation,
};

use order::{Order, Recipients};
use refusal::SendError;

/// Sends notifications for back ends and users.
pub(crate) struct Sender {
    pub(crate) bus: Bus,
    pub(crate) database: Database,
    pub(crate) deliveries: GroupCommit<Deliveries>,
    pub(crate) publisher: Publisher,
    pub(crate) metrics: Metrics,
}

/// What all deliveries of one request have in common.
struct Parcel {
    content: Arc<Content>,
    cause: Arc<str>,
    claim: Option<Arc<Claim>>,
}

impl Sender {
    /// Answers the route. Its refusals have the document's body; what is away has the usual one.
    pub(crate) async fn answer(&self, request: &HttpRequest) -> Result<HttpReply, Problem> {
        match self.send(request).await {
            Ok(body) => Ok(reply(200, body)),
            Err(SendError::Refused { status, message }) => Ok(reply(status, refusal::body(&message))),
            Err(SendError::Problem(problem)) => Err(problem),
        }
    }

    async fn send(&self, request: &HttpRequest) -> Result<String, SendError> {
        let started = Instant::now();
        let order = Order::read(&request.body, now())?;
        permission::check(request.identity.as_ref(), &order.recipients)?;
        let parcel = order.parcel(http::cause(request)?, !request.idempotency_key.is_empty());
        let body = match &order.recipients {
            Recipients::Everyone => {
                let id = self.deliver(&parcel, Recipient::Everyone, "everyone").await?;
                success(&parcel.content, Some(&id), None)
            }
            Recipients::One(user) => {
                let id = self.deliver(&parcel, Recipient::User(user.clone()), "user").await?;
                success(&parcel.content, Some(&id), Some(1))
            }
            Recipients::Many(users) => self.once(&parcel, self.to_users(&parcel, users, "users")).await?,
            Recipients::Organisation(id) => self.once(&parcel, self.to_organisation(&parcel, id)).await?,
        };
        self.metrics.seconds.observe(started.elapsed().as_secs_f64());
        Ok(body)
    }

    /// Sends to many, unless a request with the same key has done so completely: who has become a
    /// member since gets nothing.
    async fn once(
        &self,
        parcel: &Parcel,
        send: impl Future<Output = Result<usize, SendError>>,
    ) -> Result<String, SendError> {
        if let Some(claim) = &parcel.claim
            && let Some(body) = replay::recorded(&self.database, claim).await?
        {
            return Ok(body);
        }
        let body = success(&parcel.content, None, Some(send.await?));
        if let Some(claim) = &parcel.claim {
            replay::record(&self.database, claim, &body).await?;
        }
        Ok(body)
    }

    async fn to_users(&self, parcel: &Parcel, users: &[Arc<str>], label: &str) -> Result<usize, SendError> {
        let deliver = |user: &Arc<str>| self.deliver(parcel, Recipient::User(user.clone()), label);
        for outcome in join_all(users.iter().map(deliver)).await {
            outcome?;
        }
        Ok(users.len())
    }

    async fn to_organisation(&self, parcel: &Parcel, id: &str) -> Result<usize, SendError> {
        let organisation = Organisation::new(&self.bus, id).ok_or_else(SendError::no_organisation)?;
        let (mut after, mut recipients) = (String::new(), 0);
        loop {
            let page = organisation.members(&after).await?;
            if !page.exists {
                return Err(SendError::no_organisation());
            }
            let users: Vec<Arc<str>> = page.users.iter().map(|user| user.as_str().into()).collect();
            recipients += self.to_users(parcel, &users, "organisation").await?;
            match page.users.last() {
                Some(last) if page.more => after.clone_from(last),
                _ => return Ok(recipients),
            }
        }
    }

    /// Stores one delivery, publishes it, and tells its id.
    async fn deliver(&self, parcel: &Parcel, recipient: Recipient, label: &str) -> Result<Id, SendError> {
        self.submit(parcel, recipient, label).await?.ok_or_else(SendError::key_taken)
    }

    /// [`deliver`](Self::deliver): `None` if the idempotency key was used for something else.
    async fn submit(
        &self,
        parcel: &Parcel,
        recipient: Recipient,
        label: &str,
    ) -> Result<Option<Id>, StoreError> {
        let Parcel { content, cause, claim } = parcel;
        let (content, cause, claim) = (content.clone(), cause.clone(), claim.clone());
        match self.deliveries.submit(Delivery { recipient, content, cause, claim }).await? {
            Delivered::New(id, outgoing) => {
                outgoing.publish(&self.publisher).await;
                self.metrics.sent.with_label_values(&[label]).inc();
                Ok(Some(id))
            }
            Delivered::Repeated(id) => {
                self.metrics.repeated.inc();
                Ok(Some(id))
            }
            Delivered::KeyTaken => Ok(None),
        }
    }
}

/// Document 2's answer, with the id where there is one, and the number of users it went to.
fn success(content: &Content, id: Option<&Id>, recipients: Option<usize>) -> String {
    let Content { title, message, priority, .. } = content;
    let mut body = format!(
        r#"{{"status":"success","message":"Notification sent","data":{{"title":{title},"message":{message},"priority":{priority}}}"#
    );
    if let Some(id) = id {
        body.push_str(&format!(r#","id":{}"#, id_json(id)));
    }
    if let Some(recipients) = recipients {
        body.push_str(&format!(r#","recipients":{recipients}"#));
    }
    body.push('}');
    body
}

fn reply(status: u16, body: String) -> HttpReply {
    HttpReply {
        status: status.into(),
        content_type: "application/json".to_owned(),
        body: body.into(),
        ..HttpReply::default()
    }
}
