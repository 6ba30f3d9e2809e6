//! One replica, by what it told last.

use carillon_contract::{
    Program,
    messages::{Beacon, ReplicaState},
};

use super::roster::Looks;

/// Which life of which program: in one process several programs may share a life.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReplicaKey {
    pub(super) program: Program,
    pub(super) replica: String,
}

/// A replica as it stands.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) beacon: Beacon,
    /// When it was first heard, and last.
    pub(super) since: Looks,
    pub(super) heard: Looks,
    /// It fell silent without a word.
    pub(super) is_lost: bool,
    /// It may yet come in the place of another that was lost: it has come later than this was looked at, and has not done so.
    pub(super) is_spare: bool,
    /// When messages of the bus were last dropped for it.
    pub(super) dropped: Option<Looks>,
}

impl Replica {
    pub(super) fn new(beacon: Beacon, now: Looks, is_spare: bool) -> Self {
        Self { beacon, since: now, heard: now, is_lost: false, is_spare, dropped: None }
    }

    /// Takes what it tells now. True if it was cut off from the bus since it told last.
    pub(super) fn hear(&mut self, beacon: Beacon, now: Looks) -> bool {
        let (before, after) = (self.counts(), counts(&beacon));
        if after.dropped > before.dropped {
            self.dropped = Some(now);
        }
        (self.beacon, self.heard, self.is_lost) = (beacon, now, false);
        after.reconnections > before.reconnections
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.is_lost && self.beacon.state() == ReplicaState::Ready
    }

    /// As it is called where states are shown.
    pub(super) fn state(&self) -> &'static str {
        match (self.is_lost, self.beacon.state()) {
            (true, _) => "lost",
            (_, ReplicaState::Ready) => "ready",
            (_, ReplicaState::Starting) => "starting",
            (_, ReplicaState::Stopping) => "stopping",
            (_, ReplicaState::Stopped) => "stopped",
            (_, ReplicaState::Unready | ReplicaState::Unknown) => "unready",
        }
    }

    fn counts(&self) -> Counts {
        counts(&self.beacon)
    }
}

struct Counts {
    reconnections: u64,
    dropped: u64,
}

fn counts(beacon: &Beacon) -> Counts {
    let bus = beacon.bus.clone().unwrap_or_default();
    Counts { reconnections: bus.reconnections, dropped: bus.dropped }
}
