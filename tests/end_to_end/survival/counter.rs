//! A busy counter over two gateways: no update is lost or applied twice.

use std::sync::Arc;

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Deployment, OneProcess, Socket, unique};
use serde_json::{Value, json};
use tokio::{
    sync::Barrier,
    task::JoinSet,
    time::{Duration, timeout},
};

use super::patient_gateways;
use crate::suite::Suite;

const CLIENTS: usize = 100;

/// How many updates each client makes, all at once.
const EACH: usize = 100;

const UPDATES: usize = CLIENTS * EACH;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(180);

pub(super) fn register(suite: &mut Suite) {
    let name = "s2_06_ten_thousand_updates_at_once_add_up";
    suite.own_cluster(name, patient_gateways, async |cluster: &Cluster| {
        s2_06_ten_thousand_updates_at_once_add_up(cluster.deployment()).await
    });
    suite.own_process(name, patient_gateways, async |process: &OneProcess| {
        s2_06_ten_thousand_updates_at_once_add_up(process.deployment()).await
    });
}

/// S2-06: the final value is exact, and the sum of the updates that each client hears is that value.
async fn s2_06_ten_thousand_updates_at_once_add_up(deployment: &Deployment) -> anyhow::Result<()> {
    let name = unique("counter");
    let start = Arc::new(Barrier::new(CLIENTS));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let path = format!("/ws/counter/{name}/");
        let mut socket = deployment.gateways()[number % 2].socket(&path)?.open().await?;
        let greeting = socket.next_of_type("counter_update").await?;
        ensure!(greeting["counter"] == 0, "{greeting}");
        clients.spawn(take_part(number, socket, start.clone()));
    }
    let expected: i64 =
        (0..CLIENTS).flat_map(|client| (0..EACH).map(move |update| step(client, update))).sum();
    let everyone = async {
        while let Some(outcome) = clients.join_next().await {
            let (client, sum) = outcome??;
            ensure!(sum == expected, "client {client} heard a sum of {sum}, not {expected}");
        }
        Ok(())
    };
    timeout(PATIENCE, everyone).await.context("somebody still lacks an update")??;
    let path = format!("/api/counter/{name}/");
    let value = deployment.api().get(&path).await?.expect(200)?;
    ensure!(value["counter"] == expected, "{value}, not {expected}");
    Ok(())
}

/// What an update adds: increments and decrements of different sizes.
fn step(client: usize, update: usize) -> i64 {
    let size = i64::try_from((client * 7 + update * 13) % 17).unwrap_or_default() + 1;
    if (client + update).is_multiple_of(3) { -size } else { size }
}

/// Sends its updates without waiting, and adds up what it hears, until it has heard everyone's.
async fn take_part(number: usize, mut socket: Socket, start: Arc<Barrier>) -> anyhow::Result<(usize, i64)> {
    start.wait().await;
    for update in 0..EACH {
        let value = step(number, update);
        let action = if value < 0 { "decrement" } else { "increment" };
        socket.send_json(&json!({"action": action, "value": value.abs()})).await?;
    }
    let mut sum = 0;
    for _ in 0..UPDATES {
        let frame = next_update(&mut socket).await?;
        let value = frame["value"].as_i64().context("no value")?;
        sum += if frame["action"] == "decrement" { -value } else { value };
        ensure!(frame["counter"] == sum, "client {number}: {frame} after a sum of {sum}");
    }
    socket.expect_none("another update", |frame| frame["type"] == "counter_update").await?;
    socket.close().await?;
    Ok((number, sum))
}

async fn next_update(socket: &mut Socket) -> anyhow::Result<Value> {
    loop {
        let frame = socket.next_json_within(PATIENCE).await?;
        match frame["type"].as_str() {
            Some("counter_update") => return Ok(frame),
            Some("error") => anyhow::bail!("refused: {frame}"),
            _ => {}
        }
    }
}
