//! One connection: it listens, perhaps speaks, and comes back as a client does that misses nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Phase,
    ledger::Ledger,
    outbox::{Outbox, Pace},
    seat::Seat,
    tally::Tally,
};
use crate::client::{Backoff, Closed, Incoming, Socket, SocketError, Target};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// What a connection has at the end.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) room: u32,
    /// Whether it was there when sending began.
    pub(super) joined: bool,
    /// Whether it was there when everything was over.
    pub(super) stayed: bool,
    pub(super) ledgers: BTreeMap<u32, Ledger>,
    pub(super) unanswered: u64,
}

/// A connection, over all its sockets.
pub(super) struct Connection {
    pub(super) seat: Seat,
    target: Target,
    pub(super) tally: Arc<Tally>,
    phases: watch::Receiver<Phase>,
    pub(super) outbox: Outbox,
    pub(super) ledgers: BTreeMap<u32, Ledger>,
    /// The epoch and the offset from which to come back.
    pub(super) place: Option<(String, u64)>,
    pub(super) begun: Option<Instant>,
    pub(super) joined: bool,
    pub(super) after: Option<Duration>,
}

impl Connection {
    pub(super) fn new(seat: Seat, target: Target, tally: Arc<Tally>, phases: watch::Receiver<Phase>) -> Self {
        let (sender, pace) = seat.sender.unwrap_or((0, Pace::Silent));
        let outbox = Outbox::new(sender, pace);
        let (ledgers, place, begun) = (BTreeMap::new(), None, None);
        Self { seat, target, tally, phases, outbox, ledgers, place, begun, joined: false, after: None }
    }

    /// Lives until it is over.
    pub(super) async fn run(mut self) -> Outcome {
        let mut backoff = Backoff::default();
        let (mut first, mut stayed) = (true, false);
        while self.phase() != Phase::Over {
            if !first {
                self.tally.reconnects.fetch_add(1, Relaxed);
            }
            first = false;
            match self.open().await {
                Ok(socket) => {
                    self.tally.open.fetch_add(1, Relaxed);
                    let ended = self.live(socket, &mut backoff).await;
                    self.tally.open.fetch_sub(1, Relaxed);
                    let Some(closed) = ended else {
                        stayed = true;
                        break;
                    };
                    self.tally.close(closed.code);
                }
                Err(said) => self.after = self.after.max(said),
            }
            let pause = backoff.pause(self.after.take());
            tokio::select! {
                () = sleep(pause) => {}
                () = over(&mut self.phases) => break,
            }
        }
        Outcome {
            room: self.seat.room,
            joined: self.joined,
            stayed,
            unanswered: self.outbox.again().len() as u64,
            ledgers: self.ledgers,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        *self.phases.borrow()
    }

    async fn open(&mut self) -> Result<Socket, Option<Duration>> {
        let handshake = self.target.socket(&self.seat.path);
        let handshake = match &self.place {
            _ if self.seat.multiplexed => handshake,
            // Who asks for a place gets one.
            None => handshake.query("since", ""),
            Some((epoch, offset)) => handshake.query("since", &format!("{epoch}.{offset}")),
        };
        match handshake.open(HANDSHAKE).await {
            Ok(opened) => Ok(opened.socket),
            Err(error) => {
                self.tally.failed_handshakes.fetch_add(1, Relaxed);
                self.tally.error(error.to_string());
                Err(error.retry_after())
            }
        }
    }

    /// One socket, until it ends (then why), or it is over.
    async fn live(&mut self, mut socket: Socket, backoff: &mut Backoff) -> Option<Closed> {
        match self.talk(&mut socket, backoff).await {
            Ok(()) => {
                socket.close().await;
                None
            }
            Err(SocketError::Closed(closed)) => Some(closed),
        }
    }

    async fn talk(&mut self, socket: &mut Socket, backoff: &mut Backoff) -> Result<(), SocketError> {
        if self.seat.multiplexed {
            let since = self.place.as_ref().map(|(epoch, offset)| format!("{epoch}.{offset}"));
            let mut request = json!({"id": 0, "type": "subscribe", "channel": self.seat.channel()});
            if let Some(since) = since {
                request["since"] = since.into();
            }
            socket.send(request.to_string()).await?;
        }
        let mut settled = false;
        let mut phases = self.phases.clone();
        phases.mark_changed();
        loop {
            let due = self.outbox.due().filter(|_| settled);
            tokio::select! {
                incoming = socket.next() => match incoming {
                    Incoming::Text(text) => {
                        if self.hear(&text) {
                            settled = true;
                            backoff.reset();
                            for mark in self.outbox.again() {
                                self.tally.repeated.fetch_add(1, Relaxed);
                                socket.send(self.seat.frame(&mark)).await?;
                            }
                        }
                    }
                    Incoming::Closed(closed) => return Err(SocketError::Closed(closed)),
                    Incoming::Binary(_) | Incoming::Pong(_) => {}
                },
                _ = phases.changed() => match *phases.borrow_and_update() {
                    Phase::Opening => {}
                    Phase::Sending(at) => {
                        self.begun = Some(at);
                        if self.seat.sender.is_some() {
                            self.outbox.begin(at);
                        }
                    }
                    Phase::Draining => self.outbox.end(),
                    Phase::Over => return Ok(()),
                },
                () = until(due), if due.is_some() => self.speak(socket).await?,
            }
        }
    }

    /// Says what is due.
    async fn speak(&mut self, socket: &mut Socket) -> Result<(), SocketError> {
        while self.outbox.due().is_some_and(|due| due <= Instant::now()) && self.tally.say() {
            let Some(mark) = self.outbox.next() else { break };
            socket.send(self.seat.frame(&mark)).await?;
        }
        Ok(())
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn over(phases: &mut watch::Receiver<Phase>) {
    // Whoever could say so is there until it has.
    let _ = phases.wait_for(|phase| *phase == Phase::Over).await;
}
