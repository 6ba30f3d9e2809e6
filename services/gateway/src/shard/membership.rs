//! Memberships that connections need for as long as they live.

use std::rc::Rc;

use super::{connection::Key, registry::Shard};
use crate::websocket::CloseReason;

impl Shard {
    /// A connection that is being opened needs a membership, as its owner has found.
    ///
    /// # Errors
    /// It may have ended after the owner looked.
    pub(crate) fn require(&self, key: Key, resource: &str) -> Result<(), CloseReason> {
        let mut inner = self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return Ok(()) };
        connection.info = Rc::new(connection.info.requiring(resource));
        match &connection.opening {
            Some(opening) if opening.has_ended(resource) => Err(connection.info.no_longer_a_member()),
            _ => Ok(()),
        }
    }

    /// A membership has ended: the connections that need it. Those of the user that are still being
    /// opened keep it in mind, for their owners may have looked before.
    pub(super) fn membership_ended(&self, user: &str, resource: &str) -> Vec<Key> {
        let inner = &mut *self.inner.borrow_mut();
        let mut concerned = Vec::new();
        for (slot, connection) in &mut inner.connections {
            if connection.info.user() != Some(user) {
                continue;
            }
            if connection.info.needs(resource) {
                concerned.push(Key { slot, life: connection.life });
            } else if let Some(opening) = &mut connection.opening {
                opening.ended(resource);
            }
        }
        concerned
    }
}
