//! The hub's task: it alone holds the state of the channels.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use carillon_bus::{Bus, Message, Signal, Subscription};
use carillon_contract::{
    Channel, ServiceName, Subject,
    messages::{ChannelHead, Event, HistoryReply, HistoryRequest},
};
use futures_util::{
    FutureExt, StreamExt,
    stream::{Abortable, SelectAll, abortable},
};
use prost::Message as _;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    channel::{ChannelState, Heard, Subscribing},
    fan_outs::FanOuts,
    handle::{Command, Delivery, Hub, ListenerId, Unavailable},
    heads::{self, Comparisons},
    sequence::Step,
};
use crate::{history::Memory, metrics::Metrics};

/// Commands that wait for the hub; who sends more waits too.
const COMMANDS: usize = 4_096;

/// Messages taken in before what follows from them is passed on.
const TURN: usize = 256;

/// How long a missing event may be merely late before the log is asked: replicas that publish to
/// one channel overtake each other by less.
const LATENESS: Duration = Duration::from_millis(50);

/// Pause before asking an owner again that didn't answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Events asked for in one request.
const PAGE: u32 = 500;

/// Gaps that are filled at a time.
const CONCURRENT_FETCHES: usize = 64;

/// How the hub works.
pub(crate) struct Settings {
    /// Time between two comparisons of all heads.
    pub(crate) heads_interval: Duration,
    /// Where events are kept for those who come back.
    pub(crate) memory: Arc<Memory>,
}

