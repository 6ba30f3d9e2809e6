//! What is read from the sockets: counted, timed, handed on.

use anyhow::Result;

use super::{Clock, Stamp};

/// What one turn has brought, over all connections.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) deliveries: u64,
    /// How often a socket was read with success.
    pub(crate) reads: u64,
    /// Bytes of frames that were deliveries.
    pub(crate) bytes: u64,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.reads += other.reads;
        self.bytes += other.bytes;
    }
}

/// Where what is read goes: counted, and each measured message handed to `deliver` with the time
/// of the clock at which it was read.
#[derive(Debug)]
pub(crate) struct Intake<D> {
    clock: Clock,
    arrived: u64,
    deliver: D,
    pub(crate) tally: Tally,
}

impl<D: FnMut(Stamp, u64) -> Result<()>> Intake<D> {
    pub(crate) fn new(clock: Clock, deliver: D) -> Self {
        Self { clock, arrived: 0, deliver, tally: Tally::default() }
    }

    /// A socket was just read.
    pub(crate) fn read(&mut self) {
        self.tally.reads += 1;
        self.arrived = self.clock.now();
    }

    /// A measured message whose frame is `length` bytes.
    pub(crate) fn deliver(&mut self, stamp: Stamp, length: usize) -> Result<()> {
        self.tally.deliveries += 1;
        self.tally.bytes += length as u64;
        (self.deliver)(stamp, self.arrived)
    }
}
