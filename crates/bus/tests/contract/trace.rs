//! Trace context.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use carillon_bus::{Handler, Refusal, TraceContext};
use carillon_contract::{ServiceName, Subject, messages::JwksRequest};

use crate::bed::{Kind, next};

/// A place in a trace that is sampled, and in one that is not.
const PLACES: [&str; 2] = [
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
];

fn places() -> [TraceContext; 2] {
    PLACES.map(|place| TraceContext::parse(place).expect("a context"))
}

pub(crate) async fn a_trace_travels_with_a_message(kind: Kind) {
    let bed = kind.start();
    let bus = bed.bus().await;
    let subject = Subject::test("a");
    let mut subscription = bus.subscribe(subject.clone()).await.expect("a subscription");
    bus.publish(&subject, "without".into()).await.expect("published");
    assert_eq!(next(&mut subscription).await.trace, None);
    let [one, other] = places();
    for context in [one, other.with_state("vendor=1,other=2")] {
        let publishing = context.clone().scope(bus.publish(&subject, "with".into()));
        publishing.await.expect("published");
        assert_eq!(next(&mut subscription).await.trace, Some(context));
    }
}

pub(crate) async fn a_trace_travels_with_a_request(kind: Kind) {
    #[derive(Clone, Default)]
    struct Remembers(Arc<Mutex<Vec<Option<TraceContext>>>>);

    impl Handler for Remembers {
        async fn handle(&self, _: &str, payload: Bytes) -> Result<Bytes, Refusal> {
            self.0.lock().expect("a lock").push(TraceContext::current());
            Ok(payload)
        }
    }

    let bed = kind.start();
    let seen = Remembers::default();
    let _server = bed.bus().await.serve(ServiceName::Auth, 1, seen.clone()).await.expect("a server");
    let (bus, [context, _]) = (bed.bus().await, places());
    let subject = Subject::rpc::<JwksRequest>(ServiceName::Auth);
    bus.request(&subject, "x".into()).await.expect("a reply");
    context.clone().scope(bus.request(&subject, "x".into())).await.expect("a reply");
    let seen = seen.0.lock().expect("a lock");
    assert_eq!(seen[0], None);
    assert_eq!(seen[1], Some(context), "where nothing is recorded, the caller's place is carried on");
}
