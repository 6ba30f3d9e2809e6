//! How many messages a client may send in a minute.

use crate::{gateway::Gateway, limits::Window};

/// A connection's messages lately.
#[derive(Default)]
pub(super) struct Meter(Window);

impl Meter {
    /// Counts a message (S0-08, S2-10).
    ///
    /// # Errors
    /// It is one too many, and not to be processed: the next one is heard in so many seconds.
    pub(super) fn count(&mut self, gateway: &Gateway) -> Result<(), u64> {
        let most = gateway.limits.quotas.messages_per_minute;
        let slot = gateway.limits.message_slot();
        if most == 0 || self.0.total(slot) < most {
            self.0.add(slot, 1);
            return Ok(());
        }
        gateway.metrics.limited.with_label_values(&["messages"]).inc();
        Err(gateway.limits.message_pause(&self.0))
    }
}
