//! Appending: offsets without gaps, in commit order, and each cause once.

use std::collections::{BTreeMap, HashMap};

use carillon_contract::{Channel, messages};
use carillon_trace::TraceContext;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Log, encode_content, offset};
use crate::{
    StoreError, Transaction, group_commit, now, span,
    values::{self, MAX_ROWS},
};

/// An event that is to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The channel that it is published to.
    pub channel: Channel,
    /// What it follows from, unique in its channel and never empty: the same cause again is the same event.
    pub cause: String,
    /// Its client-facing JSON, rendered once for each dialect.
    pub variants: Vec<messages::Variant>,
    /// A connection that is not to receive it, or empty.
    pub except_connection: String,
    /// Set: it ends sessions that listen to the channel as well.
    pub dismissal: Option<messages::Dismissal>,
    /// The trace in which it will be published, if that is known; else that of its transaction.
    pub trace: Option<TraceContext>,
}

impl NewEvent {
    /// An event for everyone who listens to the channel.
    pub fn new(channel: Channel, cause: impl Into<String>, variants: Vec<messages::Variant>) -> Self {
        let (except_connection, dismissal, trace) = (String::new(), None, None);
        Self { channel, cause: cause.into(), variants, except_connection, dismissal, trace }
    }

    /// It follows from the item in this place of the [`Batch`](crate::Batch) that is being applied, and will be
    /// published in the trace of that.
    #[must_use]
    pub fn of_item(self, index: usize) -> Self {
        Self { trace: group_commit::of_item(index), ..self }
    }
}

/// What became of a [`NewEvent`].
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// The event as the log has it, ready to be published once the transaction is committed.
    pub event: messages::Event,
    /// Its cause was in the log already: this is the event of then, and no offset was taken.
    pub duplicate: bool,
    /// The trace in which it is to be published, if that is known.
    pub trace: Option<TraceContext>,
}

impl Log {
    /// Appends events within a transaction, which holds their channels until it ends: so call it
    /// late, and once for all the events of a transaction (channels are locked in sorted order;
    /// two calls could deadlock with another transaction's, which is then told of a conflict).
    ///
    /// The result has the order of `events`. Of equal causes the first is the one that counts.
    /// A cause is known for as long as the log keeps its event.
    ///
    /// # Errors
    /// An empty cause, or whatever the database says; then the transaction can only be rolled back.
    pub async fn append(
        &self,
        tx: &mut Transaction,
        events: &[NewEvent],
    ) -> Result<Vec<Appended>, StoreError> {
        let _timer = self.database.metrics().append_seconds.start_timer();
        let _span = span::append(tx.trace(), events.len());
        let distinct = Distinct::of(events)?;
        let mut heads = move_heads(tx, &distinct.count(|_| 1)).await?;
        // With its channel locked nobody else can add a cause: what is not found now is new.
        let mut stored = self.find(tx, &distinct).await?;
        let known: Vec<bool> = stored.iter().map(Option::is_some).collect();
        if known.contains(&true) {
            heads.extend(move_heads(tx, &distinct.count(|slot| -i64::from(known[slot]))).await?);
        }
        self.number(&distinct, heads, &mut stored);
        insert(tx, &distinct, &stored, &known).await?;
        Ok(distinct.outcomes(events, &stored, &known))
    }

    /// The events whose causes are in the log already, by slot.
    async fn find(
        &self,
        tx: &mut Transaction,
        distinct: &Distinct<'_>,
    ) -> Result<Vec<Option<messages::Event>>, StoreError> {
        let causes: Vec<_> = distinct.events.iter().map(|event| key(event)).collect();
        let mut caused = self.caused(tx, &causes).await?;
        let found = |(channel, cause): (&str, &str)| caused.remove(&(channel.to_owned(), cause.to_owned()));
        Ok(causes.into_iter().map(found).collect())
    }

