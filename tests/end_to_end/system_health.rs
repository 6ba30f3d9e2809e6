//! `/ws/system-health/` (S0-04): how everything does, on entry, every two seconds, and at once when that changes.

mod failures;
mod figures;
mod watcher;

use anyhow::ensure;
use carillon_testkit::{Cluster, Deployment, Form, JWT_SECRET, OneProcess, Options, hs256, now, unique};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::{
    checks::{ends, has, has_texts, refused},
    suite::{Suite, both},
};
use watcher::{PATH, Watcher, replicas};

/// Everything that a deployment runs.
const SERVICES: [&str; 6] = ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"];

/// What lies between two frames if nothing happens, a little less than promised.
const TICK: Duration = Duration::from_millis(1_900);

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s0_04_the_whole_system_is_told_on_entry,
        s0_04_it_is_told_again_every_two_seconds,
        s0_04_only_admins_watch,
        s0_04_an_admin_watches_over_carillon_v1,
    );
    suite.own_cluster("s0_04_two_replicas_speak_as_one", Options::default, two_replicas_speak_as_one);
    suite.own_process("s0_04_who_is_no_admin_any_more_watches_no_longer", with_roles, fewer_roles);
    failures::register(suite);
    figures::register(suite);
}

/// S0-04: every replica of everything, which are those processes that there are; the bus, the databases, the event
/// loops.
async fn s0_04_the_whole_system_is_told_on_entry(deployment: &Deployment) -> anyhow::Result<()> {
    for gateway in deployment.gateways() {
        let mut watcher = Watcher::enter(deployment, gateway).await?;
        let frame = watcher.next_where("everything", |frame| frame["status"] == "healthy").await?;
        has_texts(&frame, &["timestamp"])?;
        let named = frame["services"].as_array().into_iter().flatten().map(|service| &service["service"]);
        ensure!(named.eq(SERVICES.iter()), "{frame}");
        for service in SERVICES {
            shows_processes(deployment, service, &frame)?;
        }
        let engine = if deployment.form() == Form::Cluster { "postgres" } else { "sqlite" };
        let databases = frame["databases"].as_array().map(Vec::as_slice).unwrap_or_default();
        ensure!(databases.len() == SERVICES.len() - 1, "{frame}");
        for database in databases {
            has(database, &json!({"engine": engine, "reachable": true, "failure": null}))?;
            ensure!(database["latency_ms"].as_f64().is_some_and(|latency| latency > 0.0), "{database}");
            let of = |name: &str| database["connections"][name].as_u64().unwrap_or_default();
            ensure!(of("open") <= of("most") && of("in_use") <= of("open") && of("most") > 0, "{database}");
            ensure!(database["outbox"]["debts"].is_u64(), "{database}");
        }
        let kind = if deployment.form() == Form::Cluster { "nats" } else { "in-process" };
        has(&frame["nats"], &json!({"kind": kind, "connected": true, "streams": 0, "storage_bytes": 0}))?;
        ensure!(frame["nats"]["round_trip_ms"].is_f64(), "{frame}");
        ensure!(frame["nats"]["version"].is_string() == (kind == "nats"), "{frame}");
        ensure!(frame["event_loop"]["lag_ms"].is_f64(), "{frame}");
        watcher.close().await?;
    }
    Ok(())
}

