//! How requests are timed and repeated.

use std::time::Duration;

use bytes::Bytes;
use carillon_contract::Subject;
use tokio::time::{self, error::Elapsed};

use crate::{Bus, RequestError};

/// How long to wait before asking again when nobody answers such requests: a replica that
/// restarts may be back.
const PAUSE: Duration = Duration::from_millis(200);

/// The deadlines of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long one attempt may take. A second attempt with the same payload follows a first
    /// one that timed out, found nobody, or lost its connection; so a request takes about twice as long at most.
    pub attempt: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(2) }
    }
}

/// Asks, and once more if the first attempt may have been bad luck.
pub(crate) async fn request(
    bus: &Bus,
    subject: &Subject,
    payload: Bytes,
    timing: Timing,
) -> Result<Bytes, RequestError> {
    match attempt(bus, subject, payload.clone(), timing).await {
        Ok(Err(RequestError::NoResponders)) => time::sleep(PAUSE).await,
        // Lost under way.
        Ok(Err(RequestError::TimedOut | RequestError::Disconnected)) => {}
        Ok(outcome) => return outcome,
        Err(_) if bus.is_connected() => {}
        // Who waited for the connection in vain has waited enough.
        Err(_) => return Err(RequestError::Disconnected),
    }
    match attempt(bus, subject, payload, timing).await {
        Ok(outcome) => outcome,
        Err(_) if bus.is_connected() => Err(RequestError::TimedOut),
        Err(_) => Err(RequestError::Disconnected),
    }
}

async fn attempt(
    bus: &Bus,
    subject: &Subject,
    payload: Bytes,
    timing: Timing,
) -> Result<Result<Bytes, RequestError>, Elapsed> {
    time::timeout(timing.attempt, bus.ask(subject, payload)).await
}
