//! `carillon tail`.

use anyhow::ensure;
use carillon_testkit::{Cluster, Deployment, Gateway, Options, unique};
use serde_json::{Value, json};

use super::invocation::Invocation;
use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(suite, tail_shows_what_happens, tail_tells_what_it_may_not, tail_tells_of_a_gap);
    suite.own_cluster("tail_goes_on_when_its_gateway_restarts", Options::default, over_a_restart);
}

fn tail(gateway: &Gateway, token: &str, arguments: &[&str]) -> Invocation {
    let invocation = Invocation::of(&["tail", "--json", "--url", &gateway.http]).with(arguments);
    invocation.variable("CARILLON_TOKEN", token)
}

/// Says something in a room, as a back end, at this gateway.
async fn say(gateway: &Gateway, token: &str, room: &str, message: &str) -> anyhow::Result<()> {
    let path = format!("/api/chat/rooms/{room}/messages/");
    let said = gateway.api().with_token(token).post(&path, &json!({"message": message})).await?;
    said.expect(201).map(drop)
}

fn is_message(object: &Value) -> bool {
    object["type"] == "event" && object["data"]["type"] == "chat_message"
}

/// Events as they happen; from the beginning; from a place on; and a clean end at SIGINT.
async fn tail_shows_what_happens(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let (user, room) = (deployment.user("alice").await?, unique("general"));
    let service =
        deployment.admin().await?.create_service_token(&unique("shop"), &["chat:send"]).await?.token;
    let channel = format!("room.{room}");
    let mut live = tail(first, &user.token, &[&channel]).start()?;
    live.object("subscription", |object| object["type"] == "subscribed").await?;
    say(second, &service, &room, "one").await?;
    let one = live.object("a message", is_message).await?;
    has(&one, &json!({"channel": channel, "data": {"message": "one"}}))?;
    let (epoch, offset) = (one["epoch"].as_str().unwrap_or_default(), one["offset"].as_u64().unwrap_or(0));
    ensure!(offset > 0 && !epoch.is_empty(), "{one}");
    say(second, &service, &room, "two").await?;
    live.object("the second", |object| object["data"]["message"] == "two").await?;
    let code = live.interrupt().await?;
    ensure!(code == 0, "SIGINT ended it with {code}");

    for since in ["0", "beginning"] {
        let all = tail(second, &user.token, &[&channel, "--since", since, "--for", "3s"]).exits(0).await?;
        let said: Vec<Value> = all.objects()?.into_iter().filter(is_message).collect();
        let texts: Vec<&Value> = said.iter().map(|object| &object["data"]["message"]).collect();
        ensure!(texts == ["one", "two"], "{texts:?}");
    }
    let place = format!("{channel}={epoch}.{offset}");
    let own = format!("user.{}", user.id);
    let rest = tail(first, &user.token, &[&channel, &own, "--since", &place, "--for", "3s"]).exits(0).await?;
    let texts: Vec<Value> =
        rest.objects()?.into_iter().filter(is_message).map(|it| it["data"]["message"].clone()).collect();
    ensure!(texts == ["two"], "{rest:?}");
    // One event is there, two were wanted.
    let few = tail(first, &user.token, &[&own, "--since", "0", "--count", "2", "--for", "2s"]);
    few.exits(1).await.map(drop)
}

/// Refusals end it, with why.
async fn tail_tells_what_it_may_not(deployment: &Deployment) -> anyhow::Result<()> {
    let [gateway, _] = deployment.gateways();
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let foreign = format!("user.{}", bob.id);
    let refused = tail(gateway, &alice.token, &[&foreign]).exits(1).await?.objects()?;
    ensure!(
        refused.iter().any(|object| object["type"] == "ended" && object["channel"] == foreign),
        "{refused:?}"
    );
    tail(gateway, "no-token", &["everyone"]).exits(1).await?.complains("that token is not taken")?;
    let nobody = Invocation::of(&["tail", "everyone", "--url", "http://127.0.0.1:1"]).exits(1).await?;
    nobody.complains("can't connect")?;
    for wrong in [["nothing.x", "--once"], ["everyone", "--since=x.y"], ["everyone", "--since=room.x=0"]] {
        Invocation::of(&["tail", "--url", &gateway.http]).with(&wrong).exits(2).await?;
    }
    Ok(())
}

/// A place in another log can't be recovered from: that is said, and is a failure.
async fn tail_tells_of_a_gap(deployment: &Deployment) -> anyhow::Result<()> {
    let [gateway, _] = deployment.gateways();
    let user = deployment.user("alice").await?;
    let channel = format!("user.{}", user.id);
    let gone =
        tail(gateway, &user.token, &[&channel, "--since", "another.3", "--for", "2s"]).exits(1).await?;
    let objects = gone.objects()?;
    let gap = objects.iter().find(|object| object["type"] == "gap");
    has(gap.unwrap_or(&Value::Null), &json!({"channel": channel, "after": 3}))
}

/// Its gateway is killed, things are said meanwhile, and it comes back: everything, once, in order.
async fn over_a_restart(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [first, second] = deployment.gateways();
    let (user, room) = (deployment.user("alice").await?, unique("general"));
    let service =
        deployment.admin().await?.create_service_token(&unique("shop"), &["chat:send"]).await?.token;
    let mut live = tail(first, &user.token, &[&format!("room.{room}")]).start()?;
    live.object("subscription", |object| object["type"] == "subscribed").await?;
    say(second, &service, &room, "0").await?;
    live.object("the first", is_message).await?;
    deployment.kill(&first.name)?;
    live.object("the end", |object| object["type"] == "disconnected").await?;
    for number in 1..20 {
        say(second, &service, &room, &number.to_string()).await?;
    }
    deployment.start(&first.name).await?;
    live.object("recovery", |object| object["type"] == "recovered").await?;
    say(second, &service, &room, "20").await?;
    for number in 1..=20 {
        let heard = live.object("a message", is_message).await?;
        let expected = number.to_string();
        ensure!(heard["data"]["message"] == expected.as_str(), "{number} expected: {heard}");
    }
    let code = live.interrupt().await?;
    ensure!(code == 0, "SIGINT ended it with {code}");
    Ok(())
}
