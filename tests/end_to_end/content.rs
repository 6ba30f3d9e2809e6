//! What a notification carries (document 1).

use carillon_testkit::{Deployment, Socket, User, unique};
use serde_json::{Value, json};

use crate::{
    checks::{connect, has},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, s1_04_a_notification_carries_every_field_through, s1_15_every_type_of_notification);
}

/// S1-04: document 1's notification, with its `body`, and further fields of any shape.
async fn s1_04_a_notification_carries_every_field_through(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let notification = json!({
        "title": unique("Task Complete"),
        "body": "Your export is ready",
        "timestamp": "2025-01-15T10:30:00Z",
        "action_url": "/downloads/export.csv",
        "nested": {"list": [1, 2.5, null, true, {"deep": "väl\"ue"}], "empty": {}},
        "big": 9_007_199_254_740_993_u64,
        "is_it": false,
        "type": "mine",
        "offset": -1,
        "channel": "mine as well",
    });
    let mut sockets = Vec::new();
    for gateway in deployment.gateways() {
        sockets.push(connect(gateway, "/ws/notifications/", &user.token).await?);
    }
    let frames = async |sockets: &mut Vec<Socket>| {
        let mut frames = Vec::new();
        for socket in sockets {
            let title = &notification["title"];
            frames.push(socket.next_where("it", |frame| frame["notification"]["title"] == *title).await?);
        }
        anyhow::Ok(frames)
    };
    publish(deployment, &user, &notification).await?;
    for frame in frames(&mut sockets).await? {
        has(&frame, &json!({"type": "notification", "notification": notification}))?;
        has(&frame, &json!({"message": "Your export is ready", "offset": 1}))?;
    }
    let inbox = deployment.api().with_token(&user.token).get("/api/notifications/").await?.expect(200)?;
    let items = inbox["items"].as_array().into_iter().flatten();
    let item = items.clone().find(|item| item["title"] == notification["title"]).cloned().unwrap_or_default();
    has(&item, &notification)
}

/// S1-15: document 1's catalogue, and any other type.
async fn s1_15_every_type_of_notification(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let mut socket = connect(&deployment.gateways()[0], "/ws/notifications/", &user.token).await?;
    for kind in [
        "task.completed",
        "task.failed",
        "message.received",
        "mention.received",
        "system.alert",
        "resource.created",
        "Anything else, ünless it is too long",
    ] {
        let notification = json!({"title": unique("T"), "message": "M", "notification_type": kind});
        publish(deployment, &user, &notification).await?;
        let title = &notification["title"];
        let frame = socket.next_where("it", |frame| frame["title"] == *title).await?;
        has(&frame["notification"], &notification)?;
    }
    socket.close().await
}

async fn publish(deployment: &Deployment, user: &User, notification: &Value) -> anyhow::Result<()> {
    let mut body = notification.clone();
    body["user_id"] = user.id_json();
    deployment.admin().await?.notify(&body).await.map(drop)
}
