//! The leases of this gateway: its word, to each service that counts who is there, that the
//! connections which it has opened are still there.
//!
//! Such a service counts a gateway's connections in for as long as it hears from it. One that has
//! lapsed in between tells another generation, and is told of every open connection again.

mod keeper;

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use carillon_contract::{ENDPOINTS, Endpoint, ServiceName};
use tokio::sync::Notify;

pub(crate) use keeper::keep;

/// One for each service that counts.
pub(crate) struct Leases(Vec<Arc<Lease>>);

/// What is kept with one service.
struct Lease {
    owner: ServiceName,
    /// Connections at its endpoints.
    connections: AtomicUsize,
    /// How often its generation was another one than before.
    generations: AtomicU64,
    /// It is to be renewed at once.
    wanted: Notify,
    /// Connections may have been counted out: all are to be entered again.
    counted_out: Notify,
}

impl Leases {
    pub(crate) fn new() -> Self {
        let mut owners: Vec<ServiceName> =
            ENDPOINTS.iter().filter(|endpoint| endpoint.presence).map(|endpoint| endpoint.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        Self(owners.into_iter().map(|owner| Arc::new(Lease::new(owner))).collect())
    }

    /// A connection has come to an endpoint.
    pub(crate) fn came(&self, endpoint: &Endpoint) {
        if let Some(lease) = self.of(endpoint)
            && lease.connections.fetch_add(1, Ordering::Relaxed) == 0
        {
            lease.wanted.notify_one();
        }
    }

    /// A connection that had come is gone, and its owner was told.
    pub(crate) fn went(&self, endpoint: &Endpoint) {
        if let Some(lease) = self.of(endpoint) {
            lease.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Which lease an owner counts a connection in by that it is now asked to open.
    pub(crate) fn generation(&self, endpoint: &Endpoint) -> u64 {
        self.of(endpoint).map_or(0, |lease| lease.generations.load(Ordering::Acquire))
    }

    /// The owner has accepted a connection. If its lease has lapsed since then, the connection may have
    /// been counted out with it, and was not among those that were entered again.
    pub(crate) fn accepted(&self, endpoint: &Endpoint, generation: u64) {
        if let Some(lease) = self.of(endpoint)
            && lease.generations.load(Ordering::Acquire) != generation
        {
            lease.counted_out.notify_one();
        }
    }

    fn of(&self, endpoint: &Endpoint) -> Option<&Arc<Lease>> {
        self.0.iter().find(|lease| endpoint.presence && lease.owner == endpoint.owner)
    }
}

impl Lease {
    fn new(owner: ServiceName) -> Self {
        Self {
            owner,
            connections: AtomicUsize::new(0),
            generations: AtomicU64::new(0),
            wanted: Notify::new(),
            counted_out: Notify::new(),
        }
    }

    fn is_used(&self) -> bool {
        self.connections.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use carillon_contract::{ENDPOINTS, endpoint};
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn one_that_was_asked_for_before_the_lease_lapsed_is_entered_again() {
        let (leases, chat) = (Leases::new(), endpoint("chat").expect("an endpoint"));
        let lease = leases.of(chat).expect("a lease");
        let is_again = |asked| {
            leases.accepted(chat, asked);
            lease.counted_out.notified().now_or_never().is_some()
        };
        assert!(!is_again(leases.generation(chat)));
        lease.generations.store(1, Ordering::Relaxed);
        assert!(is_again(0) && !is_again(1));
        lease.generations.store(2, Ordering::Relaxed);
        assert!(is_again(1) && !is_again(2));
    }

    #[test]
    fn endpoints_whose_owners_do_not_count_have_none() {
        let (leases, endpoint) = (Leases::new(), endpoint("notifications").expect("an endpoint"));
        leases.came(endpoint);
        assert!(leases.0.iter().all(|lease| !lease.is_used()));
        let counting = ENDPOINTS.iter().filter(|endpoint| endpoint.presence);
        let owners: BTreeSet<&str> = counting.map(|endpoint| endpoint.owner.as_str()).collect();
        assert_eq!(leases.0.len(), owners.len(), "one for all endpoints of a service");
    }
}
