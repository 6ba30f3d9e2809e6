//! Who is connected, and ending a connection.

use anyhow::{Context, ensure};
use carillon_testkit::{DEADLINE, Deployment, unique};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::clients::{Client, Stream};
use crate::{checks::has, http::is_problem};

const LIST: &str = "/api/monitoring/websocket/active-connections/";

/// A page of the list.
async fn list(deployment: &Deployment, query: &str) -> anyhow::Result<Value> {
    let page = deployment.admin().await?.api().get(&format!("{LIST}?{query}")).await?.expect(200)?;
    ensure!(page["unanswered"] == json!([]), "{page}");
    Ok(page)
}

/// Waits until a list has so many entries.
async fn lists(deployment: &Deployment, query: &str, count: usize) -> anyhow::Result<Vec<Value>> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let page = list(deployment, query).await?;
        let items = page["items"].as_array().context("items")?;
        if items.len() == count {
            ensure!(page["count"] == count, "{page}");
            return Ok(items.clone());
        }
        ensure!(Instant::now() < deadline, "expected {count} of {query}, got {page}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// S0-06: user, address, endpoint, since when, how many messages, and on which gateway; filtered, and a page at a time.
pub(super) async fn s0_06_connections_are_listed_as_they_are_wanted(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let ([first, second], user) = (deployment.gateways(), deployment.user("ada").await?);
    let mut talking = Client::open(first, "/ws/notifications/", &user).await?;
    talking.ping().await?;
    let room = unique("room");
    let mut chatting = Client::open(second, &format!("/ws/chat/{room}/?since="), &user).await?;
    chatting.ping().await?;
    let of_user = format!("user={}", user.id);
    let items = lists(deployment, &of_user, 2).await?;
    let by_endpoint =
        |endpoint: &str| items.iter().find(|item| item["endpoint"] == endpoint).context("an entry");
    let shown = by_endpoint("notifications")?;
    let expected = json!({
        "user_id": user.id_json(), "username": user.username, "address": "127.0.0.1", "transport": "websocket",
        "messages_sent": talking.received, "messages_received": talking.sent, "dialect": "events",
        "channels": ["everyone", format!("user.{}", user.id)],
    });
    has(shown, &expected)?;
    let since = shown["connected_at"].as_str().context("since when")?;
    ensure!(since.starts_with("20") && since.ends_with('Z'), "{since}");
    has(
        by_endpoint("chat")?,
        &json!({"parameters": {"room_name": room}, "messages_received": chatting.sent}),
    )?;

    for (more, count) in [
        ("endpoint=chat", 1),
        ("endpoint=counter", 0),
        ("address=127.0.0.1", 2),
        ("address=127.0.0.0/8", 2),
        ("address=192.0.2.7", 0),
        ("address=2001:db8::/32", 0),
    ] {
        lists(deployment, &format!("{of_user}&{more}"), count).await.context(more)?;
    }
    for gateway in [shown["gateway"].as_str(), by_endpoint("chat")?["gateway"].as_str()] {
        let gateway = gateway.context("a gateway")?;
        let found = list(deployment, &format!("{of_user}&gateway={gateway}")).await?;
        let found = found["items"].as_array().context("items")?;
        let expected: Vec<_> = items.iter().filter(|item| item["gateway"] == gateway).collect();
        ensure!(
            found.iter().map(|item| &item["id"]).eq(expected.iter().map(|item| &item["id"])),
            "{found:?}"
        );
    }
    let page = list(deployment, &format!("{of_user}&limit=1")).await?;
    ensure!(page["items"][0]["id"] == items[0]["id"] && page["count"] == 2, "{page}");
    let next = page["next"].as_str().context("another page")?;
    let page = list(deployment, &format!("{of_user}&limit=1&after={next}")).await?;
    ensure!(
        page["items"][0]["id"] == items[1]["id"] && page["next"].is_null() && page["count"] == 2,
        "{page}"
    );
    for nonsense in ["limit=0", "limit=x", "after=x", "address=x", "endpoint=x", "gateway=.."] {
        is_problem(&deployment.admin().await?.api().get(&format!("{LIST}?{nonsense}")).await?, 422)?;
    }
    talking.close().await?;
    chatting.close().await?;
    lists(deployment, &of_user, 0).await.map(drop)
}

/// S1-13: a view of the connected clients, whichever way they are connected.
pub(super) async fn s1_13_connected_clients_can_be_seen(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], user) = (deployment.gateways(), deployment.user("ada").await?);
    let org = deployment.org(&[&user]).await?;
    let socket = Client::open(first, &format!("/ws/events/{org}/"), &user).await?;
    let channels = Client::subscribed(second, &user).await?;
    let stream = Stream::open(first, &user).await?;
    let items = lists(deployment, &format!("user={}", user.id), 3).await?;
    for expected in [
        json!({"endpoint": "events", "transport": "websocket", "channels": [format!("org.{org}")]}),
        json!({"endpoint": "carillon.v1", "transport": "websocket", "channels": [format!("user.{}", user.id)]}),
        json!({"endpoint": "notifications", "transport": "events", "channels": [format!("user.{}", user.id)]}),
    ] {
        ensure!(items.iter().any(|item| has(item, &expected).is_ok()), "no {expected} in {items:?}");
    }
    drop(stream);
    socket.close().await?;
    channels.close().await
}

