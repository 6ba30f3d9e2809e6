//! Sending at the pace at which the client reads, so that it never counts as slow: what goes before
//! the live events can be more than a queue holds.

use std::sync::Arc;

use carillon_contract::messages::Event;

use super::Format;
use crate::{
    shard::{Key, Shard},
    websocket::{CloseReason, Frame},
};

/// Sends a frame when what waits is written, and waits until it is, too, if the socket is full.
///
/// # Errors
/// The connection is being closed, or the client is gone.
pub(super) async fn send(shard: &Shard, key: Key, frame: Frame) -> Result<(), CloseReason> {
    // Other subscriptions of the same client may have sent what the socket is full of.
    unblocked(shard, key).await?;
    shard.send_in_turn(key, frame);
    unblocked(shard, key).await
}

/// Waits until everything queued is written, if the socket is full.
async fn unblocked(shard: &Shard, key: Key) -> Result<(), CloseReason> {
    if shard.state(key).is_some_and(|state| state.is_blocked) {
        written(shard, key).await?;
    }
    Ok(())
}

/// Sends a part of a replay, which any number of connections may get at the same time, when it is this
/// one's turn.
///
/// # Errors
/// As [`send`].
pub(super) async fn replay(
    shard: &Shard,
    key: Key,
    events: &[Arc<Event>],
    format: Format,
) -> Result<(), CloseReason> {
    loop {
        unblocked(shard, key).await?;
        let _turn = shard.replays().turn().await;
        if shard.state(key).is_some_and(|state| state.is_blocked) {
            continue;
        }
        let Some(piece) = shard.piece(events, format) else { return Ok(()) };
        shard.send_replay(key, &piece);
        // Live events, and the first words of other connections, go before the next slice.
        tokio::task::yield_now().await;
        break;
    }
    unblocked(shard, key).await
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
        if !state.is_blocked {
            // Nobody is told when a subscription's frames have left.
            shard.write_now(key);
            continue;
        }
        super::run::written_or_changed(shard, key, state).await;
    }
}
