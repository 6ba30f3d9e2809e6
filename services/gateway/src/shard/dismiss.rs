//! Events that end sessions: of a user, or of everyone who listens to a channel.

use carillon_contract::{Channel, messages::Event};

use super::{opening::Held, registry::Shard};

impl Shard {
    /// Closes the connections that an event dismisses, after its frames. One that is still being opened
    /// may have been let in with regard to it already: that is seen when its owner has answered.
    pub(super) fn dismiss(&self, channel: &Channel, event: &Event) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(&index) = inner.by_name.get(channel) else { return };
        let (mut count, line) = (0, inner.turns.line(index));
        for listener in &inner.channels[index].listeners {
            let connection = &mut inner.connections[listener.slot];
            let is_covered = event.offset != 0 && event.offset <= listener.after;
            let Some(reason) = connection.info.dismissed_by(event).filter(|_| !is_covered) else { continue };
            if connection.opening.is_some() {
                connection.hold(Held::dismissal(index, event.offset, reason), &self.bounds);
            } else {
                count += 1;
                connection.close(reason);
            }
            connection.await_turn(listener.slot, line);
        }
        if count > 0 {
            tracing::info!(%channel, offset = event.offset, count, "sessions were dismissed");
        }
    }
}
