//! Collectors that are slow or away: nobody notices but who asks for the spans.

use anyhow::ensure;
use carillon_testkit::{Collector, DEADLINE, Deployment, OneProcess, Options};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use super::collected_with;
use crate::{checks::connect, suite::Suite};

/// Enough to fill the queue many times over.
const NOTIFICATIONS: usize = 40;

/// The longest that a process whose collector hangs may take to stop: its last spans have three seconds.
const STOP: Duration = Duration::from_secs(10);

pub(super) fn register(suite: &mut Suite) {
    suite.own_process("trace_collector_that_is_away_costs_spans_only", away, costs_spans_only_away);
    suite.own_process("trace_collector_that_hangs_costs_spans_only", hanging, costs_spans_only_hanging);
    suite.own_process("trace_protocol_that_is_not_spoken_is_told", grpc, told_and_off);
}

fn away() -> Options {
    // A port that was somebody's a moment ago, and is nobody's now.
    let endpoint = Collector::start().expect("a collector").endpoint();
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Options { environment: environment.into(), ..Options::default() }
}

fn hanging() -> Options {
    let collector = Some(Collector::start_hanging().expect("a collector"));
    Options { collector, ..collected_with(&[("OTEL_BSP_MAX_QUEUE_SIZE", "16")]) }
}

fn grpc() -> Options {
    collected_with(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")])
}

async fn costs_spans_only_away(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    works(deployment).await?;
    counted(deployment, "failed").await?;
    deployment.supervisor().wait_for_output(OneProcess::NAME, "spans are lost on their way").await?;
    stops(deployment).await
}

async fn costs_spans_only_hanging(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    works(deployment).await?;
    counted(deployment, "dropped").await?;
    stops(deployment).await
}

async fn told_and_off(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    deployment.supervisor().wait_for_output(OneProcess::NAME, "the protocol grpc is not spoken here").await?;
    works(deployment).await?;
    stops(deployment).await?;
    ensure!(deployment.collector()?.spans().is_empty(), "spans were sent all the same");
    Ok(())
}

/// Sends notifications, all of which arrive.
async fn works(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let mut socket = connect(&deployment.gateways()[0], "/ws/notifications/", &user.token).await?;
    for number in 0..NOTIFICATIONS {
        let title = format!("number {number}");
        let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
        deployment.admin().await?.notify(&body).await?;
        socket.next_where(&title, |frame| frame["title"] == title.as_str()).await?;
    }
    socket.close().await
}

/// Waits until spans with this outcome are counted.
async fn counted(deployment: &Deployment, outcome: &str) -> anyhow::Result<()> {
    let url = format!("{}/metrics", deployment.supervisor().operations(OneProcess::NAME)?);
    let line = format!("carillon_trace_spans_total{{outcome=\"{outcome}\"}} ");
    let deadline = Instant::now() + DEADLINE;
    loop {
        let metrics = reqwest::get(&url).await?.text().await?;
        let count = metrics.lines().find_map(|shown| shown.strip_prefix(&line));
        if count.is_some_and(|count| count != "0") {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{line}{count:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn stops(deployment: &Deployment) -> anyhow::Result<()> {
    let asked = Instant::now();
    let status = deployment.stop(OneProcess::NAME).await?;
    ensure!(status.success() && asked.elapsed() < STOP, "{status} after {:?}", asked.elapsed());
    Ok(())
}
