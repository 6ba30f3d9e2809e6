//! Where in a topic that they are in connections are: one ticket of a project, say.

use std::time::Duration;

use carillon_instruments::Registry;
use carillon_presence::{Cursor, GRACE, LEASE, members, members_after, positions};
use carillon_testkit::service::{Place, until};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::{
    crowd::figure,
    world::{World, position},
};

/// A scope, and topics of it.
const A: &str = "room.a";
const ONE: &str = "room.a.1";
const TWO: &str = "room.a.2";
/// Another scope.
const B: &str = "room.b";
const OTHER: &str = "room.b.1";

pub(crate) async fn a_connection_is_at_one_topic_at_a_time(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A, B]).await;
    world.go(position("g:1", "ann", A, Some(ONE), 1)).await;
    world.go(position("g:1", "ann", B, Some(OTHER), 2)).await;
    world.go(position("g:1", "ann", A, Some(TWO), 3)).await;
    assert_eq!((world.story(ONE).await, world.story(TWO).await), ("+ann -ann".into(), "+ann".into()));
    world.go(position("g:1", "ann", A, None, 4)).await;
    assert_eq!((world.story(TWO).await, world.story(OTHER).await), ("+ann -ann".into(), "+ann".into()));
    let left = &world.announced(TWO).await[1];
    assert_eq!((left["size"].as_i64(), left["detail"].as_str()), (Some(0), Some("ann by g:1")));
    assert_eq!(left["connection"], "g:1");
    assert_eq!(world.story(A).await, "+ann");
}

pub(crate) async fn two_tabs_are_one_member_there_too(place: Place) {
    let world = World::start(place).await;
    for connection in ["g:1", "h:2"] {
        world.enter(connection, "ann", &[A]).await;
        world.go(position(connection, "ann", A, Some(ONE), 1)).await;
    }
    world.go(position("g:1", "ann", A, Some(TWO), 2)).await;
    assert_eq!((world.story(ONE).await, world.story(TWO).await), ("+ann".into(), "+ann".into()));
    world.leave("h:2").await;
    assert_eq!((world.story(ONE).await, world.story(A).await), ("+ann -ann".into(), "+ann".into()));
}

pub(crate) async fn what_comes_again_or_late_changes_nothing(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    let frames = [Some(ONE), Some(TWO), None].into_iter().zip(1..);
    let frames: Vec<_> =
        frames.map(|(topic, number)| position("g:1", "ann", A, topic, number * 10)).collect();
    world.go(frames[1].clone()).await;
    for late in [0, 1, 0] {
        world.go(frames[late].clone()).await;
    }
    // Another one of the same number.
    world.go(position("g:1", "ann", A, Some(ONE), 20)).await;
    assert_eq!((world.story(ONE).await, world.story(TWO).await), (String::new(), "+ann".into()));
    world.go(frames[2].clone()).await;
    world.go(frames[1].clone()).await;
    assert_eq!((world.story(ONE).await, world.story(TWO).await), (String::new(), "+ann -ann".into()));
}

pub(crate) async fn only_who_is_in_the_scope_is_there(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[B]).await;
    world.go(position("g:1", "ann", A, Some(ONE), 1)).await;
    // One that is not known yet: its entering is still on its way.
    world.go(position("g:2", "bob", A, Some(TWO), 1)).await;
    assert_eq!((world.story(ONE).await, world.story(TWO).await), (String::new(), String::new()));
    assert_eq!(world.rows("SELECT connection FROM presence_connection").await, [["g:1"]]);
    world.enter("g:2", "bob", &[A]).await;
    assert_eq!((world.story(ONE).await, world.story(TWO).await), (String::new(), "+bob".into()));
    // And one that has left, or is about to.
    world.leave("g:2").await;
    world.leave_to_return("g:1").await;
    world.go(position("g:2", "bob", A, Some(ONE), 2)).await;
    world.go(position("g:1", "ann", B, Some(OTHER), 2)).await;
    assert_eq!((world.story(ONE).await, world.story(OTHER).await), (String::new(), String::new()));
    assert_eq!(world.story(TWO).await, "+bob -bob");
}

