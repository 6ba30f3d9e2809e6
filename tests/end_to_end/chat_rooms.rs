//! Document 2's chat rooms (S2-01 to S2-03, S2-05), their clients on different gateways.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Handshake, Socket, User, unique};
use serde_json::{Value, json};

use crate::{
    checks::{ends, has, has_texts, lives},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s2_01_a_message_reaches_everyone_in_the_room,
        s2_01_a_signed_in_user_s_name_comes_from_the_token,
        s2_01_the_last_messages_come_only_to_those_who_ask,
        s2_01_what_was_missed_is_recovered_from_the_first_place_asked_for,
        s2_01_any_name_is_a_room_of_its_own,
        s2_02_coming_and_going_is_told_once_for_each_user,
        s2_03_what_is_no_message_gets_the_documents_errors,
        s2_05_a_back_end_says_something,
    );
}

/// Enters a room. It greets nobody, so a ping tells when the session is open.
pub(crate) async fn enter(handshake: Handshake) -> anyhow::Result<Socket> {
    let mut socket = handshake.open().await?;
    socket
        .expect_none("a greeting", |frame| frame["type"] != "notification" && frame["type"] != "pong")
        .await?;
    Ok(socket)
}

fn path(room: &str) -> String {
    format!("/ws/chat/{room}/")
}

async fn guest(gateway: &Gateway, room: &str) -> anyhow::Result<Socket> {
    enter(gateway.socket(&path(room))?).await
}

async fn member(gateway: &Gateway, room: &str, user: &User) -> anyhow::Result<Socket> {
    enter(gateway.socket(&path(room))?.token(&user.token)).await
}

fn said(message: &str, username: &str) -> Value {
    json!({"type": "chat_message", "message": message, "username": username})
}

/// S2-01: the sender, and clients of another gateway.
pub(crate) async fn s2_01_a_message_reaches_everyone_in_the_room(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("general"));
    let mut sender = guest(first, &room).await?;
    let mut listener = guest(second, &room).await?;
    let mut elsewhere = guest(second, &unique("general")).await?;
    sender.send_json(&said("Hello everyone!", "john_doe")).await?;
    sender.send_json(&json!({"type": "chat_message", "message": "who am I?"})).await?;
    for socket in [&mut sender, &mut listener] {
        let heard = socket.next_of_type("chat_message").await?;
        has(&heard, &json!({"message": "Hello everyone!", "username": "john_doe", "anonymous": true}))?;
        has_texts(&heard, &["timestamp"])?;
        has(&socket.next_of_type("chat_message").await?, &json!({"username": "Anonymous"}))?;
    }
    elsewhere.expect_none("a message", |frame| frame["type"] == "chat_message").await?;
    for socket in [sender, listener, elsewhere] {
        lives(socket).await?;
    }
    Ok(())
}

/// A frame's username counts only for those who have no token.
async fn s2_01_a_signed_in_user_s_name_comes_from_the_token(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("general"));
    let user = deployment.user("alice").await?;
    let mut listener = guest(second, &room).await?;
    let mut alice = member(first, &room, &user).await?;
    alice.send_json(&said("it's me", "somebody else")).await?;
    let heard = listener.next_of_type("chat_message").await?;
    has(&heard, &json!({"username": user.username, "user_id": user.id_json()}))?;
    ensure!(heard.get("anonymous").is_none(), "{heard}");
    lives(alice).await
}

/// `?history=`, and `GET /api/chat/rooms/{room}/messages/`.
async fn s2_01_the_last_messages_come_only_to_those_who_ask(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("general"));
    let mut sender = guest(first, &room).await?;
    for number in 1..=4 {
        sender.send_json(&said(&number.to_string(), "x")).await?;
        sender.next_of_type("chat_message").await?;
    }
    // It expects none, or `enter` fails.
    lives(guest(second, &room).await?).await?;
    let mut asking = second.socket(&format!("{}?history=2", path(&room)))?.open().await?;
    has(&asking.next_json().await?, &json!({"type": "history", "count": 2, "has_more": true}))?;
    for text in ["3", "4"] {
        has(&asking.next_json().await?, &json!({"type": "chat_message", "message": text}))?;
    }
    sender.send_json(&said("5", "x")).await?;
    let heard = asking.next_of_type("chat_message").await?;
    has(&heard, &json!({"message": "5"}))?;
    let route = format!("/api/chat/rooms/{room}/messages/?before={}&limit=2", heard["id"]);
    let page = deployment.api().get(&route).await?.expect(200)?;
    let texts: Vec<_> =
        page["messages"].as_array().context("messages")?.iter().map(|one| &one["message"]).collect();
    ensure!(texts == ["3", "4"] && page["has_more"] == true, "{page}");
    lives(asking).await
}

