//! `carillon publish`.

use anyhow::ensure;
use carillon_testkit::{Deployment, unique};
use serde_json::json;

use super::invocation::Invocation;
use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(suite, publish_reaches_each_kind_of_channel, publish_tells_what_is_wrong);
}

/// What a back end may publish arrives, from an argument, a file or standard input, once however often it is said.
async fn publish_reaches_each_kind_of_channel(deployment: &Deployment) -> anyhow::Result<()> {
    let [gateway, _] = deployment.gateways();
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let (org, project) = (deployment.org(&[&alice]).await?, deployment.project(&[&alice]).await?);
    let scopes = ["notifications:send", "events:publish", "chat:send", "counter:update"];
    let token = deployment.admin().await?.create_service_token(&unique("shop"), &scopes).await?.token;
    let publish = |arguments: &[&str]| {
        let invocation = Invocation::of(&["publish", "--url", &gateway.http, "--json"]).with(arguments);
        invocation.variable("CARILLON_TOKEN", &token)
    };
    let title = unique("title");
    let users = format!("user.{},user.{}", alice.id, bob.id);
    let notice = json!({"title": title, "message": "Hello"}).to_string();
    for _ in 0..2 {
        let keyed = publish(&[&users, &notice, "--idempotency-key", &title]).exits(0).await?.json()?;
        has(
            &keyed,
            &json!({"published": true, "idempotency_key": title, "path": "/api/notifications/send/"}),
        )?;
    }
    for user in [&alice, &bob] {
        let inbox = deployment.api().with_token(&user.token).get("/api/notifications/").await?.expect(200)?;
        let of_it =
            inbox["items"].as_array().into_iter().flatten().filter(|item| item["title"] == title.as_str());
        ensure!(of_it.count() == 1, "{inbox}");
    }
    let (room, counter) = (format!("room.{}", unique("general")), format!("counter.{}", unique("likes")));
    let said = publish(&[&room]).input(r#"{"message":"from standard input"}"#).exits(0).await?.json()?;
    ensure!(said["answer"]["offset"].is_u64(), "{said}");
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("event.json");
    let event = json!({"type": "sprint", "action": "increment", "value": 3});
    std::fs::write(&file, event.to_string())?;
    let channels = format!("{counter},project.{}.events", project.id);
    let objects = publish(&[&channels, &format!("@{}", file.display())]).exits(0).await?.objects()?;
    ensure!(objects.len() == 2 && objects.iter().all(|object| object["published"] == true), "{objects:?}");
    has(&objects[0], &json!({"channels": [counter], "answer": {"counter": 3}}))?;
    let event = json!({"event_type": "sprint", "data": {"n": 1}}).to_string();
    let told = publish(&[&format!("org.{org}"), &event]).exits(0).await?.json()?;
    has(&told, &json!({"published": true, "answer": {"status": "success"}}))
}

/// A refusal of one channel is told, and does not keep the others from it.
async fn publish_tells_what_is_wrong(deployment: &Deployment) -> anyhow::Result<()> {
    let [gateway, _] = deployment.gateways();
    let publish = |arguments: &[&str]| Invocation::of(&["publish", "--url", &gateway.http]).with(arguments);
    let token = deployment.admin().await?.create_service_token(&unique("shop"), &["chat:send"]).await?.token;
    let channels = format!("org.nowhere,room.{}", unique("general"));
    let some = publish(&[&channels, r#"{"message":"Hello"}"#, "--token", &token]).exits(1).await?;
    some.complains("not published to org.nowhere")?;
    some.complains("403")?;
    ensure!(some.output.starts_with("published to room."), "{some:?}");
    let nobody = publish(&["room.x", r#"{"message":"Hello"}"#]).exits(1).await?;
    nobody.complains("--token")?;
    for (arguments, complaint) in [
        (["document.x", "{}"], "over HTTP"),
        (["nothing.x", "{}"], "nothing.x"),
        (["room.x", "Hello"], "not JSON"),
        (["room.x", "[]"], "JSON object"),
    ] {
        publish(&arguments).exits(2).await?.complains(complaint)?;
    }
    // Whose answer may still come: it is said several times.
    let away = Invocation::of(&["publish", "--url", "http://127.0.0.1:1", "room.x", "{}"]).exits(1).await?;
    away.complains("Is a gateway there?")
}
