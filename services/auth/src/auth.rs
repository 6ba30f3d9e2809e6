//! What every request is answered from.

use carillon_service::Publisher;
use carillon_store::{Database, Log, Outbox, StoreError, Transaction};

use crate::{
    effects::Effects, keys::Keys, lifetimes::Lifetimes, login_limits::LoginLimits, metrics::Metrics,
    passwords::Passwords, user_name::UserNames,
};

/// The parts of the service.
pub(crate) struct Auth {
    pub(crate) database: Database,
    pub(crate) log: Log,
    pub(crate) outbox: Outbox,
    pub(crate) publisher: Publisher,
    pub(crate) keys: Keys,
    pub(crate) passwords: Passwords,
    pub(crate) limits: LoginLimits,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) names: UserNames,
    pub(crate) metrics: Metrics,
}

impl Auth {
    /// Commits what was written along with what it makes known, and then makes it known.
    pub(crate) async fn commit(&self, mut tx: Transaction, effects: Effects) -> Result<(), StoreError> {
        let Effects { events, debts } = effects;
        self.outbox.owe_all(&mut tx, &debts).await?;
        // Last: from here to the commit nobody else can write to the channel.
        let appended = if events.is_empty() { Vec::new() } else { self.log.append(&mut tx, &events).await? };
        tx.commit().await?;
        let events: Vec<_> = appended.into_iter().map(|appended| appended.event).collect();
        self.publisher.publish(&events).await;
        if !debts.is_empty() {
            self.outbox.wake();
        }
        Ok(())
    }
}
