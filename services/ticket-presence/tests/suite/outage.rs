//! When something that is needed is away.

use carillon_testkit::{
    Durability, Postgres,
    service::{Answer, Ask, Place, service, until},
};
use serde_json::{Value, json};

use crate::{
    desk::{about, ask, change, comment, create, creation, id, refusal, say, show, titled, told},
    world::World,
};

fn everything(ticket: i64) -> Vec<Ask> {
    vec![
        creation("1", &json!({"title": "x", "assignee": 2})),
        change(ticket, "1", &json!({"title": "y"})),
        comment(ticket, "1", "z"),
        about("tickets.delete", ticket, "1"),
        about("tickets.show", ticket, "1"),
        ask("tickets.list", "1"),
        ask("statuses.list", "1"),
        Ask::new("projects.events.publish")
            .by(service("s1", "events:publish"))
            .parameter("project_id", 1)
            .body(&json!({"type": "ticket_update", "action": "created", "data": {}})),
    ]
}

/// Without auth nobody is known to be a member: everybody is asked to come back, and nothing is written.
pub(crate) async fn without_auth_it_says_when_to_come_back(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    world.auth.set(|state| state.away = true);
    for ask in everything(ticket).into_iter().chain([Ask::new("projects.list").by(crate::world::person("1"))])
    {
        let answer = world.ask(&ask).await;
        assert_eq!((answer.status, answer.headers.contains_key("retry-after")), (503, true), "{ask:?}");
    }
    world.auth.set(|state| state.away = false);
    assert_eq!(told(&world).await.len(), 1);
    assert_eq!(show(&world, ticket).await["title"], "x");
    assert_eq!(create(&world, "1", &json!({"title": "next"})).await["key"], "PROJ-2");
}

/// Nothing is acknowledged that is not stored; what was acknowledged is there afterwards.
pub(crate) async fn without_the_database_it_says_when_to_come_back(_: Place) {
    let server = Postgres::start(Durability::Process).await.expect("Postgres starts");
    let world = World::start(Place::at(server.url())).await;
    let ticket = titled(&world, "x").await;
    say(&world, ticket, "2", "hello").await;
    server.kill().expect("killed");
    for ask in everything(ticket) {
        // Whoever waits for a connection may also hit the bus's deadline, which a gateway takes for the same.
        match world.call(&ask.0).await.map(Answer::of) {
            Ok(answer) => {
                assert_eq!(
                    (answer.status, answer.headers.contains_key("retry-after")),
                    (503, true),
                    "{ask:?}"
                );
            }
            Err(error) => assert!(error.is_unavailable(), "{error}"),
        }
    }
    server.start_again().await.expect("Postgres starts again");
    let retried = creation("1", &json!({"title": "again"})).key("k");
    until("it is created", async || world.call(&retried.0).await.is_ok_and(|reply| reply.status == 201))
        .await;
    let listed = world.ask(&ask("tickets.list", "1")).await.ok();
    let keys: Vec<_> = listed["tickets"].as_array().unwrap().iter().map(|it| it["key"].clone()).collect();
    assert_eq!(keys, ["PROJ-2", "PROJ-1"]);
    assert_eq!(show(&world, ticket).await["comments"], 1);
    let frames: Vec<Value> = told(&world).await;
    assert_eq!(frames.len(), 3);
    assert_eq!(id(&frames[2]["data"]), id(&listed["tickets"][0]));
    assert_eq!(refusal(&world, &creation("1", &json!({"title": ""}))).await.0, 422);
    world.notified().await;
}
