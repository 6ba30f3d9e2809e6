//! Notifications that other services owe: `rpc.notification.notify`.

use std::sync::Arc;

use carillon_contract::{
    Id,
    messages::{Notice, NotifyReply, NotifyRequest},
};
use carillon_service::Failure;
use carillon_store::now;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Parcel, Sender};
use crate::{
    content::{Content, ContentError},
    delivery::Recipient,
    fields::{FieldError, Fields, push_member, quoted},
};

/// Deliveries of one request that wait for a transaction at the same time: about one transaction's.
const AT_ONCE: usize = 200;

impl Sender {
    /// Delivers each notice to each of its users, and returns once all is committed and published.
    /// The same notice again adds nothing.
    ///
    /// # Errors
    /// A notice that is none, once the others are delivered; or the database is away, and the
    /// request has to be repeated.
    pub(crate) async fn notify(&self, request: NotifyRequest) -> Result<NotifyReply, Failure> {
        let now = now();
        let (mut deliveries, mut malformed) = (Vec::new(), None);
        for notice in &request.notices {
            match parcel(notice, now) {
                Ok((parcel, users)) => {
                    let parcel = Arc::new(parcel);
                    deliveries.extend(users.into_iter().map(|user| (parcel.clone(), user)));
                }
                Err(reason) => malformed = malformed.or(Some(format!("{}: {reason}", notice.cause))),
            }
        }
        let deliver = async |(parcel, user): (Arc<Parcel>, Arc<str>)| {
            self.submit(&parcel, Recipient::User(user), "service").await.map(drop)
        };
        let delivered = stream::iter(deliveries).map(deliver).buffer_unordered(AT_ONCE);
        delivered.try_collect::<()>().await?;
        malformed.map_or(Ok(NotifyReply {}), |reason| Err(Failure::Malformed(reason)))
    }
}

/// What a notice's deliveries have in common, and to whom they go.
fn parcel(notice: &Notice, now: i64) -> Result<(Parcel, Vec<Arc<str>>), String> {
    if notice.cause.is_empty() {
        return Err("a notice has a cause".to_owned());
    }
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let users = notice.users.iter().map(|user| Id::new(user.as_str()).map(|id| id.into_string().into()));
    let users = users.collect::<Result<_, _>>().map_err(|error| text(&error))?;
    let content = content(notice, now).map_err(|error| text(&error))?;
    let cause = format!("service:{}", notice.cause).into();
    Ok((Parcel { content: Arc::new(content), cause, claim: None }, users))
}

/// The content, by the same rules as a back end's (S4-05).
fn content(notice: &Notice, now: i64) -> Result<Content, ContentError> {
    let Notice { title, message, notification_type, priority, data, .. } = notice;
    let mut members = String::new();
    if !notice.members.is_empty() {
        // An object by itself; what follows takes the place of members of the same name.
        for (name, value) in Fields::parse(&notice.members)?.iter() {
            push_member(&mut members, name, value);
        }
    }
    let texts = [
        ("title", title),
        ("message", message),
        ("notification_type", notification_type),
        ("priority", priority),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        push_member(&mut members, name, &quoted(text));
    }
    if !data.is_empty() {
        // It is an object by itself, so it can't end the one that it becomes a member of.
        Fields::parse(data)?;
        push_member(&mut members, "data", std::str::from_utf8(data).map_err(|_| FieldError::NotJson)?);
    }
    Content::take(&mut Fields::parse(format!("{{{members}}}").as_bytes())?, now)
}
