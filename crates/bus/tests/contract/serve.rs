//! Servers.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, RefusalKind, RequestError, Timing};
use carillon_contract::{
    GatewayId, ServiceName, Subject,
    messages::{DisconnectReply, DisconnectRequest, JwksRequest},
};
use futures_util::{future, poll};
use prost::Message;
use tokio::sync::Semaphore;

use crate::bed::{DEADLINE, Echo, Kind, eventually, soon};

const SERVICE: ServiceName = ServiceName::Auth;

/// Answers once the gate lets it, and knows how many wait there.
#[derive(Clone)]
struct Gated {
    gate: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Gated {
    fn new() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), waiting: Arc::default(), most: Arc::default() }
    }

    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

impl Handler for Gated {
    async fn handle(&self, _: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        self.gate.acquire().await.expect("a gate").forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        Ok(payload)
    }
}

async fn ask(bus: &Bus, payload: &'static str, attempt: Duration) -> Result<Bytes, RequestError> {
    bus.request_within(&Subject::rpc::<JwksRequest>(SERVICE), payload.into(), Timing { attempt }).await
}

pub(crate) async fn a_panic_is_refused_and_survived(kind: Kind) {
    struct Panics;

    impl Handler for Panics {
        async fn handle(&self, _: &str, payload: Bytes) -> Result<Bytes, Refusal> {
            assert_ne!(payload, "panic", "as the test wants it");
            Ok(payload)
        }
    }

    let bed = kind.start();
    // With one request at a time, a permit that were not given back would show.
    let _server = bed.bus().await.serve(SERVICE, 1, Panics).await.expect("a server");
    let bus = bed.bus().await;
    for _ in 0..3 {
        let error = ask(&bus, "panic", DEADLINE).await.expect_err("an error");
        assert!(matches!(error, RequestError::Refused(refusal) if refusal.kind == RefusalKind::Internal));
        assert_eq!(ask(&bus, "go on", DEADLINE).await.expect("a reply"), "go on");
    }
}

pub(crate) async fn one_gateway_is_asked_and_no_other(kind: Kind) {
    struct Gateway(u32);

    impl Handler for Gateway {
        async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
            let request = DisconnectRequest::decode(payload).expect("a request");
            let reply = DisconnectReply { found: true, code: self.0, reason: request.connection };
            assert_eq!(method, "disconnect");
            Ok(reply.encode_to_vec().into())
        }
    }

    let bed = kind.start();
    let ids = [1, 2].map(GatewayId::from);
    let mut servers = Vec::new();
    for (code, id) in (1..).zip(&ids) {
        let server = bed.bus().await.serve_gateway(id, 1, Gateway(code)).await.expect("a server");
        servers.push(server);
    }
    let bus = bed.bus().await;
    let ask = async |id: &GatewayId| {
        let request = DisconnectRequest { connection: format!("{id}-7") };
        bus.call_gateway(id, &request, Timing { attempt: DEADLINE }).await
    };
    for (code, id) in (1..).zip(&ids) {
        let reply = ask(id).await.expect("a reply");
        assert_eq!((reply.code, reply.reason), (code, format!("{id}-7")));
    }
    servers.remove(0).stop().await;
    assert_eq!(ask(&ids[0]).await, Err(RequestError::NoResponders));
    assert!(ask(&ids[1]).await.is_ok());
}

pub(crate) async fn concurrency_is_bounded(kind: Kind) {
    const REQUESTS: usize = 10;
    let bed = kind.start();
    let handler = Gated::new();
    let _server = bed.bus().await.serve(SERVICE, 2, handler.clone()).await.expect("a server");
    let bus = bed.bus().await;
    let requests = tokio::spawn(async move {
        let requests = (0..REQUESTS).map(|_| ask(&bus, "x", DEADLINE));
        future::try_join_all(requests).await.expect("replies").len()
    });
    eventually("two requests at the gate", || handler.waiting() == 2).await;
    handler.gate.add_permits(REQUESTS);
    assert_eq!(soon(requests).await.expect("replies"), REQUESTS);
    assert_eq!(handler.most.load(Ordering::SeqCst), 2);
}

pub(crate) async fn stopping_finishes_what_runs(kind: Kind) {
    let bed = kind.start();
    let handler = Gated::new();
    let server = bed.bus().await.serve(SERVICE, 100, handler.clone()).await.expect("a server");
    let bus = bed.bus().await;
    let running = tokio::spawn({
        let bus = bus.clone();
        async move { ask(&bus, "x", DEADLINE).await }
    });
    eventually("a request at the gate", || handler.waiting() == 1).await;
    let stopping = tokio::spawn(server.stop());
    // Whoever asks until the server has unsubscribed may still be taken on, and waits at the gate.
    let refused =
        async { while ask(&bus, "y", Duration::from_millis(50)).await != Err(RequestError::NoResponders) {} };
    soon(refused).await;
    assert!(!stopping.is_finished());
    assert!(!running.is_finished());
    handler.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    assert_eq!(soon(running).await.expect("an end").expect("a reply"), "x");
    soon(stopping).await.expect("an end");
    assert_eq!(handler.waiting(), 0);
}

pub(crate) async fn stopping_finishes_what_waits(kind: Kind) {
    let bed = kind.start();
    let (handler, serving, bus) = (Gated::new(), bed.bus().await, bed.bus().await);
    let server = serving.serve(SERVICE, 1, handler.clone()).await.expect("a server");
    let (mut first, mut second) = (pin!(ask(&bus, "x", DEADLINE)), pin!(ask(&bus, "y", DEADLINE)));
    // Sent by now, and after these round trips in the server's queue.
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    bus.flush().await.expect("flushed");
    serving.flush().await.expect("flushed");
    eventually("a request at the gate", || handler.waiting() == 1).await;
    let stopping = tokio::spawn(server.stop());
    handler.gate.add_permits(2);
    let (first, second) = soon(future::join(first, second)).await;
    assert_eq!((first.expect("a reply"), second.expect("a reply")), ("x".into(), "y".into()));
    soon(stopping).await.expect("an end");
}

pub(crate) async fn a_replica_that_stops_costs_no_request(kind: Kind) {
    const ROUNDS: usize = 5;
    let bed = kind.start();
    let _staying = bed.bus().await.serve(SERVICE, 8, Echo::default()).await.expect("a server");
    let (bus, done) = (bed.bus().await, Arc::new(AtomicBool::new(false)));
    let asking = (0..8).map(|_| {
        let (bus, done) = (bus.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                ask(&bus, "x", Duration::from_secs(5)).await.expect("a reply");
            }
        })
    });
    let asking: Vec<_> = asking.collect();
    for _ in 0..ROUNDS {
        let echo = Echo::default();
        let server = bed.bus().await.serve(SERVICE, 8, echo.clone()).await.expect("a server");
        eventually("a share of the requests", || echo.calls() > 10).await;
        soon(server.stop()).await;
    }
    done.store(true, Ordering::SeqCst);
    soon(future::try_join_all(asking)).await.expect("every request answered");
}
