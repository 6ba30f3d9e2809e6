//! Many messages in one transaction.
//!
//! Locks are taken in this order: conversations, attachments, the counter of message ids, channels. The counter
//! is held until the commit, so ids follow the order in which messages are committed. With its
//! conversation locked, nobody who sends is removed meanwhile, and nothing that is answered deleted.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use carillon_contract::messages::Variant;
use carillon_service::Outgoing;
use carillon_store::{Batch, Log, NewEvent, Outbox, StoreError, Transaction, now};

use super::{
    Draft, Message, Quote, Sent,
    attached::Attached,
    known::{self, Known},
    notices::{self, Notices},
    participation, quote, write,
};
use crate::reply::Refusal;

/// Stores drafts, appends their events, and owes notifications to participants who are away.
pub(crate) struct Sending {
    pub(crate) log: Log,
    pub(crate) outbox: Outbox,
    /// What locks the rows that a SELECT finds.
    pub(crate) for_update: &'static str,
}

/// What became of a draft.
pub(crate) enum Outcome {
    Refused(Refusal),
    /// It had been sent before.
    Known(Sent),
    /// `outgoing` is to be published; `owes`: some of the batch owes notifications.
    Stored {
        sent: Sent,
        outgoing: Arc<Outgoing>,
        owes: bool,
    },
}

impl Batch for Sending {
    type Item = Draft;
    type Output = Outcome;

    async fn apply(&self, tx: &mut Transaction, drafts: &[&Draft]) -> Result<Vec<Outcome>, StoreError> {
        let conversations = drafts.iter().filter_map(|draft| draft.conversation).collect();
        let conversations = participation::lock(tx, self.for_update, &conversations).await?;
        let known = known::find(tx, drafts).await?;
        let (mut refusals, quotes) = refusals(tx, drafts, &conversations).await?;
        let attached = Attached::claim(tx, drafts, &known, &mut refusals, self.for_update).await?;
        let fresh = Fresh::choose(drafts, &known, &refusals);
        let mut messages = fresh.messages(tx, drafts, &quotes).await?;
        attached.show(&fresh.indexes, &mut messages);
        let owes = self.owe(tx, drafts, &fresh.indexes, &messages).await?;
        let stored = self.store(tx, drafts, &fresh.indexes, messages, &attached).await?;
        outcomes(drafts, refusals, &known, &fresh, stored, owes)
    }
}

/// What is stored of a batch.
struct Stored {
    sent: Vec<Sent>,
    outgoing: Arc<Outgoing>,
}

impl Sending {
    async fn owe(
        &self,
        tx: &mut Transaction,
        drafts: &[&Draft],
        indexes: &[usize],
        messages: &[Message],
    ) -> Result<bool, StoreError> {
        let sent = indexes.iter().map(|index| drafts[*index]).zip(messages);
        let conversations: Vec<_> =
            sent.filter_map(|(draft, message)| draft.conversation.map(|id| (id, message))).collect();
        if conversations.is_empty() {
            return Ok(false);
        }
        write::touch_conversations(tx, &conversations).await?;
        let Notices { debts } = notices::away(tx, &conversations).await?;
        self.outbox.owe_all(tx, &debts).await?;
        Ok(!debts.is_empty())
    }

    async fn store(
        &self,
        tx: &mut Transaction,
        drafts: &[&Draft],
        indexes: &[usize],
        mut messages: Vec<Message>,
        attached: &Attached,
    ) -> Result<Stored, StoreError> {
        let event = |(index, message): (&usize, _)| event(drafts[*index], message).of_item(*index);
        let events: Vec<_> = indexes.iter().zip(&messages).map(event).collect();
        let appended = self.log.append(tx, &events).await?;
        let mut sent = Vec::with_capacity(appended.len());
        for (message, appended) in messages.iter_mut().zip(&appended) {
            message.position = i64::try_from(appended.event.offset).map_err(StoreError::other)?;
            sent.push(Sent { id: message.id, offset: appended.event.offset });
        }
        let rows: Vec<_> = indexes
            .iter()
            .zip(&messages)
            .zip(&appended)
            .filter(|(_, appended)| !appended.duplicate)
            .map(|((index, message), _)| (*index, drafts[*index], message))
            .collect();
        attached.carry(tx, rows.iter().copied()).await?;
        let rows: Vec<_> = rows.into_iter().map(|(_, draft, message)| (draft, message)).collect();
        write::insert(tx, &rows).await?;
        // Another replica was first with some: their ids are those of then.
        for ((index, sent), appended) in indexes.iter().zip(&mut sent).zip(&appended) {
            if appended.duplicate {
                *sent = known::one(tx, drafts[*index]).await?;
            }
        }
        Ok(Stored { sent, outgoing: Arc::new(Outgoing::of(appended)) })
    }
}

/// The drafts that become messages.
struct Fresh {
    indexes: Vec<usize>,
    /// Of drafts with the cause of another one in the batch: that one.
    repeats: HashMap<usize, usize>,
}

