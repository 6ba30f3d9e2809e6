//! Document 2: rooms and counter.

use anyhow::ensure;
use carillon_testkit::{Deployment, send, unique};
use reqwest::Method;
use serde_json::json;

use crate::{
    checks::{has, has_texts},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s2_04_without_a_token_the_rooms_dialect_greets,
        s2_04_a_notification_has_its_fields_at_the_top,
        s2_08_a_notification_without_token_and_recipient_reaches_everyone,
        s2_08_what_is_missing_is_answered_with_the_error_body,
    );
}

/// S2-04: `connection_status`.
async fn s2_04_without_a_token_the_rooms_dialect_greets(deployment: &Deployment) -> anyhow::Result<()> {
    let mut socket = deployment.socket("/ws/notifications/")?.open().await?;
    let greeting = socket.next_json().await?;
    has(
        &greeting,
        &json!({
            "type": "connection_status",
            "status": "connected",
            "message": "Successfully connected to notifications",
        }),
    )?;
    has_texts(&greeting, &["timestamp"])?;
    socket.close().await
}

/// S2-04: `title`, `message`, `priority` and `timestamp` at the top level; `normal` is the default.
async fn s2_04_a_notification_has_its_fields_at_the_top(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let admin = deployment.admin().await?;
    let mut socket = deployment.socket("/ws/notifications/")?.token(&user.token).open().await?;
    socket.next_json().await?;
    for priority in ["low", "normal", "high"] {
        let (title, message) = (unique("New Order"), "Order #456 has been received");
        let mut body = json!({"user_id": user.id, "title": title, "message": message});
        if priority != "normal" {
            body["priority"] = json!(priority);
        }
        admin.notify(&body).await?;
        let frame = socket.next_where("the notification", |frame| frame["title"] == title).await?;
        let expected =
            json!({"type": "notification", "title": title, "message": message, "priority": priority});
        has(&frame, &expected)?;
        has_texts(&frame, &["timestamp"])?;
    }
    socket.close().await
}

/// S2-08: the document's call, whose CSRF header is tolerated, reaches anonymous clients and users, on
/// every gateway.
async fn s2_08_a_notification_without_token_and_recipient_reaches_everyone(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let [first, second] = deployment.gateways();
    let mut sockets = [
        first.socket("/ws/notifications/")?.open().await?,
        second.socket("/ws/notifications/")?.open().await?,
        first.socket("/ws/notifications/")?.token(&user.token).open().await?,
    ];
    for socket in &mut sockets {
        socket.next_json().await?;
    }
    let title = unique("New Alert");
    let data = json!({"title": title, "message": "Important update!", "priority": "high"});
    let request = deployment.api().request(Method::POST, "/api/notifications/send/");
    let request = request.header("x-csrftoken", "abc").header("cookie", "csrftoken=abc").json(&data);
    let reply = send(request).await?.expect(200)?;
    has(&reply, &json!({"status": "success", "message": "Notification sent", "data": data}))?;
    for mut socket in sockets {
        let frame = socket.next_where("the notification", |frame| frame["title"] == title).await?;
        has(&frame, &json!({"type": "notification", "message": "Important update!", "priority": "high"}))?;
        socket.close().await?;
    }
    Ok(())
}

/// S2-08: 400 with the document's body.
async fn s2_08_what_is_missing_is_answered_with_the_error_body(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let api = deployment.api();
    for body in [
        json!({}),
        json!({"title": "Test"}),
        json!({"message": "Hello!"}),
        json!({"title": "", "message": ""}),
    ] {
        let reply = api.post("/api/notifications/send/", &body).await?.expect(400)?;
        let expected = json!({"status": "error", "message": "Title and message are required"});
        ensure!(reply == expected, "{body}: {reply}");
    }
    let malformed = api.request(Method::POST, "/api/notifications/send/").body("{\"title\":");
    let reply = send(malformed.header("content-type", "application/json")).await?.expect(400)?;
    has(&reply, &json!({"status": "error"}))
}
