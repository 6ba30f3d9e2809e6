//! Working on tickets.

use carillon_testkit::service::{Answer, Ask};
use serde_json::{Value, json};

use crate::world::{World, channel, person};

/// A request by one of the members to a route of project 1: `projects.{route}`.
pub(crate) fn ask(route: &str, by: &str) -> Ask {
    Ask::new(&format!("projects.{route}")).by(person(by)).parameter("project_id", 1)
}

/// A request about a ticket.
pub(crate) fn about(route: &str, ticket: i64, by: &str) -> Ask {
    ask(route, by).parameter("ticket_id", ticket)
}

/// A request to create a ticket.
pub(crate) fn creation(by: &str, body: &Value) -> Ask {
    ask("tickets.create", by).body(body)
}

/// A request to change one.
pub(crate) fn change(ticket: i64, by: &str, body: &Value) -> Ask {
    about("tickets.update", ticket, by).body(body)
}

/// A request to comment on one.
pub(crate) fn comment(ticket: i64, by: &str, message: &str) -> Ask {
    about("comments.create", ticket, by).body(&json!({"message": message}))
}

/// A request about a comment.
pub(crate) fn about_comment(route: &str, comment: &Value, by: &str) -> Ask {
    about(route, id(comment), by).parameter("comment_id", &comment["comment_id"])
}

/// A ticket that was created.
pub(crate) async fn create(world: &World, by: &str, body: &Value) -> Value {
    created(world.ask(&creation(by, body)).await)
}

/// The id of a ticket of John's with nothing but a title.
pub(crate) async fn titled(world: &World, title: &str) -> i64 {
    id(&create(world, "1", &json!({"title": title})).await)
}

/// A comment that was added.
pub(crate) async fn say(world: &World, ticket: i64, by: &str, message: &str) -> Value {
    created(world.ask(&comment(ticket, by, message)).await)
}

/// A ticket as it is shown.
pub(crate) async fn show(world: &World, ticket: i64) -> Value {
    world.ask(&about("tickets.show", ticket, "1")).await.ok()
}

/// What those who listen to the project's tickets were told.
pub(crate) async fn told(world: &World) -> Vec<Value> {
    world.told(&channel("1", "tickets")).await
}

/// The body of a success that made something.
pub(crate) fn created(answer: Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body
}

/// That there is nothing left to say.
pub(crate) fn gone(answer: Answer) {
    assert_eq!((answer.status, &answer.body), (204, &Value::Null), "{answer:?}");
}

/// With which status, and for which field, a request is refused.
pub(crate) async fn refusal(world: &World, ask: &Ask) -> (u32, String) {
    let answer = world.ask(ask).await;
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    assert!(answer.status >= 400 && !detail.is_empty(), "{ask:?} {answer:?}");
    assert_eq!(answer.body["status"], answer.status);
    (answer.status, answer.body["field"].as_str().unwrap_or_default().to_owned())
}

/// A ticket's id, or that of the ticket that a comment is on.
pub(crate) fn id(ticket: &Value) -> i64 {
    ticket["ticket_id"].as_i64().expect("an id")
}
