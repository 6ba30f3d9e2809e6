//! Users and addresses that an admin blocks: closed on every gateway within two seconds, and kept out.

use std::time::Duration;

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, DEADLINE, Deployment, Gateway, OneProcess, Options, Socket};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{
    checks::{connect, ends, refused},
    suite::{Suite, both},
};

const PATH: &str = "/ws/notifications/";

/// What the promise is.
const WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, a_blocked_user_is_out_everywhere, a_block_ends_by_itself, only_admins_block);
    suite.own_process("a_blocked_address_is_out_and_stays_so", trusting, async |one: &OneProcess| {
        addresses(one.deployment()).await?;
        one.kill()?;
        one.start_again().await?;
        stays_out(one.deployment()).await
    });
    suite.own_cluster("a_blocked_address_is_out_and_stays_so", trusting, async |cluster: &Cluster| {
        let deployment = cluster.deployment();
        addresses(deployment).await?;
        let auth: Vec<String> =
            deployment.processes().into_iter().filter(|name| name.starts_with("auth")).collect();
        for process in auth.iter().chain([&"gateway-1".to_owned(), &"gateway-2".to_owned()]) {
            deployment.kill(process)?;
            deployment.start(process).await?;
        }
        stays_out(deployment).await
    });
}

fn trusting() -> Options {
    let gateway_arguments = vec!["--trusted-proxies".to_owned(), "127.0.0.0/8".to_owned()];
    Options { gateway_arguments, ..Options::default() }
}

async fn block(deployment: &Deployment, body: &Value) -> anyhow::Result<Value> {
    deployment.admin().await?.api().post("/api/auth/blocks/", body).await?.expect(201)
}

async fn lift(deployment: &Deployment, block: &Value) -> anyhow::Result<()> {
    let path = format!("/api/auth/blocks/{}/", block["id"].as_str().context("an id")?);
    deployment.admin().await?.api().delete(&path).await?.expect(204).map(drop)
}

/// All of them, within two seconds of now.
async fn all_end(sockets: Vec<(Socket, u16)>) -> anyhow::Result<()> {
    timeout(WITHIN, async {
        for (mut socket, code) in sockets {
            ends(&mut socket, code).await?;
        }
        anyhow::Ok(())
    })
    .await
    .context("not within two seconds")?
}

async fn a_blocked_user_is_out_everywhere(deployment: &Deployment) -> anyhow::Result<()> {
    let (user, other) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let own = format!("/ws/notifications/{}/", user.id);
    let (mut sockets, mut others) = (Vec::new(), Vec::new());
    for gateway in deployment.gateways() {
        sockets.push((connect(gateway, PATH, &user.token).await?, 4003));
        sockets.push((connect(gateway, &own, &user.token).await?, 4004));
        others.push(connect(gateway, PATH, &other.token).await?);
    }
    let block = block(deployment, &json!({"user_id": user.id_json(), "reason": "spam"})).await?;
    all_end(sockets).await?;
    for gateway in deployment.gateways() {
        refused(gateway.socket(PATH)?.token(&user.token), 4003).await?;
        gateway.api().with_token(&user.token).get("/api/notifications/").await?.expect(403)?;
        gateway.api().with_token(&other.token).get("/api/notifications/").await?.expect(200)?;
    }
    for mut socket in others {
        socket.send_json(&json!({"type": "ping"})).await?;
        socket.next_of_type("pong").await?;
    }
    lift(deployment, &block).await?;
    for gateway in deployment.gateways() {
        in_again(gateway, &user.token).await?;
    }
    Ok(())
}

async fn a_block_ends_by_itself(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("carol").await?;
    let socket = connect(&deployment.gateways()[0], PATH, &user.token).await?;
    let begun = Instant::now();
    block(deployment, &json!({"user_id": user.id_json(), "expires_in": 2})).await?;
    all_end(vec![(socket, 4003)]).await?;
    in_again(&deployment.gateways()[1], &user.token).await?;
    ensure!(begun.elapsed() >= WITHIN, "it ended too early");
    Ok(())
}

async fn only_admins_block(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let api = deployment.api().with_token(&user.token);
    api.post("/api/auth/blocks/", &json!({"address": "203.0.113.1"})).await?.expect(403)?;
    api.get("/api/auth/blocks/").await?.expect(403).map(drop)
}

async fn addresses(deployment: &Deployment) -> anyhow::Result<()> {
    let [one, two] = deployment.gateways();
    let user = deployment.user("alice").await?;
    let mut sockets = Vec::new();
    for (gateway, address) in [(one, "203.0.113.7"), (two, "203.0.113.8"), (two, "2001:db8:0:1::5")] {
        sockets.push((at(gateway, address, &user.token).await?, 4003));
    }
    let mut elsewhere = at(two, "203.0.114.7", &user.token).await?;
    block(deployment, &json!({"address": "2001:db8:0:1::/64"})).await?;
    block(deployment, &json!({"address": "203.0.113.0/24"})).await?;
    all_end(sockets).await?;
    elsewhere.send_json(&json!({"type": "ping"})).await?;
    elsewhere.next_of_type("pong").await?;
    stays_out(deployment).await
}

async fn stays_out(deployment: &Deployment) -> anyhow::Result<()> {
    for gateway in deployment.gateways() {
        for (address, out) in [("203.0.113.9", true), ("2001:db8:0:1::7", true), ("203.0.114.9", false)] {
            let status = status(gateway, address).await?;
            ensure!(status == if out { 403 } else { 200 }, "{status} for {address}");
            let mut socket = gateway.socket(PATH)?.header("x-forwarded-for", address).open().await?;
            if out {
                ends(&mut socket, 4003).await?;
            }
        }
    }
    Ok(())
}

async fn at(gateway: &Gateway, address: &str, token: &str) -> anyhow::Result<Socket> {
    let handshake = gateway.socket(PATH)?.token(token).header("x-forwarded-for", address);
    let mut socket = handshake.open().await?;
    socket.next_json().await.context("the greeting")?;
    Ok(socket)
}

/// The status of the answer to a request that needs no token.
async fn status(gateway: &Gateway, address: &str) -> anyhow::Result<u16> {
    let mut socket = TcpStream::connect(gateway.http.trim_start_matches("http://")).await?;
    let request = format!(
        "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: {address}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    timeout(DEADLINE, socket.read_to_string(&mut answer)).await.context("an answer in time")??;
    Ok(answer.split(' ').nth(1).context("a status")?.parse()?)
}

/// Waits until a user is let in.
async fn in_again(gateway: &Gateway, token: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    while gateway.api().with_token(token).get("/api/notifications/").await?.expect(200).is_err() {
        ensure!(Instant::now() < deadline, "still out");
        sleep(Duration::from_millis(50)).await;
    }
    connect(gateway, PATH, token).await.map(drop)
}
