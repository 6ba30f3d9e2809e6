//! The registry of one worker: its connections, and who listens to which channel.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use carillon_contract::{Channel, Endpoint, SlowConsumer};
use slab::Slab;

use super::{
    compressor::Compressor,
    connection::{Connection, Departure, Key, Line, Place, Traffic, milliseconds, seconds},
    crowds::Crowds,
    instruments::Instruments,
    replays::Replays,
    tally::Tallies,
    timers::Timers,
    turns::Turns,
};
use crate::{
    hub::ListenerId,
    limits::Permit,
    metrics::Metrics,
    session::{Format, SessionInfo},
    socket::Socket,
    websocket::Inflater,
};

/// The connections of one worker. Nothing of it leaves the worker's thread.
pub(crate) struct Shard {
    pub(super) inner: RefCell<Inner>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) instruments: Instruments,
    pub(super) bounds: Bounds,
    pub(super) replays: Replays,
    pub(super) crowds: Crowds,
    pub(super) compressor: Compressor,
    inflater: Rc<Inflater>,
    started: Instant,
    number: ListenerId,
    /// Connections that are gone, of which somebody has yet to be told.
    farewells: Cell<usize>,
}

/// See [`Shard::farewell`].
pub(crate) struct Farewell(Rc<Shard>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.farewells.set(self.0.farewells.get() - 1);
    }
}

/// The bounds of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Bytes that may wait to be written.
    pub(crate) queue_bytes: usize,
    /// What becomes of clients above that, by endpoint, where the deployment wants it otherwise than the table.
    pub(crate) slow_consumers: Vec<(&'static str, SlowConsumer)>,
    /// Bytes from which on a message is worth compressing.
    pub(crate) compressed_bytes: usize,
    /// Seconds of silence after which a client is pinged; after twice as long it is gone.
    pub(crate) heartbeat_seconds: u32,
    /// Seconds for which a socket may take nothing before its client is gone.
    pub(crate) write_seconds: u32,
    /// Seconds before a token expires at which its holder is warned.
    pub(crate) expiry_warning_seconds: u32,
    /// Seconds for which an expired token is still accepted.
    pub(crate) leeway_seconds: u32,
    /// Whether events and turns are counted.
    pub(crate) instrumentation: bool,
}

impl Bounds {
    /// What becomes of a client of this endpoint that doesn't keep up.
    pub(super) fn slow_consumer(&self, endpoint: &Endpoint) -> SlowConsumer {
        let chosen = self.slow_consumers.iter().find(|(name, _)| *name == endpoint.name);
        chosen.map_or(endpoint.slow_consumer, |(_, policy)| *policy)
    }
}

pub(super) struct Inner {
    pub(super) connections: Slab<Connection>,
    pub(super) channels: Slab<LocalChannel>,
    pub(super) by_name: HashMap<Channel, usize>,
    /// Connections with something to write.
    pub(super) turns: Turns,
    /// Room for those whose turn it is.
    pub(super) slice: Vec<usize>,
    /// The times of events that have been written to everybody.
    pub(super) through: Vec<i64>,
    pub(super) scratch: Vec<u8>,
    pub(super) timers: Timers,
    /// What has passed over connections, those that are gone included.
    pub(super) tallies: Tallies,
    /// Whether that is counted, as ever but in a measurement of what counting costs.
    pub(super) is_counted: bool,
    lives: u32,
}

/// A channel that some connection of this worker listens to.
pub(super) struct LocalChannel {
    name: Channel,
    pub(super) listeners: Vec<Listener>,
}

/// A connection that listens.
pub(super) struct Listener {
    pub(super) slot: usize,
    pub(super) format: Format,
    /// Durable events up to this offset are in its greeting already.
    pub(super) after: u64,
}