/// S0-06: an admin ends connections, over any transport, and only those; their clients are told.
pub(super) async fn s0_06_an_admin_ends_connections(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], user) = (deployment.gateways(), deployment.user("ada").await?);
    let other = deployment.user("bob").await?;
    let socket = Client::open(first, "/ws/notifications/", &user).await?;
    let channels = Client::subscribed(second, &user).await?;
    let mut stream = Stream::open(second, &user).await?;
    let mut spared = Client::open(second, "/ws/notifications/", &other).await?;
    let of_user = format!("user={}", user.id);
    let (admin, reason) = (deployment.admin().await?.api(), "disconnected by an administrator");
    let items = lists(deployment, &of_user, 3).await?;
    let path = |item: &Value| {
        let id = item["id"].as_str().unwrap_or_default();
        format!("/api/monitoring/websocket/connections/{id}/disconnect/")
    };
    for item in &items {
        let refused = deployment.api().with_token(&user.token).post(&path(item), &json!({})).await?;
        is_problem(&refused, 403)?;
        let ended = admin.post(&path(item), &json!({})).await?.expect(200)?;
        let expected = json!({
            "status": "disconnected", "id": item["id"], "gateway": item["gateway"], "code": 4102, "reason": reason,
        });
        ensure!(ended == expected, "{ended}");
    }
    for client in [socket, channels] {
        ensure!(client.closed().await? == (4102, reason.to_owned()));
    }
    stream.until("\"code\":4102").await?;
    lists(deployment, &of_user, 0).await?;
    for item in &items {
        gone(deployment, &path(item)).await?;
    }
    for unknown in ["nonsense", "00000000000000ff-0", "%2A-1"] {
        let path = format!("/api/monitoring/websocket/connections/{unknown}/disconnect/");
        is_problem(&admin.post(&path, &json!({})).await?, 404)?;
    }
    spared.ping().await?;
    lists(deployment, &format!("user={}", other.id), 1).await?;
    spared.close().await
}

/// Waits until there is no such connection any more: it may take its client a moment to close its side.
async fn gone(deployment: &Deployment, path: &str) -> anyhow::Result<()> {
    let (admin, deadline) = (deployment.admin().await?.api(), Instant::now() + DEADLINE);
    loop {
        let reply = admin.post(path, &json!({})).await?;
        if reply.status != 200 {
            return is_problem(&reply, 404).map(drop);
        }
        ensure!(Instant::now() < deadline, "{path} is still there");
        sleep(Duration::from_millis(50)).await;
    }
}
