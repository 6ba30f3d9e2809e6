//! Collaboration rooms (S0-03), their participants on different gateways.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Socket, User, unique};
use serde_json::{Value, json};

use crate::{
    checks::{has, lives, refused},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s0_03_a_frame_reaches_the_others,
        s0_03_who_is_there_is_visible,
        s0_03_frames_keep_their_order,
        s0_03_what_was_missed_is_recovered,
        s0_03_what_can_t_be_passed_on_gets_an_error,
    );
}

fn path(room: &str) -> String {
    format!("/ws/collaboration/{room}/")
}

/// Enters a room; who is there.
async fn enter(gateway: &Gateway, room: &str, user: &User) -> anyhow::Result<(Socket, Vec<Value>)> {
    let mut socket = gateway.socket(&path(room))?.token(&user.token).open().await?;
    let greeting = socket.next_json().await?;
    has(&greeting, &json!({"type": "participants"}))?;
    let participants = greeting["participants"].as_array().context("no participants")?.clone();
    ensure!(greeting["count"] == participants.len(), "{greeting}");
    Ok((socket, participants))
}

fn participant(user: &User) -> Value {
    json!({"id": user.id_json(), "username": user.username})
}

async fn pair(deployment: &Deployment) -> anyhow::Result<[User; 2]> {
    Ok([deployment.user("alice").await?, deployment.user("bob").await?])
}

/// S0-03: any object, with its sender, to everyone but the connection that it came from.
async fn s0_03_a_frame_reaches_the_others(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("board"));
    let [alice, bob] = pair(deployment).await?;
    let (mut sender, _) = enter(first, &room, &alice).await?;
    let (mut tab, _) = enter(second, &room, &alice).await?;
    let (mut listener, _) = enter(second, &room, &bob).await?;
    let (mut elsewhere, _) = enter(second, &unique("board"), &bob).await?;
    let drawing = json!({"type": "draw", "at": [1.5, -2], "nested": {"sender": "x", "offset": 1}, "text": "é\u{1F600}"});
    sender.send_json(&drawing).await?;
    for socket in [&mut tab, &mut listener] {
        let heard = socket.next_of_type("draw").await?;
        has(&heard, &drawing)?;
        has(&heard["sender"], &participant(&alice))?;
    }
    for socket in [&mut sender, &mut elsewhere] {
        socket.expect_none("a drawing", |frame| frame["type"] == "draw").await?;
    }
    for socket in [sender, tab, listener, elsewhere] {
        lives(socket).await?;
    }
    Ok(())
}

/// S0-03: `participants` on entry, then each user's coming and going once. It takes a token.
async fn s0_03_who_is_there_is_visible(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("board"));
    let [alice, bob] = pair(deployment).await?;
    let (mut listener, there) = enter(first, &room, &alice).await?;
    ensure!(there.len() == 1, "{there:?}");
    let (bobs, there) = enter(second, &room, &bob).await?;
    for (there, user) in there.iter().zip([&alice, &bob]) {
        has(there, &participant(user))?;
    }
    has(&listener.next_of_type("participant_joined").await?, &json!({"participant": participant(&bob)}))?;
    let (tab, there) = enter(first, &room, &bob).await?;
    ensure!(there.len() == 2, "{there:?}");
    bobs.close().await?;
    let is_change = |frame: &Value| frame["type"] != "pong";
    listener.expect_none("a second tab", is_change).await?;
    tab.close().await?;
    has(&listener.next_of_type("participant_left").await?, &json!({"participant": participant(&bob)}))?;
    refused(first.socket(&path(&room))?, 4001).await?;
    lives(listener).await
}

/// S0-03: those of one participant as they were sent; all in the same order for everyone.
async fn s0_03_frames_keep_their_order(deployment: &Deployment) -> anyhow::Result<()> {
    const FRAMES: i64 = 20;
    let ([first, second], room) = (deployment.gateways(), unique("board"));
    let [alice, bob] = pair(deployment).await?;
    let carol = deployment.user("carol").await?;
    let (mut alices, _) = enter(first, &room, &alice).await?;
    let (mut bobs, _) = enter(second, &room, &bob).await?;
    let (mut near, _) = enter(first, &room, &carol).await?;
    let (mut far, _) = enter(second, &room, &carol).await?;
    for number in 1..=FRAMES {
        alices.send_json(&json!({"type": "stroke", "number": number})).await?;
        bobs.send_json(&json!({"type": "stroke", "number": number})).await?;
    }
    let mut numbers = std::collections::BTreeMap::new();
    for _ in 0..2 * FRAMES {
        let stroke = near.next_of_type("stroke").await?;
        ensure!(far.next_of_type("stroke").await? == stroke, "in another order: {stroke}");
        let number = numbers.entry(stroke["sender"]["id"].to_string()).or_insert(0);
        *number += 1;
        ensure!(stroke["number"] == *number, "out of order: {stroke}");
    }
    for socket in [alices, bobs, near, far] {
        lives(socket).await?;
    }
    Ok(())
}

/// S0-03: by its place, whoever was away for a moment gets what the others did.
async fn s0_03_what_was_missed_is_recovered(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("board"));
    let [alice, bob] = pair(deployment).await?;
    let (client, _) = enter(second, &room, &bob).await?;
    let since = client.since();
    let (mut sender, _) = enter(first, &room, &alice).await?;
    let (mut witness, _) = enter(first, &room, &bob).await?;
    client.close().await?;
    for number in 1..=3 {
        sender.send_json(&json!({"type": "stroke", "number": number})).await?;
        witness.next_of_type("stroke").await?;
    }
    let mut client = first.socket(&path(&room))?.token(&bob.token).since(since).open().await?;
    has(&client.next_of_type("recovery").await?, &json!({"recovered": true}))?;
    for number in 1..=3 {
        has(&client.next_of_type("stroke").await?, &json!({"number": number}))?;
    }
    lives(client).await
}

/// Nobody can speak as somebody else, or as the server.
async fn s0_03_what_can_t_be_passed_on_gets_an_error(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], room) = (deployment.gateways(), unique("board"));
    let [alice, bob] = pair(deployment).await?;
    let (mut sender, _) = enter(first, &room, &alice).await?;
    let (mut listener, _) = enter(second, &room, &bob).await?;
    sender.next_of_type("participant_joined").await?;
    let large = json!({"type": "draw", "text": "x".repeat(32_768)}).to_string();
    for (text, message) in [
        ("{", "Invalid JSON format"),
        ("[1]", "Invalid message format"),
        (&large, "A frame has at most 32768 bytes"),
        (r#"{"type":"draw","sender":{"id":1}}"#, "`sender` is added by the server"),
        (r#"{"type":"draw","offset":1}"#, "`offset` is added by the server"),
        (r#"{"type":"participant_left"}"#, "Only the server says `participant_left`"),
    ] {
        sender.send_text(text).await?;
        has(&sender.next_json().await?, &json!({"type": "error", "message": message}))?;
    }
    listener.expect_none("anything", |frame| frame["type"] != "pong").await?;
    sender.send_json(&json!({"type": "draw"})).await?;
    listener.next_of_type("draw").await?;
    lives(sender).await
}
