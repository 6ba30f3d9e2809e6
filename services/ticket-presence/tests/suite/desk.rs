//! Working on tickets.

use carillon_testkit::service::{Answer, Ask};
use serde_json::{Value, json};

use crate::world::{World, person};

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

/// A ticket that was created.
pub(crate) async fn create(world: &World, by: &str, body: &Value) -> Value {
    created(world.ask(&creation(by, body)).await)
}

/// The id of a ticket with nothing but a title.
pub(crate) async fn titled(world: &World, title: &str) -> i64 {
    id(&create(world, "1", &json!({"title": title})).await)
}

/// The body of a success that made something.
pub(crate) fn created(answer: Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body
}

/// A ticket's id.
pub(crate) fn id(ticket: &Value) -> i64 {
    ticket["ticket_id"].as_i64().expect("an id")
}
