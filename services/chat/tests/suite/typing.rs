//! Typing indicators (S4-04), which are never stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use carillon_bus::Subscription;
use carillon_chat::{ConversationArgs, SettingsArgs};
use carillon_contract::{
    ServiceName, Subject,
    messages::{ReplicaNotice, Typing, replica_notice::Notice},
};
use carillon_testkit::service::{Listener, Place, json_of};
use futures_util::StreamExt as _;
use prost::Message as _;
use serde_json::{Value, json};

use crate::{
    talk::{at, channel, connection, conversation, enter, said},
    world::World,
};

fn typing(is_typing: bool) -> Value {
    json!({"type": "typing_indicator", "is_typing": is_typing})
}

/// Whether typing goes on, as the next event tells, and for whom it is not.
async fn heard(listener: &mut Listener) -> (bool, String) {
    let event = listener.next().await;
    let frame = json_of(&event, "");
    assert_eq!((event.offset, &frame["type"]), (0, &json!("typing_indicator")));
    (frame["is_typing"].as_bool().unwrap(), event.except_connection)
}

fn for_only(duration: Duration) -> SettingsArgs {
    SettingsArgs { conversations: ConversationArgs { chat_typing_for: duration }, ..SettingsArgs::default() }
}

/// Document 4's frame, to everyone but the connection that is typing.
pub(crate) async fn it_is_told_to_the_others_and_not_stored(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2", "3"]).await;
    let mut listener = world.listen(&channel(id)).await;
    let typist = at(id, "1");
    world.frame(&typist, 1, &typing(true)).await;
    let event = listener.next().await;
    let person = json!({"id": 1, "first_name": "John", "last_name": "Doe", "username": "user-1"});
    assert_eq!(json_of(&event, ""), json!({"type": "typing_indicator", "user": person, "is_typing": true}));
    assert_eq!((event.offset, &event.except_connection), (0, &typist.connection));
    // Who comes now is told; renewals are no news.
    let greeting = enter(&world, &at(id, "2"), &[]).await;
    assert_eq!(greeting.last(), Some(&json_of(&event, "")));
    listener.next().await;
    world.frame(&typist, 2, &typing(true)).await;
    world.frame(&typist, 3, &typing(false)).await;
    assert_eq!(heard(&mut listener).await, (false, typist.connection.clone()));
    let stored = world.history(&channel(id)).await;
    assert!(stored.iter().all(|event| json_of(event, "")["type"] == "user_status"));
}

/// What has been sent is not being typed any more, nor what somebody who has gone was typing.
pub(crate) async fn it_is_over_when_the_message_is_sent_or_the_typist_goes(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let mut listener = world.listen(&channel(id)).await;
    let typist = at(id, "1");
    world.frame(&typist, 1, &typing(true)).await;
    assert!(heard(&mut listener).await.0);
    world.frame(&typist, 2, &said("done")).await;
    assert_eq!(listener.json().await["type"], "chat_message");
    assert!(!heard(&mut listener).await.0);
    world.frame(&typist, 3, &typing(true)).await;
    assert!(heard(&mut listener).await.0);
    // Another tab closes without having typed.
    world.close(&connection(id, "1", "another tab"), false).await;
    world.close(&typist, false).await;
    assert!(!heard(&mut listener).await.0);
    world.frame(&typist, 4, &said("the end")).await;
    assert_eq!(listener.json().await["message"]["content"], "the end");
}

/// It stops by itself.
pub(crate) async fn it_is_over_by_itself(place: Place) {
    let world = World::start_with(place, 1, for_only(Duration::from_millis(50))).await;
    let id = conversation(&world, &["1", "2"]).await;
    let mut listener = world.listen(&channel(id)).await;
    for number in 1..=2 {
        world.frame(&at(id, "1"), number, &typing(true)).await;
        assert!(heard(&mut listener).await.0);
        assert_eq!(heard(&mut listener).await, (false, at(id, "1").connection));
    }
}

/// Every replica knows who is typing, whichever heard it; when one dies, another tells that it is over.
pub(crate) async fn it_is_over_when_the_replica_that_heard_it_has_died(place: Place) {
    const USERS: u64 = 12;
    let mut world = World::start_with(place, 2, for_only(Duration::from_secs(4))).await;
    let mut notices = world.bus.subscribe(Subject::replicas(ServiceName::Chat)).await.unwrap();
    let names: Vec<String> = (1..=USERS).map(|user| user.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let id = conversation(&world, &names).await;
    let mut listener = world.listen(&channel(id)).await;
    let (mut owners, mut number) = (BTreeMap::new(), 0);
    // Both replicas have heard somebody last.
    while owners.values().collect::<BTreeSet<_>>().len() < 2 {
        number += 1;
        for name in &names {
            world.frame(&at(id, name), number, &typing(true)).await;
            let notice = next(&mut notices).await;
            owners.insert(notice.user, notice.replica);
        }
    }
    for _ in &names {
        assert!(heard(&mut listener).await.0);
    }
    world.stop(0).await;
    let mut over = BTreeSet::new();
    while over.len() < names.len() {
        let frame = listener.json().await;
        assert_eq!(frame["is_typing"], false);
        over.insert(frame["user"]["id"].as_u64().unwrap());
    }
}

/// A frame that another replica hears goes on from what the first one heard.
pub(crate) async fn replicas_agree_on_who_is_typing(place: Place) {
    let world = World::start_with(place, 2, SettingsArgs::default()).await;
    let id = conversation(&world, &["1", "2"]).await;
    let mut notices = world.bus.subscribe(Subject::replicas(ServiceName::Chat)).await.unwrap();
    let mut listener = world.listen(&channel(id)).await;
    let mut owners = BTreeSet::new();
    let mut number = 0;
    while owners.len() < 2 {
        number += 1;
        world.frame(&at(id, "1"), number, &typing(true)).await;
        owners.insert(next(&mut notices).await.replica);
    }
    world.frame(&at(id, "1"), number + 1, &typing(false)).await;
    let mut told = Vec::new();
    while told.last() != Some(&false) {
        told.push(heard(&mut listener).await.0);
    }
    // One that had not heard of it yet may have told of the start once more.
    assert!(told.len() <= 3, "{told:?}");
}

async fn next(notices: &mut Subscription) -> Typing {
    let notice = tokio::time::timeout(Duration::from_secs(30), notices.next()).await;
    let notice = notice.expect("a notice in time").expect("a notice");
    match ReplicaNotice::decode(notice.payload).expect("a notice").notice {
        Some(Notice::Typing(typing)) => typing,
        None => panic!("an empty notice"),
    }
}
