//! Members come and go, whatever the number and order of messages about their connections.

use carillon_contract::Channel;
use carillon_presence::{GRACE, members, present, present_in, size, sizes, topics_with_prefix};
use carillon_testkit::service::{Listener, Place};

use crate::world::{World, entries};

const A: &str = "room.a";
const B: &str = "room.b";

/// Two tabs are one user (S2-03).
pub(crate) async fn the_first_and_the_last_connection_are_announced(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A, B]).await;
    world.enter("h:2", "ann", &[A]).await;
    world.leave("g:1").await;
    assert_eq!((world.story(A).await, world.story(B).await), ("+ann".into(), "+ann -ann".into()));
    world.leave("h:2").await;
    assert_eq!(world.story(A).await, "+ann -ann");
    let last = &world.announced(A).await[1];
    assert_eq!((last["size"].as_i64(), last["connection"].as_str()), (Some(0), Some("h:2")));
    assert_eq!(last["detail"], "ann by h:2");
}

pub(crate) async fn an_announcement_is_published_when_the_call_returns(place: Place) {
    let world = World::start(place).await;
    let mut live = Listener::new(&world.bus, &A.parse::<Channel>().unwrap()).await;
    world.enter("g:1", "ann", &[A]).await;
    assert_eq!(live.json().await["joined"], true);
    world.leave("g:1").await;
    assert_eq!(live.next().await.offset, 2);
}

pub(crate) async fn repeated_messages_change_nothing(place: Place) {
    let world = World::start(place).await;
    for replica in [0, 1, 0] {
        world.replicas[replica].enter(entries("g:1", "ann", &[A, B])).await.unwrap();
    }
    world.enter("g:1", "ann", &[A, A]).await;
    assert_eq!(
        world.rows("SELECT topic, connections FROM presence_member ORDER BY topic").await,
        [[A, "1"], [B, "1"]]
    );
    for _ in 0..3 {
        world.leave("g:1").await;
    }
    world.leave_to_return("g:1").await;
    world.pass(GRACE);
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann -ann");
}

pub(crate) async fn a_late_entering_makes_no_ghost(place: Place) {
    let world = World::start(place).await;
    world.leave("g:1").await;
    world.leave_to_return("g:2").await;
    world.enter("g:1", "ann", &[A]).await;
    world.enter("g:2", "bob", &[A]).await;
    world.pass(GRACE);
    world.sweep().await;
    world.enter("g:2", "bob", &[A]).await;
    assert_eq!(world.story(A).await, "");
    assert!(world.rows("SELECT connection FROM presence_entry").await.is_empty());
}

/// A rolling update does not make everyone flicker.
pub(crate) async fn a_client_that_returns_has_never_left(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    world.leave_to_return("g:1").await;
    world.pass(GRACE / 2);
    world.sweep().await;
    world.enter("h:1", "ann", &[A]).await;
    world.pass(GRACE);
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann");
    assert_eq!(world.rows("SELECT connection FROM presence_entry").await, [["h:1"]]);
}

pub(crate) async fn a_client_that_does_not_return_leaves_in_the_end(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A]).await;
    world.enter("g:2", "bob", &[A]).await;
    world.leave_to_return("g:1").await;
    world.leave_to_return("g:2").await;
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann +bob");
    // It closed its other connection properly, and says so about this one too.
    world.leave("g:2").await;
    assert_eq!(world.story(A).await, "+ann +bob -bob");
    world.pass(GRACE);
    world.sweep().await;
    assert_eq!(world.story(A).await, "+ann +bob -bob -ann");
}

/// A participant who is removed leaves at once, with every connection, in the transaction that removes it.
pub(crate) async fn a_member_is_ended_within_a_transaction(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A, B]).await;
    world.enter("h:2", "ann", &[A]).await;
    world.enter("h:3", "bob", &[A]).await;
    for commit in [false, true] {
        let mut tx = world.database.begin().await.unwrap();
        let events = world.replicas[0].end(&mut tx, &[(A, "ann"), (A, "nobody")]).await.unwrap();
        assert_eq!(events.len(), 1);
        if commit {
            world.log.append(&mut tx, &events).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
    world.leave("g:1").await;
    world.leave("h:2").await;
    assert_eq!((world.story(A).await, world.story(B).await), ("+ann +bob -ann".into(), "+ann -ann".into()));
}

pub(crate) async fn questions_are_answered_of_one_state(place: Place) {
    let world = World::start(place).await;
    world.enter("g:1", "ann", &[A, B, "room.c", "document.a"]).await;
    world.pass(GRACE);
    world.enter("g:2", "bob", &[A]).await;
    world.enter("g:3", "ann", &[A]).await;
    world.enter("g:4", "cat", &["room.d"]).await;
    world.leave("g:4").await;
    let mut snapshot = world.database.snapshot().await.unwrap();
    let there = members(&mut snapshot, A, 10).await.unwrap();
    let names: Vec<_> = there.iter().map(|member| (member.member.as_str(), member.detail.as_str())).collect();
    assert_eq!(names, [("ann", "ann by g:3"), ("bob", "bob by g:2")]);
    assert!(there[0].since < there[1].since);
    assert_eq!(members(&mut snapshot, A, 1).await.unwrap().len(), 1);
    assert_eq!(size(&mut snapshot, A).await.unwrap(), 2);
    assert_eq!(size(&mut snapshot, "room.nowhere").await.unwrap(), 0);
    let sizes = sizes(&mut snapshot, &[A, B, "room.d", "room.nowhere"]).await.unwrap();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [(A.to_owned(), 2), (B.to_owned(), 1)]);
    let present = present(&mut snapshot, A, &["ann", "cat", "bob"]).await.unwrap();
    assert_eq!(present.into_iter().collect::<Vec<_>>(), ["ann", "bob"]);
    let places = [(A, "ann"), (A, "cat"), (B, "ann"), ("room.d", "bob")];
    let present = present_in(&mut snapshot, &places).await.unwrap();
    let here = |topic: &str| (topic.to_owned(), "ann".to_owned());
    assert_eq!(present.into_iter().collect::<Vec<_>>(), [here(A), here(B)]);
    let first = topics_with_prefix(&mut snapshot, "room.", "", 2).await.unwrap();
    assert_eq!(first, [A, B]);
    assert_eq!(topics_with_prefix(&mut snapshot, "room.", B, 2).await.unwrap(), ["room.c"]);
}
