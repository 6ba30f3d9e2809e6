//! What a client missed while it was away: by `?since=`, on any gateway, and in the inbox.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Socket, User, unique};
use serde_json::{Value, json};

use crate::{
    checks::{connect, has},
    organisations::listen,
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        what_was_missed_comes_in_order_once,
        a_place_that_cannot_be_resumed_is_told,
        organisation_events_are_recovered_too,
        counts_are_recovered_too,
        many_missed_events_come_page_by_page,
    );
}

/// Also through the other gateway, which may never have heard of the user.
async fn what_was_missed_comes_in_order_once(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [first, second] = deployment.gateways();
    let mut socket = connect(first, "/ws/notifications/", &user.token).await?;
    let seen = notify(deployment, &user).await?;
    socket.next_where("the first", |frame| frame["title"] == seen).await?;
    let since = socket.since();
    socket.close().await?;
    let missed = [
        notify(deployment, &user).await?,
        notify(deployment, &user).await?,
        notify(deployment, &user).await?,
    ];
    for (gateway, path) in [
        (first, "/ws/notifications/"),
        (second, "/ws/notifications/"),
        (second, &format!("/ws/notifications/{}/", user.id)),
    ] {
        let mut socket = resume(gateway, path, &user, since.clone()).await?;
        let recovery = socket.next_json().await?;
        // Others may have sent to everyone meanwhile.
        ensure!(recovery["missed"].as_u64() >= Some(3), "{recovery}");
        has(&recovery, &json!({"type": "recovery", "recovered": true}))?;
        let later = notify(deployment, &user).await?;
        let expected: Vec<_> = missed.iter().chain([&later]).cloned().collect();
        let mut received = Vec::new();
        while received.last() != Some(&later) {
            let frame = socket.next_where("its own", is_of(&user)).await?;
            received.push(frame["title"].as_str().context("a title")?.to_owned());
        }
        received.retain(|title| expected.contains(title));
        ensure!(received == expected, "{received:?}, expected {expected:?}");
        let again = resume(gateway, path, &user, socket.since()).await?.next_of_type("recovery").await?;
        has(&again, &json!({"recovered": true}))?;
        socket.close().await?;
    }
    let inbox =
        deployment.api().with_token(&user.token).get("/api/notifications/?limit=100").await?.expect(200)?;
    let titles: Vec<_> = inbox["items"].as_array().into_iter().flatten().map(|item| &item["title"]).collect();
    for title in missed.iter().chain([&seen]) {
        ensure!(titles.iter().filter(|known| **known == title).count() == 1, "{title} in {titles:?}");
    }
    Ok(())
}

/// Another log's, one that is ahead, for other channels, or nonsense: the connection is open all the same.
async fn a_place_that_cannot_be_resumed_is_told(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [gateway, _] = deployment.gateways();
    let socket = connect(gateway, "/ws/notifications/", &user.token).await?;
    let since = socket.since().context("no place")?;
    let epoch = since.split('.').next().context("no epoch")?;
    for since in [
        "0123456789.0.0".to_owned(),
        format!("{epoch}.99999999.0"),
        format!("{epoch}.0.99999999"),
        format!("{epoch}.0"),
        format!("{epoch}.0.0.0"),
        format!("{epoch}.-1.0"),
        epoch.to_owned(),
        "nonsense".to_owned(),
    ] {
        let mut socket = resume(gateway, "/ws/notifications/", &user, Some(since.clone())).await?;
        let recovery = socket.next_json().await?;
        has(&recovery, &json!({"type": "recovery", "recovered": false})).context(since)?;
        let title = notify(deployment, &user).await?;
        socket.next_where("what comes later", |frame| frame["title"] == title).await?;
        socket.close().await?;
    }
    // One that has no place yet asks for it, and has missed nothing.
    let mut socket = resume(gateway, "/ws/notifications/", &user, Some(String::new())).await?;
    socket.expect_none("a recovery", |frame| frame["type"] == "recovery").await?;
    socket.close().await
}

async fn organisation_events_are_recovered_too(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let [first, second] = deployment.gateways();
    let path = format!("/ws/events/{org}/");
    let since = listen(first, &org, &user).await?.since();
    let kinds = ["resource.created", "resource.updated", "resource.deleted"];
    for kind in kinds {
        deployment.admin().await?.publish(&org, &json!({"event_type": kind})).await?;
    }
    let mut socket = resume(second, &path, &user, since).await?;
    has(&socket.next_json().await?, &json!({"type": "recovery", "recovered": true, "missed": 3}))?;
    for (kind, offset) in kinds.into_iter().zip(2..) {
        has(&socket.next_json().await?, &json!({"event_type": kind, "offset": offset}))?;
    }
    socket.expect_none("a second copy", |frame| frame["type"] == "event").await
}

/// A client that was away learns what its user read elsewhere.
async fn counts_are_recovered_too(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [first, second] = deployment.gateways();
    notify(deployment, &user).await?;
    let since = connect(first, "/ws/notifications/", &user.token).await?.since();
    let api = deployment.api().with_token(&user.token);
    let all = api.post("/api/notifications/read-all/", &json!({})).await?.expect(200)?;
    let mut socket = resume(second, "/ws/notifications/", &user, since).await?;
    let count = socket.next_of_type("unread_count").await?;
    has(&count, &json!({"count": all["counts"]["unread"], "version": all["version"]}))
}

/// More than one page of the log.
async fn many_missed_events_come_page_by_page(deployment: &Deployment) -> anyhow::Result<()> {
    const MANY: u64 = 450;
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let [first, second] = deployment.gateways();
    let path = format!("/ws/events/{org}/");
    let since = listen(first, &org, &user).await?.since();
    let admin = deployment.admin().await?;
    let mut requests = tokio::task::JoinSet::new();
    for worker in 0..10 {
        let (admin, org) = (admin.clone(), org.clone());
        requests.spawn(async move {
            for number in 0..MANY / 10 {
                let event = json!({"event_type": "numbered", "data": {"worker": worker, "number": number}});
                admin.publish(&org, &event).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = requests.join_next().await {
        done??;
    }
    let mut socket = resume(second, &path, &user, since).await?;
    has(&socket.next_json().await?, &json!({"type": "recovery", "recovered": true, "missed": MANY}))?;
    let mut next = [0; 10];
    for offset in 2..MANY + 2 {
        let frame = socket.next_json().await?;
        let worker = frame["data"]["worker"].as_u64().and_then(|worker| usize::try_from(worker).ok());
        let next = worker.and_then(|worker| next.get_mut(worker)).context("no worker")?;
        has(&frame, &json!({"offset": offset, "data": {"number": *next}}))?;
        *next += 1;
    }
    socket.expect_none("a second copy", |frame| frame["type"] == "event").await
}

async fn resume(gateway: &Gateway, path: &str, user: &User, since: Option<String>) -> anyhow::Result<Socket> {
    let mut socket = gateway.socket(path)?.token(&user.token).since(since).open().await?;
    has(&socket.next_json().await?, &json!({"type": "connection.established"}))?;
    Ok(socket)
}

/// Sends one to this user; its title.
async fn notify(deployment: &Deployment, user: &User) -> anyhow::Result<String> {
    let title = unique("title");
    let body = json!({"user_id": user.id, "title": title, "message": "Hello"});
    deployment.admin().await?.notify(&body).await?;
    Ok(title)
}

/// Not what everyone is sent.
fn is_of(user: &User) -> impl FnMut(&Value) -> bool {
    let channel = format!("user.{}", user.id);
    move |frame| frame["type"] == "notification" && frame["channel"] == channel
}
