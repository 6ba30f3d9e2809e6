//! Sending at the pace at which the client reads, so that it never counts as slow: what goes before
//! the live events can be more than a queue holds.

use crate::{
    shard::{Key, Shard},
    websocket::{CloseReason, Frame},
};

/// Sends a frame, and waits until it is written if the socket is full.
///
/// # Errors
/// The connection is being closed, or the client is gone.
pub(super) async fn send(shard: &Shard, key: Key, frame: Frame) -> Result<(), CloseReason> {
    shard.send(key, frame);
    if shard.state(key).is_some_and(|state| state.is_blocked) {
        written(shard, key).await?;
    }
    Ok(())
}

/// Waits until everything queued is written.
///
/// # Errors
/// As [`send`].
pub(super) async fn written(shard: &Shard, key: Key) -> Result<(), CloseReason> {
    loop {
        let Some(state) = shard.state(key) else { return Err(CloseReason::NORMAL) };
        if state.is_closing || state.is_broken {
            return Err(CloseReason::NORMAL);
        }
        if state.is_written {
            return Ok(());
        }
        super::run::written_or_changed(shard, key, state).await;
    }
}