/// Starts the hub for these listeners.
pub(crate) fn start(
    bus: Bus,
    listeners: Vec<mpsc::Sender<Vec<Delivery>>>,
    settings: Settings,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Hub {
    let (sender, commands) = mpsc::channel(COMMANDS);
    let hub = Hub { commands: sender };
    let task = Task {
        settings,
        bus,
        hub: hub.clone(),
        outboxes: vec![Vec::new(); listeners.len()],
        listeners,
        metrics,
        channels: HashMap::new(),
        events: SelectAll::new(),
        epochs: HashMap::new(),
        fetches: Arc::new(Semaphore::new(CONCURRENT_FETCHES)),
        lives: 0,
        comparisons: Comparisons::default(),
        fan_outs: FanOuts::default(),
    };
    tokio::spawn(task.run(commands, shutdown));
    hub
}

struct Task {
    bus: Bus,
    hub: Hub,
    settings: Settings,
    metrics: Arc<Metrics>,
    listeners: Vec<mpsc::Sender<Vec<Delivery>>>,
    /// What each listener is to get with the next send.
    outboxes: Vec<Vec<Delivery>>,
    /// Each in a place of its own: a map has room for more entries than it holds.
    channels: HashMap<Channel, Box<ChannelState>>,
    events: SelectAll<Abortable<Heard>>,
    /// The epochs of logs as they were last told.
    epochs: HashMap<ServiceName, Arc<str>>,
    fetches: Arc<Semaphore>,
    lives: u64,
    comparisons: Comparisons,
    fan_outs: FanOuts,
}

impl Task {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>, shutdown: CancellationToken) {
        let mut signals = self.bus.signals();
        let mut comparison = tokio::time::interval(self.settings.heads_interval);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some((channel, message)) = self.events.next() => self.turn(&channel, &message).await,
                Some(command) = commands.recv() => self.obey(command).await,
                signal = signals.recv() => if may_have_lost(signal) { self.compare_all() },
                _ = comparison.tick() => self.compare_all(),
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Listen { channel, listener, reply } => self.listen(channel, listener, reply),
            Command::Unlisten { channel, listener } => self.unlisten(&channel, listener),
            Command::Subscribed { channel, life, outcome } => self.subscribed(channel, life, outcome),
            Command::Heads { epoch, heads } => self.heads(&epoch, heads).await,
            Command::Join { epoch, heads, reply } => {
                self.heads(&epoch, heads.clone()).await;
                let _ = reply.send(self.starts(heads));
            }
            Command::Compared(owner) if self.comparisons.ended(owner) => self.compare(owner),
            Command::Compared(_) => {}
            Command::Fetch { channel, life } => self.fetch(&channel, life),
            Command::Fetched { channel, life, outcome } => self.fetched(&channel, life, outcome).await,
        }
    }

    fn listen(
        &mut self,
        channel: Channel,
        listener: ListenerId,
        reply: oneshot::Sender<Result<(), Unavailable>>,
    ) {
        let state = match self.channels.entry(channel) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                self.lives += 1;
                self.metrics.channels.inc();
                subscribe(self.bus.clone(), self.hub.clone(), entry.key().clone(), self.lives);
                entry.insert(Box::new(ChannelState::new(self.lives, self.listeners.len())))
            }
        };
        state.listeners[listener] += 1;
        match &mut state.subscription {
            Subscribing::Waited(waiting) => waiting.push((listener, reply)),
            Subscribing::Confirmed(_) => {
                if reply.send(Ok(())).is_err() {
                    // Whoever listened before still does.
                    state.unlisten(listener);
                }
            }
        }
    }

    fn unlisten(&mut self, channel: &Channel, listener: ListenerId) {
        let Some(state) = self.channels.get_mut(channel) else { return };
        state.unlisten(listener);
        if state.is_unheard() {
            self.forget(channel);
        }
    }

    fn forget(&mut self, channel: &Channel) {
        self.settings.memory.forget(channel);
        if let Some(state) = self.channels.remove(channel) {
            self.metrics.channels.dec();
            state.end();
        }
    }

    fn subscribed(&mut self, channel: Channel, life: u64, outcome: Result<Subscription, Unavailable>) {
        let Some(state) = self.channels.get_mut(&channel).filter(|state| state.life == life) else { return };
        let Subscribing::Waited(waiting) = &mut state.subscription else { return };
        let answer = outcome.as_ref().map(drop).map_err(|error| *error);
        for (listener, reply) in std::mem::take(waiting) {
            // Who no longer waits doesn't listen.
            if reply.send(answer).is_err() {
                state.unlisten(listener);
            }
        }
        match outcome {
            Ok(subscription) => {
                let (stream, abort) = abortable(Heard { channel: channel.clone(), subscription });
                state.subscription = Subscribing::Confirmed(abort);
                self.events.push(stream);
                if state.is_unheard() {
                    self.forget(&channel);
                }
            }
            // Whoever waited gives up; who comes next tries again.
            Err(Unavailable) => self.forget(&channel),
        }
    }

    /// Hears a message and those that are there by now too, so that listeners are woken once.
    async fn turn(&mut self, channel: &Channel, message: &Message) {
        self.heard(channel, message);
        for _ in 1..TURN {
            let Some(Some((channel, message))) = self.events.next().now_or_never() else { break };
            self.heard(&channel, &message);
        }
        self.send_out().await;
    }

    fn heard(&mut self, channel: &Channel, message: &Message) {
        let event = match Event::decode(message.payload.clone()) {
            Ok(event) => Arc::new(event),
            Err(error) => {
                tracing::warn!(%channel, %error, "what was published is no event");
                return self.metrics.undecodable();
            }
        };
        let offset = event.offset;
        self.fan_outs.heard(channel, offset, message.trace.as_ref());
        if offset == 0 {
            return self.deliver(channel, &Delivery::Event(channel.clone(), event));
        }
        let Some(state) = self.channels.get_mut(channel) else { return };
        let step = state.sequence.event(event);
        self.take(channel, step, LATENESS);
    }

    async fn heads(&mut self, epoch: &str, heads: Vec<ChannelHead>) {
        for head in heads {
            let Ok(channel) = head.channel.parse::<Channel>() else { continue };
            let epoch = self.epoch(channel.owner(), epoch);
            let Some(state) = self.channels.get_mut(&channel) else { continue };
            let step = state.sequence.head(&epoch, head.offset);
            self.take(&channel, step, LATENESS);
        }
        self.send_out().await;
    }

    /// One text for the epoch of all channels of an owner.
    fn epoch(&mut self, owner: ServiceName, epoch: &str) -> Arc<str> {
        let known = self.epochs.entry(owner).or_default();
        if **known != *epoch {
            *known = epoch.into();
        }
        known.clone()
    }

    /// Where the streams of channels begin for somebody who was told these heads.
    fn starts(&self, mut heads: Vec<ChannelHead>) -> Vec<ChannelHead> {
        for head in &mut heads {
            let channel = head.channel.parse::<Channel>().ok();
            let state = channel.and_then(|channel| self.channels.get(&channel));
            head.offset = head.offset.max(state.map_or(0, |state| state.sequence.start()));
        }
        heads
    }

    async fn fetched(&mut self, channel: &Channel, life: u64, outcome: Result<HistoryReply, Unavailable>) {
        let Some(state) = self.channels.get_mut(channel).filter(|state| state.life == life) else { return };
        state.fetching = false;
        match outcome {
            Ok(reply) => {
                self.metrics.gap_filled(reply.events.len());
                let step = state.sequence.fetched(&reply.epoch, reply.first, reply.head, reply.events);
                // The rest at once, unless the log did not have what comes next.
                let delay = if step.deliver.is_empty() { PATIENCE } else { Duration::ZERO };
                self.take(channel, step, delay);
                self.send_out().await;
            }
            Err(Unavailable) => self.fetch_after(channel, PATIENCE),
        }
    }

    /// Does what a step of a channel's sequence asks for. What is missing is asked for after `delay`.
    fn take(&mut self, channel: &Channel, step: Step, delay: Duration) {
        if step.reset {
            tracing::warn!(%channel, "the log does not hold what was missed");
            self.settings.memory.forget(channel);
            self.metrics.gap_lost();
            self.deliver(channel, &Delivery::Reset(channel.clone()));
        }
        for event in step.deliver {
            self.settings.memory.push(channel, event.clone());
            self.deliver(channel, &Delivery::Event(channel.clone(), event));
        }
        if step.missing {
            self.fetch_after(channel, delay);
        }
        let last = || self.channels.get(channel).and_then(|state| state.sequence.last());
        self.fan_outs.settle(channel, last);
    }

    fn deliver(&mut self, channel: &Channel, delivery: &Delivery) {
        let Some(state) = self.channels.get(channel) else { return };
        if let Delivery::Event(_, event) = delivery {
            self.fan_outs.delivered(channel, event.offset, &state.listeners);
        }
        for (count, outbox) in state.listeners.iter().zip(&mut self.outboxes) {
            if *count > 0 {
                outbox.push(delivery.clone());
            }
        }
    }

    /// Passes on what is to be delivered.
    async fn send_out(&mut self) {
        for (inbox, outbox) in self.listeners.iter().zip(&mut self.outboxes) {
            if !outbox.is_empty() {
                // A worker that has ended listens to nothing.
                let _ = inbox.send(std::mem::take(outbox)).await;
            }
        }
        self.fan_outs.left();
    }

    /// Asks the log for what is missing, unless it has arrived by then.
    fn fetch_after(&mut self, channel: &Channel, delay: Duration) {
        let Some(state) = self.channels.get_mut(channel).filter(|state| !state.fetching) else { return };
        state.fetching = true;
        let (hub, channel, life) = (self.hub.clone(), channel.clone(), state.life);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _ = hub.commands.send(Command::Fetch { channel, life }).await;
        });
    }

    fn fetch(&mut self, channel: &Channel, life: u64) {
        let Some(state) = self.channels.get_mut(channel).filter(|state| state.life == life) else { return };
        let Some(after) = state.sequence.last().filter(|_| state.sequence.is_behind()) else {
            state.fetching = false;
            return;
        };
        let (bus, hub, channel, fetches) =
            (self.bus.clone(), self.hub.clone(), channel.clone(), self.fetches.clone());
        tokio::spawn(async move {
            let _permit = fetches.acquire().await;
            let request = HistoryRequest { channel: channel.as_str().to_owned(), after, limit: PAGE };
            let outcome = bus.call(channel.owner(), &request).await.map_err(|error| {
                tracing::debug!(%channel, %error, "a gap could not be filled yet");
                Unavailable
            });
            let _ = hub.commands.send(Command::Fetched { channel, life, outcome }).await;
        });
    }

    fn compare_all(&mut self) {
        ServiceName::ALL.into_iter().for_each(|owner| self.compare(owner));
    }

    fn compare(&mut self, owner: ServiceName) {
        let known = |channel: &Channel, state: &ChannelState| {
            let is_asked_for = channel.owner() == owner && state.sequence.last().is_some();
            is_asked_for.then(|| channel.as_str().to_owned())
        };
        let channels = self.channels.iter().filter_map(|(channel, state)| known(channel, state));
        let channels: Vec<String> = channels.collect();
        if !channels.is_empty() && self.comparisons.begin(owner) {
            tokio::spawn(heads::compare(self.bus.clone(), self.hub.clone(), owner, channels));
        }
    }
}

