//! Requests and their replies.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use carillon_bus::{Handler, Limits, Refusal, RefusalKind, RequestError, Timing};
use carillon_contract::{
    ServiceName, Subject,
    messages::{JwksReply, JwksRequest},
};
use futures_util::future;
use prost::Message;

use crate::bed::{DEADLINE, Echo, Kind, eventually, soon};

const SERVICE: ServiceName = ServiceName::Auth;

fn subject() -> Subject {
    Subject::rpc::<JwksRequest>(SERVICE)
}

/// No attempt times out unless the test fails.
fn patient() -> Timing {
    Timing { attempt: DEADLINE }
}

pub(crate) async fn a_typed_call_is_answered(kind: Kind) {
    struct Answers;

    impl Handler for Answers {
        async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
            assert_eq!(method, "jwks");
            JwksRequest::decode(payload).expect("a request");
            Ok(JwksReply { jwks: "{}".into() }.encode_to_vec().into())
        }
    }

    let bed = kind.start();
    let server = bed.bus().await.serve(SERVICE, 1, Answers).await.expect("a server");
    let reply = bed.bus().await.call(SERVICE, &JwksRequest::default()).await.expect("a reply");
    assert_eq!(reply.jwks, "{}");
    soon(server.stop()).await;
}

pub(crate) async fn a_group_shares_requests_exactly_once(kind: Kind) {
    const REQUESTS: usize = 300;

    struct Tallies(Arc<Mutex<HashMap<Bytes, usize>>>, Echo);

    impl Handler for Tallies {
        async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
            *self.0.lock().expect("a lock").entry(payload.clone()).or_default() += 1;
            self.1.handle(method, payload).await
        }
    }

    let bed = kind.start();
    let tally = Arc::new(Mutex::new(HashMap::new()));
    let mut servers = Vec::new();
    for _ in 0..3 {
        let handler = Tallies(Arc::clone(&tally), Echo::default());
        let calls = handler.1.clone();
        servers.push((bed.bus().await.serve(SERVICE, 8, handler).await.expect("a server"), calls));
    }
    let (bus, subject) = (bed.bus().await, subject());
    let requests =
        (0..REQUESTS).map(|number| bus.request_within(&subject, number.to_string().into(), patient()));
    let replies = soon(future::try_join_all(requests)).await.expect("replies");
    assert!(replies.iter().enumerate().all(|(number, reply)| *reply == number.to_string()));
    let tally = tally.lock().expect("a lock");
    assert_eq!(tally.len(), REQUESTS);
    assert!(tally.values().all(|times| *times == 1));
    assert!(servers.iter().all(|(_, echo)| echo.calls() > 0));
}

/// Does not answer its first so many requests.
pub(crate) struct Silent {
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) silent: usize,
}

impl Handler for Silent {
    async fn handle(&self, _: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        assert_eq!(payload, "the same");
        if self.calls.fetch_add(1, Ordering::SeqCst) < self.silent {
            std::future::pending::<()>().await;
        }
        Ok(payload)
    }
}

pub(crate) async fn a_request_that_times_out_is_sent_twice(kind: Kind) {
    let bed = kind.start();
    let calls = Arc::new(AtomicUsize::new(0));
    let handler = Silent { calls: Arc::clone(&calls), silent: usize::MAX };
    let _server = bed.bus().await.serve(SERVICE, 8, handler).await.expect("a server");
    let timing = Timing { attempt: Duration::from_millis(100) };
    let bus = bed.bus().await;
    let begin = Instant::now();
    let error = soon(bus.request_within(&subject(), "the same".into(), timing)).await.expect_err("an error");
    assert!(begin.elapsed() >= 2 * timing.attempt);
    assert_eq!(error, RequestError::TimedOut);
    assert!(error.is_unavailable());
    eventually("two calls", || calls.load(Ordering::SeqCst) == 2).await;
}

pub(crate) async fn the_second_attempt_can_succeed(kind: Kind) {
    let bed = kind.start();
    let handler = Silent { calls: Arc::default(), silent: 1 };
    let _server = bed.bus().await.serve(SERVICE, 8, handler).await.expect("a server");
    let reply = bed.bus().await.request(&subject(), "the same".into()).await.expect("a reply");
    assert_eq!(reply, "the same");
}

pub(crate) async fn nobody_there_is_known_at_once(kind: Kind) {
    let bed = kind.start();
    let bus = bed.bus().await;
    let begin = Instant::now();
    let error = soon(bus.request_within(&subject(), "x".into(), patient())).await.expect_err("an error");
    assert_eq!(error, RequestError::NoResponders);
    assert!(error.is_unavailable());
    assert!(begin.elapsed() < patient().attempt);
}

pub(crate) async fn refusals_arrive_as_they_were_sent(kind: Kind) {
    const TEXT: &str = "of two lines\r\nand é";

    struct Refuses;

    impl Handler for Refuses {
        async fn handle(&self, _: &str, payload: Bytes) -> Result<Bytes, Refusal> {
            let kind = match &payload[..] {
                b"unavailable" => RefusalKind::Unavailable,
                b"unknown-method" => RefusalKind::UnknownMethod,
                b"malformed" => RefusalKind::Malformed,
                _ => RefusalKind::Internal,
            };
            Err(Refusal::new(kind, TEXT))
        }
    }

    let bed = kind.start();
    let _server = bed.bus().await.serve(SERVICE, 1, Refuses).await.expect("a server");
    let bus = bed.bus().await;
    for kind in
        [RefusalKind::Unavailable, RefusalKind::UnknownMethod, RefusalKind::Malformed, RefusalKind::Internal]
    {
        let error = bus.request(&subject(), kind.as_str().into()).await.expect_err("an error");
        assert_eq!(error.is_unavailable(), kind == RefusalKind::Unavailable);
        assert_eq!(error, RequestError::Refused(Refusal::new(kind, TEXT)));
    }
}

pub(crate) async fn payloads_of_requests_and_replies_have_a_limit(kind: Kind) {
    struct Grows;

    impl Handler for Grows {
        async fn handle(&self, _: &str, payload: Bytes) -> Result<Bytes, Refusal> {
            let length: usize = std::str::from_utf8(&payload).expect("text").parse().expect("a number");
            Ok(vec![0; length].into())
        }
    }

    let bed = kind.start();
    let _server = bed.bus().await.serve(SERVICE, 1, Grows).await.expect("a server");
    let (bus, largest) = (bed.bus().await, Limits::default().payload);
    let error = bus.request(&subject(), vec![0; largest + 1].into()).await.expect_err("an error");
    assert_eq!(error, RequestError::TooLarge);
    assert!(!error.is_unavailable());
    let reply = bus.request(&subject(), largest.to_string().into()).await.expect("a reply");
    assert_eq!(reply.len(), largest);
    let error = bus.request(&subject(), (largest + 1).to_string().into()).await.expect_err("an error");
    assert!(matches!(error, RequestError::Refused(refusal) if refusal.kind == RefusalKind::Internal));
}

pub(crate) async fn a_reply_that_cannot_be_decoded_is_malformed(kind: Kind) {
    struct Nonsense;

    impl Handler for Nonsense {
        async fn handle(&self, _: &str, _: Bytes) -> Result<Bytes, Refusal> {
            Ok(Bytes::from_static(&[0xff; 8]))
        }
    }

    let bed = kind.start();
    let _server = bed.bus().await.serve(SERVICE, 1, Nonsense).await.expect("a server");
    let error = bed.bus().await.call(SERVICE, &JwksRequest::default()).await.expect_err("an error");
    assert_eq!(error, RequestError::Malformed);
    assert!(!error.is_unavailable());
}
