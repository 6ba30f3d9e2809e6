//! What only a bus with a server can suffer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use carillon_bus::{Bus, Limits, NatsOptions, PublishError, RequestError, Signal, SubscribeError, Timing};
use carillon_contract::{ServiceName, Subject, messages::JwksRequest};
use futures_util::future;

use crate::{
    bed::{CONFIGURATION, DEADLINE, Echo, connect, eventually, next_text, signalled, soon},
    nats_server::NatsServer,
    request::Silent,
};

const SERVICE: ServiceName = ServiceName::Auth;
const MANY: usize = 3_000;
const SHORT: Timing = Timing { attempt: Duration::from_millis(300) };

fn subject() -> Subject {
    Subject::rpc::<JwksRequest>(SERVICE)
}

/// Says no to everything, and doesn't take long for it.
async fn is_away(bus: &Bus) {
    let begin = Instant::now();
    let error = soon(bus.request_within(&subject(), "x".into(), SHORT)).await.expect_err("an error");
    assert!(error.is_unavailable(), "{error}");
    assert_eq!(error, RequestError::Disconnected);
    assert!(begin.elapsed() >= SHORT.attempt);
    let published = soon(bus.publish(&Subject::test("a"), "lost".into())).await;
    assert_eq!(published, Err(PublishError::Disconnected));
    assert_eq!(soon(bus.flush()).await, Err(PublishError::Disconnected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_on_after_the_server_was_killed() {
    let mut server = NatsServer::start(CONFIGURATION);
    let here = connect(&server, Limits::default()).await;
    let there = connect(&server, Limits::default()).await;
    let serving = there.serve(SERVICE, 4, Echo::default()).await.expect("a server");
    // So many that it takes the client a moment to subscribe to them all again.
    let subjects: Vec<_> = (0..MANY).map(|number| Subject::test(&number.to_string())).collect();
    let subscriptions = subjects.iter().map(|subject| here.subscribe(subject.clone()));
    let mut subscriptions = soon(future::try_join_all(subscriptions)).await.expect("subscriptions");
    let (mut signals, mut signals_there) = (here.signals(), there.signals());
    for round in 0..3 {
        server.kill();
        signalled(&mut signals, Signal::Disconnected).await;
        eventually("no connection", || !here.is_connected()).await;
        is_away(&here).await;
        server.restart();
        signalled(&mut signals_there, Signal::Reconnected).await;
        signalled(&mut signals, Signal::Reconnected).await;
        // From the signal on, subscriptions hear everything again and servers answer.
        let text = format!("round {round}");
        for subject in &subjects {
            there.publish(subject, text.clone().into()).await.expect("published");
        }
        for subscription in &mut subscriptions {
            assert_eq!(next_text(subscription).await, text);
        }
        assert_eq!(here.request(&subject(), "x".into()).await.expect("a reply"), "x");
    }
    soon(serving.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_waits_for_a_connection_that_comes_back() {
    let mut server = NatsServer::start(CONFIGURATION);
    let bus = connect(&server, Limits::default()).await;
    let _serving = bus.serve(SERVICE, 4, Echo::default()).await.expect("a server");
    let mut signals = bus.signals();
    server.kill();
    signalled(&mut signals, Signal::Disconnected).await;
    let patient = Timing { attempt: Duration::from_secs(30) };
    let asking = tokio::spawn({
        let bus = bus.clone();
        async move { bus.request_within(&subject(), "x".into(), patient).await }
    });
    server.restart();
    assert_eq!(soon(asking).await.expect("an end").expect("a reply"), "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_lost_under_way_is_sent_again_on_the_next_connection() {
    let mut server = NatsServer::start(CONFIGURATION);
    let bus = connect(&server, Limits::default()).await;
    let handler = Silent { calls: Arc::default(), silent: 1 };
    let calls = Arc::clone(&handler.calls);
    let _serving = bus.serve(SERVICE, 4, handler).await.expect("a server");
    let asking = tokio::spawn({
        let bus = bus.clone();
        async move { bus.request_within(&subject(), "the same".into(), Timing { attempt: 2 * DEADLINE }).await }
    });
    eventually("a call", || calls.load(Ordering::SeqCst) == 1).await;
    server.kill();
    server.restart();
    // Sooner than the first attempt's deadline.
    assert_eq!(soon(asking).await.expect("an end").expect("a reply"), "the same");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_may_start_before_the_server() {
    let mut server = NatsServer::start(CONFIGURATION);
    server.kill();
    let bus = Bus::connect(NatsOptions::new(server.url(), "test")).await.expect("a bus");
    assert!(!bus.is_connected());
    is_away(&bus).await;
    let subscribed = soon(bus.subscribe(Subject::test("a"))).await;
    assert_eq!(subscribed.expect_err("an error"), SubscribeError::Unavailable);
    server.restart();
    eventually("a connection", || bus.is_connected()).await;
    let mut subscription = bus.subscribe(Subject::test("a")).await.expect("a subscription");
    bus.publish(&Subject::test("a"), "x".into()).await.expect("published");
    assert_eq!(next_text(&mut subscription).await, "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_confirms_nothing() {
    let server = NatsServer::start(CONFIGURATION);
    let bus = connect(&server, Limits::default()).await;
    server.signal("STOP");
    let subscribed = soon(bus.subscribe(Subject::test("a"))).await;
    assert_eq!(subscribed.expect_err("an error"), SubscribeError::Unavailable);
    let requested = soon(bus.request_within(&subject(), "x".into(), SHORT)).await;
    assert!(requested.expect_err("an error").is_unavailable());
    server.signal("CONT");
    let mut subscription = bus.subscribe(Subject::test("a")).await.expect("a subscription");
    bus.publish(&Subject::test("a"), "x".into()).await.expect("published");
    assert_eq!(next_text(&mut subscription).await, "x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_servers_smaller_limit_counts() {
    let server = NatsServer::start("max_payload: 64KB\n");
    let bus = connect(&server, Limits::default()).await;
    let mut signals = bus.signals();
    let published = bus.publish(&Subject::test("a"), vec![0; 64 * 1024].into()).await;
    assert_eq!(published, Err(PublishError::TooLarge));
    let requested = bus.request(&subject(), vec![0; 64 * 1024].into()).await;
    assert_eq!(requested, Err(RequestError::TooLarge));
    bus.flush().await.expect("flushed");
    assert!(signals.try_recv().is_err(), "the connection was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_may_use_its_own_inbox_only_is_enough() {
    const ACCOUNT: &str = r#"
        authorization {
          users = [ {
            user: test, password: "s@cret"
            permissions: { publish: ["rpc.>", "_INBOX_test.>"], subscribe: ["rpc.auth.*", "_INBOX_test.>"] }
          } ]
        }"#;
    let server = NatsServer::start(ACCOUNT);
    let mut options = NatsOptions::new(server.url(), "test");
    let stranger = Bus::connect(options.clone()).await.expect("a bus");
    options.servers = options.servers.replace("nats://", "nats://test:s%40cret@");
    let bus = Bus::connect(options).await.expect("a bus");
    let serving = bus.serve(SERVICE, 4, Echo::default()).await.expect("a server");
    assert_eq!(bus.request(&subject(), "x".into()).await.expect("a reply"), "x");
    assert!(!stranger.is_connected());
    soon(serving.stop()).await;
}
