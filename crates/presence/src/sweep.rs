//! Taking out what is due: clients that did not return, and gateways that no longer renew.

use std::time::Duration;

use carillon_service::time::microseconds;
use carillon_store::StoreError;
use sqlx::Row as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{Announcer, Presence, Transition, connections, leases, presence::after, transitions};

/// The most connections of one transaction.
const CONNECTIONS: i64 = 500;

/// The most leases of one look.
const LEASES: i64 = 100;

/// How often the tables are measured, and rid of what is no longer needed.
const TIDY: Duration = Duration::from_secs(30);

/// How long a topic without members, and a lease that has lapsed, keep their rows: longer than any
/// transaction lasts, and than replicas' clocks differ.
const IDLE: Duration = Duration::from_secs(3_600);

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
        // A row that was gone is there again, but without an end.
        let gone: Vec<String> =
            states.extract_if(.., |_, state| state.left_at == 0).map(|(connection, _)| connection).collect();
        connections::forget(&mut tx, &gone).await?;
        states.retain(|_, state| (1..=now).contains(&state.due));
        let leaving: Vec<String> = states.into_keys().collect();
        let transitions = transitions::exchange(&mut tx, now, &leaving, &[]).await?;
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
    /// whether there were any. They are not remembered: their gateway may enter them again.
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
        let is_open = |connection: &String| states.get(connection).is_some_and(|state| state.left_at == 0);
        found.retain(is_open);
        let transitions = transitions::exchange(&mut tx, now, &found, &[]).await?;
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

    async fn tidy_or_warn(&self) {
        if let Err(error) = self.tidy().await {
            tracing::warn!(%error, "presence could not be tidied; trying again later");
        }
    }

    /// Forgets connections that left long ago, topics that are empty and leases that lapsed, some at
    /// a time, and measures how many connections there are.
    async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.inner.options.clock.now();
        let ago = |duration: Duration| now.saturating_sub(microseconds(duration));
        let before = [ago(self.inner.options.memory), ago(IDLE), ago(IDLE)];
        for (statement, before) in [FORGET_CONNECTIONS, FORGET_TOPICS, FORGET_LEASES].into_iter().zip(before)
        {
            while self.forget(statement, before).await? >= AT_A_TIME {}
        }
        let count = sqlx::query("SELECT COUNT(*) FROM presence_connection WHERE left_at = 0");
        let row = count.fetch_one(self.inner.database.reader()).await?;
        self.inner.metrics.connections.set(row.try_get(0)?);
        Ok(())
    }

    async fn forget(&self, statement: &'static str, before: i64) -> Result<u64, StoreError> {
        let mut tx = self.inner.database.begin().await?;
        let forgotten = sqlx::query(statement).bind(before).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(forgotten)
    }
}

const FORGET_CONNECTIONS: &str = "DELETE FROM presence_connection WHERE connection IN ( \
     SELECT connection FROM presence_connection WHERE left_at > 0 AND left_at < $1 AND due = 0 LIMIT 5000)";

/// The most rows that each of these statements forgets.
const AT_A_TIME: u64 = 5_000;

/// The conditions are repeated, for whoever locks a topic in between changes its time.
const FORGET_TOPICS: &str = "DELETE FROM presence_topic WHERE members = 0 AND changed_at < $1 AND topic IN ( \
     SELECT topic FROM presence_topic WHERE members = 0 AND changed_at < $1 LIMIT 5000)";

/// Likewise.
const FORGET_LEASES: &str = "DELETE FROM presence_lease WHERE expires_at < $1 AND NOT EXISTS ( \
     SELECT 1 FROM presence_connection \
     WHERE presence_connection.lease = presence_lease.lease AND left_at = 0)";
