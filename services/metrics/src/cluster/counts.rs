//! What adds up.

use std::{collections::BTreeMap, ops::AddAssign};

use carillon_contract::messages::Traffic;

/// Where connections come in: an endpoint, over a transport.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entrance {
    pub(crate) endpoint: String,
    pub(crate) transport: String,
}

/// What gateways count, from when they start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    pub(crate) closed_milliseconds: u64,
    pub(crate) messages_received: u64,
    pub(crate) messages_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) refused: u64,
}

/// The same with the sessions that were opened on each of the last days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) counts: Counts,
    pub(crate) days: BTreeMap<i64, u64>,
}

/// What was counted at each entrance.
pub(crate) type Pasts = BTreeMap<Entrance, Past>;

impl Entrance {
    pub(crate) fn new(endpoint: &str, transport: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), transport: transport.to_owned() }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.opened += other.opened;
        self.closed += other.closed;
        self.closed_milliseconds += other.closed_milliseconds;
        self.messages_received += other.messages_received;
        self.messages_sent += other.messages_sent;
        self.bytes_received += other.bytes_received;
        self.bytes_sent += other.bytes_sent;
        self.refused += other.refused;
    }
}

impl From<&Traffic> for Past {
    fn from(traffic: &Traffic) -> Self {
        let counts = Counts {
            opened: traffic.opened,
            closed: traffic.closed,
            closed_milliseconds: traffic.closed_milliseconds,
            messages_received: traffic.messages_received,
            messages_sent: traffic.messages_sent,
            bytes_received: traffic.bytes_received,
            bytes_sent: traffic.bytes_sent,
            refused: traffic.refused,
        };
        Self { counts, days: traffic.days.iter().map(|day| (day.day.into(), day.opened)).collect() }
    }
}

impl Past {
    /// The sessions that were opened on a day.
    pub(crate) fn opened_on(&self, day: i64) -> u64 {
        self.days.get(&day).copied().unwrap_or_default()
    }
}
