//! What all connections count together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use hdrhistogram::Histogram;

/// Histograms, so that threads don't wait for each other.
const PARTS: usize = 8;

/// The longest latency that is told apart, in microseconds: ten minutes.
const LONGEST: u64 = 600_000_000;

/// Counters of one run.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) open: AtomicU64,
    pub(super) reconnects: AtomicU64,
    pub(super) failed_handshakes: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) repeated: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) again: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) unrecovered: AtomicU64,
    accepted: AtomicU64,
    expected: AtomicU64,
    closed: AtomicBool,
    /// Whether messages may still be said: nobody is counted as settled while somebody is about to speak.
    speaking: RwLock<bool>,
    rooms: Vec<Mutex<Room>>,
    latencies: Vec<Mutex<Histogram<u64>>>,
    closes: Mutex<BTreeMap<u16, u64>>,
    errors: Mutex<BTreeMap<String, u64>>,
}

/// A room: how many were there when sending began, and what was accepted of each sender.
#[derive(Debug, Default)]
struct Room {
    joined: u64,
    accepted: BTreeMap<u32, Accepted>,
}

/// Numbers that were accepted: all up to one, and some beyond.
#[derive(Debug, Clone, Default)]
pub(super) struct Accepted {
    pub(super) all_up_to: u64,
    pub(super) beyond: BTreeSet<u64>,
}

impl Tally {
    pub(super) fn new(rooms: u32) -> Self {
        let histogram =
            || Mutex::new(Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds that are in order"));
        Self {
            open: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            failed_handshakes: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            received: AtomicU64::new(0),
            again: AtomicU64::new(0),
            late: AtomicU64::new(0),
            unrecovered: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            expected: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            speaking: RwLock::new(true),
            rooms: (0..rooms).map(|_| Mutex::default()).collect(),
            latencies: (0..PARTS).map(|_| histogram()).collect(),
            closes: Mutex::default(),
            errors: Mutex::default(),
        }
    }

    /// A connection is in its room for the first time. False if sending has begun: nothing is expected of it then.
    pub(super) fn join(&self, room: u32) -> bool {
        let mut room = lock(&self.rooms[room as usize]);
        if self.closed.load(Relaxed) {
            return false;
        }
        room.joined += 1;
        true
    }

    /// Sending begins. Returns how many are there.
    pub(super) fn close_doors(&self) -> u64 {
        let rooms: Vec<_> = self.rooms.iter().map(lock).collect();
        self.closed.store(true, Relaxed);
        rooms.iter().map(|room| room.joined).sum()
    }

    /// How many are there.
    pub(super) fn joined(&self) -> u64 {
        self.rooms.iter().map(|room| lock(room).joined).sum()
    }

    /// A message is about to be sent. False if it is too late for that.
    pub(super) fn say(&self) -> bool {
        let speaking = self.speaking.read().unwrap_or_else(PoisonError::into_inner);
        if *speaking {
            self.sent.fetch_add(1, Relaxed);
        }
        *speaking
    }

    /// From now on nothing more is sent.
    pub(super) fn hush(&self) {
        *self.speaking.write().unwrap_or_else(PoisonError::into_inner) = false;
    }

    /// The server has a message: everybody in the room is to get it.
    pub(super) fn accept(&self, room: u32, sender: u32, number: u64) {
        let mut room = lock(&self.rooms[room as usize]);
        let accepted = room.accepted.entry(sender).or_default();
        accepted.beyond.insert(number);
        while accepted.beyond.remove(&(accepted.all_up_to + 1)) {
            accepted.all_up_to += 1;
        }
        self.accepted.fetch_add(1, Relaxed);
        self.expected.fetch_add(room.joined, Relaxed);
    }

    /// What was accepted of a room's senders.
    pub(super) fn accepted_in(&self, room: u32) -> BTreeMap<u32, Accepted> {
        lock(&self.rooms[room as usize]).accepted.clone()
    }

    /// Whether every message has an answer, and everybody has every message.
    pub(super) fn is_settled(&self) -> bool {
        let answered = self.accepted.load(Relaxed) + self.refused.load(Relaxed);
        answered >= self.sent.load(Relaxed) && self.received.load(Relaxed) >= self.expected.load(Relaxed)
    }

    /// How many messages the server has, and how many deliveries they are.
    pub(super) fn accepted_and_expected(&self) -> (u64, u64) {
        (self.accepted.load(Relaxed), self.expected.load(Relaxed))
    }

    /// A message has come so many microseconds after it was due.
    pub(super) fn latency(&self, connection: u32, microseconds: u64) {
        lock(&self.latencies[connection as usize % PARTS]).saturating_record(microseconds.max(1));
    }

    /// All latencies.
    pub(super) fn latencies(&self) -> Histogram<u64> {
        let mut all = lock(&self.latencies[0]).clone();
        for part in &self.latencies[1..] {
            // They have the same bounds.
            let _ = all.add(&*lock(part));
        }
        all
    }

    /// A connection was closed with this code.
    pub(super) fn close(&self, code: u16) {
        *lock(&self.closes).entry(code).or_default() += 1;
    }

    /// How many were closed with which code.
    pub(super) fn closes(&self) -> BTreeMap<u16, u64> {
        lock(&self.closes).clone()
    }

    /// Something went wrong: one of few texts.
    pub(super) fn error(&self, text: String) {
        let mut errors = lock(&self.errors);
        if errors.len() < 20 || errors.contains_key(&text) {
            *errors.entry(text).or_default() += 1;
        }
    }

    /// What went wrong how often.
    pub(super) fn errors(&self) -> BTreeMap<String, u64> {
        lock(&self.errors).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
