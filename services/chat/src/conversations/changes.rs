//! What is done about messages that are there: reading, reactions, editing, deletion (S4-04). Many
//! changes share a transaction, and their events are appended together.

mod delete;
mod edit;
mod react;
mod read;
mod scene;

use std::sync::Arc;

use carillon_contract::messages::Variant;
use carillon_service::Outgoing;
use carillon_store::{Batch, Log, NewEvent, StoreError, Transaction};
use serde_json::Value;

use super::{caller::Caller, channel, frame::Action};
use crate::{messages::lock, reply::Refusal};
use scene::Scene;

/// What a user does about a message.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) conversation: i64,
    pub(super) by: Caller,
    /// Unique in the conversation: the same again is the same change.
    pub(super) cause: String,
    pub(super) action: Action,
}

/// Makes changes.
pub(super) struct Changing {
    pub(super) log: Log,
    /// What locks the rows that a SELECT finds.
    pub(super) for_update: &'static str,
}

/// What became of a change.
pub(super) enum Outcome {
    Refused(Refusal),
    /// It is so now. What its transaction tells is to be published.
    Done(Arc<Outgoing>),
}

/// What one change comes to.
enum Effect {
    Refused(Refusal),
    /// It was so already.
    Nothing,
    /// It is so now, and everyone is told by this frame.
    Told(Value),
}

impl Batch for Changing {
    type Item = Change;
    type Output = Outcome;

    async fn apply(&self, tx: &mut Transaction, changes: &[&Change]) -> Result<Vec<Outcome>, StoreError> {
        let conversations = changes.iter().map(|change| change.conversation).collect();
        lock(tx, self.for_update, &conversations).await?;
        let mut scene = Scene::read(tx, &self.log, changes).await?;
        let (mut refusals, mut events) = (Vec::with_capacity(changes.len()), Vec::new());
        for (index, change) in changes.iter().enumerate() {
            let effect = change.apply(tx, &mut scene).await?;
            if let Effect::Told(frame) = &effect {
                scene.made(change)?;
                events.push(change.event(frame)?.of_item(index));
            }
            refusals.push(match effect {
                Effect::Refused(refusal) => Some(refusal),
                Effect::Nothing | Effect::Told(_) => None,
            });
        }
        scene.save_reads(tx).await?;
        let appended = match events.as_slice() {
            [] => Vec::new(),
            events => self.log.append(tx, events).await?,
        };
        let outgoing = Arc::new(Outgoing::of(appended));
        let outcome = |refusal: Option<Refusal>| match refusal {
            Some(refusal) => Outcome::Refused(refusal),
            None => Outcome::Done(outgoing.clone()),
        };
        Ok(refusals.into_iter().map(outcome).collect())
    }
}

impl Change {
    async fn apply(&self, tx: &mut Transaction, scene: &mut Scene) -> Result<Effect, StoreError> {
        if scene.is_made(self)? {
            return Ok(Effect::Nothing);
        }
        if !scene.has_participant(self) {
            return Ok(Effect::Refused(crate::reply::not_a_participant()));
        }
        match &self.action {
            Action::Read(message) => read::apply(scene, self, *message),
            Action::React { message, emoji, is_added } => {
                react::apply(tx, scene, self, *message, emoji, *is_added).await
            }
            Action::Edit { message, body } => edit::apply(tx, scene, self, *message, body).await,
            Action::Delete(message) => delete::apply(tx, scene, self, *message).await,
        }
    }

    fn event(&self, frame: &Value) -> Result<NewEvent, StoreError> {
        let variants = vec![Variant::json(frame.to_string())];
        Ok(NewEvent::new(channel(self.conversation)?, self.event_cause(), variants))
    }

    fn event_cause(&self) -> String {
        format!("change:{}", self.cause)
    }
}
