//! Many participants' frames in one transaction.

use std::sync::Arc;

use bytes::Bytes;
use carillon_contract::messages::Variant;
use carillon_service::{Failure, Outgoing};
use carillon_store::{Batch, Log, NewEvent, StoreError, Transaction};

use crate::visitor::Visitor;

/// Appends frames to their rooms.
pub(super) struct Relaying {
    pub(super) log: Log,
}

impl Batch for Relaying {
    type Item = NewEvent;
    type Output = Arc<Outgoing>;

    async fn apply(
        &self,
        tx: &mut Transaction,
        frames: &[&NewEvent],
    ) -> Result<Vec<Arc<Outgoing>>, StoreError> {
        let event = |(index, event): (usize, &&NewEvent)| (*event).clone().of_item(index);
        let events: Vec<_> = frames.iter().enumerate().map(event).collect();
        let outgoing = Arc::new(Outgoing::of(self.log.append(tx, &events).await?));
        Ok(frames.iter().map(|_| outgoing.clone()).collect())
    }
}

/// What the others get. The frame itself is the cause: its gateway may repeat it.
pub(super) fn event(visitor: &Visitor, number: u64, text: Bytes) -> Result<NewEvent, Failure> {
    let cause = format!("frame:{}:{number}", visitor.connection);
    let event = NewEvent::new(visitor.channel()?, cause, vec![Variant::json(text)]);
    Ok(NewEvent { except_connection: visitor.connection.clone(), ..event })
}