impl Shard {
    pub(crate) fn new(number: ListenerId, bounds: Bounds, metrics: Arc<Metrics>) -> Rc<Self> {
        let inner = Inner {
            connections: Slab::new(),
            channels: Slab::new(),
            by_name: HashMap::new(),
            turns: Turns::default(),
            slice: Vec::new(),
            through: Vec::new(),
            scratch: Vec::new(),
            timers: Timers::new(bounds.heartbeat_seconds),
            tallies: Tallies::default(),
            is_counted: bounds.instrumentation,
            lives: 0,
        };
        Rc::new(Self {
            inner: RefCell::new(inner),
            compressor: Compressor::new(bounds.compressed_bytes, metrics.clone()),
            inflater: Rc::default(),
            instruments: Instruments::new(number, bounds.instrumentation, metrics.clone()),
            metrics,
            bounds,
            replays: Replays::default(),
            crowds: Crowds::default(),
            started: Instant::now(),
            number,
            farewells: Cell::new(0),
        })
    }

    /// This worker's number as a listener of the hub.
    pub(crate) fn number(&self) -> ListenerId {
        self.number
    }

    /// What inflates its clients' messages.
    pub(crate) fn inflater(&self) -> Rc<Inflater> {
        self.inflater.clone()
    }

    /// How long the worker has run.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Seconds since the worker started.
    pub(super) fn second(&self) -> u32 {
        seconds(self.age())
    }

    /// Takes a connection in, and has it listen to its channels: what arrives from now on is held
    /// for it until it is open.
    pub(crate) fn insert(&self, info: Rc<SessionInfo>, socket: Rc<Socket>, permit: Permit) -> Key {
        self.insert_by(info, Line::Socket { socket, permit })
    }

    pub(super) fn insert_by(&self, info: Rc<SessionInfo>, line: Line) -> Key {
        let age = self.age();
        self.metrics.connections.with_label_values(&[info.endpoint.name]).inc();
        let inner = &mut *self.inner.borrow_mut();
        let key = inner.insert(info, line, age);
        inner.timers.watch(key, seconds(age));
        key
    }

    /// The same for a subscription of a connection, which is to be removed before that one is.
    pub(crate) fn subscribe(&self, carrier: Key, info: Rc<SessionInfo>) -> Key {
        self.metrics.subscriptions.with_label_values(&[info.endpoint.name]).inc();
        self.inner.borrow_mut().insert(info, Line::Carrier(carrier), self.age())
    }

    /// Lets a connection go. `None` if it is gone already.
    pub(crate) fn remove(&self, key: Key) -> Option<Departure> {
        let inner = &mut *self.inner.borrow_mut();
        let is_returning = inner.is_returning(key)?;
        let mut connection = inner.connections.remove(key.slot);
        for place in &connection.places {
            inner.unlisten(*place);
        }
        if connection.is_subscription() {
            self.metrics.subscriptions.with_label_values(&[connection.info.endpoint.name]).dec();
            connection.notify();
        } else {
            connection.end_reading();
            let lasted = milliseconds(self.age()).saturating_sub(connection.traffic.began);
            inner.tallies.ended(&mut connection, lasted);
            self.count_end(&connection, lasted);
        }
        Some(connection.departure(is_returning))
    }

    fn count_end(&self, connection: &Connection, lasted: u64) {
        let endpoint = connection.info.endpoint.name;
        let code = connection.close_label();
        self.metrics.connections.with_label_values(&[endpoint]).dec();
        let unsaid = connection.given_up.unwrap_or("vanished");
        let cause = connection.closing.as_ref().map_or(unsaid, |reason| reason.cause.as_str());
        self.metrics.closes.with_label_values(&[endpoint, &code, cause]).inc();
        let seconds = lasted as f64 / 1e3;
        self.metrics.connection_duration.with_label_values(&[endpoint]).observe(seconds);
        log_end(connection, &code, seconds);
    }

    /// Somebody is to be told of a connection that was let go. Until the result is dropped, the worker
    /// isn't empty.
    pub(crate) fn farewell(self: &Rc<Self>) -> Farewell {
        self.farewells.set(self.farewells.get() + 1);
        Farewell(self.clone())
    }

