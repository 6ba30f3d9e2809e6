//! A request that is made again: by a client with its key, or by a gateway that did not hear the answer.

use carillon_testkit::service::{Answer, Ask, Place, admin};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    desk::{about, about_comment, ask, change, comment, create, creation, id, say, show, titled, told},
    world::World,
};

/// A request of each kind that changes something, by whoever may.
async fn changes(world: &World) -> Vec<Ask> {
    let body = json!({"title": "x", "assignee": 2, "description": "@carol"});
    let (one, two) = (create(world, "1", &body).await, titled(world, "y").await);
    let said = [say(world, id(&one), "1", "a").await, say(world, id(&one), "1", "b").await];
    let status = |ask: Ask| ask.by(admin()).parameter("status_id", 2);
    vec![
        creation("1", &body),
        change(id(&one), "1", &json!({"title": "z", "assignee": 3})),
        about("tickets.delete", two, "1"),
        comment(id(&one), "2", "@bob @carol"),
        about_comment("comments.update", &said[0], "1").body(&json!({"message": "c @bob"})),
        about_comment("comments.delete", &said[1], "1"),
        ask("statuses.create", "1").by(admin()).body(&json!({"name": "New"})),
        status(ask("statuses.update", "1")).body(&json!({"name": "Renamed"})),
        status(ask("statuses.delete", "1")),
    ]
}

fn said(answer: &Answer) -> (u32, Value) {
    assert!(matches!(answer.status, 200 | 201 | 204), "{answer:?}");
    (answer.status, answer.body.clone())
}

/// One effect, one event, one notification, and the answer of then whatever has happened since.
pub(crate) async fn a_request_that_is_delivered_again_is_carried_out_once(place: Place) {
    again_and_again(&World::start(place).await, |ask, _| ask).await;
}

pub(crate) async fn a_request_with_the_same_key_is_carried_out_once(place: Place) {
    let keyed = |ask: Ask, attempt: usize| {
        let mut ask = ask.key("the client's own");
        ask.0.request = format!("attempt-{attempt}");
        ask
    };
    again_and_again(&World::start(place).await, keyed).await;
}

async fn again_and_again(world: &World, attempt: impl Fn(Ask, usize) -> Ask) {
    for ask in changes(world).await {
        let answer = said(&world.ask(&attempt(ask.clone(), 0)).await);
        let (events, notices) = (told(world).await.len(), world.notified().await.len());
        for again in 1..=3 {
            // Something else happens in between.
            let meanwhile = titled(world, "meanwhile").await;
            assert_eq!(said(&world.ask(&attempt(ask.clone(), again)).await), answer, "{ask:?}");
            world.ask(&about("tickets.delete", meanwhile, "1")).await;
        }
        assert_eq!(told(world).await.len(), events + 6, "{ask:?}");
        assert_eq!(world.notified().await.len(), notices, "{ask:?}");
    }
}

/// Ten at the same time, wherever they arrive, are one.
pub(crate) async fn a_request_at_the_same_time_is_carried_out_once(place: Place) {
    at_once(&World::start(place).await).await;
}

pub(crate) async fn two_replicas_carry_a_request_out_once(place: Place) {
    at_once(&World::start_with(place, 2, Default::default()).await).await;
}

async fn at_once(world: &World) {
    for ask in changes(world).await {
        let (events, notices) = (told(world).await.len(), world.notified().await.len());
        let answers = join_all((0..10).map(|_| world.ask(&ask))).await;
        let answers: Vec<_> = answers.iter().map(said).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{ask:?} {answers:?}");
        assert_eq!(told(world).await.len(), events + 1, "{ask:?}");
        let told = world.notified().await.len() - notices;
        let expected = match ask.0.route.as_str() {
            "projects.tickets.create" | "projects.comments.create" => 2,
            "projects.tickets.update" | "projects.comments.update" => 1,
            _ => 0,
        };
        assert_eq!(told, expected, "{ask:?}");
    }
}

/// A key belongs to its caller, and to what the caller does it to.
pub(crate) async fn keys_of_different_things_are_different(place: Place) {
    let world = World::start(place).await;
    let title = json!({"title": "x"});
    let one = world.ask(&creation("1", &title).key("k")).await.body;
    let two = world.ask(&creation("2", &title).key("k")).await.body;
    assert_eq!((&one["key"], &two["key"]), (&json!("PROJ-1"), &json!("PROJ-2")));
    let elsewhere = world.ask(&creation("1", &title).key("k").parameter("project_id", 2)).await.body;
    assert_eq!(elsewhere["key"], "P2-1");
    let mut comments = Vec::new();
    for ticket in [&one, &two] {
        let urgent = change(id(ticket), "1", &json!({"priority": "urgent"})).key("k");
        assert_eq!(world.ask(&urgent).await.ok()["priority"], "urgent");
        let answer = world.ask(&comment(id(ticket), "1", "x").key("k")).await;
        assert_eq!((answer.status, id(&answer.body)), (201, id(ticket)));
        comments.push(answer.body);
    }
    for comment in &comments {
        let edit = about_comment("comments.update", comment, "1").body(&json!({"message": "y"})).key("k");
        assert_eq!(world.ask(&edit).await.ok()["comment_id"], comment["comment_id"]);
    }
    for comment in &comments {
        assert_eq!(world.ask(&about_comment("comments.delete", comment, "1").key("k")).await.status, 204);
    }
    for ticket in [&one, &two] {
        assert_eq!(show(&world, id(ticket)).await["comments"], 0);
        assert_eq!(
            world.ask(&about("tickets.delete", id(ticket), "1").by(admin()).key("k")).await.status,
            204
        );
    }
    assert_eq!(told(&world).await.len(), 12);
}

/// A ticket that is gone is not made again by the request that made it.
pub(crate) async fn what_was_deleted_is_not_made_again(place: Place) {
    let world = World::start(place).await;
    let make = creation("1", &json!({"title": "x", "assignee": 2})).key("k");
    let ticket = world.ask(&make).await;
    assert_eq!(world.ask(&about("tickets.delete", id(&ticket.body), "1")).await.status, 204);
    assert_eq!(said(&world.ask(&make).await), said(&ticket));
    assert_eq!(told(&world).await.len(), 2);
    assert_eq!(world.count("SELECT COUNT(*) FROM ticket").await, 0);
    assert_eq!(create(&world, "1", &json!({"title": "y"})).await["key"], "PROJ-2");
}

/// The log forgets causes with their events; a ticket and a comment have theirs for as long as they live.
pub(crate) async fn what_the_log_has_forgotten_is_not_made_twice(place: Place) {
    let world = World::start(place).await;
    let make = creation("1", &json!({"title": "x"})).key("k");
    let ticket = world.ask(&make).await.body;
    let speak = comment(id(&ticket), "1", "x").key("k");
    let said = world.ask(&speak).await.body;
    let forget = "DELETE FROM event";
    sqlx::raw_sql(forget).execute(&mut world.database().await).await.unwrap();
    let again = world.ask(&make).await;
    assert_eq!((again.status, &again.body["ticket_id"]), (201, &ticket["ticket_id"]));
    assert_eq!(world.ask(&speak).await.body, said);
    assert_eq!(world.count("SELECT COUNT(*) FROM event").await, 0);
    assert_eq!(show(&world, id(&ticket)).await["comments"], 1);
    assert_eq!(create(&world, "1", &json!({"title": "y"})).await["key"], "PROJ-2");
}
