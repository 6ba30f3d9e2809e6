//! Being in a project: tabs, what they say, and what is told of it.

use carillon_contract::messages::{Event, Identity, Session};
use carillon_testkit::service::{Answer, json_of, session};
use serde_json::{Value, json};

use crate::{
    desk::ask,
    world::{World, accepted, channel, person},
};

/// A user's connection to the presence of project 1.
pub(crate) fn tab(user: &str, name: &str) -> Session {
    tab_of("presence", "1", person(user), name)
}

/// A connection to an endpoint of a project, whose gateway is called `gateway`.
pub(crate) fn tab_of(endpoint: &str, project: &str, identity: Identity, name: &str) -> Session {
    let connection = format!("{name} of {}", identity.user);
    Session { connection, ..session(endpoint, "", Some(identity), &[("project_id", project)]) }
}

/// What a newcomer is told.
pub(crate) async fn enter(world: &World, session: &Session) -> Vec<Value> {
    let accept = accepted(world.open_session(session, &[]).await);
    accept.greeting.iter().map(|frame| serde_json::from_slice(frame).unwrap()).collect()
}

pub(crate) fn viewing(ticket: impl Into<Value>) -> Value {
    json!({"type": "viewing", "ticket_id": ticket.into()})
}

pub(crate) fn typing(ticket: impl Into<Value>, is_typing: bool) -> Value {
    json!({"type": "typing", "ticket_id": ticket.into(), "is_typing": is_typing})
}

/// Says something to which nothing is answered.
pub(crate) async fn say(world: &World, session: &Session, number: u64, frame: &Value) {
    assert_eq!(world.frame(session, number, frame).await, [] as [Value; 0], "{frame}");
}

/// Says something that is refused, and gives the code.
pub(crate) async fn refused(world: &World, session: &Session, number: u64, frame: &Value) -> String {
    let [reply] = &world.frame(session, number, frame).await[..] else { panic!("no refusal of {frame}") };
    assert!(reply["type"] == "error" && reply["message"].is_string(), "{reply}");
    reply["code"].as_str().unwrap().to_owned()
}

/// What project 1 was told of its presence, in short: `+1` for the coming of user 1, `-1` for its going,
/// `1>7` when it starts to view ticket 7, and `1<7` when it stops.
pub(crate) async fn story(world: &World) -> String {
    let told = world.history(&channel("1", "presence")).await;
    told.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn word(event: &Event) -> String {
    let frame = json_of(event, "");
    let user = &frame["user_id"];
    match (frame["type"].as_str(), frame["action"].as_str()) {
        (Some("user_status"), Some("joined")) => format!("+{user}"),
        (Some("user_status"), Some("left")) => format!("-{user}"),
        (Some("ticket_viewing"), Some("started")) => format!("{user}>{}", frame["ticket_id"]),
        (Some("ticket_viewing"), Some("stopped")) => format!("{user}<{}", frame["ticket_id"]),
        _ => panic!("{frame}"),
    }
}

/// Who is there, as project 1's API tells.
pub(crate) async fn present(world: &World, query: &[(&str, &str)]) -> Answer {
    let asked = query.iter().fold(ask("presence", "1"), |asked, (name, value)| asked.query(name, value));
    world.ask(&asked).await
}

/// Each user who is there, with the tickets that it views.
pub(crate) fn viewers(present: &Value) -> Vec<(u64, Vec<Value>)> {
    let user =
        |user: &Value| (user["user_id"].as_u64().unwrap(), user["viewing"].as_array().unwrap().clone());
    present["present"].as_array().unwrap().iter().map(user).collect()
}
