//! The database, or the bus, goes away for longer than a lease lasts.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use carillon_bus::{Bus, NatsOptions};
use carillon_presence::{Clock, PresenceOptions};
use carillon_store::now;
use carillon_testkit::{
    Durability, Nats, NatsProxy, Postgres,
    service::{Place, until},
};
use tokio_util::sync::CancellationToken;

use crate::world::{World, entries};

const A: &str = "room.a";
const LEASE: Duration = Duration::from_secs(4);

/// Gateways could not renew, so nobody has left.
pub(crate) async fn leases_are_spared_after_an_outage(_: Place) {
    let server = Postgres::start(Durability::Process).await.unwrap();
    let world = start(Place::at(server.url())).await;
    let (replica, shutdown) = (world.replicas[0].clone(), CancellationToken::new());
    let running = tokio::spawn({
        let (replica, shutdown) = (replica.clone(), shutdown.clone());
        async move { replica.run(shutdown).await }
    });
    world.enter("dead:1", "bob", &[A]).await;
    world.enter("g:1", "ann", &[A]).await;
    until("the dead have left", async || {
        replica.renew("g").await.unwrap();
        world.announced(A).await.len() == 3
    })
    .await;
    server.kill().unwrap();
    passed(LEASE).await;
    server.start_again().await.unwrap();
    // Its first renewal takes a while.
    passed(LEASE / 4).await;
    until("renewed", async || replica.renew("g").await.is_ok()).await;
    until("entered", async || replica.enter(entries("late:1", "cat", &[A])).await.is_ok()).await;
    until("the dead have left", async || {
        replica.renew("g").await.unwrap();
        world.story(A).await.ends_with("-cat")
    })
    .await;
    shutdown.cancel();
    running.await.unwrap();
    assert!(!world.story(A).await.contains("-ann"), "{}", world.story(A).await);
}

/// No gateway could ask for a renewal.
pub(crate) async fn leases_are_spared_while_the_bus_is_away(place: Place) {
    let nats = Nats::start().await.unwrap();
    let proxy = NatsProxy::start(&nats).await.unwrap();
    // It is away to begin with, as when everything starts at once.
    proxy.cut();
    let bus = Bus::connect(NatsOptions::new(proxy.url(), "presence")).await.unwrap();
    let world = start(place).await;
    let (replica, shutdown) = (world.replicas[0].clone(), CancellationToken::new());
    let running = tokio::spawn({
        let (replica, bus, shutdown) = (replica.clone(), bus.clone(), shutdown.clone());
        async move { replica.keep(&bus, shutdown).await }
    });
    assert!(!bus.is_connected());
    proxy.restore();
    world.enter("dead:1", "bob", &[A]).await;
    world.enter("g:1", "ann", &[A]).await;
    let renewed = async |story: &str| {
        replica.renew("g").await.unwrap();
        world.story(A).await.ends_with(story)
    };
    until("the dead have left", async || renewed("-bob").await).await;
    proxy.cut();
    until("the bus is away", async || !bus.is_connected()).await;
    passed(2 * LEASE).await;
    assert_eq!(world.story(A).await, "+bob +ann -bob");
    proxy.restore();
    until("the bus is back", async || bus.is_connected()).await;
    world.enter("late:1", "cat", &[A]).await;
    until("the dead have left", async || renewed("-cat").await).await;
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(world.story(A).await, "+bob +ann -bob +cat -cat");
}

async fn start(place: Place) -> World {
    let options = PresenceOptions {
        lease: LEASE,
        sweep: Duration::from_millis(20),
        clock: Clock::System,
        ..Default::default()
    };
    World::start_with(place, Arc::new(AtomicI64::new(0)), options).await
}

async fn passed(time: Duration) {
    let end = now() + i64::try_from(time.as_micros()).unwrap();
    until("time has passed", async || now() > end).await;
}
