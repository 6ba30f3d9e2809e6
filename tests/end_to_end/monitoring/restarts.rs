//! Figures over restarts and crashes: nothing that was told is lost, and nothing counts twice.

use anyhow::ensure;
use carillon_testkit::{Cluster, DEADLINE, Deployment, Gateway, OneProcess, User};
use tokio::time::{Duration, Instant, sleep};

use super::{
    clients::Client,
    shown::{figures, metrics, stay, until},
};

/// Rounds in which what was heard is written: afterwards a crash takes nothing of it.
const WRITTEN: f64 = 2.0;

/// S0-10: `connections_today` and the totals survive a restart of everything, and its crash.
pub(super) async fn of_one_process(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let user = deployment.user("ada").await?;
    let mut client = visit(&deployment.gateways()[0], &user).await?;
    until(deployment, [1, 1, 1, 2, 1, 0]).await?;
    // One that is told to stop says what it has counted last.
    client.ping().await?;
    deployment.stop(OneProcess::NAME).await?;
    ensure!(client.closed().await?.0 == 1012);
    process.start_again().await?;
    // A greeting, two pongs, and when to come back.
    let expected = [0, 1, 1, 4, 2, 0];
    until(deployment, expected).await?;
    let client = visit(&deployment.gateways()[0], &user).await?;
    until(deployment, [1, 2, 2, 6, 3, 0]).await?;
    written(deployment, OneProcess::NAME).await?;
    process.kill()?;
    drop(client);
    process.start_again().await?;
    until(deployment, [0, 2, 2, 6, 3, 0]).await?;
    stay(deployment, [0, 2, 2, 6, 3, 0]).await
}

/// The same of gateways, of replicas of the service, and of all of them; and a replica that has just started knows
/// everything.
pub(super) async fn of_a_cluster(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let ([first, second], user) = (deployment.gateways(), deployment.user("ada").await?);
    let mut clients = vec![visit(first, &user).await?, visit(second, &user).await?];
    until(deployment, [2, 2, 2, 4, 2, 0]).await?;

    // Each replica alone, the moment that it is ready.
    for (stopped, restarted) in [("metrics-1", "metrics-2"), ("metrics-2", "metrics-1")] {
        deployment.stop(stopped).await?;
        deployment.kill(restarted)?;
        deployment.start(restarted).await?;
        let shown = metrics(deployment).await?;
        ensure!(figures(&shown)? == [2, 2, 2, 4, 2, 0], "{restarted}, which has just started: {shown}");
        deployment.start(stopped).await?;
    }
    stay(deployment, [2, 2, 2, 4, 2, 0]).await?;

    // A gateway that goes, and comes back as another.
    deployment.stop(&first.name).await?;
    let [gone, left] = [clients.remove(0), clients.remove(0)];
    ensure!(gone.closed().await?.0 == 1012);
    until(deployment, [1, 2, 2, 5, 2, 0]).await?;
    deployment.start(&first.name).await?;
    let back = visit(first, &user).await?;
    until(deployment, [2, 3, 3, 7, 3, 0]).await?;
    stay(deployment, [2, 3, 3, 7, 3, 0]).await?;

    // Everything.
    for name in ["metrics-1", "metrics-2"] {
        written(deployment, name).await?;
    }
    for name in ["metrics-1", "metrics-2", &*first.name, &*second.name] {
        deployment.kill(name)?;
    }
    drop((left, back));
    for name in ["metrics-1", "metrics-2", &*first.name, &*second.name] {
        deployment.start(name).await?;
    }
    until(deployment, [0, 3, 3, 7, 3, 0]).await?;
    stay(deployment, [0, 3, 3, 7, 3, 0]).await
}

/// A gateway is killed while its clients talk: what it has told counts, once, and is the last that it ever tells.
pub(super) async fn on_the_way(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let ([first, second], user) = (deployment.gateways(), deployment.user("ada").await?);
    let lasting = visit(second, &user).await?;
    let mut victim = visit(first, &user).await?;
    let told = until(deployment, [2, 2, 2, 4, 2, 0]).await?;
    // More than a second's talk: some of it is told, and some is not.
    let deadline = Instant::now() + Duration::from_millis(1_500);
    while Instant::now() < deadline {
        victim.ping().await?;
    }
    deployment.kill(&first.name)?;
    let (most_sent, most_received) = (victim.received + 2, victim.sent + 1);
    drop(victim);
    // It is missed after some seconds.
    let deadline = Instant::now() + DEADLINE;
    let gone = loop {
        let shown = metrics(deployment).await?;
        if shown["active_connections"] == 1 {
            break figures(&shown)?;
        }
        ensure!(Instant::now() < deadline, "{shown}");
        sleep(Duration::from_millis(50)).await;
    };
    let [_, today, total, sent, received, _] = gone;
    ensure!((today, total) == (2, 2), "{gone:?}");
    ensure!(figures(&told)?[3] < sent && sent <= most_sent, "{sent} of {most_sent} sent");
    ensure!(
        figures(&told)?[4] < received && received <= most_received,
        "{received} of {most_received} received"
    );
    // Two greetings, and a pong for each ping, but for one that had just been heard.
    ensure!([received + 1, received + 2].contains(&sent), "{gone:?} is no moment of it");
    stay(deployment, gone).await?;

    // Its next life counts from the beginning, and neither replica adds the first one twice.
    deployment.start(&first.name).await?;
    let again = visit(first, &user).await?;
    let expected = [2, 3, 3, sent + 2, received + 1, 0];
    until(deployment, expected).await?;
    for name in ["metrics-1", "metrics-2"] {
        deployment.stop(name).await?;
        deployment.start(name).await?;
    }
    until(deployment, expected).await?;
    stay(deployment, expected).await?;
    again.close().await?;
    lasting.close().await
}

/// A client that was greeted, and whose ping was answered: two messages sent, one received.
async fn visit(gateway: &Gateway, user: &User) -> anyhow::Result<Client> {
    let mut client = Client::open(gateway, "/ws/notifications/", user).await?;
    client.ping().await?;
    Ok(client)
}

/// Waits until a process has written what it had heard.
async fn written(deployment: &Deployment, process: &str) -> anyhow::Result<()> {
    let url = format!("{}/metrics", deployment.supervisor().operations(process)?);
    let saves = async || -> anyhow::Result<f64> {
        let metrics = reqwest::get(&url).await?.text().await?;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("carillon_metrics_saves_total{outcome=\"ok\"} "));
        Ok(line.unwrap_or("0").parse()?)
    };
    let (enough, deadline) = (saves().await? + WRITTEN, Instant::now() + DEADLINE);
    while saves().await? < enough {
        ensure!(Instant::now() < deadline, "{process} writes nothing");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
