//! Many at once, over two replicas.

use carillon_testkit::service::{Place, json_of};
use serde_json::{Value, json};

use crate::{
    talk::{ask, at, channel, connection, conversation},
    world::World,
};

/// Everyone who sends does it twice, at the same time and under the same id: ids, offsets and the
/// stored history have one order, and nothing is lost or doubled.
pub(crate) async fn many_senders_have_one_order(place: Place) {
    const SENDERS: usize = 20;
    const EACH: usize = 20;
    let world = World::start_with(place, 2, Default::default()).await;
    let names: Vec<String> = (1..=SENDERS).map(|user| user.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (one, other) = (conversation(&world, &names).await, conversation(&world, &names).await);
    let sender = async |user: &str| {
        for number in 1..=EACH {
            for id in [one, other] {
                let text = format!("{user}:{number}");
                let frame = json!({"type": "chat_message", "message": text, "client_id": text});
                let (here, there) = (at(id, user), connection(id, user, &format!("again-{user}-{id}")));
                let number = number as u64;
                let (first, second) =
                    tokio::join!(world.frame(&here, number, &frame), world.frame(&there, number, &frame));
                assert_eq!(first[0]["type"], "message_ack", "{first:?}");
                assert_eq!(first, second);
            }
        }
    };
    futures_util::future::join_all(names.iter().map(|name| sender(name))).await;
    for id in [one, other] {
        let events = world.history(&channel(id)).await;
        assert!(events.iter().zip(1..).all(|(event, offset)| event.offset == offset));
        let told: Vec<Value> = events.iter().map(|event| json_of(event, "")["message"].clone()).collect();
        assert_eq!(told.len(), SENDERS * EACH);
        assert!(told.is_sorted_by_key(|message| message["id"].as_i64().unwrap()));
        assert_eq!(stored(&world, id).await, told);
    }
}

async fn stored(world: &World, id: i64) -> Vec<Value> {
    let mut stored: Vec<Value> = Vec::new();
    let mut after = json!(0);
    loop {
        let list = ask("messages.list", id, "1").query("after", &after).query("limit", 200);
        let page = world.ask(&list).await.ok();
        stored.extend(page["messages"].as_array().unwrap().clone());
        if page["has_more"] == false {
            return stored;
        }
        after = stored.last().unwrap()["id"].clone();
    }
}
