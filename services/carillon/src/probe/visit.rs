//! One endpoint, visited twice: once to see it answer, once more to see it recover.

use std::time::{Duration, Instant};

use carillon_contract::{CHANNELS, Endpoint, Payload};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Closed, Handshake, Incoming, Place, Socket, Target};

/// How many pings there are; the median counts.
const PINGS: usize = 5;

/// The channel that everyone may listen to.
const EVERYONE: &str = "everyone";

/// A document's client's first words (y-websocket: sync, step 1, of nothing), and how the answer begins.
const SYNC: &[u8] = &[0, 0, 1, 0];
const SYNCED: &[u8] = &[0, 1];

/// How long what took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measured {
    /// TCP, TLS and the upgrade.
    pub(super) handshake: Option<Duration>,
    /// From the beginning to the first frame.
    pub(super) greeting: Option<Duration>,
    /// A ping of the protocol's and its pong: to the gateway and back.
    pub(super) ping: Option<Duration>,
    /// A frame that is answered: by the gateway; of documents by their service.
    pub(super) echo: Option<Duration>,
    /// From coming back to knowing that nothing is missed.
    pub(super) recovery: Option<Duration>,
    /// How many events had been missed.
    pub(super) missed: Option<u64>,
}

/// Why an endpoint is not as it should be.
#[derive(Debug)]
pub(super) enum VisitError {
    /// It isn't.
    Failed(String),
    /// Who asks, or how often, keeps us from knowing.
    Unseen(String),
}

/// A visit under way.
struct Visit<'a> {
    row: &'a Endpoint,
    within: Duration,
    socket: Socket,
    place: Place,
}

/// Visits an endpoint. What was measured until it failed is told, too.
pub(super) async fn visit(
    target: &Target,
    row: &Endpoint,
    path: &str,
    within: Duration,
) -> Result<Measured, (VisitError, Measured)> {
    let mut measured = Measured::default();
    match see(target, row, path, within, &mut measured).await {
        Ok(()) => Ok(measured),
        Err(error) => Err((error, measured)),
    }
}

async fn see(
    target: &Target,
    row: &Endpoint,
    path: &str,
    within: Duration,
    measured: &mut Measured,
) -> Result<(), VisitError> {
    let handshake = target.socket(path);
    // A client that asks for a place gets one, also where nobody is greeted.
    let first =
        if row.payload == Payload::Json { handshake.clone().query("since", "") } else { handshake.clone() };
    let begun = Instant::now();
    let mut visit = Visit::open(&first, row, within, measured).await?;
    visit.greeted().await?;
    measured.greeting = Some(begun.elapsed());
    measured.ping = Some(visit.pings().await?);
    measured.echo = Some(visit.echo().await?);
    let since = visit.place.since();
    visit.socket.close().await;

    let back = match (&since, row.payload) {
        (Some(since), Payload::Json) => handshake.query("since", since),
        (None, Payload::Json) => return Err(VisitError::Failed("the greeting names no place".to_owned())),
        _ => handshake,
    };
    let begun = Instant::now();
    let mut visit = Visit::open(&back, row, within, &mut Measured::default()).await?;
    measured.missed = visit.recovered(since).await?;
    measured.recovery = Some(begun.elapsed());
    visit.socket.close().await;
    Ok(())
}

impl<'a> Visit<'a> {
    async fn open(
        handshake: &Handshake,
        row: &'a Endpoint,
        within: Duration,
        measured: &mut Measured,
    ) -> Result<Self, VisitError> {
        let opened = handshake.open(within).await.map_err(|error| match error {
            crate::client::HandshakeError::Refused { status: 429, .. } => limited(&error.to_string()),
            error => VisitError::Failed(error.to_string()),
        })?;
        measured.handshake = Some(opened.took);
        Ok(Self { row, within, socket: opened.socket, place: Place::default() })
    }

    /// What comes first of all: a greeting, a service's first words, or the refusal.
    async fn greeted(&mut self) -> Result<(), VisitError> {
        if self.row.payload == Payload::Binary {
            return self
                .wait("greeting", |incoming| matches!(incoming, Incoming::Binary(_)).then_some(()))
                .await;
        }
        let is_greeting = |frame: &Value| (frame["type"] != "reconnect").then_some(());
        self.frame("greeting", is_greeting).await?;
        if self.row.payload == Payload::Channels {
            self.subscribe(None).await?;
        }
        Ok(())
    }

