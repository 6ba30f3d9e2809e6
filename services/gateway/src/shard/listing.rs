//! Which connections are open at a worker, for who wants to look at them.

use std::{
    collections::{BTreeMap, BinaryHeap},
    net::IpAddr,
};

use carillon_contract::{
    GatewayId,
    messages::{ConnectionState, ConnectionsRequest},
};
use ipnet::IpNet;

use super::{
    connection::{Connection, Line, milliseconds},
    registry::Shard,
};
use crate::{
    client::network,
    clock,
    session::{Framing, SessionInfo},
};

/// Channels that are told of one connection.
const MAX_CHANNELS: usize = 100;

/// Which of them are wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    user: String,
    network: Option<IpNet>,
    endpoint: String,
    after: Option<u64>,
    limit: usize,
}

/// A page of them, each with its number, in no order; and how many there are on all pages.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) count: u64,
    pub(crate) connections: Vec<(u64, ConnectionState)>,
}

impl Wanted {
    /// # Errors
    /// An address that is none.
    pub(crate) fn new(request: ConnectionsRequest) -> Result<Self, String> {
        let ConnectionsRequest { user, address, endpoint, after, limit } = request;
        let network = (!address.is_empty()).then(|| network(&address)).transpose()?;
        Ok(Self { user, network, endpoint, after, limit: limit as usize })
    }

    fn includes(&self, info: &SessionInfo) -> bool {
        let is_at = |address: IpAddr| self.network.is_none_or(|network| network.contains(&address));
        (self.user.is_empty() || info.user() == Some(&self.user))
            && (self.endpoint.is_empty() || self.endpoint == info.endpoint.name)
            && is_at(info.address)
    }
}

impl Shard {
    /// The first of those that are wanted.
    pub(super) fn list(&self, wanted: &Wanted) -> Listing {
        let connections = &self.inner.borrow().connections;
        let (mut count, mut first) = (0, BinaryHeap::new());
        for (slot, connection) in connections {
            if !connection.is_listed() || !wanted.includes(&connection.info) {
                continue;
            }
            count += 1;
            let number = number(&connection.info);
            if wanted.after.is_none_or(|after| number > after) && wanted.limit > 0 {
                first.push((number, slot));
                if first.len() > wanted.limit {
                    first.pop();
                }
            }
        }
        let states = first.into_iter().map(|(number, slot)| (number, slot, self.shown(&connections[slot])));
        let mut states: BTreeMap<usize, (u64, ConnectionState)> =
            states.map(|(number, slot, state)| (slot, (number, state))).collect();
        // What is on one connection of many channels has no list of its own of them.
        if states.values().any(|(_, state)| state.channels.is_empty()) {
            for (_, connection) in connections {
                let Line::Carrier(carrier) = connection.line else { continue };
                if let (Some((_, state)), Some(channel)) =
                    (states.get_mut(&carrier.slot), connection.info.subscribed())
                    && state.channels.len() < MAX_CHANNELS
                    && connection.opening.is_none()
                {
                    state.channels.push(channel.to_owned());
                }
            }
        }
        Listing { count, connections: states.into_values().collect() }
    }

    fn shown(&self, connection: &Connection) -> ConnectionState {
        let (info, traffic) = (&connection.info, connection.traffic);
        let lasted = milliseconds(self.age()).saturating_sub(traffic.began);
        let session = info.session();
        let identity = session.identity.unwrap_or_default();
        let channels = info.channels.iter().take(MAX_CHANNELS);
        ConnectionState {
            id: session.connection,
            endpoint: session.endpoint,
            transport: if info.framing == Framing::Events { "events" } else { "websocket" }.to_owned(),
            user: identity.user,
            username: identity.username,
            address: info.address.to_string(),
            parameters: session.parameters,
            channels: channels.map(|channel| channel.as_str().to_owned()).collect(),
            dialect: session.dialect,
            since: clock::now()
                .saturating_sub(i64::try_from(lasted).unwrap_or(i64::MAX).saturating_mul(1_000)),
            messages_received: traffic.received.into(),
            messages_sent: traffic.sent.into(),
        }
    }
}

impl Connection {
    /// Whether it is among those that are shown. One that is being closed is on its way out.
    fn is_listed(&self) -> bool {
        self.is_open() && self.closing.is_none() && !self.is_broken
    }
}

/// How many connections of the gateway came before it.
fn number(info: &SessionInfo) -> u64 {
    GatewayId::of_connection(&info.connection).map_or(0, |(_, number)| number)
}
