//! Conversations, and what is said in them.

use carillon_contract::{
    Channel,
    messages::{Identity, Session, open_reply::Outcome},
};
use carillon_testkit::service::{Ask, json_of, session};
use serde_json::{Value, json};

use crate::world::{World, accepted, person};

/// The document's John Doe has id 1, and so on.
pub(crate) fn somebody(id: &str) -> Identity {
    let (first, last) = [("1", ("John", "Doe")), ("2", ("Ann", "Lee")), ("3", ("Bo", "Oz"))]
        .into_iter()
        .find_map(|(known, name)| (known == id).then_some(name))
        .unwrap_or_default();
    let username = format!("user-{id}");
    Identity { first_name: first.to_owned(), last_name: last.to_owned(), ..person(id, &username) }
}

/// A conversation that the first of these users creates with the others.
pub(crate) async fn conversation(world: &World, users: &[&str]) -> i64 {
    let create = Ask::new("chat.conversations.create").by(somebody(users[0]));
    let created = world.ask(&create.body(&json!({"participants": users[1..]}))).await;
    assert_eq!(created.status, 201, "{created:?}");
    created.body["id"].as_i64().unwrap()
}

/// A user's connection to a conversation.
pub(crate) fn at(conversation: i64, user: &str) -> Session {
    connection(conversation, user, &format!("connection-{user}-{conversation}"))
}

/// One of several connections of a user.
pub(crate) fn connection(conversation: i64, user: &str, connection: &str) -> Session {
    let name = conversation.to_string();
    let session = session("conversation", "", Some(somebody(user)), &[("room_name", &name)]);
    Session { connection: connection.to_owned(), ..session }
}

pub(crate) fn channel(conversation: i64) -> Channel {
    Channel::new("conversation", &[&conversation.to_string()]).unwrap()
}

/// What a newcomer is told.
pub(crate) async fn enter(world: &World, session: &Session, query: &[(&str, &str)]) -> Vec<Value> {
    let accept = accepted(world.open_session(session, query).await);
    accept.greeting.iter().map(|frame| serde_json::from_slice(frame).unwrap()).collect()
}

/// With what somebody is turned away.
pub(crate) async fn refusal(world: &World, session: &Session) -> (u32, String) {
    match world.open_session(session, &[]).await {
        Outcome::Reject(close) => (close.code, close.reason),
        Outcome::Accept(accept) => panic!("accepted: {accept:?}"),
    }
}

pub(crate) fn said(message: &str) -> Value {
    json!({"type": "chat_message", "message": message})
}

/// Says something, and gives its id.
pub(crate) async fn say(world: &World, session: &Session, number: u64, message: &str) -> i64 {
    let client_id = format!("{}-{number}", session.connection);
    let frame = json!({"type": "chat_message", "message": message, "client_id": client_id});
    let reply = world.frame(session, number, &frame).await;
    assert_eq!(reply[0]["type"], "message_ack", "{reply:?}");
    reply[0]["message_id"].as_i64().unwrap()
}

/// Says something that is refused, and gives the code.
pub(crate) async fn refused(world: &World, session: &Session, number: u64, frame: &Value) -> String {
    let [reply] = &world.frame(session, number, frame).await[..] else { panic!("no refusal of {frame}") };
    assert_eq!(reply["type"], "error", "{reply}");
    assert!(reply["message"].is_string(), "{reply}");
    reply["code"].as_str().unwrap().to_owned()
}

/// Everything that a conversation's log tells, but who is online.
pub(crate) async fn told(world: &World, conversation: i64) -> Vec<Value> {
    let events = world.history(&channel(conversation)).await;
    let frames = events.iter().map(|event| json_of(event, ""));
    frames.filter(|frame| frame["type"] != "user_status").collect()
}

/// A request about a conversation.
pub(crate) fn ask(route: &str, conversation: i64, user: &str) -> Ask {
    let route = format!("chat.conversations.{route}");
    Ask::new(&route).by(somebody(user)).parameter("conversation_id", conversation)
}

/// The messages of a conversation, as one of its participants reads them.
pub(crate) async fn messages(world: &World, conversation: i64, user: &str) -> Vec<Value> {
    let list = ask("messages.list", conversation, user).query("limit", 200);
    world.ask(&list).await.ok()["messages"].as_array().unwrap().clone()
}
