//! What a service gets from the process it runs in, and how it serves there.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use carillon_bus::{Bus, Server, Signal};
use carillon_contract::ServiceName;
use carillon_instruments::Registry;
use carillon_store::{Database, Migration, StoreError};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::{DatabaseArgs, Health, Publisher, Readiness, Registration, Service, dispatch::Dispatcher};

/// Requests that one replica handles at a time; more wait in the bus's bounded queue.
const CONCURRENCY: usize = 1_024;

/// Channels that changed this recently are announced by a replica that (re)starts: longer than
/// any restart after a crash takes.
const ANNOUNCED: Duration = Duration::from_secs(600);

/// How often it is looked whether the database answers.
const DATABASE_PROBES: Duration = Duration::from_secs(2);

/// How long a service that stops waits for what it has begun beside requests: longer than the delivery of a debt takes at most.
const LAST_WORK: Duration = Duration::from_secs(10);

/// How long to wait before trying again what the bus or database refused at the start.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a process gives to each service that runs in it.
#[derive(Clone)]
pub struct Shell {
    /// The way to the other services.
    pub bus: Bus,
    /// Where `/metrics` gathers from.
    pub metrics: Registry,
    /// Cancelled when the process is to stop.
    pub shutdown: CancellationToken,
    /// Where `/readyz` looks.
    pub readiness: Readiness,
    /// What the process tells of itself.
    pub health: Health,
}

impl Shell {
    /// A shell around a bus, with everything else new.
    pub fn new(bus: Bus) -> Self {
        Self {
            bus,
            metrics: Registry::new(),
            shutdown: CancellationToken::new(),
            readiness: Readiness::default(),
            health: Health::new(),
        }
    }

    /// Opens a service's database, waiting for one that can't be reached yet.
    ///
    /// # Errors
    /// A database that refuses, for instance a migration, or a shutdown meanwhile.
    pub async fn open_database(
        &self,
        arguments: &DatabaseArgs,
        service: ServiceName,
        migrations: &'static [Migration],
    ) -> anyhow::Result<Database> {
        loop {
            match Database::open(&arguments.database_url, service, migrations).await {
                Ok(database) => {
                    self.health.opened(database.clone());
                    return Ok(database);
                }
                Err(error) if error.is_unavailable() => {
                    tracing::warn!(%service, %error, "the database can't be reached yet");
                    self.pause().await?;
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("opening the database of {service}"));
                }
            }
        }
    }

    /// Serves until shutdown, then finishes what is running.
    ///
    /// # Errors
    /// A shutdown before the bus could be reached.
    pub async fn serve<S: Service>(&self, service: Arc<S>) -> anyhow::Result<()> {
        let registration = self.readiness.register(S::NAME.as_str());
        let dispatcher = Arc::new(Dispatcher::new(service.clone(), &self.metrics)?);
        // Listening before announcing: a signal in between is not lost.
        let mut signals = self.bus.signals();
        let server = self.subscribe::<S>(dispatcher).await?;
        self.ready(registration, &service);
        tracing::info!(service = %S::NAME, "serving");
        let (watched, shutdown) = (service.clone(), self.shutdown.clone());
        tokio::spawn(async move { watched.log().watch(DATABASE_PROBES, &shutdown).await });
        let publisher = Publisher::new(self.bus.clone());
        loop {
            announce(&*service, &publisher).await;
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                () = lost(&mut signals) => {}
            }
        }
        server.stop().await;
        tracing::info!(service = %S::NAME, "stopped");
        Ok(())
    }

    /// The same, while `work` goes on beside the requests. It ends with serving, also when that has failed, and at its own
    /// pace: a debt that was being delivered would be nobody's until its claim lapses. After ten seconds it is dropped.
    ///
    /// # Errors
    /// Those of [`Shell::serve`], or a panic of `work`.
    pub async fn serve_beside<S, W>(
        &self,
        service: Arc<S>,
        work: impl FnOnce(CancellationToken) -> W,
    ) -> anyhow::Result<()>
    where
        S: Service,
        W: Future<Output = ()> + Send + 'static,
    {
        let stop = self.shutdown.child_token();
        let mut working = tokio::spawn(work(stop.clone()));
        let served = self.serve(service).await;
        stop.cancel();
        match tokio::time::timeout(LAST_WORK, &mut working).await {
            Ok(ended) => ended.context("what goes on beside requests")?,
            Err(_) => {
                tracing::warn!(service = %S::NAME, "what goes on beside requests did not end in time");
                working.abort();
            }
        }
        served
    }

    async fn subscribe<S: Service>(&self, dispatcher: Arc<Dispatcher<S>>) -> anyhow::Result<Server> {
        loop {
            match self.bus.serve(S::NAME, CONCURRENCY, dispatcher.clone()).await {
                Ok(server) => return Ok(server),
                Err(error) => tracing::warn!(service = %S::NAME, %error, "the bus can't be reached yet"),
            }
            self.pause().await?;
        }
    }

    /// From now on the service is ready when the bus is connected and its database answers.
    fn ready<S: Service>(&self, registration: Registration, service: &Arc<S>) {
        let bus = self.bus.clone();
        let service = service.clone();
        registration.ready(move || {
            let bus = bus.clone();
            let service = service.clone();
            async move {
                if !bus.is_connected() {
                    return Err("the bus is not connected".to_owned());
                }
                service.log().heads(&[]).await.map(drop).map_err(|error: StoreError| error.to_string())
            }
        });
    }

    async fn pause(&self) -> anyhow::Result<()> {
        tokio::select! {
            () = self.shutdown.cancelled() => anyhow::bail!("stopped before it was ready"),
            () = tokio::time::sleep(PATIENCE) => Ok(()),
        }
    }
}

/// Waits until the bus may have lost something.
async fn lost(signals: &mut tokio::sync::broadcast::Receiver<Signal>) {
    loop {
        match signals.recv().await {
            Ok(Signal::Reconnected | Signal::Dropped) | Err(RecvError::Lagged(_)) => return,
            Ok(Signal::Disconnected) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Tells gateways how far the channels are that changed lately, so that they fetch what a crash
/// between commit and publish, or a lost connection, kept from them.
async fn announce<S: Service>(service: &S, publisher: &Publisher) {
    match service.log().announcements(ANNOUNCED).await {
        Ok(events) => publisher.publish(&events).await,
        Err(error) => tracing::warn!(service = %S::NAME, %error, "heads could not be announced"),
    }
}
