//! The registry of one worker: its connections, and who listens to which channel.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use carillon_contract::{Channel, Endpoint, SlowConsumer};
use slab::Slab;
use tokio::net::TcpStream;

use super::{
    compressor::Compressor,
    connection::{Acquaintance, Connection, Departure, Key, Line, Place, Traffic},
    replays::{Piece, Replays},
    timers::Timers,
};
use crate::{
    hub::ListenerId,
    limits::Permit,
    metrics::Metrics,
    session::{Format, SessionInfo},
    websocket::{Cause, CloseReason, Frame, Inflater},
};

/// The connections of one worker. Nothing of it leaves the worker's thread.
pub(crate) struct Shard {
    pub(super) inner: RefCell<Inner>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) bounds: Bounds,
    pub(super) replays: Replays,
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
    /// Connections with something to write, in the order of their turns.
    pub(super) dirty: VecDeque<usize>,
    pub(super) scratch: Vec<u8>,
    pub(super) timers: Timers,
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
            dirty: VecDeque::new(),
            scratch: Vec::new(),
            timers: Timers::new(bounds.heartbeat_seconds),
            lives: 0,
        };
        Rc::new(Self {
            inner: RefCell::new(inner),
            compressor: Compressor::new(bounds.compressed_bytes, metrics.clone()),
            inflater: Rc::default(),
            metrics,
            bounds,
            replays: Replays::default(),
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
        u32::try_from(self.age().as_secs()).unwrap_or(u32::MAX)
    }

    /// Takes a connection in, and has it listen to its channels: what arrives from now on is held
    /// for it until it is open.
    pub(crate) fn insert(&self, info: Rc<SessionInfo>, socket: Rc<TcpStream>, permit: Permit) -> Key {
        self.insert_by(info, Line::Socket { socket, permit })
    }

    pub(super) fn insert_by(&self, info: Rc<SessionInfo>, line: Line) -> Key {
        let second = self.second();
        self.metrics.connections.with_label_values(&[info.endpoint.name]).inc();
        let inner = &mut *self.inner.borrow_mut();
        let key = inner.insert(info, line, second);
        inner.timers.watch(key, second);
        key
    }

    /// The same for a subscription of a connection, which is to be removed before that one is.
    pub(crate) fn subscribe(&self, carrier: Key, info: Rc<SessionInfo>) -> Key {
        self.metrics.subscriptions.with_label_values(&[info.endpoint.name]).inc();
        self.inner.borrow_mut().insert(info, Line::Carrier(carrier), self.second())
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
            self.count_end(&connection);
        }
        Some(connection.departure(is_returning))
    }

    fn count_end(&self, connection: &Connection) {
        let endpoint = connection.info.endpoint.name;
        let code = connection.close_label();
        self.metrics.connections.with_label_values(&[endpoint]).dec();
        let unsaid = connection.given_up.unwrap_or("vanished");
        let cause = connection.closing.as_ref().map_or(unsaid, |reason| reason.cause.as_str());
        self.metrics.closes.with_label_values(&[endpoint, &code, cause]).inc();
        self.log_end(connection, &code);
    }

    /// One line for each connection that was there, with what has passed over it (S4-11).
    fn log_end(&self, connection: &Connection, code: &str) {
        let Traffic { began, received, sent } = connection.traffic;
        tracing::info!(
            endpoint = connection.info.endpoint.name, connection = %connection.info.connection,
            user = connection.info.user().unwrap_or_default(), code,
            seconds = self.second().saturating_sub(began), received, sent, "a connection has ended"
        );
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

    /// Puts a frame into a connection's queue, bounded like an event, and compressed like one.
    pub(crate) fn send(&self, key: Key, frame: Frame) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        let frame = self.compressor.for_one(frame, connection.info.compression);
        inner.push(key, frame, &self.bounds, &self.metrics);
        self.flush_now(inner, key);
    }

    /// Sends part of a replay to a connection of which the rest waits until this is written: it needs no
    /// other bound.
    pub(crate) fn send_replay(&self, key: Key, piece: &Piece) {
        let Some(frames) = &piece.frame else { return };
        self.announce_replay(key, frames.clone(), piece.count);
        self.metrics.saved_bytes.inc_by(piece.saved);
        self.flush_now(&mut self.inner.borrow_mut(), key);
    }

    /// The same with what may wait until the next part of it is sent, or the session is open.
    pub(crate) fn announce_replay(&self, key: Key, frames: Frame, count: u64) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(slot) = inner.get(key).and_then(|connection| connection.outlet(key.slot)) else { return };
        let connection = &mut inner.connections[slot];
        if connection.is_served() {
            connection.enqueue(frames, count);
            self.metrics.frames_sent.inc_by(count);
        }
    }

    /// Says something of the gateway's own, in text: not where frames are binary.
    pub(crate) fn tell(&self, key: Key, json: &[u8]) {
        if let Some(info) = self.info(key).filter(|info| !info.is_binary()) {
            self.send(key, info.word(json));
        }
    }

    /// Starts to close a connection: the client is told, then its task ends. The first reason counts.
    pub(crate) fn close(&self, key: Key, reason: CloseReason) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        connection.close(reason);
        self.flush_now(inner, key);
    }

    /// The client closes: it is answered with its own code.
    pub(crate) fn answer_close(&self, key: Key, code: Option<u16>) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        connection.is_theirs = connection.closing.is_none();
        connection.close(CloseReason::fixed(Cause::Client, code.unwrap_or(CloseReason::NORMAL.code), ""));
        self.flush_now(inner, key);
    }

    /// What its task needs to know about a connection. `None` once it is gone.
    pub(crate) fn state(&self, key: Key) -> Option<State> {
        let mut inner = self.inner.borrow_mut();
        let is_closing = inner.get(key)?.closing.is_some();
        let carrier = inner.carrier(key)?;
        Some(State {
            is_blocked: carrier.is_blocked,
            is_broken: carrier.is_broken,
            is_closing: is_closing || carrier.closing.is_some(),
            is_written: carrier.outgoing.is_empty(),
        })
    }

    /// Why a connection is being closed, if it is.
    pub(crate) fn closing(&self, key: Key) -> Option<CloseReason> {
        self.inner.borrow_mut().get(key)?.closing.clone()
    }

    /// The socket by which the connection's frames leave.
    pub(crate) fn socket(&self, key: Key) -> Option<Rc<TcpStream>> {
        match &self.inner.borrow_mut().carrier(key)?.line {
            Line::Socket { socket, .. } => Some(socket.clone()),
            Line::Stream { .. } | Line::Carrier(_) => None,
        }
    }

    /// A message of the client was understood as one.
    pub(crate) fn received(&self, key: Key) {
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.traffic.received = connection.traffic.received.saturating_add(1);
        }
    }

    /// Something was heard from the client.
    pub(crate) fn heard(&self, key: Key) {
        let second = self.second();
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.hear(second);
        }
    }

    /// The hub delivers one more of the connection's channels.
    pub(crate) fn listening(&self, key: Key) {
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.listening += 1;
        }
    }

    /// The connection's owner is asked to open its session.
    pub(crate) fn asked(&self, key: Key) {
        self.acquaint(key, Acquaintance::Asked);
    }

    /// The connection's owner has accepted.
    pub(crate) fn accepted(&self, key: Key) {
        self.acquaint(key, Acquaintance::Accepted);
    }

    fn acquaint(&self, key: Key, acquaintance: Acquaintance) {
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.acquaintance = acquaintance;
        }
    }

    /// The connection as it is now: a refresh may have changed its identity.
    pub(crate) fn info(&self, key: Key) -> Option<Rc<SessionInfo>> {
        self.inner.borrow_mut().get(key).map(|connection| connection.info.clone())
    }

    /// A refreshed token's identity.
    pub(crate) fn set_info(&self, key: Key, info: Rc<SessionInfo>) {
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.info = info;
            connection.is_warned = false;
        }
    }

    /// Waits until the connection's state has changed.
    pub(crate) async fn changed(&self, key: Key) {
        std::future::poll_fn(|context| {
            let mut inner = self.inner.borrow_mut();
            let Some(connection) = inner.get(key) else { return Poll::Ready(()) };
            if std::mem::take(&mut connection.is_notified) {
                return Poll::Ready(());
            }
            match &mut connection.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            Poll::Pending
        })
        .await;
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

    pub(super) fn flush_now(&self, inner: &mut Inner, key: Key) {
        if let Some(carrier) = inner.carrier_of(key) {
            inner.flush_one(carrier.slot, &self.metrics, self.second());
        }
    }
}

