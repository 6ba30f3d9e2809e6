//! Figures, compared with what the test's own clients did: nobody else is there.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, unique};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    clients::{Client, Stream, knock},
    shown::{at, figures, metrics, stay, until},
};

/// S0-05, S0-10: the six documented figures over all gateways, and the same by gateway and by endpoint, to the digit.
pub(super) async fn are_what_clients_did(deployment: &Deployment) -> anyhow::Result<()> {
    let begun = Instant::now();
    let shown = metrics(deployment).await?;
    ensure!(figures(&shown)? == [0; 6], "{shown}");
    ensure!(shown["avg_connection_duration"] == 0.0 && shown["messages_per_minute"] == 0, "{shown}");
    let ([first, second], user) = (deployment.gateways(), deployment.user("ada").await?);
    let mut sockets = [
        Client::open(first, "/ws/notifications/", &user).await?,
        Client::open(first, "/ws/notifications/", &user).await?,
        Client::open(second, "/ws/notifications/", &user).await?,
    ];
    let mut channels = Client::subscribed(second, &user).await?;
    let mut stream = Stream::open(first, &user).await?;
    knock(second).await?;
    for round in 0..5 {
        let title = unique("title");
        let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
        deployment.admin().await?.notify(&body).await?;
        for socket in &mut sockets {
            socket.notified(&title).await?;
        }
        channels.notified(&title).await?;
        stream.until(&title).await?;
        sockets[round % 3].ping().await?;
    }
    let sent = sockets.iter().map(|socket| socket.received).sum::<u64>();
    let received = sockets.iter().map(|socket| socket.sent).sum::<u64>();
    let (all_sent, all_received) = (sent + channels.received + stream.received(), received + channels.sent);
    let expected = [5, 5, 5, all_sent, all_received, 2];
    let shown = until(deployment, expected).await?;
    stay(deployment, expected).await?;
    ensure!(shown["messages_per_minute"] == all_sent + all_received, "{shown}");
    ensure!(shown["day"].as_str() == shown["timestamp"].as_str().map(|time| &time[..10]), "{shown}");
    let entry = at(&shown, "notifications", "websocket")?;
    ensure!(figures(entry)? == [3, 3, 3, sent, received, 1], "{entry}");
    let entry = at(&shown, "notifications", "events")?;
    ensure!(figures(entry)? == [1, 1, 1, stream.received(), 0, 1], "{entry}");
    let entry = at(&shown, "carillon.v1", "websocket")?;
    ensure!(figures(entry)? == [1, 1, 1, channels.received, channels.sent, 0], "{entry}");
    by_gateway(deployment, &shown, [&sockets[..2], &sockets[2..]], &channels, &stream)?;

    let [one, other, third] = sockets;
    one.close().await?;
    other.close().await?;
    drop((channels, stream));
    let shown = until(deployment, [1, 5, 5, all_sent, all_received, 2]).await?;
    let longest = begun.elapsed().as_secs_f64();
    let average = shown["avg_connection_duration"].as_f64().context("a duration")?;
    ensure!(average > 0.0 && average < longest, "{average} of at most {longest}");
    third.close().await
}

/// What each gateway has had.
fn by_gateway(
    deployment: &Deployment,
    shown: &Value,
    sockets: [&[Client]; 2],
    channels: &Client,
    stream: &Stream,
) -> anyhow::Result<()> {
    let sum = |of: fn(&Client) -> u64, sockets: &[Client]| sockets.iter().map(of).sum::<u64>();
    let [first, second] =
        sockets.map(|sockets| (sum(|socket| socket.received, sockets), sum(|socket| socket.sent, sockets)));
    let mut expected = [
        [3, 3, 3, first.0 + stream.received(), first.1, 0],
        [2, 2, 2, second.0 + channels.received, second.1 + channels.sent, 2],
    ]
    .to_vec();
    let [one, other] = deployment.gateways();
    if one.name == other.name {
        let both = std::array::from_fn(|figure| expected[0][figure] + expected[1][figure]);
        expected = vec![both];
    }
    let gateways = shown["gateways"].as_array().context("gateways")?;
    let mut found = gateways.iter().map(figures).collect::<anyhow::Result<Vec<_>>>()?;
    // Which is which can't be told from outside.
    found.sort_unstable();
    expected.sort_unstable();
    ensure!(found == expected, "expected {expected:?}, got {found:?} of {shown}");
    ensure!(gateways.iter().all(|gateway| gateway["state"] == "serving"), "{shown}");
    ensure!(figures(&shown["gone"])? == [0; 6], "{shown}");
    Ok(())
}
