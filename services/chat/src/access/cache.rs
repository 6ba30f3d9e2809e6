//! The rules, kept for a moment.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use carillon_store::{Database, StoreError};
use sqlx::AnyConnection;
use tokio::time::Instant;

use super::{args::RoomAccess, rows, rule::Rule, rules::Rules};

/// For how long rules are used without asking whether they have changed.
const FRESH: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Cache {
    database: Database,
    configured: Arc<[Rule]>,
    latest: Mutex<Option<(Instant, Arc<Rules>)>>,
}

impl Cache {
    pub(super) fn new(database: Database, configured: &RoomAccess) -> Self {
        Self { database, configured: configured.0.as_slice().into(), latest: Mutex::default() }
    }

    /// The rules as they were a second ago or later.
    pub(super) async fn rules(&self) -> Result<Arc<Rules>, StoreError> {
        let asked = Instant::now();
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match latest {
            Some((read, rules)) if asked < read + FRESH => Ok(rules),
            _ => self.read(asked).await,
        }
    }

    /// The rules as they are.
    pub(super) async fn current(&self) -> Result<Arc<Rules>, StoreError> {
        self.read(Instant::now()).await
    }

    /// The rules as a snapshot has them, or a transaction with the lock. They are not kept.
    pub(super) async fn load(&self, connection: &mut AnyConnection) -> Result<Arc<Rules>, StoreError> {
        rows::load(connection, &self.configured).await.map(Arc::new)
    }

    async fn read(&self, asked: Instant) -> Result<Arc<Rules>, StoreError> {
        let rules = self.load(&mut *self.database.snapshot().await?).await?;
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        // Of several that read at once, the newest rules stay.
        if latest.as_ref().is_none_or(|(_, kept)| kept.version <= rules.version) {
            *latest = Some((asked, rules.clone()));
        }
        Ok(rules)
    }
}
