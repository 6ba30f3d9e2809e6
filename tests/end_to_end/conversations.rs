//! Document 4: conversations.

use anyhow::ensure;
use carillon_testkit::{Deployment, JWT_SECRET, hs256, now, simple_jwt_claims, unique};
use serde_json::json;

use crate::{
    checks::{has, has_texts},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s4_02_notifications_are_for_the_user_itself,
        s4_05_a_notification_has_the_documents_fields,
        s4_06_a_refusal_has_its_code,
        s4_06_a_client_closes_with_1000,
    );
}

/// S4-02: `/ws/notifications/{user_id}/`; somebody else's closes with 4005.
async fn s4_02_notifications_are_for_the_user_itself(deployment: &Deployment) -> anyhow::Result<()> {
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let path = format!("/ws/notifications/{}/", alice.id);
    let mut own = deployment.socket(&path)?.token(&alice.token).open().await?;
    has(&own.next_json().await?, &json!({"type": "connection.established"}))?;
    let mut others = deployment.socket(&path)?.token(&bob.token).open().await?;
    let (code, reason) = others.expect_close().await?;
    ensure!(code == 4005, "closed with {code} {reason}");
    own.close().await
}

/// S4-05: `notification{id, title, message, notification_type, timestamp, is_read, data}`.
async fn s4_05_a_notification_has_the_documents_fields(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let path = format!("/ws/notifications/{}/", user.id);
    let mut socket = deployment.socket(&path)?.token(&user.token).open().await?;
    socket.next_json().await?;
    let notification = json!({
        "title": unique("New Message"),
        "message": "You have a new message from John Doe",
        "notification_type": "message",
        "data": {"conversation_id": 123, "sender_id": 456},
    });
    let mut body = notification.clone();
    body["user_id"] = json!(user.id);
    deployment.admin().await?.notify(&body).await?;
    let title = &notification["title"];
    let frame = socket.next_where("it", |frame| &frame["notification"]["title"] == title).await?;
    has(&frame, &json!({"type": "notification", "notification": notification}))?;
    has(&frame, &json!({"notification": {"is_read": false}}))?;
    has_texts(&frame["notification"], &["timestamp"])?;
    ensure!(frame["notification"]["id"].is_u64(), "no number for an id: {frame}");
    socket.close().await
}

/// S4-06: 4001 invalid, 4002 expired, 4003 missing.
async fn s4_06_a_refusal_has_its_code(deployment: &Deployment) -> anyhow::Result<()> {
    let mut claims = simple_jwt_claims(&json!(7));
    claims["exp"] = json!(now() - 3600);
    let expired = hs256(JWT_SECRET, &claims);
    let forged =
        hs256("a secret that nobody else knows and that is long enough", &simple_jwt_claims(&json!(7)));
    let path = "/ws/notifications/7/";
    for (handshake, expected) in [
        (deployment.socket(path)?.token(&forged), 4001),
        (deployment.socket(path)?.token("nonsense"), 4001),
        (deployment.socket(path)?.token(&expired), 4002),
        (deployment.socket(path)?, 4003),
    ] {
        let (code, reason) = handshake.open().await?.expect_close().await?;
        ensure!(code == expected, "closed with {code} {reason}, expected {expected}");
    }
    Ok(())
}

/// S4-06: 1000, which the server answers with the same.
async fn s4_06_a_client_closes_with_1000(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let path = format!("/ws/notifications/{}/", user.id);
    let mut socket = deployment.socket(&path)?.token(&user.token).open().await?;
    socket.next_json().await?;
    socket.ask_to_close(1000, "done").await?;
    let (code, reason) = socket.expect_close().await?;
    ensure!(code == 1000, "closed with {code} {reason}");
    Ok(())
}
