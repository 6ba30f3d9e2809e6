//! An update of everything, replica by replica, under load and behind nginx: nobody lacks an event, has one twice or
//! in another order, and the clients of a gateway that goes don't come back all at once. Then the same with crashes.
//!
//! `make rolling` runs these, and shows what it was like for the clients.

mod attendance;
mod back_end;
mod client;
mod outcome;

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Nginx, Options};

use crate::suite::Suite;
use attendance::Attendance;
use back_end::BackEnd;
use outcome::Outcome;

/// How many clients there are, half of them in rooms and half hearing what is sent to everyone.
const CLIENTS: usize = 500;

/// How many rooms those in rooms are in.
const ROOMS: usize = 10;

/// Over how many seconds a gateway sends its clients elsewhere. A worker sends one away every 20 ms at least, so with two of
/// them that is the time that everyone takes.
const DRAIN_SECONDS: usize = 5;
const WORKERS: &str = "2";

/// How many may come back in one second: one and a half times as many as leave in one, if everyone is at one gateway.
const COMING_BACK: usize = CLIENTS / DRAIN_SECONDS * 3 / 2;

/// What is replaced, and then the gateways.
const SERVICES: [&str; 5] = ["auth", "notification", "chat", "ticket-presence", "metrics"];
const GATEWAYS: [&str; 2] = ["gateway-1", "gateway-2"];

/// How many replicas each service has.
const REPLICAS: usize = 2;

/// How many events are accepted between two steps, at least.
const BETWEEN: usize = 15;

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("survival_of_a_rolling_update", options, everything_is_replaced);
    suite.own_cluster("survival_of_a_rolling_crash", options, everything_crashes);
}

fn options() -> Options {
    let drain = DRAIN_SECONDS.to_string();
    let few = ["--trusted-proxies", "127.0.0.1", "--drain-seconds", &drain, "--workers", WORKERS];
    let arguments = [&few[..], &["--queue-bytes", "67108864"]].concat();
    Options { gateway_arguments: arguments.into_iter().map(str::to_owned).collect(), ..Options::default() }
}

/// SIGTERM: of a service a new replica is ready before an old one goes; a gateway goes and starts again at its
/// place in nginx's list. No connection breaks but by a gateway's goodbye, everybody is back at the first attempt, within
/// the spread that the goodbyes have, and nobody is seen leaving.
async fn everything_is_replaced(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let outcome = under_load(cluster, async |back_end: &mut BackEnd| {
        for service in SERVICES {
            for replica in 1..=REPLICAS {
                cluster.add_replica(service, REPLICAS + replica).await?;
                stopped(cluster, &format!("{service}-{replica}")).await?;
                back_end.progress(BETWEEN).await?;
            }
        }
        for gateway in GATEWAYS {
            stopped(cluster, gateway).await?;
            deployment.start(gateway).await?;
            back_end.progress(BETWEEN).await?;
        }
        Ok(())
    })
    .await?;
    println!("rolling update: {outcome}");
    outcome.everyone_was_told()?;
    outcome.spread_below(COMING_BACK)?;
    ensure!(outcome.leavings == 0, "{} leavings were told of users who came back", outcome.leavings);
    Ok(())
}

/// SIGKILL, and started again.
async fn everything_crashes(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let outcome = under_load(cluster, async |back_end: &mut BackEnd| {
        let services =
            SERVICES.iter().flat_map(|service| (1..=REPLICAS).map(move |n| format!("{service}-{n}")));
        for victim in services.chain(GATEWAYS.map(str::to_owned)) {
            deployment.kill(&victim)?;
            back_end.progress(BETWEEN).await.with_context(|| format!("without {victim}"))?;
            deployment.start(&victim).await?;
            back_end.progress(BETWEEN).await.with_context(|| format!("with {victim} again"))?;
        }
        Ok(())
    })
    .await?;
    println!("rolling crash: {outcome}");
    outcome.everyone_was_cut_off()
}

/// Has clients listen and a back end send meanwhile, and checks that everyone has everything in the end.
async fn under_load(
    cluster: &Cluster,
    meanwhile: impl AsyncFnOnce(&mut BackEnd) -> anyhow::Result<()>,
) -> anyhow::Result<Outcome> {
    let deployment = cluster.deployment();
    let nginx = Nginx::start(deployment).await?;
    let scopes = ["notifications:send", "chat:send"];
    let token = deployment.admin().await?.create_service_token("publisher", &scopes).await?.token;
    let attendance = Attendance::gather(nginx.plain()).await.context("the clients")?;
    let mut back_end = BackEnd::start(nginx.plain(), &token);
    back_end.progress(BETWEEN).await.context("before anything happens")?;
    meanwhile(&mut back_end).await?;
    let sent = back_end.finish().await?;
    let stories = attendance.end(&sent.accepted).await?;
    Outcome::of(&stories, &sent)
}

async fn stopped(cluster: &Cluster, process: &str) -> anyhow::Result<()> {
    let status = cluster.deployment().stop(process).await?;
    ensure!(status.success(), "{process} ended with {status}");
    Ok(())
}
