//! What systemd is told by a process that it has started with `Type=notify`: when the process is ready, that it goes, and, for
//! `WatchdogSec`, that it lives.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::{Readiness, Shell};

/// How often it is looked whether the process is ready, beside whenever a part of it says so.
const LOOKS: Duration = Duration::from_millis(500);

/// How many times within systemd's patience it is told that the process lives.
const SIGNS_OF_LIFE: u32 = 3;

/// Tells systemd, if that has started this process, until `ended`. The signs of life come from the process's
/// event loop: one that hangs gives none, and is started again.
pub fn tell_systemd(shell: &Shell, ended: CancellationToken) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let (readiness, shutdown) = (shell.readiness.clone(), shell.shutdown.clone());
    tokio::spawn(ended.clone().run_until_cancelled_owned(live()));
    tokio::spawn(ended.run_until_cancelled_owned(async move {
        tokio::select! {
            () = until_ready(&readiness) => tell(NotifyState::Ready),
            () = shutdown.cancelled() => {}
        }
        shutdown.cancelled().await;
        tell(NotifyState::Stopping);
    }));
}

async fn until_ready(readiness: &Readiness) {
    let mut changes = readiness.changes();
    while !readiness.failures().await.is_empty() {
        // Without a change within this time it is looked again all the same: checks pass without one.
        let _ = tokio::time::timeout(LOOKS, changes.changed()).await;
    }
}

async fn live() {
    let mut patience = 0;
    if !sd_notify::watchdog_enabled(false, &mut patience) {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_micros(patience) / SIGNS_OF_LIFE);
    loop {
        ticks.tick().await;
        tell(NotifyState::Watchdog);
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(false, &[state]) {
        tracing::warn!(%error, "systemd can't be told");
    }
}
