//! Taking out what is due: clients that did not return, and gateways that no longer renew.

use std::time::Duration;

use carillon_store::StoreError;
use sqlx::Row as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    Announcer, Presence, Transition,
    connections::{self, Stage, State},
    leases,
    presence::after,
    transitions::{self, Exchange},
};

/// The most connections of one transaction.
const CONNECTIONS: i64 = 500;

/// The most leases of one look.
const LEASES: i64 = 100;

/// How often the tables are measured, and rid of what is no longer needed.
const TIDY: Duration = Duration::from_secs(30);

impl<A: Announcer> Presence<A> {
    /// Takes out what is due, about once a second until `shutdown`. Each replica may run it.
    ///
    /// When it starts, and when the database could not be reached, leases are spared for as long as
    /// one lasts: gateways could not renew them either.
    pub async fn run(&self, shutdown: CancellationToken) {
        let lease = self.inner.options.lease;
        let clock = &self.inner.options.clock;
        let (mut looked, mut spared_until, mut tidied) = (clock.now(), after(clock.now(), lease), None);
        while !shutdown.is_cancelled() {
            let now = clock.now();
            // This process stood still, and perhaps the whole machine.
            if now > after(looked, lease / 2) {
                spared_until = after(now, lease);
            }
            if let Err(error) = self.sweep(now >= spared_until, &shutdown).await {
                tracing::warn!(%error, "who has left could not be found out; trying again");
                spared_until = after(clock.now(), lease);
            } else if tidied.is_none_or(|at: Instant| at.elapsed() > TIDY) {
                self.tidy_or_warn().await;
                tidied = Some(Instant::now());
            }
            looked = clock.now();
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(self.inner.options.sweep) => {}
            }
        }
    }

    /// One round of [`run`](Self::run): what is due at this moment, lapsed leases only if told so.
    ///
    /// # Errors
    /// If the database fails; the next round goes on.
    pub async fn sweep(&self, lapsed: bool, shutdown: &CancellationToken) -> Result<(), StoreError> {
        while !shutdown.is_cancelled() && self.sweep_due().await? {}
        if !lapsed {
            return Ok(());
        }
        for lease in self.lapsed().await? {
            let mut found = false;
            while !shutdown.is_cancelled() && self.sweep_lease(&lease).await? {
                found = true;
            }
            if found {
                tracing::info!(lease, "a gateway no longer renews: its connections have left");
                self.inner.metrics.lapsed.inc();
            }
        }
        Ok(())
    }

    /// Takes out some connections whose clients have not returned. Tells whether there were any.
    async fn sweep_due(&self) -> Result<bool, StoreError> {
        let now = self.inner.options.clock.now();
        let statement = "SELECT connection FROM presence_connection WHERE due > 0 AND due <= $1 LIMIT $2";
        let query = sqlx::query(statement).bind(now).bind(CONNECTIONS);
        let rows = query.fetch_all(self.inner.database.reader()).await?;
        let mut due = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        if due.is_empty() {
            return Ok(false);
        }
        due.sort_unstable();
        let mut tx = self.inner.database.begin().await?;
        let mut states = connections::lock(&mut tx, &due).await?;
        let gone = states.extract_if(.., |_, state| state.stage() == Stage::Unknown);
        connections::forget(&mut tx, &gone.map(|(connection, _)| connection).collect::<Vec<_>>()).await?;
        states.retain(|_, state| matches!(state.stage(), Stage::Awaited { due } if due <= now));
        let leaving: Vec<String> = states.into_keys().collect();
        let exchange = Exchange { leaving: &leaving, is_final: true, ..Exchange::default() };
        let transitions = transitions::exchange(&mut tx, now, &exchange).await?;
        connections::settle(&mut tx, &leaving).await?;
        self.finish(tx, &transitions).await?;
        Ok(true)
    }

    /// Leases that have lapsed and have connections.
    async fn lapsed(&self) -> Result<Vec<String>, StoreError> {
        let statement = "SELECT lease FROM presence_lease WHERE expires_at <= $1 AND EXISTS ( \
                 SELECT 1 FROM presence_connection \
                 WHERE presence_connection.lease = presence_lease.lease AND left_at = 0) \
             ORDER BY expires_at LIMIT $2";
        let query = sqlx::query(statement).bind(self.inner.options.clock.now()).bind(LEASES);
        let rows = query.fetch_all(self.inner.database.reader()).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Takes out some connections of a lease, if it has lapsed and nobody renews it meanwhile. Tells
    /// whether there were any. They are not remembered, but for their positions: their gateway may
    /// enter them again.
    async fn sweep_lease(&self, lease: &str) -> Result<bool, StoreError> {
        let now = self.inner.options.clock.now();
        let mut tx = self.inner.database.begin().await?;
        if !leases::end(&mut tx, lease, now).await? {
            return Ok(false);
        }
        let statement =
            "SELECT connection FROM presence_connection WHERE lease = $1 AND left_at = 0 LIMIT $2";
        let rows = sqlx::query(statement).bind(lease).bind(CONNECTIONS).fetch_all(&mut *tx).await?;
        let mut found = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        if found.is_empty() {
            return Ok(false);
        }
        found.sort_unstable();
        let states = connections::lock(&mut tx, &found).await?;
        let has_left = |state: &State| state.stage() > Stage::Open;
        found.retain(|connection| !states.get(connection).is_some_and(has_left));
        let exchange = Exchange { leaving: &found, is_final: false, ..Exchange::default() };
        let transitions = transitions::exchange(&mut tx, now, &exchange).await?;
        connections::forget(&mut tx, &found).await?;
        self.finish(tx, &transitions).await?;
        Ok(true)
    }

    async fn finish(
        &self,
        mut tx: carillon_store::Transaction,
        transitions: &[Transition],
    ) -> Result<(), StoreError> {
        let announced = self.inner.announce(&mut tx, transitions).await?;
        tx.commit().await?;
        self.inner.publish(&announced).await;
        Ok(())
    }
}
