//! Document 1: organisation events.

use carillon_testkit::{Deployment, unique};
use serde_json::json;

use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s1_01_the_greeting_names_the_user,
        s1_05_a_ping_is_answered_with_its_timestamp,
        s1_06_invalid_json_is_answered_and_the_connection_stays,
        s1_07_a_missing_or_invalid_token_closes_with_4001,
        s1_07_who_is_no_member_is_closed_with_4003,
    );
}

/// S1-01: `/ws/notifications/` greets.
async fn s1_01_the_greeting_names_the_user(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let mut socket = deployment.socket("/ws/notifications/")?.token(&user.token).open().await?;
    let expected = json!({"type": "connection.established", "message": "Connected to notifications", "user_id": user.id_json()});
    has(&socket.next_json().await?, &expected)?;
    socket.close().await
}

/// S1-05: the pong has the ping's timestamp as it came, string or number.
async fn s1_05_a_ping_is_answered_with_its_timestamp(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    for path in ["/ws/notifications/".to_owned(), format!("/ws/events/{org}/")] {
        let mut socket = deployment.socket(&path)?.token(&user.token).open().await?;
        for timestamp in [json!("2025-01-15T10:30:00Z"), json!(1_736_937_000_123_u64), json!(0.5)] {
            socket.send_json(&json!({"type": "ping", "timestamp": timestamp})).await?;
            has(&socket.next_of_type("pong").await?, &json!({"type": "pong", "timestamp": timestamp}))?;
        }
        socket.expect_pong(b"a protocol-level ping").await?;
        socket.close().await?;
    }
    Ok(())
}

/// S1-06: what is no JSON gets the error frame, and the connection stays open.
async fn s1_06_invalid_json_is_answered_and_the_connection_stays(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let mut socket = deployment.socket("/ws/notifications/")?.token(&user.token).open().await?;
    for text in ["not JSON", "{\"type\":", ""] {
        socket.send_text(text).await?;
        has(&socket.next_of_type("error").await?, &json!({"type": "error", "message": "Invalid JSON"}))?;
    }
    socket.expect_none("another error", |frame| frame["type"] == "error").await?;
    socket.close().await
}

/// S1-07: 4001, accepted first, so that a browser sees it.
async fn s1_07_a_missing_or_invalid_token_closes_with_4001(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let events = format!("/ws/events/{org}/");
    let forged = format!("{}x", user.token);
    for handshake in [
        deployment.socket(&events)?,
        deployment.socket(&events)?.token("nonsense"),
        deployment.socket(&events)?.token(&forged),
        deployment.socket(&events)?.bearer(&user.refresh),
        deployment.socket("/ws/notifications/")?.token("nonsense"),
        deployment.socket("/ws/notifications/")?.bearer(&forged),
    ] {
        let (code, reason) = handshake.open().await?.expect_close().await?;
        anyhow::ensure!(code == 4001, "closed with {code} {reason}");
    }
    Ok(())
}

/// S1-07: 4003, for an organisation of others and for one that isn't there.
async fn s1_07_who_is_no_member_is_closed_with_4003(deployment: &Deployment) -> anyhow::Result<()> {
    let (alice, carol) = (deployment.user("alice").await?, deployment.user("carol").await?);
    let org = deployment.org(&[&alice]).await?;
    for org in [org, unique("nowhere")] {
        let socket = deployment.socket(&format!("/ws/events/{org}/"))?.token(&carol.token).open().await;
        let (code, reason) = socket?.expect_close().await?;
        anyhow::ensure!(code == 4003, "closed with {code} {reason}");
    }
    Ok(())
}
