//! The gateway: it owns sockets, and nothing else.
//!
//! It authenticates, opens and closes sessions, passes frames and HTTP requests on to the service
//! that owns the endpoint or route, and fans events out. It knows no chat, ticket or notification.
//!
//! - [`client`] is where a client is; [`handshake`] decides who may connect; [`session`] is the life of a
//!   connection;
//! - [`limits`] are how much one client may have;
//! - [`hub`] subscribes, orders events and fills gaps, once per gateway; [`history`] is what has happened
//!   before, for those who come back;
//! - [`shard`] fans out, once per worker thread; [`websocket`] is the protocol;
//! - [`socket`] is what a session writes to and reads from, with [`tls`] or without;
//! - [`edge`] is the HTTP door, with [`server_sent`] events for those who can't keep a WebSocket, [`blobs`] that of files, [`console`] that of the page;
//!   [`access`] follows revocations;
//! - [`leases`] vouch for the connections that services count;
//! - [`telemetry`] tells once a second what was counted, and answers who is connected.

mod access;
mod args;
mod authenticator;
mod blobs;
mod client;
mod clock;
mod console;
mod edge;
mod gateway;
mod handshake;
mod history;
#[doc(hidden)]
pub mod hostile;
mod hosts;
mod hub;
mod leases;
mod limits;
mod metrics;
mod server;
mod server_sent;
mod session;
mod shard;
mod socket;
mod spans;
mod telemetry;
mod tls;
mod websocket;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use carillon_service::{EventLoops, Registration, Shell};
use carillon_token::CARILLON;
use futures_util::future::select_all;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use access::{Access, Follower};
pub use args::{Args, ForwardedHeader, IssuerArgs, LimitArgs, TlsArgs};
use authenticator::Authenticator;
use blobs::Door;
use gateway::Gateway;
use history::Memory;
pub use limits::Mode;
use metrics::Metrics;
pub use server::listen;
use server::{Listeners, Seat};
use shard::{Control, Draining};
pub use tls::{Certificate, valid_until};

/// Turns of the hub that wait for one worker. Above that the hub waits, and its own turns get longer.
const DELIVERIES: usize = 64;

/// Commands that wait for one worker.
const CONTROLS: usize = 1_024;

/// How long clients may take to go, on top of the drain window.
const LAST_GOODBYES: Duration = Duration::from_secs(7);

/// Runs a gateway until shutdown, and sends its clients elsewhere then.
///
/// # Errors
/// An address that can't be listened to, or options that contradict each other.
pub async fn run(args: Args, shell: Shell) -> anyhow::Result<()> {
    let listener = listen(args.listen)?;
    run_on(listener, args, shell, |_| ()).await
}

/// Runs a gateway on a listener; `ready` is told the address once clients are let in.
///
/// # Errors
/// Options that contradict each other.
pub async fn run_on(
    listener: TcpListener,
    args: Args,
    shell: Shell,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let registration = shell.readiness.register("gateway");
    let address = listener.local_addr()?;
    let settings = args.settings()?;
    let metrics = Arc::new(Metrics::new(&shell.metrics)?);
    let door = Door::new(&args, &shell.metrics)?;
    // Before anything is begun: without its certificate nothing comes of it.
    let tls = args.tls.load()?;
    let verifier = args.issuers.verifier(&shell.bus)?;
    let access = Arc::new(Access::new(args::seconds(args.access_grace_seconds)));
    // The hub outlives the shutdown: what is on its way still reaches clients that are being drained.
    let ended = CancellationToken::new();
    let _guard = ended.clone().drop_guard();

    let Wiring { seats, deliveries, controls, inbox } = wire(&args, shell.health.event_loops())?;
    let memory = Arc::new(Memory::new(usize::try_from(args.recent_bytes)?));
    let history = history::start(shell.bus.clone(), memory.clone(), metrics.clone(), ended.clone());
    let hub = hub::start(
        shell.bus.clone(),
        deliveries,
        hub::Settings { heads_interval: args::seconds(args.heads_interval_seconds), memory },
        metrics.clone(),
        ended.clone(),
    );
    let follower = Follower {
        bus: shell.bus.clone(),
        hub: hub.clone(),
        listener: seats.len(),
        inbox,
        access: access.clone(),
        verifier: verifier.clone(),
        prefixed_ids: args.issuers.bare_ids_owner() != CARILLON,
        workers: controls.clone(),
        is_known: AtomicBool::new(false),
        resets: AtomicU64::new(0),
        keys_changed: Notify::new(),
    };
    let following = tokio::spawn(follower.run());
    let authenticator = Authenticator::new(verifier, access.clone());
    let gateway = Arc::new(Gateway::new(&shell, (hub, history), authenticator, metrics, settings, door));
    gateway.limits.quotas.log();
    gateway.metrics.max_connections.set(gateway.limits.quotas.connections.into());
    shell.metrics.register(Box::new(limits::Elsewhere::new(gateway.limits.clone())?))?;
    let left = CancellationToken::new();
    let telling = limits::tell(&gateway.limits, &gateway.bus, &left);
    let reporting = telemetry::report(&gateway, &controls, &left);
    telemetry::answer(&gateway, &controls, &left);

    leases::keep(&gateway, &controls, &ended);

    let listeners = Listeners::open(listener, &args.tls, tls, &shell.metrics, &ended)?;
    let server = server::build(&gateway, listeners, seats, &args.cors_origins)?;
    let handle = server.handle();
    let serving = actix_rt::spawn(server);
    announce(&registration, &gateway);
    let serves = async {
        until_current(&gateway).await;
        tracing::info!(%address, "the gateway lets clients in");
        ready(address);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = shell.shutdown.cancelled() => {}
        () = serves => {}
        // Its connections would hear nothing any more, and never learn of it: better none than those.
        () = failed(&gateway, &controls) => anyhow::bail!("a part of the gateway failed"),
    }
    registration.unready();
    begin_draining(&gateway, args::seconds(args.drain_seconds));
    drain(&controls, args::seconds(args.drain_seconds)).await;
    // Others learn of the last connections' ends, and that no more will come.
    left.cancel();
    telling.await.context("telling other gateways")?;
    reporting.await.context("telling what was counted")?;
    handle.stop(true).await;
    following.abort();
    serving.await.context("the server's task")?.context("serving")
}

