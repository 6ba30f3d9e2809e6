//! What becomes of clients when a backup is restored: `docs/backup.md`, carried out. What was written after the backup
//! is lost, and its offsets are given out again; nobody takes what they stand for now for what they stood for.

use std::{fs, path::Path, process::Command, time::Instant};

use anyhow::{Context, ensure};
use carillon_testkit::{
    Admin, Cluster, DEADLINE, Deployment, Gateway, OneProcess, Options, PASSWORD, Socket, User, log_in,
    unique,
};
use serde_json::{Value, json};

use crate::{
    checks::{connect, has},
    commands::invocation::Invocation,
    suite::Suite,
};

const PATH: &str = "/ws/notifications/";

pub(crate) fn register(suite: &mut Suite) {
    suite.own_cluster("backup_of_postgres", Options::default, postgres);
    suite.own_process("backup_of_a_data_directory", Options::default, data_directory);
}

/// Who was connected before and after the backup, and what they had seen by then.
struct Before {
    user: User,
    kept: String,
    /// A place that the backup knows, under the old epoch.
    early: String,
    /// A place that it doesn't know.
    late: String,
}

/// `pg_dump` and `pg_restore`: one service's schema, then everything. The gateways stay.
async fn postgres(cluster: &Cluster) -> anyhow::Result<()> {
    let (deployment, directory) = (cluster.deployment(), tempfile::tempdir()?);
    let file = directory.path().join("carillon.dump");
    let (before, mut socket) = world(deployment, async || cluster.postgres().dump(&file)).await?;
    restored(cluster, &file, Some("notification")).await?;
    // The first event since then has the offset of one that this client has seen already.
    let admin = deployment.admin().await?;
    let title = notify(admin, &before.user).await?;
    let told = socket.next_where("word of the gap", |frame| is_gap(frame, &before.user)).await?;
    let next = socket.next_where("what came after it", |frame| frame["title"] == title).await?;
    ensure!(
        Some(next["offset"].clone()) == offset_of(&before.late, 1),
        "{next} after {told}, {}",
        before.late
    );
    is_told(deployment, admin, &before, &title).await.context("after one service was restored")?;
    restored(cluster, &file, None).await?;
    // With auth's log it isn't known any more what was revoked: everyone is checked anew.
    has(&json!(socket.expect_close().await?.0), &json!(1012))?;
    for gateway in deployment.gateways() {
        let (api, deadline) = (gateway.api().with_token(&before.user.token), Instant::now() + DEADLINE);
        while api.get("/api/auth/me/").await?.status != 401 {
            ensure!(
                Instant::now() < deadline,
                "{}: a token of a key that is no more still counts",
                gateway.name
            );
        }
    }
    let user = log_in(&deployment.api(), &before.user.username, PASSWORD).await?;
    let (admin, before) = (Admin::log_in(&deployment.api()).await?, Before { user, ..before });
    let title = notify(&admin, &before.user).await?;
    is_told(deployment, &admin, &before, &title).await.context("after everything was restored")
}

/// Stops the services concerned, restores them, gives their logs new epochs, and starts them. With auth's, every
/// token of before becomes void.
async fn restored(cluster: &Cluster, file: &Path, service: Option<&str>) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let concerned =
        |name: &String| service.map_or_else(|| is_of_a_service(name), |service| name.starts_with(service));
    let processes: Vec<String> = deployment.processes().into_iter().filter(concerned).collect();
    for process in &processes {
        deployment.stop(process).await?;
    }
    cluster.postgres().restore(file, service)?;
    if service.is_none() {
        cluster.postgres().execute("DELETE FROM auth.signing_key")?;
    }
    let url = cluster.postgres().url();
    let mut renewing = Invocation::of(&["new-epoch", "--json", "--database-url", &url]);
    if let Some(service) = service {
        renewing = renewing.with(&["--services", service]);
    }
    let renewed = renewing.exits(0).await?.json()?;
    let logs = renewed["logs"].as_array().cloned().unwrap_or_default();
    let count = if service.is_some() { 1 } else { 5 };
    ensure!(logs.len() == count && logs.iter().all(|log| log["before"] != log["after"]), "{logs:?}");
    for process in &processes {
        deployment.start(process).await?;
    }
    Ok(())
}

