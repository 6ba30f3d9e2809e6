//! What an operator wants to know of the NATS servers, found out without disturbing anybody.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{Client, Event, ServerError};
use bytes::Bytes;
use carillon_contract::{Channel, Program, ServiceName, Subject, inbox, messages::HeadsRequest};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{NatsOptions, ROOM_FOR_HEADERS, trouble::Trouble};

/// How many messages go around; the fastest counts.
const ROUNDS: usize = 5;

/// How long the server's last complaints may take to be heard.
const ECHO: Duration = Duration::from_millis(50);

/// The NATS server that was connected to.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Its version.
    pub version: String,
    /// The name of its cluster, if it is in one.
    pub cluster: Option<String>,
    /// The largest message that it carries, in bytes.
    pub max_payload: usize,
    /// The largest that Carillon sends, with its headers.
    pub needed_payload: usize,
    /// Whether it asks who connects.
    pub asks_who: bool,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// How long connecting took.
    pub connected: Duration,
    /// How long a message took to it and back. `None` if it did not come back.
    pub round_trip: Option<Duration>,
    /// What it refused: subjects that a process of this name needs.
    pub refused: Vec<String>,
}

impl Inspection {
    /// Connects once, sends a few messages around, and tries what a process of this name has to be allowed, in ways that
    /// nobody notices.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn of(options: &NatsOptions, within: Duration) -> Result<Self, String> {
        let (servers, client_options) = options.client_options().await.map_err(|error| error.to_string())?;
        let encrypted = servers.iter().any(|server| matches!(server.scheme(), "tls" | "wss"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let said = heard.clone();
        let client_options = client_options.event_callback(move |event| {
            if let Event::ServerError(error) = event {
                said.lock().unwrap_or_else(PoisonError::into_inner).push(words(&error));
            }
            std::future::ready(())
        });
        let trouble = Trouble::default();
        // A second look at each server tells why the first has failed.
        let client_options = trouble.noted_by(client_options).max_reconnects(2 * servers.len());
        let begun = Instant::now();
        let client = timeout(within, client_options.connect(servers)).await;
        let client = client.map_err(|_| format!("no connection within {within:?}"))?;
        let client = client.map_err(|error| trouble.reason().unwrap_or_else(|| causes(&error)))?;
        let connected = begun.elapsed();
        let round_trip = around(&client, &inbox(&options.name), within).await;
        match Program::named(&options.name) {
            Some(Program::Service(service)) => speak(&client, service).await,
            Some(Program::Gateway) | None => listen_and_ask(&client).await,
        };
        // What it refuses it says before it answers this.
        let _ = timeout(within, client.flush()).await;
        tokio::time::sleep(ECHO).await;
        let info = client.server_info();
        let mut refused = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
        refused.dedup();
        Ok(Self {
            version: info.version,
            cluster: info.cluster,
            max_payload: info.max_payload,
            needed_payload: options.limits.payload + ROOM_FOR_HEADERS,
            asks_who: info.auth_required,
            encrypted: encrypted || info.tls_required,
            connected,
            round_trip,
            refused,
        })
    }
}

/// Sends messages to itself, as every process does to know that the server has heard it.
async fn around(client: &Client, inbox: &str, within: Duration) -> Option<Duration> {
    let subject = format!("{inbox}.{}", nobodys_name());
    let mut echo = client.subscribe(subject.clone()).await.ok()?;
    let mut best: Option<Duration> = None;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        client.publish(subject.clone(), Bytes::from_static(b"{}")).await.ok()?;
        timeout(within, echo.next()).await.ok()??;
        best = Some(best.map_or(begun.elapsed(), |best| best.min(begun.elapsed())));
    }
    best
}

/// Does what a gateway does: listens to a channel and to the other gateways, and asks every service.
async fn listen_and_ask(client: &Client) -> Option<()> {
    let nobodys = Channel::new("room", &[&nobodys_name()]).ok()?;
    let _channel = client.subscribe(Subject::live(&nobodys).to_string()).await.ok()?;
    let _gateways = client.subscribe(Subject::gateways().to_string()).await.ok()?;
    for service in ServiceName::ALL {
        // It is answered to nobody, and tells whether asking is allowed.
        let question = Subject::rpc::<HeadsRequest>(service).to_string();
        client.publish(question, Bytes::new()).await.ok()?;
    }
    Some(())
}

/// Does what a service does: publishes to channels, of which each is nobody's.
async fn speak(client: &Client, service: ServiceName) -> Option<()> {
    for kind in Channel::kinds_of(service) {
        let nobodys = Channel::new(kind, &[&nobodys_name()]).ok()?;
        client.publish(Subject::live(&nobodys).to_string(), Bytes::new()).await.ok()?;
    }
    Some(())
}

fn nobodys_name() -> String {
    format!("carillon-check-{:032x}", rand::random::<u128>())
}

fn words(error: &ServerError) -> String {
    match error {
        ServerError::Other(text) => text.clone(),
        error => error.to_string(),
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}