/// A connection's state as its task sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub(crate) is_blocked: bool,
    pub(crate) is_broken: bool,
    pub(crate) is_closing: bool,
    /// Nothing waits to be written.
    pub(crate) is_written: bool,
}

impl Connection {
    pub(super) fn hear(&mut self, second: u32) {
        self.heard = second;
        self.is_pinged = false;
    }

    /// The code in metrics. A client's own choice of code is none of a bounded number.
    fn close_label(&self) -> String {
        match &self.closing {
            None => "1006".to_owned(),
            Some(reason) if self.is_theirs && reason.code >= 3000 => "client".to_owned(),
            Some(reason) => reason.code.to_string(),
        }
    }

    /// What waits to be written goes first, unless that is the reason; then the close frame.
    pub(super) fn close(&mut self, reason: CloseReason) {
        if self.closing.is_some() {
            return;
        }
        if let Line::Socket { permit, .. } | Line::Stream { permit, .. } = &self.line {
            // Before its client knows, and can be back.
            if !self.is_theirs && reason.is_no_fault_of_the_client() {
                permit.excuse();
            }
            self.outgoing.push(self.info.close(&reason));
        }
        self.closing = Some(reason);
        self.notify();
    }
}

impl Inner {
    pub(super) fn get(&mut self, key: Key) -> Option<&mut Connection> {
        self.connections.get_mut(key.slot).filter(|connection| connection.life == key.life)
    }

    fn insert(&mut self, info: Rc<SessionInfo>, line: Line, second: u32) -> Key {
        self.lives = self.lives.wrapping_add(1);
        let life = self.lives;
        let slot = self.connections.insert(Connection::new(info.clone(), line, life, second));
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
            self.channels.insert(LocalChannel { name: channel.clone(), listeners: Vec::new() })
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