/// Its client may be back before anybody notices.
pub(crate) async fn a_position_ends_with_its_connection(place: Place) {
    let world = World::start(place).await;
    for (connection, member) in [("g:1", "ann"), ("g:2", "bob"), ("g:3", "cat")] {
        world.enter(connection, member, &[A]).await;
        world.go(position(connection, member, A, Some(ONE), 1)).await;
    }
    world.leave("g:1").await;
    world.leave_to_return("g:2").await;
    world.leave_to_return("g:3").await;
    world.pass(GRACE / 2);
    world.sweep().await;
    assert_eq!(world.story(ONE).await, "+ann +bob +cat -ann");
    world.enter("h:2", "bob", &[A]).await;
    world.go(position("h:2", "bob", A, Some(ONE), 1)).await;
    world.enter("h:3", "cat", &[A]).await;
    world.pass(GRACE);
    world.sweep().await;
    assert_eq!(world.story(ONE).await, "+ann +bob +cat -ann -cat");
    assert_eq!(world.story(A).await, "+ann +bob +cat -ann");
    assert_eq!(world.rows("SELECT connection FROM presence_position").await, [["h:2"]]);
}

/// A gateway finds that its lease has lapsed.
pub(crate) async fn whoever_is_entered_again_is_back(place: Place) {
    let world = World::start(place).await;
    for (connection, member) in [("g:1", "ann"), ("g:2", "bob"), ("g:3", "cat")] {
        world.enter(connection, member, &[A]).await;
        world.go(position(connection, member, A, Some(ONE), 5)).await;
    }
    world.pass(LEASE);
    world.sweep().await;
    assert_eq!(world.announced(ONE).await.len(), 6);
    assert_eq!(world.rows("SELECT topic FROM presence_member").await, Vec::<Vec<String>>::new());
    // Frames arrive before its renewal does, and one that was late anyway.
    world.go(position("g:2", "bob", A, Some(TWO), 6)).await;
    world.go(position("g:3", "cat", A, None, 6)).await;
    world.go(position("g:1", "ann", A, Some(TWO), 4)).await;
    assert_eq!(world.story(TWO).await, "");
    for (connection, member) in [("g:1", "ann"), ("g:2", "bob"), ("g:3", "cat")] {
        world.enter(connection, member, &[A]).await;
        world.enter(connection, member, &[A]).await;
    }
    assert!(world.story(ONE).await.ends_with(" +ann"), "{}", world.story(ONE).await);
    assert_eq!((world.announced(ONE).await.len(), world.story(TWO).await), (7, "+bob".into()));
    world.go(position("g:1", "ann", A, Some(TWO), 5)).await;
    assert_eq!(world.story(TWO).await, "+bob");
    world.leave("g:1").await;
    assert!(world.story(ONE).await.ends_with(" +ann -ann"), "{}", world.story(ONE).await);
}

/// Whoever is removed from a topic is at none of those whose scope it is.
pub(crate) async fn a_member_who_is_ended_is_nowhere(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A, B]).await;
    world.enter("h:2", "ann", &[A]).await;
    world.enter("h:3", "bob", &[A]).await;
    world.go(position("g:1", "ann", A, Some(ONE), 1)).await;
    world.go(position("g:1", "ann", B, Some(OTHER), 2)).await;
    world.go(position("h:2", "ann", A, Some(TWO), 1)).await;
    world.go(position("h:3", "bob", A, Some(ONE), 1)).await;
    let mut tx = world.database.begin().await.unwrap();
    let events = world.replicas[0].end(&mut tx, &[(A, "ann")]).await.unwrap();
    world.log.append(&mut tx, &events).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((world.story(A).await, world.story(B).await), ("+ann +bob -ann".into(), "+ann".into()));
    assert_eq!(
        (world.story(ONE).await, world.story(TWO).await),
        ("+ann +bob -ann".into(), "+ann -ann".into())
    );
    assert_eq!(world.story(OTHER).await, "+ann");
    // What it says until its connection is closed is said of nowhere.
    world.go(position("h:2", "ann", A, Some(TWO), 2)).await;
    world.leave("h:2").await;
    assert_eq!(world.story(TWO).await, "+ann -ann");
    let left = "SELECT connection, scope FROM presence_position ORDER BY connection";
    assert_eq!(world.rows(left).await, [["g:1", B], ["h:3", A]]);
}

