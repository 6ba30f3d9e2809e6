//! Removing events that are no longer kept, in the background.

use std::time::Duration;

use carillon_store::Log;
use tokio_util::sync::CancellationToken;

/// Prunes the log again and again until shutdown. Every replica does: what one has removed, the next
/// doesn't find.
pub(crate) async fn run(log: &Log, pause: Duration, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Err(error) = log.prune().await {
            tracing::warn!(%error, "what is no longer kept could not be removed; trying again later");
        }
    }
}
