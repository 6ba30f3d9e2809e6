//! What bad input on a socket gets: as long as the protocol is kept, an error frame.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Socket};
use serde_json::{Value, json};

use crate::{
    checks::{connect, greeted, has, lives},
    protocol::{FIN, TEXT, frame},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s1_06_what_is_not_json_is_answered_on_every_endpoint,
        s1_16_what_is_not_understood_is_named,
        s1_16_a_binary_frame_is_answered,
        frames_are_answered_in_their_order,
    );
}

/// S1-06: with document 1's words; the connection stays open.
async fn s1_06_what_is_not_json_is_answered_on_every_endpoint(deployment: &Deployment) -> anyhow::Result<()> {
    for mut socket in endpoints(deployment).await? {
        for text in
            ["", " ", "{", "{\"type\":", "nonsense", "{'type': 'ping'}", "{\"a\":1}}", "\u{0}", "[1,]"]
        {
            socket.send_text(text).await?;
            let error = socket.next_of_type("error").await?;
            has(&error, &json!({"type": "error", "message": "Invalid JSON"})).context(text)?;
        }
        lives(socket).await?;
    }
    Ok(())
}

/// S1-16: an unknown type is named, cut short if it is long; another shape has its message too.
async fn s1_16_what_is_not_understood_is_named(deployment: &Deployment) -> anyhow::Result<()> {
    for mut socket in endpoints(deployment).await? {
        for (frame, expected) in [
            (json!({"type": "dance"}), "dance"),
            (json!({"type": "chat_message", "message": "Hello"}), "chat_message"),
            (json!({"type": "x".repeat(1_000)}), "xxxx"),
            (json!({"type": "ünknown\"<b>\u{7}"}), "ünknown\"<b>\u{7}"),
            (json!({}), "Invalid message format"),
            (json!({"type": 5}), "Invalid message format"),
            (json!({"type": null}), "Invalid message format"),
            (json!([{"type": "ping"}]), "Invalid message format"),
            (json!("ping"), "Invalid message format"),
            (json!(5), "Invalid message format"),
            (json!(null), "Invalid message format"),
        ] {
            socket.send_json(&frame).await?;
            let error = socket.next_of_type("error").await?;
            let message = error["message"].as_str().context("no message")?;
            ensure!(message.contains(expected) && message.len() < 200, "{frame} is answered with {error}");
        }
        lives(socket).await?;
    }
    Ok(())
}

/// S1-16: where text is due.
async fn s1_16_a_binary_frame_is_answered(deployment: &Deployment) -> anyhow::Result<()> {
    for mut socket in endpoints(deployment).await? {
        for bytes in [&b""[..], b"{\"type\":\"ping\"}", &[0xFF, 0x00, 0x80]] {
            socket.send_binary(bytes).await?;
            let error = socket.next_of_type("error").await?;
            let message = error["message"].as_str().context("no message")?;
            ensure!(message.to_lowercase().contains("binary"), "it is not named: {error}");
        }
        lives(socket).await?;
    }
    Ok(())
}

/// Many at once, more than wait in any queue.
async fn frames_are_answered_in_their_order(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let mut socket = connect(&deployment.gateways()[0], "/ws/notifications/", &user.token).await?;
    let kinds: Vec<String> = (0..100).map(|number| format!("unknown-{number}.")).collect();
    let all: Vec<u8> = kinds
        .iter()
        .flat_map(|kind| frame(FIN | TEXT, json!({"type": kind}).to_string().as_bytes()))
        .collect();
    socket.send_bytes(&all).await?;
    for kind in kinds {
        let error: Value = socket.next_of_type("error").await?;
        ensure!(error["message"].as_str().is_some_and(|message| message.contains(&kind)), "{kind}: {error}");
    }
    lives(socket).await
}

/// A connection to each endpoint, greeted.
async fn endpoints(deployment: &Deployment) -> anyhow::Result<[Socket; 4]> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let [first, second] = deployment.gateways();
    let open = async |gateway: &Gateway, path: &str| connect(gateway, path, &user.token).await;
    Ok([
        open(first, "/ws/notifications/").await?,
        open(second, &format!("/ws/notifications/{}/", user.id)).await?,
        open(first, &format!("/ws/events/{org}/")).await?,
        greeted(second.socket("/ws/notifications/")?).await?,
    ])
}
