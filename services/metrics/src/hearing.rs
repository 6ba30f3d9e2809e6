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
const ROUND: Duration = Duration::from_millis(1_250);

/// How long to wait before trying again what the bus refused.
const PAUSE: Duration = Duration::from_millis(500);

/// The task that listens.
pub(crate) struct Hearing {
    task: JoinHandle<()>,
    is_listening: watch::Receiver<bool>,
}

/// Listens until the shell's shutdown.
pub(crate) fn start(shell: &Shell, cluster: &Arc<Cluster>, metrics: &Metrics) -> Hearing {
    let (listening, is_listening) = watch::channel(false);
    let listener = Listener {
        bus: shell.bus.clone(),
        cluster: cluster.clone(),
        metrics: metrics.clone(),
        listening,
        shutdown: shell.shutdown.clone(),
    };
    Hearing { task: tokio::spawn(listener.run()), is_listening }
}

impl Hearing {
    /// Waits until every gateway that there is has been heard.
    ///
    /// # Errors
    /// A shutdown before that.
    pub(crate) async fn gathered(&self, shutdown: &CancellationToken) -> anyhow::Result<()> {
        let mut is_listening = self.is_listening.clone();
        let gathered = async {
            // It only ends with the shutdown.
            let _ = is_listening.wait_for(|is_listening| *is_listening).await;
            tokio::time::sleep(ROUND).await;
        };
        shutdown.run_until_cancelled(gathered).await.context("stopped before it was ready")
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
    listening: watch::Sender<bool>,
    shutdown: CancellationToken,
}

impl Listener {
    async fn run(self) {
        let shutdown = self.shutdown.clone();
        while !shutdown.is_cancelled() {
            match self.bus.subscribe(Pattern::telemetry()).await {
                Ok(reports) => {
                    self.listening.send_replace(true);
                    self.take_in(reports).await;
                }
                Err(error) => tracing::warn!(%error, "gateways can't be heard yet"),
            }
            shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
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
