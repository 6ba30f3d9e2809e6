//! Replicas of the service, and what is asked of them.

use std::time::Duration;

use carillon_bus::Bus;
use carillon_contract::ServiceName;
use carillon_metrics::{Args, SettingsArgs, run};
use carillon_service::DatabaseArgs;
use carillon_testkit::service::{Answer, Ask, Place, Replicas, admin, until};
use serde_json::Value;

/// Some replicas on one database.
pub(crate) struct World {
    pub(crate) replicas: Replicas,
    pub(crate) settings: SettingsArgs,
    place: Place,
}

impl World {
    /// With one replica, which waits for long before it takes a gateway for gone: those of tests speak seldom.
    pub(crate) async fn new(place: Place) -> Self {
        let metrics_gateway_silence = Duration::from_secs(120);
        Self::with(place, SettingsArgs { metrics_gateway_silence, ..SettingsArgs::default() }).await
    }

    /// With one replica that is set up like that.
    pub(crate) async fn with(place: Place, settings: SettingsArgs) -> Self {
        let replicas = Replicas::new(Bus::in_process(), ServiceName::Metrics);
        let mut world = Self { replicas, settings, place };
        world.add().await;
        world
    }

    /// Starts one more replica.
    pub(crate) async fn add(&mut self) {
        let database = DatabaseArgs { database_url: self.place.url.clone() };
        let args = Args { database, settings: self.settings.clone() };
        self.replicas.add(|shell| run(args, shell)).await;
    }

    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        self.replicas.ask(&ask.by(admin())).await
    }

    pub(crate) async fn figures(&self) -> Value {
        self.ask(Ask::new("monitoring.metrics")).await.ok()
    }

    /// Waits until the figures at the top are these: active, today, ever, sent and received.
    pub(crate) async fn shows(&self, expected: [u64; 5]) {
        until(&format!("{expected:?}"), async || top(&self.figures().await) == expected).await;
    }

    /// The same, and stays so for some rounds of what goes on in the background.
    pub(crate) async fn keeps_showing(&self, expected: [u64; 5]) {
        self.shows(expected).await;
        let rounds = || self.replicas.counter("carillon_metrics_saves_total");
        let enough = rounds() + 4.0;
        until("some rounds", async || {
            assert_eq!(top(&self.figures().await), expected);
            tokio::time::sleep(Duration::from_millis(20)).await;
            rounds() >= enough
        })
        .await;
    }
}

/// Active, today, ever, sent and received.
pub(crate) fn top(figures: &Value) -> [u64; 5] {
    ["active_connections", "connections_today", "connections_total", "messages_sent", "messages_received"]
        .map(|figure| figures[figure].as_u64().unwrap_or_else(|| panic!("{figure} of {figures}")))
}
