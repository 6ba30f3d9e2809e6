//! Many updates in one transaction.

use std::sync::Arc;

use carillon_contract::messages::Variant;
use carillon_service::Outgoing;
use carillon_store::{Batch, Log, NewEvent, StoreError, Transaction, now};

use super::{
    fold::{Fate, fold},
    rows,
    update::Update,
};

/// Applies updates in their order, and appends their events.
pub(super) struct Applying {
    pub(super) log: Log,
}

/// What became of an update.
pub(super) enum Outcome {
    /// It is made; `outgoing` is to be published.
    Applied { total: i64, offset: i64, outgoing: Arc<Outgoing> },
    /// It had been made before.
    Repeated { total: i64, offset: i64 },
    /// Its cause is another update's.
    CauseTaken,
    /// The total would be too large: nothing has changed.
    OutOfRange,
}

impl Batch for Applying {
    type Item = Update;
    type Output = Outcome;

    async fn apply(&self, tx: &mut Transaction, updates: &[&Update]) -> Result<Vec<Outcome>, StoreError> {
        // The rows first: only with its counter locked is it certain what was made before.
        let mut counters = rows::lock(tx, updates).await?;
        let known = rows::known(tx, updates).await?;
        let fates = fold(&mut counters, updates, &known);
        rows::save(tx, &counters).await?;
        let (offsets, outgoing) = self.append(tx, updates, &fates).await?;
        let made: Vec<_> = updates
            .iter()
            .zip(&fates)
            .zip(&offsets)
            .filter_map(|((update, fate), offset)| match fate {
                Fate::Made { total, .. } => Some((*update, *total, *offset)),
                _ => None,
            })
            .collect();
        rows::remember(tx, &made).await?;
        Ok((0..updates.len()).map(|index| outcome(index, &fates, &offsets, &outgoing)).collect())
    }
}

impl Applying {
    /// Appends the events of the updates that are made. The result has an offset for each update, 0
    /// for the others.
    async fn append(
        &self,
        tx: &mut Transaction,
        updates: &[&Update],
        fates: &[Fate],
    ) -> Result<(Vec<i64>, Arc<Outgoing>), StoreError> {
        let now = now();
        let (mut indexes, mut events) = (Vec::new(), Vec::new());
        for (index, (update, fate)) in updates.iter().zip(fates).enumerate() {
            if let Fate::Made { total, number } = fate {
                indexes.push(index);
                events.push(event(update, *total, *number, now).of_item(index));
            }
        }
        let mut offsets = vec![0; updates.len()];
        let mut outgoing = Vec::new();
        if !events.is_empty() {
            for (index, appended) in indexes.into_iter().zip(self.log.append(tx, &events).await?) {
                offsets[index] = i64::try_from(appended.event.offset).map_err(StoreError::other)?;
                outgoing.push(appended);
            }
        }
        Ok((offsets, Arc::new(Outgoing::of(outgoing))))
    }
}

/// Its number, and not its cause, names the event: the log may forget causes sooner, or later.
fn event(update: &Update, total: i64, number: i64, now: i64) -> NewEvent {
    let frame = update.frame(total, now).to_string();
    NewEvent::new(update.channel.clone(), format!("update:{number}"), vec![Variant::json(frame)])
}

fn outcome(index: usize, fates: &[Fate], offsets: &[i64], outgoing: &Arc<Outgoing>) -> Outcome {
    match fates[index] {
        Fate::Made { total, .. } => {
            Outcome::Applied { total, offset: offsets[index], outgoing: outgoing.clone() }
        }
        Fate::Again(earlier) => outcome(earlier, fates, offsets, outgoing),
        Fate::Known(known) => Outcome::Repeated { total: known.total, offset: known.position },
        Fate::CauseTaken => Outcome::CauseTaken,
        Fate::OutOfRange => Outcome::OutOfRange,
    }
}
