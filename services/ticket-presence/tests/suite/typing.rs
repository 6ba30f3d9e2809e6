//! Who is typing where (S3-03), which is never stored.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use carillon_testkit::service::{Listener, Place, json_of, until};
use carillon_ticket_presence::{PresenceArgs, SettingsArgs};
use serde_json::{Value, json};

use crate::{
    attendance::{enter, say, story, tab, typing, viewing},
    world::{World, channel},
};

/// The ticket, whether somebody is typing there, and which connection isn't told.
async fn heard(listener: &mut Listener) -> (Value, bool, String) {
    loop {
        let event = listener.next().await;
        let frame = json_of(&event, "");
        if frame["type"] == "user_typing" {
            assert_eq!(event.offset, 0);
            let is_typing = frame["is_typing"].as_bool().unwrap();
            return (frame["ticket_id"].clone(), is_typing, event.except_connection);
        }
    }
}

/// Where each user is typing, as a newcomer is told.
async fn told(world: &World, name: &str) -> Vec<Value> {
    let greeting = enter(world, &tab("5", name)).await;
    greeting[0]["present"].as_array().unwrap().iter().map(|user| user["typing"].clone()).collect()
}

pub(crate) async fn it_is_told_to_the_others_and_not_stored(place: Place) {
    let world = World::start(place).await;
    let typist = tab("1", "a tab");
    enter(&world, &typist).await;
    let mut listener = world.listen(&channel("1", "presence")).await;
    say(&world, &typist, 1, &typing(7, true)).await;
    let event = listener.next().await;
    let expected = json!({
        "type": "user_typing", "ticket_id": 7, "user_id": 1, "username": "john", "is_typing": true,
    });
    assert_eq!((json_of(&event, ""), event.offset), (expected, 0));
    assert_eq!(event.except_connection, typist.connection);
    say(&world, &typist, 2, &typing("T", true)).await;
    assert_eq!(heard(&mut listener).await, (json!("T"), true, typist.connection.clone()));
    // Renewals are no news, and late ones change nothing.
    say(&world, &typist, 3, &typing(7, true)).await;
    say(&world, &typist, 1, &typing(7, false)).await;
    assert_eq!(told(&world, "a tab").await, [json!([7, "T"]), json!([])]);
    say(&world, &typist, 4, &typing(7, false)).await;
    assert_eq!(heard(&mut listener).await, (json!(7), false, typist.connection.clone()));
    assert_eq!(told(&world, "another tab").await, [json!(["T"]), json!([])]);
    assert_eq!(story(&world).await, "+1 +5");
}

/// Wherever it was.
pub(crate) async fn it_is_over_when_the_tab_closes(place: Place) {
    let world = World::start(place).await;
    let (one, other) = (tab("1", "one"), tab("1", "other"));
    for session in [&one, &other] {
        enter(&world, session).await;
    }
    let mut listener = world.listen(&channel("1", "presence")).await;
    for (number, ticket) in [(1, 7), (2, 8)] {
        say(&world, &one, number, &typing(ticket, true)).await;
        assert!(heard(&mut listener).await.1);
    }
    say(&world, &other, 1, &typing(9, true)).await;
    assert!(heard(&mut listener).await.1);
    world.close(&one, true).await;
    for ticket in [7, 8] {
        assert_eq!(heard(&mut listener).await, (json!(ticket), false, one.connection.clone()));
    }
    assert_eq!(told(&world, "a tab").await, [json!([9]), json!([])]);
}

pub(crate) async fn it_is_over_by_itself(place: Place) {
    let presence = PresenceArgs { projects_typing_for: Duration::from_millis(50) };
    let settings = SettingsArgs { presence, ..SettingsArgs::default() };
    let world = World::start_with(place, 1, settings).await;
    let typist = tab("1", "a tab");
    enter(&world, &typist).await;
    let mut listener = world.listen(&channel("1", "presence")).await;
    for number in 1..=2 {
        say(&world, &typist, number, &typing(7, true)).await;
        assert!(heard(&mut listener).await.1);
        assert_eq!(heard(&mut listener).await, (json!(7), false, typist.connection.clone()));
    }
}

/// Whichever replica heard of it, every one tells newcomers.
pub(crate) async fn every_replica_knows_of_it(place: Place) {
    let world = World::start_with(place, 2, SettingsArgs::default()).await;
    let typist = tab("1", "a tab");
    enter(&world, &typist).await;
    say(&world, &typist, 1, &viewing(7)).await;
    say(&world, &typist, 2, &typing(7, true)).await;
    // Requests go to either at random: thirty in a row have met both.
    let newcomers = AtomicU32::new(0);
    let knows = async || {
        let name = newcomers.fetch_add(1, Ordering::Relaxed);
        told(&world, &format!("tab {name}")).await[0] == json!([7])
    };
    until("every replica knows", async || {
        for _ in 0..30 {
            if !knows().await {
                return false;
            }
        }
        true
    })
    .await;
}