/// The processes of a service are there, each ready, with what it knows of itself.
fn shows_processes(deployment: &Deployment, service: &str, frame: &Value) -> anyhow::Result<()> {
    let shown: Vec<&Value> = replicas(frame, service).collect();
    let processes = match deployment.form() {
        Form::OneProcess => vec!["carillon".to_owned()],
        Form::Cluster => vec![format!("{service}-1"), format!("{service}-2")],
    };
    for process in processes {
        let id = deployment.supervisor().id(&process)?;
        let found: Vec<_> = shown.iter().filter(|replica| replica["process"] == id).collect();
        ensure!(found.len() == 1, "{process} is {id}: {shown:?}");
        let replica = found[0];
        has(replica, &json!({"state": "ready", "failures": {}, "version": env!("CARGO_PKG_VERSION")}))?;
        has_texts(replica, &["replica", "host", "since"])?;
        ensure!(replica["event_loop_lag_ms"].is_f64(), "{replica}");
        ensure!(replica["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 1_000_000), "{replica}");
    }
    Ok(())
}

/// S0-04: and to two watchers at two gateways it is the same that is told.
async fn s0_04_it_is_told_again_every_two_seconds(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let mut one = Watcher::enter(deployment, first).await?;
    let mut other = Watcher::enter(deployment, second).await?;
    let tick = |frame: &Value| frame["cause"] == "tick";
    let mut ticks = Vec::new();
    for _ in 0..3 {
        ticks.push(one.next_where("a tick", tick).await?);
    }
    ensure!(
        ticks.iter().all(|tick| tick["channel"] == "system.health" && tick["offset"].is_null()),
        "{ticks:?}"
    );
    let last = &ticks[2]["timestamp"];
    let same = other.next_where("the same", |frame| frame["timestamp"] == *last).await?;
    ensure!(same == ticks[2], "{same} is not {}", ticks[2]);
    one.close().await?;
    other.close().await
}

/// S0-04: others get the codes of their document; and nobody can say anything.
async fn s0_04_only_admins_watch(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let back_end =
        deployment.admin().await?.create_service_token(&unique("shop"), &["events:publish"]).await?;
    for gateway in deployment.gateways() {
        refused(gateway.socket(PATH)?, 4001).await?;
        refused(gateway.socket(PATH)?.token("nonsense"), 4001).await?;
        refused(gateway.socket(PATH)?.token(&user.token), 4003).await?;
        refused(gateway.socket(PATH)?.token(&back_end.token), 4003).await?;
    }
    let [gateway, _] = deployment.gateways();
    let mut watcher = Watcher::enter(deployment, gateway).await?;
    // Who comes back has missed nothing that a snapshot doesn't tell.
    let back = gateway.socket(PATH)?.token(watcher.token()).since(watcher.socket().since());
    let mut back = back.open().await?;
    has(&back.next_of_type("recovery").await?, &json!({"recovered": true, "missed": 0}))?;
    back.close().await?;
    watcher.socket().send_json(&json!({"type": "anything"})).await?;
    has(&watcher.socket().next_of_type("error").await?, &json!({"code": "invalid"}))?;
    watcher.socket().send_text("{").await?;
    has(&watcher.socket().next_of_type("error").await?, &json!({"message": "Invalid JSON format"}))?;
    watcher.close().await
}

/// S0-04 as a channel among others: `system.health`.
async fn s0_04_an_admin_watches_over_carillon_v1(deployment: &Deployment) -> anyhow::Result<()> {
    let subscribe = json!({"type": "subscribe", "id": 1, "channel": "system.health"});
    let (user, admin) = (deployment.user("alice").await?, watcher::admin(deployment).await?);
    let mut stranger = deployment.socket("/ws/v1/")?.token(&user.token).open().await?;
    stranger.send_json(&subscribe).await?;
    has(&stranger.next_of_type("error").await?, &json!({"id": 1, "code": "denied", "retry": false}))?;
    let mut socket = deployment.socket("/ws/v1/")?.token(&admin).open().await?;
    socket.send_json(&subscribe).await?;
    socket.next_of_type("subscribed").await?;
    for cause in ["snapshot", "tick"] {
        let is_it = |frame: &Value| frame["data"]["cause"] == cause;
        let frame = socket.next_where(cause, is_it).await?;
        has(&frame, &json!({"channel": "system.health", "data": {"type": "system_health"}}))?;
    }
    stranger.close().await?;
    socket.close().await
}

/// S0-04: of two replicas of the metrics service one speaks. When it is killed the other takes over, and who comes back
/// does not join in; when that one stops it hands over at once.
async fn two_replicas_speak_as_one(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [gateway, _] = deployment.gateways();
    let mut watcher = Watcher::enter(deployment, gateway).await?;
    watcher.recovers().await?;
    speak_as_one(&mut watcher).await?;
    let (speaking, silent) = speakers(deployment, &watcher.recovers().await?)?;
    let killed = watcher.replica_of(deployment, speaking)?;
    deployment.kill(speaking)?;
    let lost = |change: &Value| change["replica"] == killed && change["to"] == "lost";
    watcher.is_told("the one that spoke is lost", lost).await?;
    speak_as_one(&mut watcher).await?;
    deployment.start(speaking).await?;
    watcher.recovers().await?;
    speak_as_one(&mut watcher).await?;
    let stopped = watcher.replica_of(deployment, silent)?;
    let started = Instant::now();
    deployment.stop(silent).await?;
    let gone = |change: &Value| change["replica"] == stopped && change["to"] == "stopped";
    watcher.is_told("it has stopped", gone).await?;
    ensure!(started.elapsed() < Duration::from_secs(15), "that took {:?}", started.elapsed());
    speak_as_one(&mut watcher).await?;
    watcher.close().await
}

/// The names of the process that speaks, which has been there for longest, and of the other.
fn speakers(deployment: &Deployment, frame: &Value) -> anyhow::Result<(&'static str, &'static str)> {
    let eldest = replicas(frame, "metrics").min_by_key(|replica| replica["since"].to_string());
    let process = eldest.map(|replica| replica["process"].clone()).unwrap_or_default();
    let is_first = process == deployment.supervisor().id("metrics-1")?;
    Ok(if is_first { ("metrics-1", "metrics-2") } else { ("metrics-2", "metrics-1") })
}

/// Three ticks, each two seconds after the last.
async fn speak_as_one(watcher: &mut Watcher) -> anyhow::Result<()> {
    let tick = |frame: &Value| frame["cause"] == "tick";
    let mut last = watcher.next_where("a tick", tick).await?;
    for _ in 0..3 {
        let next = watcher.next_where("another", tick).await?;
        let passed = watcher::time(&next)?.saturating_sub(watcher::time(&last)?);
        ensure!(passed >= TICK, "after {passed:?}: {last} {next}");
        last = next;
    }
    Ok(())
}

fn with_roles() -> Options {
    let arguments = ["--jwt-roles", "staff=admin"].map(str::to_owned);
    Options { gateway_arguments: arguments.to_vec(), ..Options::default() }
}

/// S4-08: an admin who is none any more watches the system's health no longer.
async fn fewer_roles(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let token = |roles: &[&str]| {
        let claims = json!({"user_id": 7, "roles": roles, "token_type": "access", "exp": now() + 300, "jti": unique("jti")});
        hs256(JWT_SECRET, &claims)
    };
    let path = "/ws/system-health/";
    let mut watcher = deployment.socket(path)?.token(&token(&["staff"])).open().await?;
    watcher.next_json().await?;
    watcher.send_json(&json!({"type": "refresh", "token": token(&["staff"])})).await?;
    watcher.next_of_type("refreshed").await?;
    watcher.send_json(&json!({"type": "refresh", "token": token(&[])})).await?;
    ends(&mut watcher, 1012).await?;
    // It comes back with what it has now.
    ends(&mut deployment.socket(path)?.token(&token(&[])).open().await?, 4003).await
}
