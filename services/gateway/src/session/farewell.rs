//! Telling the hub, and an owner, that a session has ended.

use std::time::Duration;

use carillon_bus::RequestError;
use carillon_contract::messages::ClosedNotice;
use rand::RngExt;
use tokio::time::Instant;

use super::SessionInfo;
use crate::{
    gateway::Gateway,
    shard::{Departure, Shard},
};

/// For how long an owner is told that counts who is there. While neither the bus nor the owner's database
/// is reachable no lease lapses, so whoever it isn't told of would stay there for ever.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// The same for connections that it most likely never heard of, if too many of them wait: clients go on
/// trying to connect while it is away.
const IMPATIENCE: Duration = Duration::from_secs(20);

/// Connections of one worker of which owners wait to be told, before the above holds.
const MANY: usize = 10_000;

/// The first and the longest pause between two attempts, in milliseconds. They differ from connection
/// to connection, so that an owner that is back isn't told of all at once.
const PAUSES: (u64, u64) = (1_000, 10_000);

/// Tells everyone who has to know that a session is over.
pub(super) async fn say(gateway: &Gateway, shard: &Shard, info: &SessionInfo, departure: Option<Departure>) {
    if let Some(departure) = departure {
        for channel in info.channels.iter().take(departure.listening) {
            gateway.hub.unlisten(shard.number(), channel).await;
        }
        // An owner whose answer to `open` never came may count it in all the same.
        if departure.is_known {
            tell(gateway, shard, info, &departure).await;
        }
    }
    gateway.leases.went(info.endpoint);
}

/// Tells the owner, again while it can't take it if it counts who is there.
async fn tell(gateway: &Gateway, shard: &Shard, info: &SessionInfo, departure: &Departure) {
    let notice = ClosedNotice { session: Some(info.session()), returning: departure.is_returning };
    let start = Instant::now();
    let mut pause = PAUSES.0;
    while let Err(error) = attempt(gateway, info, &notice).await {
        let is_crowded = shard.farewells() > MANY && !departure.is_counted;
        let patience = if is_crowded { IMPATIENCE } else { PATIENCE };
        if !info.endpoint.presence || !error.is_unavailable() || start.elapsed() >= patience {
            return tracing::debug!(%error, "an owner was not told that a session ended");
        }
        let length = rand::rng().random_range(pause / 2..=pause);
        tokio::time::sleep(Duration::from_millis(length)).await;
        pause = PAUSES.1.min(2 * pause);
    }
}

/// Thousands of calls that wait for a bus which is away would cost more than a look at it.
async fn attempt(gateway: &Gateway, info: &SessionInfo, notice: &ClosedNotice) -> Result<(), RequestError> {
    if !gateway.bus.is_connected() {
        return Err(RequestError::Disconnected);
    }
    gateway.bus.call(info.endpoint.owner, notice).await
}