pub(crate) async fn nothing_is_left_behind(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    world.go(position("g:1", "ann", A, Some(ONE), 1)).await;
    world.enter("h:1", "bob", &[A]).await;
    world.go(position("h:1", "bob", A, Some(ONE), 1)).await;
    world.enter("h:2", "cat", &[A]).await;
    world.go(position("h:2", "cat", A, None, 1)).await;
    world.pass(LEASE);
    world.sweep().await;
    world.enter("h:1", "bob", &[A]).await;
    world.pass(Duration::from_secs(2 * 86_400));
    world.replicas[0].renew("h").await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let (replica, shutdown) = (world.replicas[0].clone(), shutdown.clone());
        async move { replica.run(shutdown).await }
    });
    let left = "SELECT connection FROM presence_position";
    until("forgotten", async || world.rows(left).await == [["h:1"]]).await;
    shutdown.cancel();
    running.await.unwrap();
    assert!(world.story(ONE).await.ends_with("+bob"), "{}", world.story(ONE).await);
}

pub(crate) async fn pages_and_positions_are_read(place: Place) {
    let world = World::start(place).await;
    for (connection, member) in [("g:1", "cat"), ("g:2", "ann"), ("g:3", "bob"), ("g:4", "dan")] {
        // The last two come at the same time.
        world.pass(Duration::from_secs(u64::from(member != "dan")));
        world.enter(connection, member, &[A, B]).await;
    }
    world.enter("h:2", "ann", &[A]).await;
    world.go(position("g:2", "ann", A, Some(ONE), 1)).await;
    world.go(position("h:2", "ann", A, Some(TWO), 1)).await;
    world.go(position("g:3", "bob", A, Some(TWO), 1)).await;
    world.go(position("g:4", "dan", A, None, 1)).await;
    world.go(position("g:1", "cat", B, Some(OTHER), 1)).await;
    let mut snapshot = world.database.snapshot().await.unwrap();
    let mut names = Vec::new();
    let mut page = members(&mut snapshot, A, 1).await.unwrap();
    while let Some(last) = page.pop() {
        names.push(last.member.clone());
        page = members_after(&mut snapshot, A, Some(&Cursor::after(&last)), 1).await.unwrap();
    }
    assert_eq!(names, ["cat", "ann", "bob", "dan"]);
    let there = positions(&mut snapshot, A, &["ann", "bob", "cat", "dan", "eve"]).await.unwrap();
    let of =
        |member: &str| there.get(member).map(|topics| topics.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((of("ann"), of("bob")), (Some(vec![ONE, TWO]), Some(vec![TWO])));
    assert_eq!(there.len(), 2);
    assert!(positions(&mut snapshot, "room", &["ann"]).await.unwrap().is_empty());
    assert_eq!(positions(&mut snapshot, B, &["ann", "cat"]).await.unwrap()["cat"].len(), 1);
}

pub(crate) async fn a_crowd_that_moves_shares_transactions(place: Place) {
    const CROWD: usize = 400;
    let (world, registry) = (World::start(place).await, Registry::new());
    let crowd: Vec<_> =
        (0..CROWD).map(|number| (format!("g:{number}"), format!("m{}", number / 2))).collect();
    join_all(crowd.iter().map(|(connection, member)| world.enter(connection, member, &[A]))).await;
    world.database.register_metrics(&registry).unwrap();
    let before = figure(&registry, "carillon_store_group_commit_seconds");
    let spots = (1..=4).map(|spot| format!("{A}.{spot}")).collect::<Vec<_>>();
    let go = crowd.iter().enumerate().map(|(number, (connection, member))| {
        world.go(position(connection, member, A, Some(&spots[number % 4]), 1))
    });
    join_all(go).await;
    let transactions = figure(&registry, "carillon_store_group_commit_seconds") - before;
    assert!(transactions < CROWD as f64 / 10.0, "{transactions} transactions");
    let sizes = "SELECT DISTINCT members FROM presence_topic WHERE topic LIKE 'room.a._'";
    assert_eq!(world.rows(sizes).await, [["100"]]);
}
