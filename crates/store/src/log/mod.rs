//! The event log of one service: what was published to its channels, numbered 1, 2, 3, … in each.

mod append;
mod epoch;
mod heads;
mod history;
mod known;
mod prune;

use std::{sync::Arc, time::Duration};

use carillon_contract::messages;
use prost::Message as _;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{Database, StoreError};

pub use append::{Appended, NewEvent};

/// How much of each channel the log keeps. What is older than `age`, or more than `count`
/// offsets behind the head, can be pruned; its cause is forgotten with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events may be forgotten when they are older.
    pub age: Duration,
    /// Of each channel so many events are kept at most.
    pub count: u64,
}

/// The event log of one service's database. Clones share it.
#[derive(Debug, Clone)]
pub struct Log {
    database: Database,
    retention: Retention,
    epoch: Arc<str>,
}

impl Log {
    /// The log of a database, which gets its epoch when it is opened for the first time.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn open(database: Database, retention: Retention) -> Result<Self, StoreError> {
        let epoch = epoch::settle(&database).await?.into();
        Ok(Self { database, retention, epoch })
    }

    /// The identity of this log, of letters `a-z` and digits: offsets of two epochs don't compare.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Looks whether its database answers, for the metrics, every so often until `shutdown`.
    pub async fn watch(&self, every: Duration, shutdown: &CancellationToken) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let probing = async {
            loop {
                ticks.tick().await;
                self.database.probe().await;
            }
        };
        shutdown.run_until_cancelled(probing).await;
    }
}

/// What the log keeps in one column: an event with nothing but its variants and its dismissal.
fn encode_content(event: &NewEvent) -> Vec<u8> {
    let (variants, dismissal) = (event.variants.clone(), event.dismissal.clone());
    messages::Event { variants, dismissal, ..Default::default() }.encode_to_vec()
}

fn decode_content(bytes: &[u8]) -> Result<messages::Event, StoreError> {
    messages::Event::decode(bytes).map_err(StoreError::other)
}

/// Offsets are BIGINT in the database and never negative.
fn offset(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
