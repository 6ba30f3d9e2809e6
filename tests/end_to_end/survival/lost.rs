//! Events that are lost on the bus.

use std::time::Duration;

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, NatsProxy, Options, Socket, unique};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::listener::{is_open, is_told};
use crate::{checks::connect, suite::Suite};

/// How often the gateway behind the proxy compares heads, in seconds, as its argument and as a number.
const HEADS_INTERVAL: &str = "2";
const INTERVAL: Duration = Duration::from_secs(2);

/// What it may take, once the comparison was due, to ask for what is missing and to deliver it.
const FETCH: Duration = Duration::from_secs(2);

/// How many notifications a burst has.
const BURST: usize = 20;

/// How many clients listen at the gateway that loses something.
const CLIENTS: usize = 5;

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("survival_of_a_lost_last_event", Options::default, a_lost_last_event_is_found);
}

/// The last events of a burst are lost on their way to a gateway, and then nobody says anything more: its
/// clients get them all the same, as soon as it compares heads.
async fn a_lost_last_event_is_found(cluster: &Cluster) -> anyhow::Result<()> {
    let proxy = NatsProxy::start(cluster.nats()).await?;
    let arguments = ["--nats-url", &proxy.url(), "--heads-interval-seconds", HEADS_INTERVAL];
    let gateway = cluster.add_gateway("gateway-3", &arguments, &[]).await?;
    let user = cluster.deployment().user("alice").await?;
    let mut sockets = Vec::new();
    for _ in 0..CLIENTS {
        sockets.push(connect(&gateway, "/ws/notifications/", &user.token).await?);
    }
    let mut unaffected =
        connect(&cluster.deployment().gateways()[0], "/ws/notifications/", &user.token).await?;
    let everyone = json!({"everyone": true});
    let alone = json!({"user_id": user.id});
    let mut losses = 0;
    for (recipient, subject, lost) in [
        (&everyone, "live.everyone".to_owned(), 1),
        (&everyone, "live.everyone".to_owned(), BURST / 2),
        (&alone, format!("live.user.{}", user.id), 1),
    ] {
        let titles: Vec<String> = (0..BURST).map(|_| unique("notification")).collect();
        let (heard, unheard) = titles.split_at(BURST - lost);
        notify(cluster, recipient, heard).await?;
        for socket in sockets.iter_mut().chain([&mut unaffected]) {
            are_told(socket, heard).await?;
        }
        proxy.lose(&subject, lost);
        notify(cluster, recipient, unheard).await?;
        losses += lost;
        proxy.wait_until_lost(losses).await?;
        let deadline = Instant::now() + INTERVAL + FETCH;
        are_told(&mut unaffected, unheard).await?;
        for socket in &mut sockets {
            are_told(socket, unheard).await.context("what was lost")?;
        }
        ensure!(Instant::now() < deadline, "it took longer than {:?}", INTERVAL + FETCH);
        for socket in &mut sockets {
            is_open(socket).await?;
        }
    }
    Ok(())
}

async fn notify(cluster: &Cluster, recipient: &Value, titles: &[String]) -> anyhow::Result<()> {
    let admin = cluster.deployment().admin().await?;
    for title in titles {
        let mut body = recipient.clone();
        body["title"] = json!(title);
        body["message"] = json!("Hello");
        admin.notify(&body).await?;
    }
    Ok(())
}

async fn are_told(socket: &mut Socket, titles: &[String]) -> anyhow::Result<()> {
    for title in titles {
        is_told(socket, title).await?;
    }
    Ok(())
}
