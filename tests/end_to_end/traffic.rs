//! What a gateway logs of connections (document 4, debugging): attempts, refusals, and what has passed.

use anyhow::{Context, ensure};
use carillon_testkit::{DEADLINE, Deployment, unique};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use crate::{
    chat_rooms::enter,
    checks::refused,
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, s4_11_attempts_refusals_and_traffic_are_logged);
}

/// S4-11
async fn s4_11_attempts_refusals_and_traffic_are_logged(deployment: &Deployment) -> anyhow::Result<()> {
    let gateway = &deployment.gateways()[0];
    let user = deployment.user("alice").await?;
    let named = format!("user=\"{}\"", user.id);
    refused(gateway.socket("/ws/chat/123456789/")?.token(&user.token), 4004).await?;
    refused(gateway.socket("/ws/chat/123456788/")?, 4003).await?;
    let mut socket = enter(gateway.socket(&format!("/ws/chat/{}/", unique("r")))?.token(&user.token)).await?;
    for message in ["one", "two"] {
        socket.send_json(&json!({"type": "chat_message", "message": message})).await?;
        socket.next_of_type("chat_message").await?;
    }
    socket.close().await?;
    // A ping, and two messages that it heard itself.
    let lines: [(&str, &[&str]); 4] = [
        ("an attempt", &["a handshake was accepted", "endpoint=\"chat\"", &named, "address=\"127.0.0.1\""]),
        ("a refused attempt", &["a handshake was refused", "/ws/chat/123456788/", "reason="]),
        (
            "a refused session",
            &["a session was refused", "endpoint=\"conversation\"", "code=4004", "reason="],
        ),
        ("traffic", &["a connection has ended", "endpoint=\"chat\"", &named, "received=3 sent=3"]),
    ];
    for (what, texts) in lines {
        logged(deployment, &gateway.name, texts).await.context(what)?;
    }
    Ok(())
}

/// Waits for a line that has all of these texts.
async fn logged(deployment: &Deployment, process: &str, texts: &[&str]) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let log = deployment.supervisor().output(process)?;
        if log.lines().any(|line| texts.iter().all(|text| line.contains(text))) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "no line of {process} has {texts:?}");
        sleep(Duration::from_millis(50)).await;
    }
}
