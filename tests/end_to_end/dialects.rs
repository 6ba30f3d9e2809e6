//! `/ws/notifications/`, which four documents share, in the dialect of each.

use anyhow::ensure;
use carillon_testkit::{Deployment, Gateway, Handshake, Socket, User, unique};
use serde_json::{Value, json};

use crate::{
    checks::{has, has_texts},
    suite::{Suite, both, strict},
};

const PATH: &str = "/ws/notifications/";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_01_a_dialect_is_chosen_by_subprotocol_or_query,
        s3_01_each_dialect_has_its_frames,
        s3_01_an_unknown_dialect_is_a_bad_request,
    );
    strict!(suite, s3_01_the_deployment_has_a_default_dialect);
}

/// S3-01: the subprotocol is confirmed, as browsers demand; it counts before the query.
async fn s3_01_a_dialect_is_chosen_by_subprotocol_or_query(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let socket = || anyhow::Ok(deployment.socket(PATH)?.bearer(&user.token));
    for (handshake, dialect, protocol) in [
        (socket()?, "events", None),
        (deployment.socket(PATH)?, "rooms", None),
        (socket()?.query("dialect", "events"), "events", None),
        (socket()?.query("dialect", "rooms"), "rooms", None),
        (socket()?.query("dialect", "ticketing"), "ticketing", None),
        (socket()?.protocol("events"), "events", Some("events")),
        (socket()?.protocol("rooms"), "rooms", Some("rooms")),
        (socket()?.protocol("ticketing"), "ticketing", Some("ticketing")),
        (socket()?.protocol("chat").protocol("ticketing"), "ticketing", Some("ticketing")),
        (socket()?.protocol("ticketing").query("dialect", "rooms"), "ticketing", Some("ticketing")),
        (socket()?.protocol("rooms").protocol("bearer").protocol(&user.token), "rooms", Some("rooms")),
        (deployment.socket(PATH)?.protocol("bearer").protocol(&user.token), "events", Some("bearer")),
    ] {
        let shown = format!("{handshake:?}");
        let mut socket = speaks(handshake, dialect).await?;
        ensure!(socket.protocol() == protocol, "{:?} was confirmed of {shown}", socket.protocol());
        socket.send_json(&json!({"type": "ping", "timestamp": 7})).await?;
        has(&socket.next_of_type("pong").await?, &json!({"type": "pong", "timestamp": 7}))?;
        socket.close().await?;
    }
    Ok(())
}

/// S2-04, S3-01, S4-05: one notification, as each document shows it; whoever sends it knows no dialect.
async fn s3_01_each_dialect_has_its_frames(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let [first, second] = deployment.gateways();
    let own = format!("/ws/notifications/{}/", user.id);
    let mut sockets = Vec::new();
    for (gateway, path, dialect) in [
        (first, PATH, "events"),
        (second, PATH, "rooms"),
        (first, PATH, "ticketing"),
        (second, PATH, "ticketing"),
        (first, own.as_str(), "events"),
    ] {
        let handshake = gateway.socket(path)?.token(&user.token).protocol(dialect);
        sockets.push((dialect, speaks(handshake, dialect).await?));
    }
    let notification = json!({
        "notification_type": "ticket_assigned",
        "title": unique("Ticket Assigned"),
        "message": "You were assigned to PROJ-456: Fix login bug",
        "priority": "high",
        "ticket_id": 123,
        "ticket_key": "PROJ-456",
        "timestamp": "2025-11-05T12:00:00Z",
        "data": {"conversation_id": 123, "sender_id": 456},
    });
    let id = unique("ticket_123_assigned");
    let ours = send(deployment, &user, &notification, &id).await?;
    for (dialect, mut socket) in sockets {
        let frame = socket.next_where("the notification", |frame| is(frame, &notification["title"])).await?;
        if dialect == "ticketing" {
            has(&frame, &json!({"type": "notification_message", "data": notification}))?;
            has(&frame["data"], &json!({"id": id, "notification_id": ours}))?;
        } else {
            has(&frame, &json!({"type": "notification", "notification": notification}))?;
            has(&frame["notification"], &json!({"id": ours, "is_read": false, "external_id": id}))?;
            for field in ["title", "message", "priority", "timestamp"] {
                ensure!(frame[field] == notification[field], "{field} at the top of {frame}");
            }
        }
        socket.close().await?;
    }
    Ok(())
}

/// S3-01: a dialect that there isn't is a mistake in the client's URL. An unknown subprotocol is only not chosen.
async fn s3_01_an_unknown_dialect_is_a_bad_request(deployment: &Deployment) -> anyhow::Result<()> {
    for dialect in ["klingon", "", "Ticketing"] {
        let refusal = deployment.socket(PATH)?.query("dialect", dialect).refused().await?;
        ensure!(refusal.status == 400, "{dialect:?}: {refusal:?}");
    }
    let socket =
        speaks(deployment.socket(PATH)?.query("dialect", "rooms").query("history", "5"), "rooms").await?;
    socket.close().await
}

/// S3-01: document 3's front end needs no change where the deployment is set to `ticketing`.
async fn s3_01_the_deployment_has_a_default_dialect(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let user = deployment.user("john").await?;
    let socket = || anyhow::Ok(gateway.socket(PATH)?.token(&user.token));
    let mut own = speaks(socket()?, "ticketing").await?;
    speaks(socket()?.protocol("events"), "events").await?.close().await?;
    speaks(socket()?.query("dialect", "rooms"), "rooms").await?.close().await?;
    let notification = json!({"title": unique("Hello"), "message": "It works"});
    let id = unique("custom_notification_1");
    send(deployment, &user, &notification, &id).await?;
    let frame = own.next_of_type("notification_message").await?;
    has(&frame["data"], &notification)?;
    has(&frame["data"], &json!({"id": id, "notification_type": "general"}))?;
    has_texts(&frame["data"], &["timestamp"])?;
    own.close().await
}

async fn speaks(handshake: Handshake, dialect: &str) -> anyhow::Result<Socket> {
    let mut socket = handshake.open().await?;
    let greeting = socket.next_json().await?;
    let expected = match dialect {
        "events" => json!({"type": "connection.established", "message": "Connected to notifications"}),
        "rooms" => json!({"type": "connection_status", "status": "connected"}),
        _ => json!({"type": "connection_established"}),
    };
    has(&greeting, &expected)?;
    Ok(socket)
}

/// Sends it under a caller's own id; ours.
async fn send(deployment: &Deployment, user: &User, notification: &Value, id: &str) -> anyhow::Result<Value> {
    let mut body = notification.clone();
    body["user_id"] = user.id_json();
    body["id"] = json!(id);
    Ok(deployment.admin().await?.notify(&body).await?["id"].clone())
}

fn is(frame: &Value, title: &Value) -> bool {
    [&frame["title"], &frame["data"]["title"]].contains(&title)
}
