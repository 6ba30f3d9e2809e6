//! The six figures of S0-10, as they are told with the rest.

use anyhow::ensure;
use carillon_testkit::{Deployment, Gateway, OneProcess, Options, Socket, User};
use serde_json::{Value, json};

use super::watcher::{Watcher, replicas};
use crate::{checks::connect, suite::Suite};

/// How many clients each gateway has, and how often each says something.
const CLIENTS: u64 = 3;
const SAID: u64 = 2;

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("s0_04_figures_are_what_clients_did", Options::default, async |cluster| {
        are_what_clients_did(cluster.deployment()).await
    });
    suite.own_process(
        "s0_04_figures_are_what_clients_did",
        Options::default,
        async |process: &OneProcess| are_what_clients_did(process.deployment()).await,
    );
}

/// S0-04, S0-10: over all gateways, the watcher included.
async fn are_what_clients_did(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let user = deployment.user("alice").await?;
    let mut watcher = Watcher::enter(deployment, first).await?;
    let mut clients = Vec::new();
    for gateway in [first, second] {
        for _ in 0..CLIENTS {
            clients.push(client(gateway, &user).await?);
        }
    }
    let opened = 2 * CLIENTS + 1;
    let expected = json!({
        "active_connections": opened, "connections_today": opened, "connections_total": opened,
        "messages_received": 2 * CLIENTS * SAID, "handshakes_refused": 0,
    });
    let frame = watcher.next_where("every client", |frame| shows(frame, &expected)).await?;
    for name in ["messages_sent", "avg_connection_duration", "messages_per_minute"] {
        ensure!(frame["metrics"][name].is_number(), "no {name}: {frame}");
    }
    // Gateways go by one name, here and there.
    let api = deployment.admin().await?.api();
    let page = api.get("/api/monitoring/websocket/metrics/").await?.expect(200)?;
    let listed = page["gateways"].as_array().into_iter().flatten().map(|gateway| &gateway["gateway"]);
    ensure!(listed.eq(replicas(&frame, "gateway").map(|replica| &replica["replica"])), "{page} {frame}");
    for client in clients {
        client.close().await?;
    }
    let expected = json!({"active_connections": 1, "connections_today": opened, "connections_total": opened});
    watcher.next_where("they have left", |frame| shows(frame, &expected)).await?;
    watcher.close().await
}

/// A client that has been answered so often.
async fn client(gateway: &Gateway, user: &User) -> anyhow::Result<Socket> {
    let mut socket = connect(gateway, "/ws/notifications/", &user.token).await?;
    for _ in 0..SAID {
        socket.send_json(&json!({"type": "ping"})).await?;
        socket.next_of_type("pong").await?;
    }
    Ok(socket)
}

fn shows(frame: &Value, expected: &Value) -> bool {
    let mut expected = expected.as_object().into_iter().flatten();
    expected.all(|(name, figure)| frame["metrics"][name] == *figure)
}
