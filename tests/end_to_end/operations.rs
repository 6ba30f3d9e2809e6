//! Starting, stopping, and what survives it.

use anyhow::ensure;
use carillon_testkit::{Cluster, DEADLINE, Deployment, OneProcess, Options, unique};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use crate::{checks::has, suite::Suite};

pub(crate) fn register(suite: &mut Suite) {
    suite.own_process(
        "a_notification_survives_a_restart",
        Options::default,
        a_notification_survives_a_restart,
    );
    suite.own_process("up_says_what_to_do_next", Options::default, up_says_what_to_do_next);
    suite.own_cluster("s4_09_any_gateway_serves_any_client", Options::default, any_gateway_serves_any_client);
    suite.own_cluster("every_process_comes_back", Options::default, every_process_comes_back);
}

/// What was sent before a restart is in the inbox after it; the token is still good.
async fn a_notification_survives_a_restart(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let user = deployment.user("alice").await?;
    let (before, after) = (unique("before"), unique("after"));
    let notify = async |title: &str| {
        let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
        deployment.admin().await?.notify(&body).await
    };
    notify(&before).await?;
    let status = deployment.stop(OneProcess::NAME).await?;
    ensure!(status.success(), "stopped with {status}");
    process.start_again().await?;
    notify(&after).await?;
    process.kill()?;
    process.start_again().await?;
    let inbox = deployment.api().with_token(&user.token).get("/api/notifications/").await?.expect(200)?;
    has(&inbox, &json!({"counts": {"total": 2, "unread": 2}}))?;
    let titles: Vec<_> = inbox["items"].as_array().into_iter().flatten().map(|item| &item["title"]).collect();
    ensure!(titles == [after.as_str(), before.as_str()], "{inbox}");
    Ok(())
}

/// `carillon up` prints the address, the demo users, a line that connects and one that sends.
async fn up_says_what_to_do_next(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let [gateway, _] = deployment.gateways();
    for expected in [
        format!("listening on {}", gateway.http),
        format!("{}/api/auth/token/", gateway.http),
        format!("{}/ws/notifications/?token=", gateway.websocket),
        format!("{}/api/notifications/send/", gateway.http),
        "1 alice, 2 bob, 3 carol, 4 admin".to_owned(),
    ] {
        deployment.supervisor().wait_for_output(OneProcess::NAME, &expected).await?;
    }
    Ok(())
}

/// S4-09: no gateway needs the client that it had before; and each counts handshakes that succeeded, what was delivered
/// and how fast, how long connections lasted, and who came back.
async fn any_gateway_serves_any_client(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [first, second] = deployment.gateways();
    let user = deployment.user("alice").await?;
    let mut socket = first.socket("/ws/notifications/")?.token(&user.token).open().await?;
    socket.next_of_type("connection.established").await?;
    let notify = async |title: &str| {
        let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
        deployment.admin().await?.notify(&body).await
    };
    notify("heard").await?;
    socket.next_where("the first", |frame| frame["title"] == "heard").await?;
    let since = socket.since();
    socket.close().await?;
    notify("missed").await?;
    let mut socket = second.socket("/ws/notifications/")?.token(&user.token).since(since).open().await?;
    has(&socket.next_of_type("recovery").await?, &json!({"recovered": true, "missed": 1}))?;
    socket.next_where("the second", |frame| frame["title"] == "missed").await?;
    socket.close().await?;
    let ended = r#"carillon_gateway_connection_duration_seconds_count{endpoint="notifications"} 1"#;
    let accepted =
        r#"carillon_gateway_handshakes_total{endpoint="notifications",outcome="accepted",reason="none"} 1"#;
    let recovered = r#"carillon_gateway_recoveries_total{outcome="recovered"} 1"#;
    let delivered = "carillon_gateway_delivery_duration_seconds_count 1";
    for (gateway, expected) in
        [(first, vec![accepted, ended, delivered]), (second, vec![accepted, ended, recovered])]
    {
        shows(deployment, &gateway.name, &expected).await?;
    }
    Ok(())
}

/// Waits until a process's metrics have these lines.
async fn shows(deployment: &Deployment, process: &str, lines: &[&str]) -> anyhow::Result<()> {
    let url = format!("{}/metrics", deployment.supervisor().operations(process)?);
    let deadline = Instant::now() + DEADLINE;
    loop {
        let metrics = reqwest::get(&url).await?.text().await?;
        let missing: Vec<_> =
            lines.iter().filter(|line| !metrics.lines().any(|shown| shown == **line)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{process} does not show {missing:?}:\n{metrics}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Each process of a cluster stops when asked to, and whoever was stopped or killed comes back
/// while the rest runs; afterwards all is well.
async fn every_process_comes_back(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    for name in deployment.processes() {
        let status = deployment.stop(&name).await?;
        ensure!(status.success(), "{name} stopped with {status}");
        deployment.start(&name).await?;
        deployment.kill(&name)?;
        deployment.start(&name).await?;
    }
    for name in deployment.processes() {
        deployment.supervisor().ready(&name).await?;
    }
    let user = deployment.user("alice").await?;
    let mut socket = deployment.socket("/ws/notifications/")?.token(&user.token).open().await?;
    has(&socket.next_json().await?, &json!({"type": "connection.established"}))?;
    let title = unique("well");
    deployment
        .admin()
        .await?
        .notify(&json!({"user_id": user.id, "title": title, "message": "Hello"}))
        .await?;
    socket.next_where("the notification", |frame| frame["title"] == title).await?;
    socket.close().await
}
