//! What the API shows, and waiting for it.

use anyhow::{Context, ensure};
use carillon_testkit::{DEADLINE, Deployment};
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

/// The figures that can be told to the digit.
pub(super) const FIGURES: [&str; 6] = [
    "active_connections",
    "connections_today",
    "connections_total",
    "messages_sent",
    "messages_received",
    "handshakes_refused",
];

/// How often all gateways are to have told of themselves while nothing changes.
const ROUNDS: usize = 3;

pub(super) async fn metrics(deployment: &Deployment) -> anyhow::Result<Value> {
    let admin = deployment.admin().await?.api();
    admin.get("/api/monitoring/websocket/metrics/").await?.expect(200)
}

/// Those of [`FIGURES`], in that order.
pub(super) fn figures(shown: &Value) -> anyhow::Result<[u64; 6]> {
    let mut figures = [0; 6];
    for (figure, name) in figures.iter_mut().zip(FIGURES) {
        *figure = shown[name].as_u64().with_context(|| format!("no {name} in {shown}"))?;
    }
    Ok(figures)
}

/// Waits until the figures are these.
pub(super) async fn until(deployment: &Deployment, expected: [u64; 6]) -> anyhow::Result<Value> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let shown = metrics(deployment).await?;
        if figures(&shown)? == expected {
            return Ok(shown);
        }
        ensure!(Instant::now() < deadline, "{FIGURES:?}: expected {expected:?}, got {shown}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Checks that the figures stay these while every gateway goes on telling of itself: nothing was on its way that
/// would make them more.
pub(super) async fn stay(deployment: &Deployment, expected: [u64; 6]) -> anyhow::Result<()> {
    let (mut rounds, mut before) = (0, reported(&metrics(deployment).await?));
    let deadline = Instant::now() + DEADLINE;
    while rounds < ROUNDS {
        let shown = metrics(deployment).await?;
        let now = reported(&shown);
        ensure!(figures(&shown)? == expected, "{FIGURES:?}: {expected:?} did not last: {shown}");
        if now.iter().zip(&before).all(|(now, before)| now > before) {
            (rounds, before) = (rounds + 1, now);
        }
        ensure!(Instant::now() < deadline, "a gateway is silent: {shown}");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// When each gateway told of itself last.
fn reported(shown: &Value) -> Vec<String> {
    let gateways = shown["gateways"].as_array().into_iter().flatten();
    gateways.map(|gateway| gateway["reported_at"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The entry of this endpoint and transport.
pub(super) fn at<'a>(shown: &'a Value, endpoint: &str, transport: &str) -> anyhow::Result<&'a Value> {
    let mut entries = shown["endpoints"].as_array().into_iter().flatten();
    let entry = entries.find(|entry| entry["endpoint"] == endpoint && entry["transport"] == transport);
    entry.with_context(|| format!("no {endpoint} over {transport} in {shown}"))
}