    /// Listens to what everyone may listen to.
    async fn subscribe(&mut self, since: Option<String>) -> Result<(), VisitError> {
        let mut request = json!({"id": 1, "type": "subscribe", "channel": EVERYONE});
        if let Some(since) = since {
            request["since"] = since.into();
        }
        self.say(&request).await?;
        let reply = self.frame("subscription", |frame| (frame["id"] == 1).then(|| frame.clone())).await?;
        if reply["type"] != "subscribed" {
            return Err(VisitError::Failed(format!("a subscription to {EVERYONE} was refused: {reply}")));
        }
        let place =
            json!({"epoch": reply["epoch"], "channels": [{"name": EVERYONE, "offset": reply["offset"]}]});
        self.place.learn(&place);
        Ok(())
    }

    async fn pings(&mut self) -> Result<Duration, VisitError> {
        let mut times = Vec::with_capacity(PINGS);
        for number in 0..PINGS {
            let (begun, payload) = (Instant::now(), number.to_le_bytes());
            self.socket.ping(&payload).await.map_err(|error| VisitError::Failed(error.to_string()))?;
            let is_answer =
                |incoming: &Incoming| matches!(incoming, Incoming::Pong(echo) if echo[..] == payload);
            self.wait("pong", |incoming| is_answer(incoming).then_some(())).await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        Ok(times[PINGS / 2])
    }

    async fn echo(&mut self) -> Result<Duration, VisitError> {
        let begun = Instant::now();
        if self.row.payload == Payload::Binary {
            return self.sync().await.map(|()| begun.elapsed());
        }
        self.say(&json!({"type": "ping", "timestamp": "carillon-probe"})).await?;
        let is_pong = |frame: &Value| frame["type"] == "pong" && frame["timestamp"] == "carillon-probe";
        self.frame("answer to a ping", |frame| is_pong(frame).then_some(())).await?;
        Ok(begun.elapsed())
    }

    /// Asks a document's service for what there is.
    async fn sync(&mut self) -> Result<(), VisitError> {
        let sent = self.socket.send_binary(SYNC).await;
        sent.map_err(|error| VisitError::Failed(error.to_string()))?;
        let is_answer =
            |incoming: &Incoming| matches!(incoming, Incoming::Binary(bytes) if bytes.starts_with(SYNCED));
        self.wait("answer of the document's service", |incoming| is_answer(incoming).then_some(())).await
    }

    /// Waits until it is clear that nothing is missed. Returns how much had been.
    async fn recovered(&mut self, since: Option<String>) -> Result<Option<u64>, VisitError> {
        match self.row.payload {
            Payload::Binary => return self.sync().await.map(|()| None),
            Payload::Channels => self.subscribe(since).await?,
            Payload::Json => {}
        }
        let recovery =
            self.frame("recovery", |frame| (frame["type"] == "recovery").then(|| frame.clone())).await?;
        if recovery["recovered"] == true {
            return Ok(recovery["missed"].as_u64());
        }
        Err(VisitError::Failed("came back, and what was missed could not be recovered".to_owned()))
    }

    async fn say(&mut self, frame: &Value) -> Result<(), VisitError> {
        self.socket.send(frame.to_string()).await.map_err(|error| VisitError::Failed(error.to_string()))
    }

    /// The next frame that is wanted.
    async fn frame<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T, VisitError> {
        let (row, mut place) = (self.row, std::mem::take(&mut self.place));
        let found = self
            .wait(what, |incoming| {
                let Incoming::Text(text) = incoming else { return None };
                let frame: Value = serde_json::from_str(text).ok()?;
                // In carillon.v1 a place is a channel's, and is learnt with its subscription.
                if row.name != CHANNELS {
                    place.learn(&frame);
                }
                wanted(&frame)
            })
            .await;
        self.place = place;
        found
    }

    async fn wait<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Incoming) -> Option<T>,
    ) -> Result<T, VisitError> {
        let (row, within) = (self.row, self.within);
        let waiting = async {
            loop {
                let incoming = self.socket.next().await;
                if let Incoming::Closed(closed) = &incoming {
                    return Err(ended(row, closed));
                }
                if let Some(found) = wanted(&incoming) {
                    return Ok(found);
                }
            }
        };
        let late = || Err(VisitError::Failed(format!("no {what} within {within:?}")));
        timeout(within, waiting).await.unwrap_or_else(|_| late())
    }
}

/// An endpoint without parameters that denies itself is for others, such as admins.
fn ended(row: &Endpoint, closed: &Closed) -> VisitError {
    let codes = &row.close_codes;
    let is_for_others = !row.pattern.contains('{') && [codes.denied, codes.missing].contains(&closed.code);
    match closed.code {
        4429 => limited(&closed.reason),
        _ if is_for_others => VisitError::Unseen(format!("it is not for this user: closed with {closed}")),
        _ => VisitError::Failed(format!("closed with {closed}")),
    }
}

fn limited(reason: &str) -> VisitError {
    VisitError::Unseen(format!(
        "over a limit of clients: {reason} (docs/configuration.md, Limits; --endpoints asks for fewer)"
    ))
}
