//! Who has lost access: revocations, blocks and ended memberships, as auth's log tells them.
//!
//! The gateway follows channel `access` like any other: what it misses, the offsets reveal. When
//! it can't tell any more whether it is current, it stops accepting.

mod blocks;
mod follower;
mod revocations;

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
    time::{Duration, Instant},
};

use carillon_contract::messages::Identity;

use crate::clock;
use blocks::Blocks;
pub(crate) use follower::Follower;
use revocations::Revocations;

/// What is revoked, and how current that knowledge is.
pub(crate) struct Access {
    revocations: RwLock<Revocations>,
    blocks: RwLock<Blocks>,
    last_contact: Mutex<Option<Instant>>,
    grace: Duration,
}

impl Access {
    /// Knows nothing yet, and so is not current. `grace`: how long auth may be out of reach.
    pub(crate) fn new(grace: Duration) -> Self {
        let (revocations, blocks) = (RwLock::default(), RwLock::default());
        Self { revocations, blocks, last_contact: Mutex::new(None), grace }
    }

    /// Whether what is known is recent enough to let somebody in.
    pub(crate) fn is_current(&self) -> bool {
        self.contact().is_some_and(|instant| instant.elapsed() < self.grace)
    }

    /// Whether this identity's token has been revoked.
    pub(crate) fn is_revoked(&self, identity: &Identity) -> bool {
        self.revocations.read().unwrap_or_else(PoisonError::into_inner).covers(identity)
    }

    /// Whether this user is blocked.
    pub(crate) fn is_blocked(&self, user: &str) -> bool {
        self.blocks.read().unwrap_or_else(PoisonError::into_inner).cover_user(user, clock::now())
    }

    /// Whether this address is blocked.
    pub(crate) fn is_blocked_at(&self, address: IpAddr) -> bool {
        self.blocks.read().unwrap_or_else(PoisonError::into_inner).cover_address(address, clock::now())
    }

    fn reached(&self) {
        *self.contact() = Some(Instant::now());
    }

    /// What is known has a gap: nobody can be let in until it is known anew.
    fn lost(&self) {
        *self.contact() = None;
    }

    fn contact(&self) -> MutexGuard<'_, Option<Instant>> {
        self.last_contact.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