impl Fresh {
    fn choose(drafts: &[&Draft], known: &Known, refusals: &[Option<Refusal>]) -> Self {
        let (mut fresh, mut first) = (Self { indexes: Vec::new(), repeats: HashMap::new() }, HashMap::new());
        for (index, draft) in drafts.iter().enumerate() {
            if refusals[index].is_some() || known.contains_key(&index) {
                continue;
            }
            match first.insert((draft.channel.as_str(), draft.cause.as_str()), fresh.indexes.len()) {
                None => fresh.indexes.push(index),
                Some(earlier) => {
                    first.insert((draft.channel.as_str(), draft.cause.as_str()), earlier);
                    fresh.repeats.insert(index, earlier);
                }
            }
        }
        fresh
    }

    async fn messages(
        &self,
        tx: &mut Transaction,
        drafts: &[&Draft],
        quotes: &HashMap<i64, Quote>,
    ) -> Result<Vec<Message>, StoreError> {
        let last = write::take_ids(tx, self.indexes.len()).await?;
        let first = last - i64::try_from(self.indexes.len()).map_err(StoreError::other)? + 1;
        let created_at = now();
        let message = |(index, id)| {
            let draft: &Draft = drafts[index];
            Message {
                id,
                channel: draft.channel.to_string(),
                position: 0,
                author: draft.author.clone(),
                message_type: draft.message_type.clone(),
                body: draft.body.clone(),
                reply_to: draft.reply_to.unwrap_or_default(),
                reactions: Some(Vec::new()),
                quote: draft.reply_to.and_then(|id| quotes.get(&id).cloned()),
                attachments: serde_json::Value::Array(Vec::new()),
                client_id: draft.client_id.clone().unwrap_or_default(),
                created_at,
                edited_at: 0,
                deleted_at: 0,
            }
        };
        Ok(self.indexes.iter().copied().zip(first..).map(message).collect())
    }
}

/// Why drafts can't be sent, and what those that can answer.
async fn refusals(
    tx: &mut Transaction,
    drafts: &[&Draft],
    conversations: &HashSet<i64>,
) -> Result<(Vec<Option<Refusal>>, HashMap<i64, Quote>), StoreError> {
    let participants: HashSet<(i64, &str)> = drafts.iter().filter_map(|draft| draft.participant()).collect();
    let participants = participation::find(tx, participants).await?;
    let answered: Vec<i64> = drafts.iter().filter_map(|draft| draft.reply_to).collect();
    let quotes = quote::find(tx, &answered).await?;
    let refusal = |draft: &&Draft| {
        let is_nowhere = draft.conversation.is_some_and(|id| !conversations.contains(&id));
        let is_out =
            draft.participant().is_some_and(|(id, user)| !participants.contains(&(id, user.to_owned())));
        let is_astray = draft.reply_to.is_some_and(|id| {
            quotes.get(&id).is_none_or(|quote| quote.channel != draft.channel.as_str() || quote.is_deleted)
        });
        let has_attachments = draft.conversation.is_none() && !draft.attachments.is_empty();
        match (is_out, is_astray) {
            _ if is_nowhere => Some(Refusal::new("unknown_conversation", "There is no such conversation")),
            (true, _) => Some(crate::reply::not_a_participant()),
            (_, true) => {
                Some(Refusal::new("unknown_message", "The message to reply to is not in this conversation"))
            }
            _ if has_attachments => {
                Some(Refusal::new("attachments_unavailable", "Only conversations have attachments"))
            }
            _ => None,
        }
    };
    Ok((drafts.iter().map(refusal).collect(), quotes))
}

fn event(draft: &Draft, message: &Message) -> NewEvent {
    let frame = match draft.conversation {
        Some(_) => message.conversation_frame(),
        None => message.room_frame(),
    };
    let cause = format!("message:{}", draft.cause);
    NewEvent::new(draft.channel.clone(), cause, vec![Variant::json(frame.to_string())])
}

fn outcomes(
    drafts: &[&Draft],
    refusals: Vec<Option<Refusal>>,
    known: &Known,
    fresh: &Fresh,
    stored: Stored,
    owes: bool,
) -> Result<Vec<Outcome>, StoreError> {
    let slots: HashMap<usize, usize> =
        fresh.indexes.iter().enumerate().map(|(slot, index)| (*index, slot)).collect();
    let outcome = |(index, refusal): (usize, Option<Refusal>)| {
        if let Some(sent) = known.get(&index) {
            return Ok(Outcome::Known(*sent));
        }
        if let Some(refusal) = refusal {
            return Ok(Outcome::Refused(refusal));
        }
        let slot = slots.get(&index).or_else(|| fresh.repeats.get(&index)).copied();
        let sent = slot.and_then(|slot| stored.sent.get(slot)).copied();
        let sent = sent.ok_or_else(|| StoreError::other("a message without an outcome"))?;
        Ok(Outcome::Stored { sent, outgoing: stored.outgoing.clone(), owes })
    };
    debug_assert_eq!(drafts.len(), refusals.len());
    refusals.into_iter().enumerate().map(outcome).collect()
}