    /// Gives the events that are not stored yet their offsets, in their order, up to the new heads.
    fn number(
        &self,
        distinct: &Distinct<'_>,
        mut heads: BTreeMap<String, i64>,
        stored: &mut [Option<messages::Event>],
    ) {
        let at = now();
        for (event, place) in distinct.events.iter().zip(stored).rev().filter(|(_, place)| place.is_none()) {
            let Some(next) = heads.get_mut(event.channel.as_str()) else { continue };
            *place = Some(messages::Event {
                channel: event.channel.to_string(),
                epoch: self.epoch().to_owned(),
                offset: offset(*next),
                at,
                variants: event.variants.clone(),
                except_connection: event.except_connection.clone(),
                dismissal: event.dismissal.clone(),
            });
            *next -= 1;
        }
    }
}

/// The events of a call without repetitions. A slot is a place in `events`.
struct Distinct<'a> {
    events: Vec<&'a NewEvent>,
    /// By channel and cause.
    slots: HashMap<(&'a str, &'a str), usize>,
}

impl<'a> Distinct<'a> {
    fn of(events: &'a [NewEvent]) -> Result<Self, StoreError> {
        let mut distinct = Self { events: Vec::with_capacity(events.len()), slots: HashMap::new() };
        for event in events {
            if event.cause.is_empty() {
                return Err(StoreError::other("an event needs a cause"));
            }
            distinct.slots.entry(key(event)).or_insert_with(|| {
                distinct.events.push(event);
                distinct.events.len() - 1
            });
        }
        Ok(distinct)
    }

    /// By how much each channel's head moves if each slot moves it by so much. Sorted: the order of locking.
    fn count(&self, by: impl Fn(usize) -> i64) -> BTreeMap<&'a str, i64> {
        let mut counts = BTreeMap::new();
        for (slot, event) in self.events.iter().enumerate() {
            *counts.entry(event.channel.as_str()).or_default() += by(slot);
        }
        counts.retain(|_, count| *count != 0);
        counts
    }

    fn outcomes(
        &self,
        events: &[NewEvent],
        stored: &[Option<messages::Event>],
        known: &[bool],
    ) -> Vec<Appended> {
        let mut seen = known.to_vec();
        let outcome = |event: &NewEvent| {
            let slot = *self.slots.get(&key(event))?;
            let duplicate = std::mem::replace(&mut seen[slot], true);
            Some(Appended { event: stored[slot].clone()?, duplicate, trace: event.trace.clone() })
        };
        events.iter().filter_map(outcome).collect()
    }
}

fn key(event: &NewEvent) -> (&str, &str) {
    (event.channel.as_str(), &event.cause)
}

/// Moves the heads of channels, which locks them until the transaction ends, and says where they are now.
async fn move_heads(
    tx: &mut Transaction,
    counts: &BTreeMap<&str, i64>,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let counts: Vec<_> = counts.iter().collect();
    let mut heads = BTreeMap::new();
    for counts in counts.chunks(MAX_ROWS) {
        let statement = format!(
            "INSERT INTO channel (name, head) VALUES {} \
             ON CONFLICT (name) DO UPDATE SET head = channel.head + excluded.head RETURNING name, head",
            values::rows(counts.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(counts.len()));
        let query = counts.iter().fold(query, |query, (name, count)| query.bind(**name).bind(**count));
        for row in query.fetch_all(&mut **tx).await? {
            heads.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(heads)
}

/// Writes the events that were not known.
async fn insert(
    tx: &mut Transaction,
    distinct: &Distinct<'_>,
    stored: &[Option<messages::Event>],
    known: &[bool],
) -> Result<(), StoreError> {
    let fresh: Vec<_> = (distinct.events.iter().zip(stored).zip(known))
        .filter(|(_, known)| !**known)
        .filter_map(|((event, stored), _)| Some((*event, stored.as_ref()?)))
        .collect();
    for rows in fresh.chunks(MAX_ROWS) {
        let statement = format!(
            "INSERT INTO event (channel, position, cause, at, except_connection, variants) VALUES {}",
            values::rows(rows.len(), 6)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(rows.len()));
        for (event, stored) in rows {
            query = query
                .bind(event.channel.as_str())
                .bind(i64::try_from(stored.offset).map_err(StoreError::other)?)
                .bind(event.cause.as_str())
                .bind(stored.at)
                .bind(event.except_connection.as_str())
                .bind(encode_content(event));
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}
