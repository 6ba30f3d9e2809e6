use carillon_testkit::{Durability, Postgres};
use serde_json::json;

use carillon_testkit::service::{Answer, Ask, Place, admin, until, user};

use crate::world::World;

pub(crate) async fn without_auth_it_says_when_to_come_back(place: Place) {
    let world = World::start(place).await;
    world.auth.add("acme", ["1".to_owned()]);
    world.auth.set(|state| state.away_after = Some(String::new()));
    let ask = Ask::new("notifications.send")
        .by(admin())
        .body(&json!({"title": "t", "message": "m", "org_id": "acme"}));
    let answer = world.ask(&ask).await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains_key("retry-after"));
    // Users are reached without it.
    world.send_many("1", 1).await;
}

/// Nothing is acknowledged that is not stored; what was acknowledged is there afterwards.
pub(crate) async fn without_the_database_it_says_when_to_come_back(_: Place) {
    let server = Postgres::start(Durability::Process).await.expect("Postgres starts");
    let world = World::start(Place::at(server.url())).await;
    world.send_many("1", 1).await;
    server.kill().expect("killed");
    let ask = Ask::new("notifications.send")
        .by(admin())
        .body(&json!({"title": "t", "message": "m", "user_id": 1}))
        .key("k");
    for ask in [&ask, &Ask::new("notifications.list").by(user("1"))] {
        // Whoever waits for a connection may also hit the bus's deadline, which a gateway takes for the same.
        match world.call(&ask.0).await.map(Answer::of) {
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{answer:?}");
                assert!(answer.headers.contains_key("retry-after"));
            }
            Err(error) => assert!(error.is_unavailable(), "{error}"),
        }
    }
    server.start_again().await.expect("Postgres starts again");
    until("it is sent", async || world.call(&ask.0).await.is_ok_and(|reply| reply.status == 200)).await;
    assert_eq!(world.inbox("1").await["counts"], json!({"total": 2, "unread": 2}));
}
