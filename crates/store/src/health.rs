//! How a service's database does.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::{Database, Engine, OutboxDepth};

/// A database that takes longer over a trivial query does not answer.
const ANSWER: Duration = Duration::from_secs(2);

/// A service's database as this process sees it.
#[derive(Debug, Clone)]
pub struct DatabaseHealth {
    /// Which engine it is.
    pub engine: Engine,
    /// How long a trivial query took, the wait for a connection included; or why it was not answered.
    pub answered: Result<Duration, String>,
    /// Connections in use.
    pub in_use: u32,
    /// Connections that are open.
    pub open: u32,
    /// How many connections this process may open.
    pub most: u32,
    /// What the service owes to others, as it was measured last.
    pub outbox: OutboxDepth,
}

impl Database {
    /// Asks the database something trivial, and tells how it does.
    pub async fn health(&self) -> DatabaseHealth {
        let started = Instant::now();
        let answered = match timeout(ANSWER, self.ping()).await {
            Ok(Ok(())) => Ok(started.elapsed()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the database did not answer in time".to_owned()),
        };
        let pools = self.pools();
        let sum = |of: fn(&sqlx::AnyPool) -> u32| pools.iter().map(|(_, pool)| of(pool)).sum::<u32>();
        let (open, idle) =
            (sum(sqlx::AnyPool::size), sum(|pool| u32::try_from(pool.num_idle()).unwrap_or(u32::MAX)));
        DatabaseHealth {
            engine: self.engine(),
            answered,
            in_use: open.saturating_sub(idle),
            open,
            most: sum(|pool| pool.options().get_max_connections()),
            outbox: self.metrics().outbox(),
        }
    }
}
