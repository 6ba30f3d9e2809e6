//! Storing notifications, many callers' in one transaction.

mod broadcasts;
mod claims;
mod inboxes;
mod trim;
mod users;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use carillon_contract::{Channel, Id};
use carillon_service::Outgoing;
use carillon_store::{Batch, Log, NewEvent, StoreError, Transaction};

use crate::content::Content;

pub(crate) use claims::Claim;
pub(crate) use trim::RETENTION;

/// One notification to one recipient.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) recipient: Recipient,
    pub(crate) content: Arc<Content>,
    /// What makes its repetition harmless; it is unique for the recipient.
    pub(crate) cause: Arc<str>,
    /// The caller's idempotency key, if there is one.
    pub(crate) claim: Option<Arc<Claim>>,
}

/// Who is to receive a notification.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Recipient {
    /// Every user, and whoever is connected without being one.
    Everyone,
    /// One user.
    User(Arc<str>),
}

/// What became of a delivery.
#[derive(Debug)]
pub(crate) enum Delivered {
    /// It is stored under this id, and its event is among these.
    New(Id, Arc<Outgoing>),
    /// It was stored under this id before.
    Repeated(Id),
    /// Its idempotency key was used for something else.
    KeyTaken,
}

/// What is kept, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Microseconds.
    pub(crate) age: i64,
    /// Notifications.
    pub(crate) count: i64,
    /// Microseconds for which a removed notification, and an idempotency key, are remembered.
    pub(crate) repeatable: i64,
}

/// Stores deliveries. Locks are taken in one order, so that batches of several writers and
/// replicas don't meet head-on: keys, the number of broadcasts, inboxes, channels, each sorted.
pub(crate) struct Deliveries {
    pub(crate) log: Log,
    pub(crate) keep: Keep,
}

impl Batch for Deliveries {
    type Item = Delivery;
    type Output = Delivered;

    async fn apply(&self, tx: &mut Transaction, items: &[&Delivery]) -> Result<Vec<Delivered>, StoreError> {
        let refused = claims::refused(tx, items).await?;
        let (everyone, users): (Vec<usize>, Vec<usize>) = (0..items.len())
            .filter(|index| !refused.contains(index))
            .partition(|index| items[*index].recipient == Recipient::Everyone);
        let mut stored = Stored::default();
        broadcasts::store(tx, items, &everyone, &mut stored).await?;
        self.store_for_users(tx, items, &users, &mut stored).await?;
        let new: BTreeSet<usize> = stored.events.keys().copied().collect();
        let outgoing = Arc::new(self.append(tx, stored.events).await?);
        let output = |index: usize| match stored.ids.remove(&index) {
            Some(id) if new.contains(&index) => Ok(Delivered::New(id, outgoing.clone())),
            Some(id) => Ok(Delivered::Repeated(id)),
            None if refused.contains(&index) => Ok(Delivered::KeyTaken),
            None => Err(lost()),
        };
        (0..items.len()).map(output).collect()
    }
}

/// What became of the items in the tables, by their place in the batch.
#[derive(Default)]
struct Stored {
    ids: BTreeMap<usize, Id>,
    /// Of those that are new.
    events: BTreeMap<usize, NewEvent>,
}

impl Deliveries {
    async fn append(
        &self,
        tx: &mut Transaction,
        events: BTreeMap<usize, NewEvent>,
    ) -> Result<Outgoing, StoreError> {
        if events.is_empty() {
            return Ok(Outgoing::default());
        }
        let events: Vec<_> = events.into_iter().map(|(index, event)| event.of_item(index)).collect();
        Ok(Outgoing::of(self.log.append(tx, &events).await?))
    }
}

/// The event of a notification that has got its id.
fn event(channel: Channel, cause: String, content: &Content, id: &Id) -> NewEvent {
    NewEvent::new(channel, cause, content.variants(id))
}

/// A row that must be there is not.
fn lost() -> StoreError {
    StoreError::other("a row that was just written can't be found")
}
