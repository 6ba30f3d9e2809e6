//! What a connection holds of the limits.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
};

use super::{Limits, Over, Source};

/// A connection's places: in the gateway, among its address's, and among its user's. Dropping it gives it up.
pub(crate) struct Permit {
    limits: Arc<Limits>,
    source: Option<Source>,
    user: Option<Arc<str>>,
}

impl Permit {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        limits.connections.fetch_add(1, Ordering::Relaxed);
        Self { limits, source: None, user: None }
    }

    /// Takes a place among an address's, once.
    ///
    /// # Errors
    /// The limit that the address is over.
    pub(crate) fn take_at(&mut self, address: IpAddr) -> Result<(), Over> {
        if self.limits.quotas.count_addresses() && self.source.is_none() {
            let (source, now) = (Source::from(address), self.limits.now());
            self.limits.change(|census| census.enter(source, now))?;
            self.source = Some(source);
        }
        Ok(())
    }

    /// Takes a place among a user's, once.
    ///
    /// # Errors
    /// The user has no more.
    pub(crate) fn take_as(&mut self, user: &str) -> Result<(), Over> {
        if self.limits.quotas.connections_per_user > 0 && self.user.is_none() {
            self.user = Some(self.limits.change(|census| census.enter_as(user))?);
        }
        Ok(())
    }

    /// The gateway closes the connection through no fault of its client: that it comes back doesn't count.
    pub(crate) fn excuse(&self) {
        if let Some(source) = self.source {
            let now = self.limits.now();
            self.limits.change(|census| census.excuse(source, now));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limits.connections.fetch_sub(1, Ordering::Relaxed);
        if let Some(source) = self.source {
            self.limits.change(|census| census.leave(source));
        }
        if let Some(user) = &self.user {
            self.limits.change(|census| census.leave_as(user));
        }
    }
}
