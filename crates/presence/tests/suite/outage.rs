//! The database goes away for longer than a lease lasts.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use carillon_presence::{Clock, PresenceOptions};
use carillon_store::now;
use carillon_testkit::{
    Durability, Postgres,
    service::{Place, until},
};
use tokio_util::sync::CancellationToken;

use crate::world::{World, entries};

const A: &str = "room.a";
const LEASE: Duration = Duration::from_secs(4);

/// Gateways could not renew, so nobody has left.
pub(crate) async fn leases_are_spared_after_an_outage(_: Place) {
    let server = Postgres::start(Durability::Process).await.unwrap();
    let options = PresenceOptions {
        lease: LEASE,
        sweep: Duration::from_millis(20),
        clock: Clock::System,
        ..Default::default()
    };
    let world = World::start_with(Place::at(server.url()), Arc::new(AtomicI64::new(0)), options).await;
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

async fn passed(time: Duration) {
    let end = now() + i64::try_from(time.as_micros()).unwrap();
    until("time has passed", async || now() > end).await;
}