fn subscribe(bus: Bus, hub: Hub, channel: Channel, life: u64) {
    tokio::spawn(async move {
        let outcome = bus.subscribe(Subject::live(&channel)).await.map_err(|error| {
            tracing::warn!(%channel, %error, "a channel could not be subscribed to");
            Unavailable
        });
        let _ = hub.commands.send(Command::Subscribed { channel, life, outcome }).await;
    });
}

/// Whether messages may have been lost: a lagging receiver has missed signals, perhaps of that kind.
fn may_have_lost(signal: Result<Signal, broadcast::error::RecvError>) -> bool {
    match signal {
        Ok(Signal::Reconnected | Signal::Dropped) | Err(broadcast::error::RecvError::Lagged(_)) => true,
        Ok(Signal::Disconnected) | Err(broadcast::error::RecvError::Closed) => false,
    }
}

#[cfg(test)]
mod tests {
    use carillon_instruments::Registry;

    use super::*;

    /// Those who cease to wait for the bus are not listeners for ever.
    #[tokio::test]
    async fn who_no_longer_waits_does_not_listen() {
        let metrics = Arc::new(Metrics::new(&Registry::new()).expect("metrics"));
        let (deliveries, _inbox) = mpsc::channel(1);
        let memory = Arc::new(Memory::new(1));
        let settings = Settings { heads_interval: Duration::from_secs(3_600), memory };
        let shutdown = CancellationToken::new();
        let hub = start(Bus::in_process(), vec![deliveries], settings, metrics.clone(), shutdown.clone());
        let channel = Channel::everyone();
        for other_listens in [false, true] {
            if other_listens {
                hub.listen(0, &channel).await.expect("listening");
            }
            let mut unasked = Box::pin(hub.listen(0, &channel));
            assert!((&mut unasked).now_or_never().is_none());
            drop(unasked);
            let mut unheard = Box::pin(hub.listen(0, &channel));
            assert!((&mut unheard).now_or_never().is_none());
            // By the time that this one is answered, so is the one before.
            hub.listen(0, &channel).await.expect("listening");
            drop(unheard);
            hub.unlisten(0, &channel).await;
            if other_listens {
                hub.unlisten(0, &channel).await;
            }
            let forgotten = async {
                while metrics.channels.get() > 0 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(5), forgotten).await.expect("nobody listens");
        }
        shutdown.cancel();
    }
}