/// The channels between the hub, the follower of `access`, and the workers.
struct Wiring {
    seats: Vec<Seat>,
    deliveries: Vec<mpsc::Sender<Vec<hub::Delivery>>>,
    controls: Vec<mpsc::Sender<Control>>,
    /// Where the follower's deliveries arrive.
    inbox: mpsc::Receiver<Vec<hub::Delivery>>,
}

fn wire(args: &Args, event_loops: &EventLoops) -> anyhow::Result<Wiring> {
    let (mut seats, mut deliveries, mut controls) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..args.worker_count() {
        let (delivery_sender, delivery_receiver) = mpsc::channel(DELIVERIES);
        let (control_sender, control_receiver) = mpsc::channel(CONTROLS);
        seats.push(Seat {
            number,
            bounds: args.bounds()?,
            deliveries: delivery_receiver,
            controls: control_receiver,
            event_loops: event_loops.clone(),
        });
        deliveries.push(delivery_sender);
        controls.push(control_sender);
    }
    let (sender, inbox) = mpsc::channel(DELIVERIES);
    deliveries.push(sender);
    Ok(Wiring { seats, deliveries, controls, inbox })
}

/// Ready means: connected to the bus, and current about who may come in.
fn announce(registration: &Registration, gateway: &Arc<Gateway>) {
    let gateway = gateway.clone();
    registration.ready(move || {
        let gateway = gateway.clone();
        async move {
            match (gateway.bus.is_connected(), gateway.authenticator.is_current()) {
                (false, _) => Err("the bus is not connected".to_owned()),
                (_, false) => Err("auth can't be reached".to_owned()),
                (true, true) => Ok(()),
            }
        }
    });
}

/// Waits until the hub or a worker has ended, which only a panic can make it do.
async fn failed(gateway: &Gateway, workers: &[mpsc::Sender<Control>]) {
    let workers = select_all(workers.iter().map(|worker| Box::pin(worker.closed())));
    tokio::select! {
        () = gateway.hub.ended() => {}
        _ = workers => {}
    }
}

async fn until_current(gateway: &Gateway) {
    while !gateway.authenticator.is_current() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// From here on nobody is let in, and everyone can see why.
fn begin_draining(gateway: &Gateway, window: Duration) {
    let metrics = &gateway.metrics.drain;
    metrics.window.set((window + LAST_GOODBYES).as_secs_f64());
    metrics.started.set(clock::now() as f64 / 1e6);
    metrics.draining.set(1);
    gateway.draining.store(true, Ordering::Relaxed);
}

/// Sends every client away, spread over the window, and waits until they are gone.
async fn drain(workers: &[mpsc::Sender<Control>], window: Duration) {
    let (done, mut all_done) = mpsc::channel(1);
    for worker in workers {
        // A worker that has ended has no connections.
        let _ = worker.send(Control::Drain(Draining { window, done: done.clone() })).await;
    }
    drop(done);
    let finished = tokio::time::timeout(window + LAST_GOODBYES, all_done.recv()).await;
    tracing::info!(complete = finished.is_ok(), "clients were sent elsewhere");
}
