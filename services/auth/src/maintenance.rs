//! Forgets, now and then, what nobody needs any more.

use std::{sync::Arc, time::Duration};

use carillon_store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::{answers, auth::Auth, blocks, keys, revocations, service_tokens};

/// How often each replica does so; it does no harm that several do.
const INTERVAL: Duration = Duration::from_secs(60);

/// Prunes at once, and then again and again until shutdown.
pub(crate) async fn run(auth: Arc<Auth>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = prune(&auth).await {
            tracing::warn!(%error, "what is not needed any more could not be removed");
        }
    }
}

async fn prune(auth: &Auth) -> Result<(), StoreError> {
    auth.limits.prune().await?;
    let mut tx = auth.database.begin().await?;
    // The order of a rotation: the counter of keys before the keys.
    keys::prune(&mut tx, &auth.database).await?;
    service_tokens::prune(&mut tx).await?;
    revocations::prune(&mut tx).await?;
    blocks::prune(&mut tx).await?;
    answers::prune(&mut tx).await?;
    tx.commit().await?;
    auth.log.prune().await.map(drop)
}