/// A client that wants to come back asks for its place with an empty `since`.
pub(crate) async fn s2_01_what_was_missed_is_recovered_from_the_first_place_asked_for(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("general"));
    let mut client = second.socket(&format!("{}?since=", path(&room)))?.open().await?;
    client.next_json().await?;
    let mut sender = guest(first, &room).await?;
    sender.send_json(&said("heard", "x")).await?;
    client.next_of_type("chat_message").await?;
    let since = client.since().context("no place")?;
    client.close().await?;
    for text in ["missed 1", "missed 2"] {
        sender.send_json(&said(text, "x")).await?;
        sender.next_where("its own", |frame| frame["message"] == text).await?;
    }
    let mut client = first.socket(&format!("{}?since={since}", path(&room)))?.open().await?;
    has(&client.next_of_type("recovery").await?, &json!({"recovered": true}))?;
    for text in ["missed 1", "missed 2"] {
        has(&client.next_of_type("chat_message").await?, &json!({"message": text}))?;
    }
    lives(client).await
}

/// Whatever a name holds, it reaches no other room; one that is too long is refused.
async fn s2_01_any_name_is_a_room_of_its_own(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], base) = (deployment.gateways(), unique("r"));
    let names = ["%2E%2E%2F", ".", "..%2Fx", "%2A", "%3E", "a%20b", "%F0%9F%98%80", "%E6%97%A5%E6%9C%AC"];
    let mut rooms = Vec::new();
    for name in names {
        let room = format!("{base}{name}");
        rooms.push((guest(first, &room).await?, guest(second, &room).await?));
    }
    for (number, (sender, _)) in rooms.iter_mut().enumerate() {
        sender.send_json(&said(&number.to_string(), "x")).await?;
    }
    for (number, (sender, listener)) in rooms.iter_mut().enumerate() {
        for socket in [sender, listener] {
            has(&socket.next_of_type("chat_message").await?, &json!({"message": number.to_string()}))?;
            socket.expect_none("another room's", |frame| frame["type"] == "chat_message").await?;
        }
    }
    ends(&mut first.socket(&path(&"x".repeat(101)))?.open().await?, 4004).await?;
    lives(guest(first, &"x".repeat(100)).await?).await?;
    let refused = first.socket(&path("a%00b"))?.open().await;
    ensure!(refused.is_err(), "a name with NUL was let in");
    Ok(())
}

/// S2-02: two tabs on two gateways are one user.
pub(crate) async fn s2_02_coming_and_going_is_told_once_for_each_user(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("general"));
    let user = deployment.user("bob").await?;
    let mut watcher = guest(first, &room).await?;
    let one = member(first, &room, &user).await?;
    let joined = watcher.next_where("a join", |frame| frame["event"] == "user_joined").await?;
    has(
        &joined,
        &json!({"type": "notification", "message": "A user joined the room", "user_id": user.id_json()}),
    )?;
    let other = member(second, &room, &user).await?;
    let is_told = |frame: &Value| frame["type"] == "notification";
    watcher.expect_none("a second join", is_told).await?;
    one.close().await?;
    other.close().await?;
    let left = watcher.next_where("a leave", is_told).await?;
    has(&left, &json!({"message": "A user left the room", "event": "user_left", "user_id": user.id_json()}))?;
    watcher.expect_none("a second leave", is_told).await?;
    let guest = guest(second, &room).await?;
    let joined = watcher.next_where("a guest", is_told).await?;
    has(&joined, &json!({"event": "user_joined", "anonymous": true}))?;
    lives(guest).await
}

/// S2-03: the connection stays open.
async fn s2_03_what_is_no_message_gets_the_documents_errors(deployment: &Deployment) -> anyhow::Result<()> {
    let mut socket = guest(&deployment.gateways()[1], &unique("general")).await?;
    for (payload, message) in [
        ("{not json".to_owned(), "Invalid JSON format"),
        ("[1]".to_owned(), "Invalid message format"),
        (json!({"type": "chat_message"}).to_string(), "Invalid message format"),
        (json!({"type": "unknown"}).to_string(), "Invalid message format"),
        (said("", "x").to_string(), "Invalid message (max 1000 characters)"),
        (said(&"x".repeat(1_001), "x").to_string(), "Invalid message (max 1000 characters)"),
    ] {
        socket.send_text(&payload).await?;
        has(&socket.next_of_type("error").await?, &json!({"type": "error", "message": message}))?;
    }
    socket.send_json(&said(&"é".repeat(1_000), "x")).await?;
    socket.next_of_type("chat_message").await?;
    lives(socket).await
}

/// S2-05: `send_chat_message(room, message, username)`.
async fn s2_05_a_back_end_says_something(deployment: &Deployment) -> anyhow::Result<()> {
    let room = unique("general");
    let mut listener = guest(&deployment.gateways()[0], &room).await?;
    let back_end = deployment.admin().await?.create_service_token(&unique("django"), &["chat:send"]).await?;
    let api = deployment.api().with_token(&back_end.token);
    let route = format!("/api/chat/rooms/{room}/messages/");
    let reply = api.post(&route, &json!({"message": "Deployed"})).await?.expect(201)?;
    let heard = listener.next_of_type("chat_message").await?;
    has(&heard, &json!({"message": "Deployed", "username": "System", "id": reply["id"]}))?;
    api.post(&route, &json!({"message": ""})).await?.expect(422)?;
    let user = deployment.user("alice").await?;
    deployment.api().with_token(&user.token).post(&route, &json!({"message": "x"})).await?.expect(403)?;
    deployment.api().post(&route, &json!({"message": "x"})).await?.expect(401)?;
    listener.expect_none("a refused message", |frame| frame["type"] == "chat_message").await
}
