//! A gateway that is asked to stop.

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Cluster, Gateway, Options, Socket, User, unique};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    checks::{connect, ends},
    suite::Suite,
};

/// What takes a request to another service.
const ME: &str = "/api/auth/me/";

/// How many clients it has.
const CLIENTS: usize = 20;

/// Over how many seconds it sends them elsewhere.
const DRAIN_SECONDS: &str = "1";

pub(super) fn register(suite: &mut Suite) {
    let options = || Options {
        gateway_arguments: vec!["--drain-seconds".to_owned(), DRAIN_SECONDS.to_owned()],
        ..Options::default()
    };
    suite.own_cluster("survival_of_a_shutdown", options, a_gateway_says_goodbye);
}

/// On SIGTERM each client is told when to come back, and its connection closed with 1012; requests are
/// answered until their connections have ended; the process then ends well. What was sent meanwhile the
/// clients get at the other gateway.
async fn a_gateway_says_goodbye(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [stopped, other] = deployment.gateways();
    let user = deployment.user("alice").await?;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(is_sent_away(connect(stopped, "/ws/notifications/", &user.token).await?));
    }
    let requests = stopped.api().with_token(&user.token);
    requests.get(ME).await?.expect(200)?;
    let (status, ()) = tokio::try_join!(deployment.stop(&stopped.name), until_sent_away(&requests))?;
    ensure!(status.success(), "stopped with {status}");
    let title = unique("meanwhile");
    let notification = json!({"user_id": user.id, "title": title, "message": "Hello"});
    deployment.admin().await?.notify(&notification).await?;
    while let Some(since) = clients.join_next().await {
        comes_back(other, &user, since??, &title).await?;
    }
    Ok(())
}

/// Tells where the client was.
async fn is_sent_away(mut socket: Socket) -> anyhow::Result<String> {
    let frame = socket.next_json().await?;
    ensure!(frame["type"] == "reconnect" && frame["after_ms"].is_u64(), "{frame}");
    ends(&mut socket, 1012).await?;
    socket.since().context("no place to come back to")
}

/// Has one request answered after the other, until an answer is the last one of its connection.
async fn until_sent_away(api: &Api) -> anyhow::Result<()> {
    loop {
        let reply = api.get(ME).await?;
        reply.expect(200)?;
        if reply.headers.get("connection").is_some_and(|connection| connection == "close") {
            return Ok(());
        }
    }
}

async fn comes_back(gateway: &Gateway, user: &User, since: String, title: &str) -> anyhow::Result<()> {
    let handshake = gateway.socket("/ws/notifications/")?.token(&user.token).since(Some(since));
    let mut socket = handshake.open().await?;
    socket.next_of_type("connection.established").await?;
    let recovery = socket.next_json().await?;
    ensure!(recovery["recovered"] == true && recovery["missed"] == 1, "{recovery}");
    let frame = socket.next_json().await?;
    ensure!(frame["title"] == title, "{frame}");
    socket.close().await
}
