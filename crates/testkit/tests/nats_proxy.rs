//! The proxy in front of NATS, through the bus that it is to disturb.

use std::time::Duration;

use carillon_bus::{Bus, NatsOptions, Signal, Subscription};
use carillon_contract::Subject;
use carillon_testkit::{DEADLINE, Nats, NatsProxy};
use futures_util::StreamExt;
use tokio::{sync::broadcast, time::timeout};

const SUBJECT: &str = "proxy";

async fn connect(url: &str) -> Bus {
    let options = NatsOptions::new(url, "test");
    let bus = timeout(Duration::from_secs(20), Bus::connect(options)).await.expect("in time").expect("a bus");
    // The connection is made in the background; a subscription waits for it.
    drop(bus.subscribe(Subject::test("connection")).await.expect("connected"));
    bus
}

async fn publish(bus: &Bus, text: &'static str) {
    bus.publish(&Subject::test(SUBJECT), text.as_bytes().into()).await.expect("published");
}

async fn next(subscription: &mut Subscription) -> String {
    let message = timeout(DEADLINE, subscription.next()).await.expect("in time").expect("a message");
    String::from_utf8_lossy(&message.payload).into_owned()
}

async fn wait_for(signals: &mut broadcast::Receiver<Signal>, wanted: Signal) {
    let arrived = async { while signals.recv().await.expect("a signal") != wanted {} };
    timeout(DEADLINE, arrived).await.expect("in time");
}

#[tokio::test]
async fn a_chosen_message_is_lost_and_the_others_are_not() {
    let nats = Nats::start().await.expect("a NATS server");
    let proxy = NatsProxy::start(&nats).await.expect("a proxy");
    let (near, far) = (connect(&nats.url()).await, connect(&proxy.url()).await);
    let mut subscription = far.subscribe(Subject::test(SUBJECT)).await.expect("subscribed");
    publish(&near, "one").await;
    assert_eq!(next(&mut subscription).await, "one");
    proxy.lose(Subject::test(SUBJECT).as_str(), 1);
    publish(&near, "two").await;
    proxy.wait_until_lost(1).await.expect("lost");
    publish(&near, "three").await;
    assert_eq!(next(&mut subscription).await, "three");
}

#[tokio::test]
async fn a_cut_connection_comes_back_when_restored() {
    let nats = Nats::start().await.expect("a NATS server");
    let proxy = NatsProxy::start(&nats).await.expect("a proxy");
    let (near, far) = (connect(&nats.url()).await, connect(&proxy.url()).await);
    let mut subscription = far.subscribe(Subject::test(SUBJECT)).await.expect("subscribed");
    let mut signals = far.signals();
    proxy.cut();
    wait_for(&mut signals, Signal::Disconnected).await;
    proxy.restore();
    wait_for(&mut signals, Signal::Reconnected).await;
    publish(&near, "again").await;
    assert_eq!(next(&mut subscription).await, "again");
}
