//! The limits of clients (document 0), each at its edge: at it, one above, and recovered; over two gateways in the
//! cluster.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, DEADLINE, Deployment, Gateway, OneProcess, Options, Socket, unique};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use crate::{
    chat_rooms::enter,
    checks::{connect, has},
    suite::{Suite, both},
};

const PATH: &str = "/ws/notifications/";

/// Options of every deployment here: their clients say where they are.
const BEHIND: [&str; 2] = ["--trusted-proxies", "127.0.0.0/8"];

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, s0_12_development_has_limits_that_nobody_meets);
    suite.own_process("s0_12_production_has_document_0s_limits", production, async |one: &OneProcess| {
        document_0(one.deployment()).await
    });
    suite.own_cluster("s0_12_production_has_document_0s_limits", production, async |cluster: &Cluster| {
        document_0(cluster.deployment()).await
    });
    suite.own_process("s4_10_a_user_a_gateway_and_a_second_have_so_much", small, async |one: &OneProcess| {
        users(one.deployment()).await?;
        speech(one.deployment()).await.context("what is said in a room")?;
        let gateway = &one.deployment().gateways()[0];
        room(gateway).await?;
        rush(gateway).await
    });
    suite.own_cluster(
        "s4_10_a_user_a_gateway_and_a_second_have_so_much",
        small,
        async |cluster: &Cluster| {
            users(cluster.deployment()).await?;
            speech(cluster.deployment()).await.context("what is said in a room")?;
            let gateway = &cluster.deployment().gateways()[1];
            room(gateway).await?;
            rush(gateway).await
        },
    );
    suite.own_process("s0_12_the_documents_names_are_understood", named, async |one: &OneProcess| {
        names(one.deployment()).await
    });
    suite.own_cluster("s0_12_the_documents_names_are_understood", named, async |cluster: &Cluster| {
        names(cluster.deployment()).await?;
        outage(cluster.deployment()).await.context("the bus is away")?;
        later(cluster).await
    });
}

fn options(environment: &[(&str, &str)]) -> Options {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Options {
        gateway_arguments: BEHIND.map(str::to_owned).to_vec(),
        environment: environment.collect(),
        ..Options::default()
    }
}

/// Users, gateways and seconds have little of everything; addresses have not.
fn small() -> Options {
    options(&[
        ("CARILLON_CONNECTIONS_PER_USER", "2"),
        ("CARILLON_MAX_CONNECTIONS", "8"),
        ("CARILLON_HANDSHAKES_PER_SECOND", "20"),
        ("MAX_MESSAGES_PER_MINUTE", "10"),
        ("CARILLON_MESSAGE_WINDOW_SECONDS", "3"),
    ])
}

fn production() -> Options {
    options(&[("USE_PRODUCTION_WEBSOCKET_MIDDLEWARE", "true"), ("DEBUG", "true")])
}

fn named() -> Options {
    let windows = [("CARILLON_RECONNECTION_WINDOW_SECONDS", "3"), ("CARILLON_MESSAGE_WINDOW_SECONDS", "2")];
    let limits =
        [("MAX_CONNECTIONS_PER_IP", "2"), ("MAX_MESSAGES_PER_MINUTE", "3"), ("MAX_RECONNECT_ATTEMPTS", "4")];
    options(&[&[("DEBUG", "false")], &windows[..], &limits[..]].concat())
}

/// S0-12
async fn s0_12_development_has_limits_that_nobody_meets(deployment: &Deployment) -> anyhow::Result<()> {
    for gateway in deployment.gateways() {
        let log = deployment.supervisor().output(&gateway.name)?;
        let line = log
            .lines()
            .find(|line| line.contains("the limits of clients"))
            .context("no limits are logged")?;
        ensure!(
            line.contains("mode=development") && line.contains("connections_per_address=10000"),
            "{line}"
        );
    }
    Ok(())
}

/// S0-07, S0-08, S0-09, S0-12, S1-14, S4-10
async fn document_0(deployment: &Deployment) -> anyhow::Result<()> {
    let [one, two] = deployment.gateways();
    let log = deployment.supervisor().output(&one.name)?;
    ensure!(
        log.contains("mode=production") && log.contains("reconnections_per_hour=10"),
        "the mode is logged"
    );
    connections(one, two).await.context("connections of an address")?;
    let mut socket = at("203.0.113.7", one).await?.context("another address")?;
    messages(&mut socket, 60).await.context("messages")?;
    reconnections(one, two, 10).await.context("reconnections")
}

