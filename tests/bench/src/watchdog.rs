//! Ends a measurement that hangs, whatever it hangs in.

use std::{
    process,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

/// The status of a process that was ended by its watchdog.
const HUNG: i32 = 3;

/// Ends this process after `limit`, and with it those that it has started, unless it is dropped before.
pub(crate) struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    pub(crate) fn start(limit: Duration) -> Self {
        let (alive, end) = mpsc::channel::<()>();
        thread::spawn(move || {
            if end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("error: not done after {} minutes (--patience)", limit.as_secs() / 60);
                process::exit(HUNG);
            }
        });
        Self { _alive: alive }
    }
}
