//! nginx in front of two gateways, with the files of `deploy/nginx` (document 1's reverse proxy): what passes it, and
//! what it does about a gateway that goes.

mod files;
mod going;
mod passing;

use std::net::Ipv4Addr;

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Gateway, Nginx, Options, Socket, User};

use crate::{
    checks::{connect, ends},
    suite::Suite,
};

/// How many connections an address may have here.
const CONNECTIONS: usize = 5;

const PATH: &str = "/ws/notifications/";

pub(crate) fn register(suite: &mut Suite) {
    suite.own_cluster("s1_12_nginx_in_front_of_two_gateways", behind_nginx, in_front_of_two_gateways);
    suite.own_cluster("s4_09_nginx_passes_over_a_gateway_that_goes", behind_nginx, passes_over);
}

/// Only nginx's own address is trusted to say where clients are.
fn behind_nginx() -> Options {
    let arguments = ["--trusted-proxies", "127.0.0.1", "--drain-seconds", "3"];
    Options {
        gateway_arguments: arguments.map(str::to_owned).to_vec(),
        environment: vec![("MAX_CONNECTIONS_PER_IP".to_owned(), CONNECTIONS.to_string())],
        ..Options::default()
    }
}

/// S1-12, S4-09: with and without TLS.
async fn in_front_of_two_gateways(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let nginx = Nginx::start(deployment).await?;
    let user = deployment.user("ada").await?;
    passing::redirects(&nginx).await.context("the redirect")?;
    let (plain, secure) =
        (nginx.plain_from(address(1)).await?, nginx.secure_from(address(2)).await.context("TLS")?);
    for (way, client) in [(plain.end(), address(1)), (secure.end(), address(2))] {
        passing::sockets(deployment, way, &user, client).await.context("WebSockets")?;
        passing::events(deployment, way, &user).await.context("server-sent events")?;
        files::pass(way, &user).await.context("files")?;
    }
    every_gateway_has_some(&nginx, deployment.gateways(), &user).await?;
    limits(&nginx, &user).await.context("limits")?;
    tokens_are_not_logged(&nginx, &user)
}

/// One of a client's, of the loopback network.
fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 9, 9, number)
}

/// S4-09: nothing ties a client to a gateway.
async fn every_gateway_has_some(nginx: &Nginx, gateways: &[Gateway; 2], user: &User) -> anyhow::Result<()> {
    let way = nginx.secure_from(address(3)).await?;
    let mut sockets = Vec::new();
    for _ in 0..4 {
        sockets.push(connect(way.end(), PATH, &user.token).await?);
    }
    for gateway in gateways {
        let open = passing::connections(gateway).await?;
        ensure!(open == 2, "{} has {open} of 4 connections", gateway.name);
    }
    for socket in sockets {
        socket.close().await?;
    }
    Ok(())
}

/// S0-07 through nginx: counted over both gateways, by the address that the client really has.
async fn limits(nginx: &Nginx, user: &User) -> anyhow::Result<()> {
    let (many, few) = (nginx.secure_from(address(4)).await?, nginx.secure_from(address(5)).await?);
    let mut sockets: Vec<Socket> = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(connect(many.end(), PATH, &user.token).await?);
    }
    // It says that it is another one.
    let forged = many.end().socket(PATH)?.token(&user.token).header("x-forwarded-for", "203.0.113.9");
    let mut refused = forged.open().await?;
    let frame = refused.next_json().await?;
    ensure!(frame["type"] == "reconnect" && frame["after_ms"].is_u64(), "{frame}");
    ends(&mut refused, 4429).await?;
    connect(few.end(), PATH, &user.token).await.context("another address")?.close().await
}

/// What browsers have to put into queries is in no log.
fn tokens_are_not_logged(nginx: &Nginx, user: &User) -> anyhow::Result<()> {
    let logged = nginx.logged()?;
    ensure!(logged.contains("\"GET /ws/notifications/ HTTP/1.1\" 101"), "nobody was logged: {logged}");
    ensure!(logged.contains("\"PUT /blobs/"), "no file was logged: {logged}");
    for secret in [user.token.as_str(), "signature="] {
        ensure!(!logged.contains(secret), "{secret} was logged");
    }
    Ok(())
}

/// S4-09: while a gateway goes, while it is away, and when it was killed, everyone gets in at once; what a client
/// missed it gets at the other gateway; and tokens are in no log for all that.
async fn passes_over(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let nginx = Nginx::start(deployment).await?;
    let (user, admin) = (deployment.user("ada").await?, deployment.admin().await?);
    let back_end = admin.create_service_token("back-end", &["notifications:send"]).await?;
    let way = nginx.plain_from(address(1)).await?;
    let there = [connect(way.end(), PATH, &user.token).await?, connect(way.end(), PATH, &user.token).await?];
    let notify = async |title: &str| going::notifies(way.end(), &back_end.token, &user, title).await;
    going::goes(deployment, way.end(), &user, there, notify).await.context("a gateway that goes")?;
    let [first, second] = deployment.gateways();
    deployment.start(&first.name).await?;
    deployment.kill(&second.name)?;
    for _ in 0..CONNECTIONS {
        connect(way.end(), PATH, &user.token).await.context("with a gateway killed")?.close().await?;
        notify("with a gateway killed").await?;
    }
    let logged = nginx.logged()?;
    ensure!(!logged.contains(&user.token), "a token was logged: {logged}");
    // It was going, or had gone: with so few clients it is quick.
    let is_passed_over = |line: &str| ["503, 101", "502, 101"].iter().any(|both| line.ends_with(both));
    ensure!(logged.lines().any(is_passed_over), "no handshake was passed over: {logged}");
    Ok(())
}