/// A copy of the directory, made while nothing runs.
async fn data_directory(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let data = deployment.supervisor().directory().join("data");
    let copy = deployment.supervisor().directory().join("backup");
    let new_epoch = || Invocation::of(&["new-epoch", "--data-dir"]).with(&[&data.display().to_string()]);
    let stopped = async || {
        deployment.stop(OneProcess::NAME).await?;
        copied(&data, &copy)?;
        process.start_again().await
    };
    let (before, socket) = world(deployment, stopped).await?;
    drop(socket);
    new_epoch().exits(1).await?.complains("another carillon uses")?;
    deployment.stop(OneProcess::NAME).await?;
    fs::remove_dir_all(&data)?;
    copied(&copy, &data)?;
    let renewed = new_epoch().exits(0).await?;
    ensure!(renewed.output.lines().count() == 6, "{renewed:?}");
    process.start_again().await?;
    let admin = deployment.admin().await?;
    let title = notify(admin, &before.user).await?;
    is_told(deployment, admin, &before, &title).await
}

/// A notification before the backup, and two that it knows nothing of; the user is connected all along where the
/// backup lets it be.
async fn world(
    deployment: &Deployment,
    back_up: impl AsyncFn() -> anyhow::Result<()>,
) -> anyhow::Result<(Before, Socket)> {
    let user = deployment.user("alice").await?;
    let [gateway, _] = deployment.gateways();
    let mut socket = connect(gateway, PATH, &user.token).await?;
    let admin = deployment.admin().await?;
    let kept = notify(admin, &user).await?;
    socket.next_where("the first", |frame| frame["title"] == kept).await?;
    let early = socket.since().context("a place")?;
    back_up().await?;
    let mut socket = match socket.send_json(&json!({"type": "ping"})).await {
        Ok(()) if socket.next_of_type("pong").await.is_ok() => socket,
        _ => connect(gateway, PATH, &user.token).await?,
    };
    for _ in 0..2 {
        let lost = notify(admin, &user).await?;
        socket.next_where("one that will be lost", |frame| frame["title"] == lost).await?;
    }
    let late = socket.since().context("a place")?;
    Ok((Before { user, kept, early, late }, socket))
}

/// Whoever comes back is told, also with a place that the log of now seems to have; the inbox is what it was.
async fn is_told(deployment: &Deployment, admin: &Admin, before: &Before, title: &str) -> anyhow::Result<()> {
    let Before { user, kept, early, late } = before;
    for gateway in deployment.gateways() {
        for since in [early, late] {
            let (socket, recovery) = back(gateway, user, since).await?;
            has(&recovery, &json!({"type": "recovery", "recovered": false})).context(since.clone())?;
            let now = socket.since().context("a place")?;
            ensure!(now.split('.').next() != since.split('.').next(), "the epoch is the old one: {now}");
            socket.close().await?;
        }
    }
    let api = deployment.api().with_token(&user.token);
    let inbox = api.get("/api/notifications/").await?.expect(200)?;
    let items = inbox["items"].as_array().context("items")?;
    let titles: Vec<&str> = items.iter().filter_map(|item| item["title"].as_str()).collect();
    ensure!(titles == [title, kept], "the inbox has {titles:?}");
    // What is missed from now on is recovered as ever.
    let since = connect(&deployment.gateways()[0], PATH, &user.token).await?.since();
    let later = notify(admin, user).await?;
    let mut socket = deployment.socket(PATH)?.token(&user.token).since(since).open().await?;
    has(&socket.next_of_type("recovery").await?, &json!({"recovered": true, "missed": 1}))?;
    socket.next_where("what was missed", |frame| frame["title"] == later).await?;
    socket.close().await
}

/// Comes back with a place, and again if it is asked to: by a gateway that has just found out, of one of the channels,
/// that its log is another one.
async fn back(gateway: &Gateway, user: &User, since: &str) -> anyhow::Result<(Socket, Value)> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut socket =
            gateway.socket(PATH)?.token(&user.token).since(Some(since.to_owned())).open().await?;
        match socket.next_of_type("recovery").await {
            Ok(recovery) => return Ok((socket, recovery)),
            Err(error) if Instant::now() < deadline && format!("{error:#}").contains("try again later") => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_gap(frame: &Value, user: &User) -> bool {
    let channel = format!("user.{}", user.id);
    frame["type"] == "recovery" && frame["recovered"] == false && frame["channel"] == channel
}

/// The offset of the user's own channel, the second of a place, less so many.
fn offset_of(since: &str, less: u64) -> Option<Value> {
    let offset: u64 = since.split('.').nth(2)?.parse().ok()?;
    Some(json!(offset - less))
}

fn is_of_a_service(name: &str) -> bool {
    !["nats", "postgres"].contains(&name) && !name.starts_with("gateway")
}

/// With rights and times, as a backup keeps them.
fn copied(from: &Path, to: &Path) -> anyhow::Result<()> {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    ensure!(done.success(), "cp: {done}");
    Ok(())
}

/// Sends one to this user; its title.
async fn notify(admin: &Admin, user: &User) -> anyhow::Result<String> {
    let title = unique("title");
    let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
    admin.notify(&body).await?;
    Ok(title)
}
