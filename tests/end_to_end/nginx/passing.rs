//! WebSockets and events that pass nginx.

use std::net::Ipv4Addr;

use anyhow::{Context, ensure};
use carillon_testkit::{DEADLINE, Deployment, Gateway, Nginx, User, unique};
use reqwest::{Method, Response};
use serde_json::json;
use tokio::time::timeout;

use super::PATH;

/// The site without TLS leads to the other.
pub(super) async fn redirects(nginx: &Nginx) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let url = format!("{}/api/auth/me/?all=1", nginx.redirecting().http);
    let answer = client.build()?.post(url).send().await?;
    let location = answer.headers()["location"].to_str()?;
    ensure!(answer.status() == 308 && location == "https://127.0.0.1/api/auth/me/?all=1", "{answer:?}");
    Ok(())
}

/// A connection is opened, by a subprotocol's way of showing a token too, hears and is heard; the gateway
/// knows where its client is.
pub(super) async fn sockets(
    deployment: &Deployment,
    way: &Gateway,
    user: &User,
    client: Ipv4Addr,
) -> anyhow::Result<()> {
    let mut socket = way.socket(PATH)?.protocol("bearer").protocol(&user.token).open().await?;
    ensure!(socket.protocol() == Some("bearer"), "{:?}", socket.protocol());
    socket.next_json().await.context("the greeting")?;
    socket.expect_pong(b"through nginx").await?;
    let title = unique("title");
    let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
    deployment.admin().await?.notify(&body).await?;
    socket.next_where("the notification", |frame| frame["title"] == title.as_str()).await?;
    let listed = deployment.admin().await?.api().get("/api/monitoring/websocket/active-connections/").await?;
    let listed = listed.expect(200)?.to_string();
    ensure!(listed.contains(&format!("\"{client}\"")), "{client} is not in {listed}");
    socket.close().await
}

/// Each event is there before anything follows it.
pub(super) async fn events(deployment: &Deployment, way: &Gateway, user: &User) -> anyhow::Result<()> {
    let path = format!("/api/events/user.{}/", user.id);
    let request = way.api().with_token(&user.token).request(Method::GET, &path);
    let mut stream = request.send().await?;
    ensure!(stream.status() == 200, "{stream:?}");
    arrives(&mut stream, "\"epoch\"").await.context("the greeting")?;
    for _ in 0..3 {
        let title = unique("streamed");
        let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
        deployment.admin().await?.notify(&body).await?;
        arrives(&mut stream, &title).await?;
    }
    Ok(())
}

/// Reads on until this text has come.
async fn arrives(stream: &mut Response, text: &str) -> anyhow::Result<()> {
    let mut received = String::new();
    while !received.contains(text) {
        let chunk = timeout(DEADLINE, stream.chunk()).await.with_context(|| received.clone())??;
        received.push_str(std::str::from_utf8(&chunk.context("it has ended")?)?);
    }
    Ok(())
}

/// How many connections a gateway says it has.
pub(super) async fn connections(gateway: &Gateway) -> anyhow::Result<u64> {
    let text = reqwest::Client::builder().no_proxy().build()?;
    let text = text.get(format!("{}/metrics", gateway.operations)).send().await?.text().await?;
    let lines = text.lines().filter(|line| line.starts_with("carillon_gateway_connections{"));
    let counts = lines.map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<u64>());
    Ok(counts.sum::<Result<u64, _>>()?)
}