async fn connections(one: &Gateway, two: &Gateway) -> anyhow::Result<()> {
    let laptop = "203.0.113.1";
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(at(laptop, one).await?.context("one of five")?);
    }
    if one.name != two.name {
        told(two, 5).await?;
    }
    for gateway in [one, two] {
        over(laptop, gateway, "too many connections from this address").await?;
    }
    sockets.pop().context("a socket")?.close().await?;
    sockets.push(again(laptop, two).await?);
    over(laptop, two, "too many connections from this address").await
}

async fn messages(socket: &mut Socket, most: usize) -> anyhow::Result<()> {
    for number in 0..most {
        socket.send_json(&json!({"type": "ping", "timestamp": number})).await?;
        has(&socket.next_json().await?, &json!({"type": "pong", "timestamp": number}))?;
    }
    socket.send_json(&json!({"type": "ping"})).await?;
    let refused = socket.next_json().await?;
    has(&refused, &json!({"type": "error", "message": "Rate limit exceeded", "code": "rate_limited"}))
}

async fn reconnections(one: &Gateway, two: &Gateway, most: usize) -> anyhow::Result<()> {
    // The first is none.
    for number in 0..=most {
        let gateway = if number == 0 { one } else { two };
        again("203.0.113.2", gateway).await?.close().await?;
    }
    over("203.0.113.2", two, "too many reconnections from this address").await
}

/// S4-10
async fn users(deployment: &Deployment) -> anyhow::Result<()> {
    let [one, two] = deployment.gateways();
    let (user, other) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let own = format!("/ws/notifications/{}/", user.id);
    let first = connect(one, PATH, &user.token).await?;
    let _second = connect(one, &own, &user.token).await?;
    if one.name != two.name {
        told_by("user", two, 2).await?;
    }
    let mut third =
        two.socket(PATH)?.token(&user.token).header("x-forwarded-for", "203.0.113.3").open().await?;
    ensure!(third.next_json().await?["type"] == "reconnect", "it is told to come back");
    let (code, reason) = third.expect_close().await?;
    ensure!((code, reason.as_str()) == (4429, "too many connections of this user"), "{code} {reason}");
    connect(two, PATH, &other.token).await?.close().await?;
    first.close().await?;
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut socket = two.socket(PATH)?.token(&user.token).open().await?;
        if socket.next_json().await?["type"] != "reconnect" {
            return socket.close().await;
        }
        ensure!(Instant::now() < deadline, "there is no room for the user");
        sleep(Duration::from_millis(100)).await;
    }
}

/// S2-10: what is too much is not said, its sender is told and stays, and is heard again later. Who listens is not disturbed.
async fn speech(deployment: &Deployment) -> anyhow::Result<()> {
    let ([one, two], path) = (deployment.gateways(), format!("/ws/chat/{}/", unique("general")));
    let mut listener = enter(two.socket(&path)?).await?;
    let mut speaker = one.socket(&path)?.open().await?;
    let say = |text: &str| json!({"type": "chat_message", "message": text, "username": "speaker"});
    for number in 0..10 {
        speaker.send_json(&say(&number.to_string())).await?;
    }
    speaker.send_json(&say("too much")).await?;
    let refusal = speaker.next_of_type("error").await?;
    has(&refusal, &json!({"type": "error", "message": "Rate limit exceeded", "code": "rate_limited"}))?;
    ensure!(refusal["retry_after"].as_u64().is_some_and(|seconds| (1..=4).contains(&seconds)), "{refusal}");
    let deadline = Instant::now() + DEADLINE;
    let is_again = |frame: &Value| frame["message"] == "again" || frame["type"] == "error";
    loop {
        speaker.send_json(&say("again")).await?;
        if speaker.next_where("an answer", is_again).await?["type"] != "error" {
            break;
        }
        ensure!(Instant::now() < deadline, "it is heard again");
        sleep(Duration::from_millis(200)).await;
    }
    let expected = (0..10).map(|number| number.to_string()).chain(["again".to_owned()]);
    for text in expected {
        has(&listener.next_of_type("chat_message").await?, &json!({"message": text}))?;
    }
    speaker.close().await?;
    listener.close().await
}

/// Eight connections fit into a gateway; the ninth is refused with 503 until one of them ends.
async fn room(gateway: &Gateway) -> anyhow::Result<()> {
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(admitted(gateway, 503).await?);
    }
    answered(gateway, 503).await?;
    sockets.pop().context("a socket")?.close().await?;
    admitted(gateway, 503).await?.close().await
}

/// Handshakes one after another are refused with 429 soon, and a moment later no longer.
async fn rush(gateway: &Gateway) -> anyhow::Result<()> {
    answered(gateway, 429).await?;
    admitted(gateway, 429).await?.close().await
}

/// Opens connections, one at a time, until one is refused with this status.
async fn answered(gateway: &Gateway, status: u16) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Err(refusal) = gateway.socket(PATH)?.attempt().await?
            && refusal.status == status
        {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "nobody is refused with {status}");
    }
}

