//! What clients see while NATS or Postgres is down: connections stay, requests are refused with a time to
//! come back.

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Cluster, Options, Reply, Socket, User, unique};
use serde_json::{Value, json};

use super::listener::{is_open, is_told};
use crate::{checks::connect, suite::Suite};

/// The requests that need what is down.
const SEND: &str = "/api/notifications/send/";
const INBOX: &str = "/api/notifications/";

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("survival_of_an_outage", Options::default, an_outage_passes);
}

/// NATS is killed, then Postgres. Meanwhile sockets stay open, pings are answered, and requests get 503
/// with `Retry-After`; afterwards everything goes on over the same sockets.
async fn an_outage_passes(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let user = deployment.user("alice").await?;
    let [one, other] = deployment.gateways().each_ref().map(|gateway| gateway.api().with_token(&user.token));
    let mut sockets = Vec::new();
    for gateway in deployment.gateways() {
        sockets.push(connect(gateway, "/ws/notifications/", &user.token).await?);
    }
    for down in ["nats", "postgres"] {
        deployment.kill(down)?;
        let refused = tokio::try_join!(refuses(&one, &user), refuses(&other, &user));
        refused.with_context(|| format!("without {down}"))?;
        for socket in &mut sockets {
            is_open(socket).await.with_context(|| format!("without {down}"))?;
        }
        deployment.start(down).await?;
        for process in deployment.processes() {
            deployment.supervisor().ready(&process).await?;
        }
        for api in [&one, &other] {
            goes_on(api, &user, &mut sockets).await.with_context(|| format!("with {down} again"))?;
        }
    }
    for socket in sockets {
        socket.close().await?;
    }
    Ok(())
}

/// Sending and reading both.
async fn refuses(api: &Api, user: &User) -> anyhow::Result<()> {
    let notification = notification(user, "refused");
    let (sent, read) = tokio::try_join!(api.post(SEND, &notification), api.get(INBOX))?;
    come_back_later(&sent)?;
    come_back_later(&read)
}

fn come_back_later(reply: &Reply) -> anyhow::Result<()> {
    ensure!(reply.status == 503, "status {}: {}", reply.status, reply.body);
    let seconds = reply.headers.get("retry-after").context("no Retry-After")?.to_str()?;
    ensure!(seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0), "Retry-After: {seconds}");
    Ok(())
}

async fn goes_on(api: &Api, user: &User, sockets: &mut [Socket]) -> anyhow::Result<()> {
    let title = unique("well");
    api.post(SEND, &notification(user, &title)).await?.expect(200)?;
    for socket in sockets {
        is_told(socket, &title).await?;
    }
    Ok(())
}

/// A user may send one to itself.
fn notification(user: &User, title: &str) -> Value {
    json!({"user_id": user.id, "title": title, "message": "Hello"})
}
