//! How one program of this process is found.

use std::{collections::BTreeMap, time::Duration};

use carillon_bus::BusState;
use carillon_contract::{
    Program,
    messages::{BusHealth, DatabaseHealth, ReplicaState},
};
use carillon_store::DatabaseHealth as StoreHealth;
use tokio::time::timeout;

use crate::Shell;

/// A bus that takes longer does not answer.
const ROUND_TRIP: Duration = Duration::from_secs(2);

/// What a look at it has shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Findings {
    pub(super) state: ReplicaState,
    pub(super) failures: BTreeMap<String, String>,
    pub(super) bus: BusHealth,
    pub(super) database: Option<DatabaseHealth>,
}

impl Findings {
    /// Looks. It takes as long as what is looked at takes to answer, two seconds at most.
    pub(super) async fn of(shell: &Shell, program: Program, was_ready: bool) -> Self {
        let database = async {
            let Program::Service(service) = program else { return None };
            Some(of_database(shell.health.database(service)?.health().await))
        };
        let round_trip = async { timeout(ROUND_TRIP, shell.bus.round_trip()).await.ok()?.ok() };
        let (failures, database, round_trip) =
            tokio::join!(shell.readiness.failures_of(program.as_str()), database, round_trip);
        let state = match (shell.shutdown.is_cancelled(), failures.is_empty(), was_ready) {
            (true, _, _) => ReplicaState::Stopping,
            (_, true, _) => ReplicaState::Ready,
            (_, false, true) => ReplicaState::Unready,
            (_, false, false) => ReplicaState::Starting,
        };
        Self { state, failures, bus: of_bus(shell.bus.state(), round_trip), database }
    }

    /// Whether others are to know of it at once rather than within a second.
    pub(super) fn is_news_after(&self, before: &Self) -> bool {
        self.state != before.state
            || self.failures != before.failures
            || self.bus.reconnections != before.bus.reconnections
            || self.answers() != before.answers()
    }

    fn answers(&self) -> Option<bool> {
        self.database.as_ref().map(|database| database.answer_microseconds.is_some())
    }
}

fn of_bus(state: BusState, round_trip: Option<Duration>) -> BusHealth {
    BusHealth {
        kind: state.kind.to_owned(),
        server_version: state.server_version,
        round_trip_microseconds: round_trip.map(microseconds),
        reconnections: state.reconnections,
        dropped: state.dropped,
    }
}

fn of_database(health: StoreHealth) -> DatabaseHealth {
    let (answer_microseconds, failure) = match health.answered {
        Ok(time) => (Some(microseconds(time)), String::new()),
        Err(failure) => (None, failure),
    };
    DatabaseHealth {
        engine: health.engine.as_str().to_owned(),
        answer_microseconds,
        failure,
        connections_in_use: health.in_use,
        connections_open: health.open,
        connections_most: health.most,
        outbox_debts: health.outbox.count,
        outbox_oldest_microseconds: health.outbox.oldest.map_or(0, microseconds),
    }
}

pub(super) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
