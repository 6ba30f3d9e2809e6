//! A gateway as presence sees it: what it has open, and what it says about it, in whatever order that arrives.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use carillon_presence::{Entry, Position, Presence};
use tokio::task::JoinSet;

use crate::{
    model::{Model, Open},
    random::Random,
    world::{Announcements, World, entries, lease_of, position},
};

/// Those that connections enter.
const TOPICS: [&str; 4] = ["room.a", "room.b", "conversation.1", "counter.x"];
/// Those that are scopes, and how many topics each has.
const SCOPES: [&str; 2] = ["room.a", "room.b"];
const SPOTS: u64 = 3;

const MEMBERS: u64 = 12;

/// The most messages of a gateway that are on their way.
const ON_THEIR_WAY: usize = 8;

/// Of its last positions those that come again.
const LATELY: usize = 30;

static NAMES: AtomicUsize = AtomicUsize::new(0);

pub(crate) struct Gateway {
    world: Arc<World>,
    model: Arc<Model>,
    random: Random,
    lease: String,
    /// Of its last renewal.
    generation: Option<String>,
    connections: usize,
    /// What it told about connections that it has closed, for repetitions that come late.
    closed: Vec<Vec<Entry>>,
    /// Where its connections said that they are.
    positions: Vec<Position>,
    messages: JoinSet<()>,
}

impl Gateway {
    pub(crate) fn new(world: &Arc<World>, model: &Arc<Model>, random: Random) -> Self {
        Self {
            world: Arc::clone(world),
            model: Arc::clone(model),
            random,
            lease: new_name(),
            generation: None,
            connections: 0,
            closed: Vec::new(),
            positions: Vec::new(),
            messages: JoinSet::new(),
        }
    }

    /// Does something, without waiting for what it says to arrive unless there is too much of it.
    pub(crate) async fn step(&mut self) {
        match self.random.below(60) {
            0 => self.start_anew(),
            1 => self.end_a_member().await,
            2..=6 => self.renew().await,
            7 => self.renew_unheard(),
            8..=10 => self.repeat(),
            11..=16 => self.repeat_a_position(),
            17..=28 => self.close_one(),
            29..=32 => self.send_one_away(),
            33..=46 => self.move_one(),
            _ => self.open_one(),
        }
        while self.messages.len() > ON_THEIR_WAY {
            self.messages.join_next().await.expect("a message").expect("it is understood");
        }
    }

    /// The last that was said of where its connections are comes once more, the latest first.
    pub(crate) async fn say_again(&mut self) {
        self.finish().await;
        let lately = self.positions.len().saturating_sub(LATELY);
        for position in self.positions[lately..].iter().rev().cloned().collect::<Vec<_>>() {
            self.go(position);
        }
        self.finish().await;
    }

    /// Waits until all it has said has arrived.
    pub(crate) async fn finish(&mut self) {
        while let Some(message) = self.messages.join_next().await {
            message.expect("it is understood");
        }
    }

    /// Renews its lease, and enters whatever it has if it may have been counted out.
    pub(crate) async fn renew(&mut self) {
        let generation = Some(self.replica().renew(&self.lease).await.expect("a generation"));
        if generation != self.generation {
            self.generation = generation;
            let open = self.model.of(&self.lease).into_iter();
            let entries = open.flat_map(|(name, one)| entries(&name, &one.member, &one.topics)).collect();
            self.enter(entries);
        }
    }

    /// It is no more, and says nothing about it.
    pub(crate) fn die(&mut self, model: &Model) {
        for (name, _) in model.of(&self.lease) {
            model.close(&name);
        }
    }

    /// It dies, with messages on their way, and another takes its place.
    fn start_anew(&mut self) {
        self.die(&Arc::clone(&self.model));
        self.lease = new_name();
        self.generation = None;
    }

    fn open_one(&mut self) {
        let member = format!("m{}", self.random.below(MEMBERS));
        let mut topics = TOPICS.to_vec();
        topics.retain(|_| !self.random.once_in(2));
        if !topics.is_empty() {
            self.open(Open { member, topics, positions: BTreeMap::new(), frames: 0 });
        }
    }

    fn open(&mut self, open: Open) {
        self.connections += 1;
        let name = format!("{}:{}", self.lease, self.connections);
        let entries = entries(&name, &open.member, &open.topics);
        self.model.open_one(&name, open);
        if self.random.once_in(4) {
            self.enter(entries.clone());
        }
        self.enter(entries);
    }

