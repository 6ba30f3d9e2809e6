//! Document 3: ticketing.

use carillon_testkit::{Deployment, unique};
use serde_json::json;

use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, s3_01_the_ticketing_dialect);
}

/// S3-01: `connection_established`, `notification_message` with the caller's own id and fields, and `pong`.
async fn s3_01_the_ticketing_dialect(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let handshake = deployment.socket("/ws/notifications/")?.query("dialect", "ticketing");
    let mut socket = handshake.token(&user.token).open().await?;
    has(&socket.next_json().await?, &json!({"type": "connection_established"}))?;
    let data = json!({
        "id": unique("ticket_123_assigned"),
        "notification_type": "ticket_assigned",
        "title": "Ticket Assigned",
        "message": "You were assigned to PROJ-456: Fix login bug",
        "ticket_id": 123,
        "ticket_key": "PROJ-456",
        "timestamp": "2025-11-05T12:00:00Z",
    });
    let mut body = data.clone();
    body["user_id"] = json!(user.id);
    deployment.admin().await?.notify(&body).await?;
    let frame = socket.next_where("the notification", |frame| frame["data"]["id"] == data["id"]).await?;
    has(&frame, &json!({"type": "notification_message", "data": data}))?;
    let timestamp = json!(1_762_344_000_000_u64);
    socket.send_json(&json!({"type": "ping", "timestamp": timestamp})).await?;
    has(&socket.next_of_type("pong").await?, &json!({"timestamp": timestamp}))?;
    socket.close().await
}