/// Opens a connection. It may be refused with one of these until there is room: 429, or this status.
async fn admitted(gateway: &Gateway, until: u16) -> anyhow::Result<Socket> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match gateway.socket(PATH)?.attempt().await? {
            Ok(socket) => return Ok(socket),
            Err(refusal) => ensure!([429, until].contains(&refusal.status), "{refusal:?}"),
        }
        ensure!(Instant::now() < deadline, "nobody is let in");
        sleep(Duration::from_millis(100)).await;
    }
}

/// S0-12, and that what is over recovers.
async fn names(deployment: &Deployment) -> anyhow::Result<()> {
    let [one, two] = deployment.gateways();
    let first = at("2001:db8:0:1::1", one).await?.context("the first")?;
    let mut second = at("2001:db8:0:1::2", two).await?.context("the second")?;
    if one.name != two.name {
        told(one, 1).await?;
    }
    over("2001:db8:0:1:ffff::", one, "too many connections from this address").await?;
    messages(&mut second, 3).await?;
    let deadline = Instant::now() + DEADLINE;
    loop {
        second.send_json(&json!({"type": "ping"})).await?;
        if second.next_json().await?["type"] == "pong" {
            break;
        }
        ensure!(Instant::now() < deadline, "a minute is over, and nothing is heard");
        sleep(Duration::from_millis(50)).await;
    }
    first.close().await?;
    again("2001:db8:0:1::3", one).await?.close().await?;
    reconnections(one, two, 4).await?;
    again("203.0.113.2", two).await?.close().await
}

/// What ended while gateways could not tell each other is known when they can again.
async fn outage(deployment: &Deployment) -> anyhow::Result<()> {
    let [one, two] = deployment.gateways();
    let here = "203.0.113.8";
    let ends = at(here, one).await?.context("one")?;
    told(two, 1).await?;
    let _stays = at(here, two).await?.context("two")?;
    over(here, two, "too many connections from this address").await?;
    deployment.kill("nats")?;
    ends.close().await?;
    deployment.start("nats").await?;
    told(two, 0).await?;
    let _instead = again(here, two).await?;
    told(one, 2).await?;
    over(here, one, "too many connections from this address").await
}

/// A gateway that starts is told what others have, and what one had that was killed is forgotten.
async fn later(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [one, two] = deployment.gateways();
    let _sockets =
        [at("203.0.113.9", one).await?.context("one")?, at("203.0.113.9", two).await?.context("two")?];
    let three = cluster.add_gateway("three", &[], &[]).await?;
    told(&three, 2).await?;
    over("203.0.113.9", &three, "too many connections from this address").await?;
    deployment.kill(&two.name)?;
    again("203.0.113.9", &three).await?.close().await
}

/// A connection of a client at some address, greeted; or nothing, if it is over a limit.
async fn at(address: &str, gateway: &Gateway) -> anyhow::Result<Option<Socket>> {
    let handshake = gateway.socket(PATH)?.header("x-forwarded-for", address);
    let mut socket = handshake.open().await?;
    let first = socket.next_json().await?;
    Ok((first["type"] != "reconnect").then_some(socket))
}

/// The same, once there is room.
async fn again(address: &str, gateway: &Gateway) -> anyhow::Result<Socket> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(socket) = at(address, gateway).await? {
            return Ok(socket);
        }
        ensure!(Instant::now() < deadline, "there is no room for {address}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Checks that a client is told when to come back, and closed.
async fn over(address: &str, gateway: &Gateway, reason: &str) -> anyhow::Result<()> {
    let mut socket = gateway.socket(PATH)?.header("x-forwarded-for", address).open().await?;
    let told: Value = socket.next_json().await?;
    ensure!(told["type"] == "reconnect" && told["after_ms"].as_u64() > Some(0), "{told}");
    let (code, why) = socket.expect_close().await?;
    ensure!((code, why.as_str()) == (4429, reason), "closed with {code} {why}");
    Ok(())
}

/// Waits until a gateway was told of so many connections at others.
async fn told(gateway: &Gateway, connections: u64) -> anyhow::Result<()> {
    told_by("address", gateway, connections).await
}

async fn told_by(by: &str, gateway: &Gateway, connections: u64) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let line = format!("carillon_gateway_connections_elsewhere{{by=\"{by}\"}} {connections}");
    let deadline = Instant::now() + DEADLINE;
    loop {
        let url = format!("{}/metrics", gateway.operations);
        let metrics = client.get(url).send().await?.text().await?;
        if metrics.lines().any(|metric| metric == line) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{} was not told", gateway.name);
        sleep(Duration::from_millis(20)).await;
    }
}
