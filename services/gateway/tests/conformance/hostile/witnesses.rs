//! Those who listen meanwhile: each has to get every event, once and in order, and none late.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use carillon_bus::Bus;
use carillon_contract::{
    Channel, Subject,
    messages::{Event, Variant},
};
use prost::Message;
use tokio::runtime::Handle;

use crate::{
    peer::{Heard, Peer},
    stage::{Backstage, TEXTS},
};

/// How many of each kind there are: those that compress, and those that don't.
const OF_EACH: usize = 3;

/// Time between two events.
const PACE: Duration = Duration::from_millis(5);

/// How long an event may take to everybody, on a busy machine with unoptimised code.
const LATEST: Duration = Duration::from_secs(3);

const OFFER: &str = "permessage-deflate; client_max_window_bits";

pub(super) struct Witnesses {
    speaker: JoinHandle<anyhow::Result<Account>>,
    stop: Arc<AtomicBool>,
}

/// What they have to say.
pub(super) struct Account {
    pub(super) events: usize,
    /// The longest that an event took until all of them had it.
    pub(super) slowest: Duration,
}

impl Witnesses {
    /// Has them listen, and somebody speak, from now on.
    pub(super) fn listen(stage: &Backstage, address: SocketAddr) -> anyhow::Result<Self> {
        let mut peers = Vec::new();
        for _ in 0..OF_EACH {
            peers.push(Peer::connect(address, TEXTS, "")?);
            peers.push(Peer::connect(address, TEXTS, &format!("Sec-WebSocket-Extensions: {OFFER}\r\n"))?);
        }
        for peer in &mut peers {
            // Answered, so it is there: what is said from now on reaches it.
            peer.send(&crate::wire::frame(crate::wire::PING, b""));
            ensure!(peer.next()? == Heard::Pong(vec![]), "a pong");
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (bus, runtime, until) = (stage.bus.clone(), stage.runtime.handle().clone(), stop.clone());
        let speaker = thread::spawn(move || speak(&bus, &runtime, peers, &until));
        Ok(Self { speaker, stop })
    }

    pub(super) fn count(&self) -> usize {
        2 * OF_EACH
    }

    /// What they have heard up to now, if nothing was amiss.
    pub(super) fn heard(self) -> anyhow::Result<Account> {
        self.stop.store(true, Ordering::Relaxed);
        self.speaker.join().ok().context("a panic")?
    }
}

/// Says one event after another, each once everybody has heard the one before.
fn speak(bus: &Bus, runtime: &Handle, peers: Vec<Peer>, stop: &AtomicBool) -> anyhow::Result<Account> {
    let (heard, hearing) = mpsc::channel();
    let listeners: Vec<_> = peers.into_iter().map(|peer| spawn(peer, heard.clone())).collect();
    let mut account = Account { events: 0, slowest: Duration::ZERO };
    while !stop.load(Ordering::Relaxed) {
        let start = Instant::now();
        runtime.block_on(publish(bus, account.events))?;
        for _ in &listeners {
            let number = hearing.recv_timeout(LATEST).context("somebody heard nothing, or too late")?;
            ensure!(number? == account.events, "somebody heard another event than number {}", account.events);
        }
        account.slowest = account.slowest.max(start.elapsed());
        account.events += 1;
        thread::sleep(PACE);
    }
    Ok(account)
}

async fn publish(bus: &Bus, number: usize) -> anyhow::Result<()> {
    let channel = Channel::everyone();
    let text = "what everybody has to hear ".repeat(number % 3 * 20);
    let json = format!("{{\"type\":\"event\",\"number\":{number},\"text\":\"{text}\"}}");
    let event = Event {
        channel: channel.as_str().to_owned(),
        variants: vec![Variant::json(json)],
        ..Event::default()
    };
    Ok(bus.publish(&Subject::live(&channel), event.encode_to_vec().into()).await?)
}

/// Passes on the number of each event that comes, until nobody wants to know.
fn spawn(mut peer: Peer, heard: mpsc::Sender<anyhow::Result<usize>>) -> JoinHandle<()> {
    thread::spawn(move || while heard.send(number(&mut peer)).is_ok() {})
}

fn number(peer: &mut Peer) -> anyhow::Result<usize> {
    let next = peer.next()?;
    let Heard::Text(text) = next else { anyhow::bail!("{next:?}") };
    let event: serde_json::Value = serde_json::from_slice(&text)?;
    let number = event["number"].as_u64().with_context(|| event.to_string())?;
    Ok(usize::try_from(number)?)
}
