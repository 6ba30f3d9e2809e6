//! What survives when something dies: everything that was acknowledged, and every connection but those of
//! a gateway that died itself.

mod board;
mod conversation;
mod counter;
mod crowd;
mod cut_off;
mod drain;
mod listener;
mod lost;
mod outages;
mod project_presence;
mod publisher;
mod random;
mod rolling;

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Gateway, Options};

use crate::suite::Suite;
use crowd::{Crowd, Story};
use publisher::{Publisher, accepted_in_order};

/// How many clients listen while processes are killed, as many at each gateway.
const CLIENTS: usize = 200;

/// How many notifications are sent at least; more if the kills take longer.
const NOTIFICATIONS: usize = 2_000;

/// What is killed, in this order. The clients of the gateway among them have to come back.
const VICTIMS: [&str; 4] = ["notification-1", KILLED_GATEWAY, "nats", "postgres"];
const KILLED_GATEWAY: &str = "gateway-1";

/// How many notifications are accepted between two kills, at least.
const BETWEEN_KILLS: usize = 300;

pub(crate) fn register(suite: &mut Suite) {
    suite.own_cluster("survival_of_every_notification", patient_gateways, every_notification_survives);
    conversation::register(suite);
    board::register(suite);
    project_presence::register(suite);
    counter::register(suite);
    lost::register(suite);
    cut_off::register(suite);
    outages::register(suite);
    drain::register(suite);
    rolling::register(suite);
}

/// Clients that share two cores with everything else may be slow: that is not what is looked at here.
fn patient_gateways() -> Options {
    let arguments = ["--queue-bytes", "67108864", "--heads-interval-seconds", "2"];
    Options { gateway_arguments: arguments.map(str::to_owned).to_vec(), ..Options::default() }
}

/// A notification replica, a gateway, NATS and Postgres are killed, each in turn, and started again, while
/// notifications are sent. Every client has every one that was accepted, once, in one order; those of the
/// gateway that wasn't killed on their first connection.
async fn every_notification_survives(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let token = deployment.admin().await?.create_service_token("publisher", &["notifications:send"]).await?;
    let crowd = Crowd::gather(deployment.gateways(), CLIENTS).await.context("the crowd")?;
    let mut publisher = Publisher::start(deployment.gateways(), &token.token);
    for victim in VICTIMS {
        publisher.progress(BETWEEN_KILLS).await.with_context(|| format!("before {victim} is killed"))?;
        deployment.kill(victim)?;
        deployment.start(victim).await?;
    }
    publisher.progress(BETWEEN_KILLS).await.context("after the last kill")?;
    let accepted = publisher.finish(NOTIFICATIONS).await?;
    ensure!(accepted.len() >= NOTIFICATIONS, "only {} were sent", accepted.len());
    let stories = crowd.disperse(accepted.len()).await?;
    accepted_in_order(&stories[0].received, &accepted)?;
    stories.iter().try_for_each(|story| judge(story, &stories[0], deployment.gateways()))
}

fn judge(story: &Story, other: &Story, gateways: &[Gateway; 2]) -> anyhow::Result<()> {
    let Story { client, home, breaks, received } = story;
    ensure!(*received == other.received, "clients {client} and {} differ", other.client);
    let gateway = &gateways[*home].name;
    ensure!(breaks.is_empty() != (gateway == KILLED_GATEWAY), "client {client} of {gateway}: {breaks:?}");
    Ok(())
}
