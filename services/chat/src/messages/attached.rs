//! The attachments of messages that are being sent.

use std::collections::HashMap;

use carillon_store::{StoreError, Transaction};
use serde_json::Value;

use super::{Draft, Message, known::Known};
use crate::{
    attachments::{Attachment, Claim, carry, claim},
    reply::Refusal,
};

/// What drafts may carry, by their index.
pub(super) struct Attached(HashMap<usize, Vec<Attachment>>);

impl Attached {
    /// Asks for the attachments of all drafts that nothing else speaks against, and refuses those that may not
    /// carry theirs.
    pub(super) async fn claim(
        tx: &mut Transaction,
        drafts: &[&Draft],
        known: &Known,
        refusals: &mut [Option<Refusal>],
        for_update: &str,
    ) -> Result<Self, StoreError> {
        let (mut claiming, mut repeats, mut first) = (Vec::new(), Vec::new(), HashMap::new());
        for (index, draft) in drafts.iter().enumerate() {
            if draft.attachments.is_empty() || refusals[index].is_some() || known.contains_key(&index) {
                continue;
            }
            match first.get(&(draft.channel.as_str(), draft.cause.as_str())) {
                Some(earlier) => repeats.push((index, *earlier)),
                None => {
                    first.insert((draft.channel.as_str(), draft.cause.as_str()), index);
                    claiming.push(index);
                }
            }
        }
        if claiming.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let claims = claiming.iter().map(|index| {
            let draft = drafts[*index];
            Claim { ids: &draft.attachments, user: draft.author.user() }
        });
        let claims: Vec<_> = claims.collect();
        let mut granted = HashMap::new();
        for (index, claimed) in claiming.iter().zip(claim(tx, &claims, for_update).await?) {
            match claimed {
                Ok(attachments) => drop(granted.insert(*index, attachments)),
                Err(refusal) => refusals[*index] = Some(refusal),
            }
        }
        for (index, earlier) in repeats {
            refusals[index].clone_from(&refusals[earlier].clone());
        }
        Ok(Self(granted))
    }

    /// Has messages show what they carry.
    pub(super) fn show(&self, indexes: &[usize], messages: &mut [Message]) {
        for (index, message) in indexes.iter().zip(messages) {
            if let Some(attachments) = self.0.get(index) {
                message.attachments = Value::Array(attachments.iter().map(Attachment::object).collect());
            }
        }
    }

    /// Has messages that are stored keep what they carry.
    pub(super) async fn carry(
        &self,
        tx: &mut Transaction,
        stored: impl Iterator<Item = (usize, &Draft, &Message)>,
    ) -> Result<(), StoreError> {
        let carried = stored.filter_map(|(index, draft, message)| {
            self.0.get(&index).map(|attachments| {
                (message.id, draft.conversation.unwrap_or_default(), attachments.as_slice())
            })
        });
        let carried: Vec<_> = carried.collect();
        carry(tx, &carried).await
    }
}
