//! The health of the whole system (S0-04): every replica of everything, the bus, the databases, and what changes.
//!
//! Every process tells how it does once a second, and at once when that changes. Each replica of this service hears all
//! of them; the one that has been there for longest publishes what follows to the channel `system.health`.

mod changes;
mod frame;
mod replica;
mod roster;
mod session;
mod states;
mod verdict;
mod view;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use carillon_service::Shell;
use serde_json::Value;
use tokio::sync::watch as settling;

use crate::cluster::Cluster;
use view::View;

pub(crate) use watch::Watch;

/// What one replica of this service knows of the system. Clones share it.
#[derive(Clone)]
pub(crate) struct Health {
    view: Arc<Mutex<View>>,
    /// Whether everybody has had the time to tell.
    settled: settling::Sender<bool>,
    cluster: Arc<Cluster>,
}

/// Why a frame is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its reader has just come.
    Snapshot,
    /// Two seconds have passed.
    Tick,
    /// Something has changed its state.
    Change,
}

impl Health {
    /// Nothing is known before a [`Watch`] runs.
    pub(crate) fn new(shell: &Shell, cluster: &Arc<Cluster>) -> Self {
        Self {
            view: Arc::new(Mutex::new(View::new(shell))),
            settled: settling::Sender::new(false),
            cluster: cluster.clone(),
        }
    }

    /// The system as it is now.
    pub(crate) fn frame(&self, cause: Cause) -> Value {
        let figures = self.cluster.figures().all;
        frame::render(&self.view(), cause, &figures)
    }

    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
