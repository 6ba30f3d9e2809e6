//! Listens to what gateways tell.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use carillon_bus::{Bus, Message, Subscription};
use carillon_contract::{Pattern, messages::Telemetry};
use carillon_service::Shell;
use futures_util::{FutureExt, StreamExt};
use prost::Message as _;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    cluster::{Cluster, Report, Taken},
    metrics::Metrics,
};

/// In that time every gateway that there is has told of itself: they do so once a second.
const ROUND: Duration = Duration::from_millis(1_500);

/// How long to wait before trying again what the bus refused.
const PAUSE: Duration = Duration::from_millis(500);

/// The task that listens.
pub(crate) struct Hearing {
    task: JoinHandle<()>,
    gathered: Gathered,
}

/// Whether every gateway that there is has been heard. Whoever asks before that waits, and is not told of some of
/// the gateways as if they were all.
#[derive(Clone)]
pub(crate) struct Gathered(watch::Receiver<bool>);

/// Listens until the shell's shutdown.
pub(crate) fn start(shell: &Shell, cluster: &Arc<Cluster>, metrics: &Metrics) -> Hearing {
    let (is_gathered, gathered) = watch::channel(false);
    let listener = Listener {
        bus: shell.bus.clone(),
        cluster: cluster.clone(),
        metrics: metrics.clone(),
        is_gathered: Arc::new(is_gathered),
        shutdown: shell.shutdown.clone(),
    };
    Hearing { task: tokio::spawn(listener.run()), gathered: Gathered(gathered) }
}

impl Gathered {
    /// Waits until they have been.
    pub(crate) async fn wait(&self) {
        // An error is a shutdown.
        let _ = self.0.clone().wait_for(|is_gathered| *is_gathered).await;
    }
}

impl Hearing {
    pub(crate) fn gathered(&self) -> Gathered {
        self.gathered.clone()
    }

    /// Waits until everything has been taken in that was told before the shutdown.
    ///
    /// # Errors
    /// A fault of the task.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        self.task.await.context("listening to gateways")
    }
}

struct Listener {
    bus: Bus,
    cluster: Arc<Cluster>,
    metrics: Metrics,
    is_gathered: Arc<watch::Sender<bool>>,
    shutdown: CancellationToken,
}

impl Listener {
    async fn run(self) {
        let shutdown = self.shutdown.clone();
        while !shutdown.is_cancelled() {
            match self.bus.subscribe(Pattern::telemetry()).await {
                Ok(reports) => {
                    self.gather();
                    self.take_in(reports).await;
                }
                Err(error) => tracing::warn!(%error, "gateways can't be heard yet"),
            }
            shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
    }

    /// From now on everyone is heard.
    fn gather(&self) {
        let is_gathered = self.is_gathered.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ROUND).await;
            is_gathered.send_replace(true);
        });
    }

    async fn take_in(&self, mut reports: Subscription) {
        while let Some(Some(message)) = self.shutdown.run_until_cancelled(reports.next()).await {
            self.hear(message);
        }
        // What has arrived by then was told by gateways that may have stopped with us.
        while let Some(Some(message)) = reports.next().now_or_never() {
            self.hear(message);
        }
    }

    fn hear(&self, message: Message) {
        let told = Telemetry::decode(message.payload).map_err(|error| error.to_string());
        let report = told.and_then(|told| Report::try_from(told).map_err(|error| error.to_string()));
        let outcome = match report {
            Ok(report) => match self.cluster.hear(report, Instant::now()) {
                Taken::Latest => "latest",
                Taken::Old => "old",
                Taken::Refused => "refused",
            },
            Err(error) => {
                tracing::warn!(subject = %message.subject, %error, "a gateway's report can't be read");
                "malformed"
            }
        };
        self.metrics.reported(outcome);
    }
}