    fn close_one(&mut self) {
        let own = self.model.of(&self.lease);
        let Some((name, one)) = self.random.one_of(&own) else { return };
        self.closed.push(entries(&name, &one.member, &one.topics));
        let returning = self.random.once_in(2);
        if self.model.close(&name) {
            self.leave(name, returning);
        }
    }

    /// Somebody goes somewhere, or nowhere.
    fn move_one(&mut self) {
        let own = self.model.of(&self.lease);
        let Some((name, one)) = self.random.one_of(&own) else { return };
        let scopes: Vec<_> = SCOPES.into_iter().filter(|scope| one.topics.contains(scope)).collect();
        let Some(scope) = self.random.one_of(&scopes) else { return };
        let spot = self.random.below(SPOTS + 1);
        let topic = (spot > 0).then(|| format!("{scope}.{spot}"));
        let Some(number) = self.model.go(&name, scope, topic.as_deref()) else { return };
        let position = position(&name, &one.member, scope, topic.as_deref(), number);
        self.positions.push(position.clone());
        for _ in 0..=u64::from(self.random.once_in(4)) {
            self.go(position.clone());
        }
    }

    /// A frame comes again, perhaps after later ones, and after its connection's end.
    fn repeat_a_position(&mut self) {
        let lately = self.positions.len().saturating_sub(LATELY);
        let Some(position) = self.random.one_of(&self.positions[lately..]) else { return };
        self.go(position);
    }

    /// A client is sent away and comes back, to where it was in the beginning.
    fn send_one_away(&mut self) {
        let own = self.model.of(&self.lease);
        let Some((name, one)) = self.random.one_of(&own) else { return };
        if self.model.close(&name) {
            self.leave(name, true);
            self.open(Open { positions: BTreeMap::new(), frames: 0, ..one });
        }
    }

    /// Something about a connection that is closed arrives again.
    fn repeat(&mut self) {
        let Some(entries) = self.random.one_of(&self.closed) else { return };
        if self.random.once_in(3) {
            let returning = self.random.once_in(2);
            self.leave(entries[0].connection.clone(), returning);
        } else {
            self.enter(entries);
        }
    }

    /// A member is removed from a topic; then whoever has such a connection closes it.
    async fn end_a_member(&mut self) {
        let member = format!("m{}", self.random.below(MEMBERS));
        let topic = self.random.one_of(&TOPICS).expect("a topic");
        let mut tx = self.world.database.begin().await.expect("a transaction");
        let events = self.replica().end(&mut tx, &[(topic, &member)]).await.expect("ended");
        self.world.log.append(&mut tx, &events).await.expect("appended");
        tx.commit().await.expect("committed");
        for name in self.model.there(topic, &member) {
            if self.model.close(&name) {
                self.leave(name, false);
            }
        }
    }

    /// A renewal whose answer is lost.
    fn renew_unheard(&mut self) {
        let (replica, lease) = (self.replica(), self.lease.clone());
        self.messages.spawn(async move {
            replica.renew(&lease).await.expect("a generation");
        });
    }

    fn enter(&mut self, entries: Vec<Entry>) {
        let replica = self.replica();
        self.messages.spawn(async move { replica.enter(entries).await.expect("entered") });
    }

    fn go(&mut self, position: Position) {
        let replica = self.replica();
        self.messages.spawn(async move { replica.move_to(position).await.expect("moved") });
    }

    fn leave(&mut self, connection: String, returning: bool) {
        for _ in 0..=u64::from(self.random.once_in(4)) {
            let (replica, connection) = (self.replica(), connection.clone());
            self.messages.spawn(async move {
                replica.leave(&connection, lease_of(&connection), returning).await.expect("left");
            });
        }
    }

    fn replica(&mut self) -> Presence<Announcements> {
        self.random.one_of(&self.world.replicas).expect("a replica")
    }
}

/// Every topic that there is.
pub(crate) fn every_topic() -> Vec<String> {
    let spots = SCOPES.iter().flat_map(|scope| (1..=SPOTS).map(move |spot| format!("{scope}.{spot}")));
    TOPICS.into_iter().map(str::to_owned).chain(spots).collect()
}

fn new_name() -> String {
    format!("g{}", NAMES.fetch_add(1, Ordering::Relaxed))
}
