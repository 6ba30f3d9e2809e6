//! A cluster with a little to do, and the Prometheus that watches it.

use std::{future::Future, pin::Pin};

use carillon_testkit::{Cluster, Options, Processes};
use tokio::{sync::OnceCell, task::JoinHandle};

use crate::{
    prometheus::{Prometheus, Target},
    traffic::Traffic,
};

/// What a test that runs on a cluster comes to.
pub(crate) type Outcome<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// The cluster, of one replica of each service and two gateways.
pub(crate) struct Watched {
    pub(crate) prometheus: Prometheus,
    pub(crate) traffic: Traffic,
    pub(crate) cluster: Cluster,
}

/// The cluster that all tests have, started by the first that needs it.
#[derive(Default)]
pub(crate) struct Shared(OnceCell<Result<(Watched, JoinHandle<()>), String>>);

impl Shared {
    pub(crate) async fn watched(&self) -> Result<&Watched, String> {
        let started = self.0.get_or_init(|| async {
            let watched = Watched::start().await.map_err(|error| format!("{error:?}"))?;
            let traffic = watched.traffic.clone();
            Ok((watched, tokio::spawn(traffic.run())))
        });
        started.await.as_ref().map(|(watched, _)| watched).map_err(Clone::clone)
    }

    /// Ends what has been started.
    pub(crate) async fn stop(&self) {
        if let Some(Ok((_, traffic))) = self.0.get() {
            traffic.abort();
        }
    }
}

impl Watched {
    async fn start() -> anyhow::Result<Self> {
        let processes = Processes { replicas: 1, ..Processes::default() };
        let cluster = Cluster::start(Options { processes, ..Options::default() }).await?;
        let deployment = cluster.deployment();
        let mut targets = Vec::new();
        for process in deployment.processes() {
            // NATS and Postgres have no metrics of their own.
            if let Ok(operations) = deployment.supervisor().operations(&process) {
                targets.push(Target::new(&process, &operations));
            }
        }
        let prometheus = Prometheus::start(&targets).await?;
        let traffic = Traffic::start(deployment).await?;
        Ok(Self { prometheus, traffic, cluster })
    }
}
