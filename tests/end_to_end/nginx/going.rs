//! A gateway behind nginx that is asked to stop.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Socket, User, send, unique};
use reqwest::Method;
use serde_json::json;

use super::PATH;
use crate::checks::{connect, ends};

/// Of two clients, one at each gateway, one is sent away, and gets at the other gateway what it missed. While
/// that goes on, everyone is let in, and every request is answered.
pub(super) async fn goes(
    deployment: &Deployment,
    way: &Gateway,
    user: &User,
    there: [Socket; 2],
    notify: impl AsyncFn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stopping = deployment.stop(&deployment.gateways()[0].name);
    tokio::pin!(stopping);
    let status = loop {
        tokio::select! {
            status = &mut stopping => break status?,
            served = served(way, user, &notify) => served.context("while it goes")?,
        }
    };
    ensure!(status.success(), "stopped with {status}");
    served(way, user, &notify).await.context("while it is away")?;
    let title = unique("meanwhile");
    notify(&title).await?;
    let mut sent_away = 0;
    for mut socket in there {
        let frame = socket
            .next_where("a goodbye, or the news", |frame| {
                frame["type"] == "reconnect" || frame["title"] == title.as_str()
            })
            .await?;
        if frame["type"] == "reconnect" {
            sent_away += 1;
            ends(&mut socket, 1012).await?;
            comes_back(way, user, socket.since().context("no place")?, &title).await?;
        }
    }
    ensure!(sent_away == 1, "{sent_away} of 2 were sent away");
    Ok(())
}

/// Somebody comes, and something is sent, each at the first attempt.
async fn served(
    way: &Gateway,
    user: &User,
    notify: impl AsyncFn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    connect(way, PATH, &user.token).await?.close().await?;
    notify("something").await
}

async fn comes_back(way: &Gateway, user: &User, since: String, title: &str) -> anyhow::Result<()> {
    let mut socket = way.socket(PATH)?.token(&user.token).since(Some(since)).open().await?;
    let recovery = socket.next_of_type("recovery").await?;
    ensure!(recovery["recovered"] == true, "{recovery}");
    socket.next_where(title, |frame| frame["title"] == title).await?;
    socket.close().await
}

/// A back end's request, under a key.
pub(super) async fn notifies(way: &Gateway, token: &str, user: &User, title: &str) -> anyhow::Result<()> {
    let api = way.api().with_token(token);
    let request = api.request(Method::POST, "/api/notifications/send/");
    let request = request.header("idempotency-key", unique("key"));
    let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
    send(request.json(&body)).await?.expect(200).map(drop)
}