    /// How many connections somebody has yet to be told of.
    pub(crate) fn farewells(&self) -> usize {
        self.farewells.get()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inner.borrow().connections.is_empty() && self.farewells.get() == 0
    }

    /// Keys of the connections that `wanted` picks. Their subscriptions go with them.
    pub(super) fn keys(&self, wanted: impl Fn(&SessionInfo) -> bool) -> Vec<Key> {
        let inner = self.inner.borrow();
        let connections = inner.connections.iter().filter(|(_, connection)| !connection.is_subscription());
        let picked = connections.filter(|(_, connection)| wanted(&connection.info));
        picked.map(|(slot, connection)| Key { slot, life: connection.life }).collect()
    }
}

/// One line for each connection that was there, with what has passed over it (S4-11).
fn log_end(connection: &Connection, code: &str, seconds: f64) {
    let Traffic { received, sent, .. } = connection.traffic;
    tracing::info!(
        endpoint = connection.info.endpoint.name, connection = %connection.info.connection,
        user = connection.info.user().unwrap_or_default(), code, seconds, received, sent, "a connection has ended"
    );
}

impl Connection {
    /// The code in metrics. A client's own choice of code is none of a bounded number.
    fn close_label(&self) -> String {
        match &self.closing {
            None => "1006".to_owned(),
            Some(reason) if self.is_theirs && reason.code >= 3000 => "client".to_owned(),
            Some(reason) => reason.code.to_string(),
        }
    }
}

impl Inner {
    pub(super) fn get(&mut self, key: Key) -> Option<&mut Connection> {
        self.connections.get_mut(key.slot).filter(|connection| connection.life == key.life)
    }

    fn insert(&mut self, info: Rc<SessionInfo>, line: Line, age: Duration) -> Key {
        self.lives = self.lives.wrapping_add(1);
        let life = self.lives;
        let slot = self.connections.insert(Connection::new(info.clone(), line, life, age));
        self.connections[slot].places.reserve_exact(info.channels.len());
        for channel in &info.channels {
            self.listen(slot, channel, info.format());
        }
        Key { slot, life }
    }

    /// The connection by whose socket this one's frames leave: itself, or the one that it is a subscription of.
    pub(super) fn carrier_of(&mut self, key: Key) -> Option<Key> {
        match self.get(key)?.line {
            Line::Socket { .. } | Line::Stream { .. } => Some(key),
            Line::Carrier(carrier) => Some(carrier),
        }
    }

    pub(super) fn carrier(&mut self, key: Key) -> Option<&mut Connection> {
        let carrier = self.carrier_of(key)?;
        self.get(carrier)
    }

    /// Whether its client may be back in a moment. What ends with its carrier ends as that does.
    fn is_returning(&mut self, key: Key) -> Option<bool> {
        let connection = self.get(key)?;
        let connection = if connection.closing.is_some() { connection } else { self.carrier(key)? };
        Some(connection.is_returning())
    }

    fn listen(&mut self, slot: usize, channel: &Channel, format: Format) {
        let index = *self.by_name.entry(channel.clone()).or_insert_with(|| {
            // Very many channels have one listener.
            let listeners = Vec::with_capacity(1);
            self.channels.insert(LocalChannel { name: channel.clone(), listeners })
        });
        let listeners = &mut self.channels[index].listeners;
        let place = Place { channel: index, position: listeners.len() };
        listeners.push(Listener { slot, format, after: 0 });
        self.connections[slot].places.push(place);
    }

    /// The last listener takes the place of the one that goes.
    fn unlisten(&mut self, place: Place) {
        let channel = &mut self.channels[place.channel];
        channel.listeners.swap_remove(place.position);
        if let Some(moved) = channel.listeners.get(place.position) {
            let places = &mut self.connections[moved.slot].places;
            if let Some(moved) = places.iter_mut().find(|moved| moved.channel == place.channel) {
                moved.position = place.position;
            }
        } else if channel.listeners.is_empty() {
            let channel = self.channels.remove(place.channel);
            self.by_name.remove(&channel.name);
        }
    }
}
