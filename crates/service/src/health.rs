//! What a process tells of itself on the bus, so that whoever watches the system knows of every replica.

mod findings;
mod teller;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use carillon_contract::ServiceName;
use carillon_store::{Database, now};

use crate::EventLoops;

pub use teller::HealthTeller;

/// One life of one process, and what its health is read from. Clones share it.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    life: u64,
    replica: String,
    started_at: i64,
    event_loops: EventLoops,
    databases: Mutex<BTreeMap<ServiceName, Database>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        let life = rand::random();
        Self(Arc::new(Inner {
            life,
            replica: format!("{life:016x}"),
            started_at: now(),
            event_loops: EventLoops::default(),
            databases: Mutex::default(),
        }))
    }

    /// The number of this life, unique for ever. What the process does under a name of its own may be called after it.
    pub fn life(&self) -> u64 {
        self.0.life
    }

    /// The name of this life: its number, in hexadecimal.
    pub fn replica(&self) -> &str {
        &self.0.replica
    }

    /// When it began, in microseconds since 1970.
    pub fn started_at(&self) -> i64 {
        self.0.started_at
    }

    /// The event loops of the process. Each has to be measured on its own thread.
    pub fn event_loops(&self) -> &EventLoops {
        &self.0.event_loops
    }

    /// From now on a service's database is looked at.
    pub(crate) fn opened(&self, database: Database) {
        let mut databases = self.0.databases.lock().unwrap_or_else(PoisonError::into_inner);
        databases.insert(database.service(), database);
    }

    fn database(&self, service: ServiceName) -> Option<Database> {
        self.0.databases.lock().unwrap_or_else(PoisonError::into_inner).get(&service).cloned()
    }
}
