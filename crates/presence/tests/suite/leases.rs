//! Gateways that no longer renew.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use carillon_presence::{Clock, GRACE, LEASE, PresenceOptions};
use carillon_testkit::service::{Place, until};
use tokio_util::sync::CancellationToken;

use crate::world::{World, entries};

const A: &str = "room.a";

pub(crate) async fn a_renewed_lease_keeps_its_connections(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    let generation = world.replicas[0].renew("g").await.unwrap();
    for replica in [1, 0, 1] {
        world.pass(LEASE - Duration::from_micros(1));
        world.sweep().await;
        assert_eq!(world.replicas[replica].renew("g").await.unwrap(), generation);
    }
    // Nobody has noticed that it was late: nothing was lost.
    world.pass(LEASE * 2);
    assert_eq!(world.replicas[0].renew("g").await.unwrap(), generation);
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann");
}

pub(crate) async fn a_lapsed_lease_takes_its_connections(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    world.enter("g:2", "bob", &[A]).await;
    world.enter("h:3", "ann", &[A]).await;
    let generation = world.replicas[0].renew("g").await.unwrap();
    world.pass(LEASE / 2);
    world.replicas[0].renew("h").await.unwrap();
    world.pass(LEASE / 2);
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann +bob -bob");
    // It was alive after all: it learns of it, and enters what it has.
    assert_ne!(world.replicas[1].renew("g").await.unwrap(), generation);
    world.enter("g:2", "bob", &[A]).await;
    world.enter("g:1", "ann", &[A]).await;
    world.leave("h:3").await;
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann +bob -bob +bob");
}

/// A message of a gateway that is dead by then.
pub(crate) async fn a_late_entering_lapses_too(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    world.pass(LEASE);
    world.sweep().await;
    world.enter("g:2", "bob", &[A]).await;
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann -ann +bob");
    world.pass(LEASE);
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann -ann +bob -bob");
}

pub(crate) async fn connections_that_have_left_are_not_the_lease_s(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    world.enter("g:2", "bob", &[A]).await;
    world.leave_to_return("g:1").await;
    world.pass(LEASE);
    world.sweep().await;
    // Their gateway is back, and a message about them comes late.
    world.replicas[0].renew("g").await.unwrap();
    world.enter("g:1", "ann", &[A]).await;
    assert_eq!(world.announced(A).await.len(), 4);
    assert!(world.rows("SELECT connection FROM presence_entry").await.is_empty());
}

/// More connections than one transaction takes, by two replicas at once.
pub(crate) async fn a_big_gateway_dies(place: Place) {
    const CONNECTIONS: usize = 1_300;
    let world = World::start(place).await;
    let crowd = (0..CONNECTIONS).flat_map(|it| entries(&format!("g:{it}"), &format!("m{it}"), &[A]));
    world.replicas[0].enter(crowd.collect()).await.unwrap();
    world.enter("h:1", "ann", &[A]).await;
    world.pass(LEASE / 2);
    world.replicas[0].renew("h").await.unwrap();
    world.pass(LEASE / 2);
    world.sweep().await;
    let announced = world.announced(A).await;
    assert_eq!(announced.len(), 2 * CONNECTIONS + 1);
    assert_eq!(announced.last().unwrap()["size"], 1);
    assert_eq!(world.rows("SELECT member FROM presence_member").await, [["ann"]]);
}

/// Gateways could not renew while there was nobody to ask; who had left before leaves at once.
pub(crate) async fn a_process_that_starts_spares_leases(place: Place) {
    let lease = Duration::from_millis(500);
    let options = PresenceOptions {
        lease,
        grace: Duration::from_millis(10),
        sweep: Duration::from_millis(10),
        clock: Clock::System,
        ..Default::default()
    };
    let world = World::start_with(place, Arc::new(AtomicI64::new(0)), options).await;
    world.enter("g:1", "ann", &[A]).await;
    world.enter("g:2", "bob", &[A]).await;
    world.leave_to_return("g:2").await;
    let entered = carillon_store::now();
    until("the lease has lapsed", async || carillon_store::now() > entered + 500_000).await;
    let (started, shutdown) = (carillon_store::now(), CancellationToken::new());
    let running = tokio::spawn({
        let (replica, shutdown) = (world.replicas[0].clone(), shutdown.clone());
        async move { replica.run(shutdown).await }
    });
    until("both have left", async || world.announced(A).await.len() == 4).await;
    assert!(carillon_store::now() >= started + 500_000);
    assert_eq!(world.story(A).await, "+ann +bob -bob -ann");
    shutdown.cancel();
    running.await.unwrap();
}

/// A topic that was forgotten doesn't repeat the versions of its first life.
pub(crate) async fn what_is_no_longer_needed_is_forgotten(place: Place) {
    let world = World::start(place).await;
    for connection in ["g:1", "g:2", "g:3"] {
        world.enter(connection, "ann", &[A]).await;
        world.leave(connection).await;
    }
    world.enter("h:1", "bob", &["room.b"]).await;
    world.leave_to_return("h:1").await;
    world.pass(GRACE + Duration::from_secs(7_200));
    world.replicas[0].renew("h").await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (replica, shutdown) = (world.replicas[0].clone(), shutdown.clone());
        async move { replica.run(shutdown).await }
    });
    until("forgotten", async || world.rows("SELECT lease FROM presence_lease").await == [["h"]]).await;
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(world.rows("SELECT topic FROM presence_topic").await, [["room.b"]]);
    assert!(world.rows("SELECT connection FROM presence_connection").await.is_empty());
    world.enter("g:4", "ann", &[A]).await;
    let announced = world.announced(A).await;
    let versions: Vec<_> = announced.iter().map(|event| event["version"].as_i64().unwrap()).collect();
    assert!(versions.len() == 7 && versions.is_sorted_by(|one, next| one < next), "{versions:?}");
}
