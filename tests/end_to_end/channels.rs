//! `carillon.v1`: many channels on one socket, held to its specification frame by frame.

mod client;
mod specification;

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Deployment, Gateway, Options, User, now, unique};
use serde_json::{Value, json};

use crate::{
    checks::{ends, has},
    clients::installed,
    expiry::minted,
    suite::{Suite, both},
};
use client::{Client, specification};
use specification::Side;

const PATH: &str = "/ws/v1/";

/// How long a token is valid that is to expire soon, and how long before that its holder is warned, in seconds.
const SOON: u64 = 6;
const WARNING: &str = "4";

/// What only those get who don't read: the gateway's own tests see it.
const OF_THE_SLOW: &str = "dropped";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        v1_the_specification_is_one,
        v1_a_conversation_beside_a_client_of_its_document,
        v1_what_was_missed_of_each_channel_is_recovered_at_another_gateway,
        v1_a_channel_ends_with_its_membership_and_alone,
        v1_everybody_is_counted_where_they_are_subscribed,
        v1_who_has_no_token_has_what_anyone_may,
        v1_the_subprotocol_is_spoken_at_any_endpoint,
        v1_a_back_end_listens_and_is_present_nowhere,
        v1_groups_are_of_back_ends_alone,
    );
    suite.own_cluster("v1_every_message_is_as_specified", options, every_message);
}

fn options() -> Options {
    let arguments =
        ["--drain-seconds", "0", "--token-leeway-seconds", "0", "--expiry-warning-seconds", WARNING];
    Options { gateway_arguments: arguments.map(str::to_owned).to_vec(), ..Options::default() }
}

async fn connect(gateway: &Gateway, user: &User) -> anyhow::Result<Client> {
    Client::connect(gateway.socket(PATH)?.token(&user.token)).await
}

fn said(message: &str) -> Value {
    json!({"type": "chat_message", "message": message, "client_id": message})
}

/// A conversation of these users, as its channel is called.
async fn conversation(deployment: &Deployment, users: [&User; 2]) -> anyhow::Result<(String, String)> {
    let api = deployment.api().with_token(&users[0].token);
    let participants = [users[1].id_json()];
    let made =
        api.post("/api/chat/conversations/", &json!({"participants": participants})).await?.success()?;
    let id = made["id"].to_string();
    Ok((format!("conversation.{id}"), id))
}

/// AsyncAPI's own schema of such documents, as its project publishes it on npm.
async fn v1_the_specification_is_one(_: &Deployment) -> anyhow::Result<()> {
    let schema = std::fs::read(installed("node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json")?)?;
    let schema = jsonschema::validator_for(&serde_json::from_slice(&schema)?)?;
    let errors: Vec<String> = schema
        .iter_errors(specification().document())
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    ensure!(errors.is_empty(), "{errors:#?}");
    specification().check_examples()
}

/// Document 4's client and one of `carillon.v1` say and hear the same.
async fn v1_a_conversation_beside_a_client_of_its_document(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let (channel, id) = conversation(deployment, [&alice, &bob]).await?;
    let mut document = second.socket(&format!("/ws/chat/{id}/"))?.token(&bob.token).open().await?;
    document.next_of_type("conversation_joined").await?;
    let mut client = connect(first, &alice).await?;
    client.subscribe(&channel).await?;
    has(&client.told(&channel, "conversation_joined").await?, &json!({"user_id": alice.id_json()}))?;
    let acknowledged = client.publish(&channel, &said("Hello Bob")).await?;
    has(&acknowledged[0], &json!({"type": "message_ack", "client_id": "Hello Bob"}))?;
    let heard = document.next_of_type("chat_message").await?;
    has(&heard["message"], &json!({"content": "Hello Bob"}))?;
    has(&client.told(&channel, "chat_message").await?["message"], &heard["message"])?;
    document.send_json(&said("Hello Alice")).await?;
    let is_it = |frame: &Value| frame["data"]["message"]["content"] == "Hello Alice";
    let frame = client.next_where("an answer", is_it).await?;
    ensure!(frame["channel"] == channel && frame["offset"].is_u64(), "{frame}");
    // What its owner refuses it refuses in its document's words.
    let refused =
        client.publish(&channel, &json!({"type": "message_edit", "message_id": 0, "message": "x"})).await?;
    has(&refused[0], &json!({"type": "error", "code": "unknown_message"}))?;
    document.close().await?;
    client.close().await
}

/// Each channel from its own place, in order, once.
async fn v1_what_was_missed_of_each_channel_is_recovered_at_another_gateway(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let user = deployment.user("alice").await?;
    let (room, own) = (format!("room.{}", unique("general")), format!("user.{}", user.id));
    let mut gone = connect(first, &user).await?;
    gone.subscribe(&room).await?;
    gone.subscribe(&own).await?;
    gone.publish(&room, &said("heard")).await?;
    gone.told(&room, "chat_message").await?;
    let mut speaker = connect(second, &deployment.user("bob").await?).await?;
    speaker.subscribe(&room).await?;
    // Of its coming the one that goes has heard.
    gone.told(&room, "notification").await?;
    gone.socket().ask_to_close(1000, "").await?;
    speaker.told(&room, "notification").await?;
    for number in 0..50 {
        speaker.publish(&room, &said(&format!("missed {number}"))).await?;
    }
    let title = unique("missed");
    deployment.admin().await?.notify(&json!({"user_id": user.id, "title": title, "message": "x"})).await?;
    let mut back = connect(second, &user).await?;
    let missed = back.resume(&room, &gone).await?;
    ensure!(missed >= 50, "{missed} of 50");
    for number in 0..50 {
        let text = format!("missed {number}");
        let heard = back.told(&room, "chat_message").await?;
        ensure!(heard["message"] == text, "{heard}");
    }
    ensure!(back.resume(&own, &gone).await? == 1);
    has(&back.told(&own, "notification").await?, &json!({"title": title}))?;
    let page = back.ask(json!({"type": "history", "channel": own, "after": 0, "limit": 10})).await?;
    ensure!(page["events"].as_array().is_some_and(|events| !events.is_empty()), "{page}");
    speaker.close().await?;
    back.close().await
}

/// A membership that ends takes its channel and no other; who was never a member gets nothing.
async fn v1_a_channel_ends_with_its_membership_and_alone(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, _] = deployment.gateways();
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let (org, admin) = (deployment.org(&[&alice]).await?, deployment.admin().await?);
    let channel = format!("org.{org}");
    let mut stranger = connect(first, &bob).await?;
    for foreign in [&channel, &format!("user.{}", alice.id)] {
        let refused = stranger.ask(json!({"type": "subscribe", "channel": foreign})).await?;
        has(&refused, &json!({"type": "error", "code": "denied", "retry": false, "channel": foreign}))?;
    }
    let mut member = connect(first, &alice).await?;
    member.subscribe(&channel).await?;
    let own = format!("user.{}", alice.id);
    member.subscribe(&own).await?;
    admin.publish(&org, &json!({"event_type": "news", "data": {"n": 1}})).await?;
    member.next_where("news", |frame| frame["data"]["event_type"] == "news").await?;
    admin.remove_org_member(&org, &alice.id).await?;
    let over = member.next_where("the end", |frame| frame["type"] == "unsubscribed").await?;
    has(&over, &json!({"channel": channel, "code": "denied", "retry": false}))?;
    admin.notify(&json!({"user_id": alice.id, "title": "still here", "message": "x"})).await?;
    has(&member.told(&own, "notification").await?, &json!({"title": "still here"}))?;
    admin.revoke_user(&alice.id).await?;
    ends(member.socket(), 4502).await?;
    stranger.close().await
}

/// A subscription is a presence of its own: two of one user are one, and who unsubscribes has left.
async fn v1_everybody_is_counted_where_they_are_subscribed(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let project = deployment.project(&[&alice, &bob]).await?;
    let channel = format!("project.{}.presence", project.id);
    let mut watcher = connect(first, &alice).await?;
    watcher.subscribe(&channel).await?;
    watcher.told(&channel, "user_status").await?;
    let (mut one, mut other) = (connect(second, &bob).await?, connect(first, &bob).await?);
    for tab in [&mut one, &mut other] {
        tab.subscribe(&channel).await?;
    }
    has(
        &watcher.told(&channel, "user_status").await?,
        &json!({"action": "joined", "user_id": bob.id_json()}),
    )?;
    one.publish(&channel, &json!({"type": "viewing", "ticket_id": "elsewhere-1"})).await?;
    has(&watcher.told(&channel, "ticket_viewing").await?, &json!({"action": "started"}))?;
    let page = watcher.ask(json!({"type": "presence", "channel": channel, "limit": 1})).await?;
    has(&page["members"][0], &json!({"user_id": alice.id_json(), "viewing": []}))?;
    ensure!(page["count"] == 2 && page["next"].is_string(), "{page}");
    let rest = json!({"type": "presence", "channel": channel, "after": page["next"]});
    let rest = watcher.ask(rest).await?;
    has(&rest["members"][0], &json!({"user_id": bob.id_json(), "viewing": ["elsewhere-1"]}))?;
    ensure!(rest["next"].is_null(), "{rest}");
    for tab in [&mut one, &mut other] {
        tab.ask(json!({"type": "unsubscribe", "channel": channel})).await?;
    }
    has(&watcher.told(&channel, "user_status").await?, &json!({"action": "left", "user_id": bob.id_json()}))?;
    // Room, counter and conversation alike.
    let room = format!("room.{}", unique("general"));
    one.subscribe(&room).await?;
    let page = one.ask(json!({"type": "presence", "channel": room})).await?;
    ensure!(page["count"] == 1 && page["members"][0]["username"] == bob.username, "{page}");
    for client in [watcher, one, other] {
        client.close().await?;
    }
    Ok(())
}

/// Where anonymous clients are let in at all, they have the channels that those endpoints have.
async fn v1_who_has_no_token_has_what_anyone_may(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, _] = deployment.gateways();
    let mut guest = Client::connect(first.socket(PATH)?).await?;
    let room = format!("room.{}", unique("general"));
    guest.subscribe(&room).await?;
    guest.publish(&room, &json!({"type": "chat_message", "message": "hi", "username": "guest"})).await?;
    has(&guest.told(&room, "chat_message").await?, &json!({"username": "guest", "anonymous": true}))?;
    let page = guest.ask(json!({"type": "presence", "channel": room})).await?;
    ensure!(page["members"][0]["user_id"].is_null(), "{page}");
    for channel in ["user.1", "org.acme", "conversation.1", "project.1.tickets", "collaboration.x"] {
        let refused = guest.ask(json!({"type": "subscribe", "channel": channel})).await?;
        has(&refused, &json!({"type": "error", "code": "token_missing", "channel": channel}))?;
    }
    guest.close().await
}

/// A client behind a proxy that passes on only some paths.
async fn v1_the_subprotocol_is_spoken_at_any_endpoint(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let handshake = deployment.socket("/ws/notifications/")?.protocol("carillon.v1").protocol("bearer");
    let mut client = Client::connect(handshake.protocol(&user.token)).await?;
    ensure!(client.socket().protocol() == Some("carillon.v1"));
    client.subscribe(&format!("user.{}", user.id)).await?;
    client.close().await
}

/// A service token with `channels:listen` hears any channel, from any place in it; nobody sees it come.
async fn v1_a_back_end_listens_and_is_present_nowhere(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let (alice, admin) = (deployment.user("alice").await?, deployment.admin().await?);
    let token = admin.create_service_token(&unique("listener"), &["channels:listen"]).await?;
    let (room, own) = (format!("room.{}", unique("general")), format!("user.{}", alice.id));
    let org = format!("org.{}", deployment.org(&[&alice]).await?);
    let mut member = connect(first, &alice).await?;
    member.subscribe(&room).await?;
    let mut listener = Client::connect(second.socket(PATH)?.token(&token.token)).await?;
    let place = listener.subscribe(&room).await?;
    for channel in [&own, &org] {
        listener.subscribe(channel).await?;
    }
    member.publish(&room, &said("hello")).await?;
    has(&listener.told(&room, "chat_message").await?, &json!({"message": "hello"}))?;
    let page = member.ask(json!({"type": "presence", "channel": room})).await?;
    ensure!(page["count"] == 1, "{page}");
    admin.notify(&json!({"user_id": alice.id, "title": "yours", "message": "x"})).await?;
    has(&listener.told(&own, "notification").await?, &json!({"title": "yours"}))?;
    let refused =
        listener.ask(json!({"type": "publish", "channel": room, "data": said("not by a socket")})).await?;
    has(&refused, &json!({"type": "error", "code": "denied"}))?;
    for foreign in ["access", "document.x", "room.12"] {
        let refused = listener.ask(json!({"type": "subscribe", "channel": foreign})).await?;
        has(&refused, &json!({"type": "error", "retry": false}))?;
    }
    // From where it was, as anybody else.
    listener.ask(json!({"type": "unsubscribe", "channel": room})).await?;
    let since = format!("{}.{}", place["epoch"].as_str().context("an epoch")?, place["offset"]);
    listener.ask(json!({"type": "subscribe", "channel": room, "since": since})).await?;
    has(&listener.told(&room, "chat_message").await?, &json!({"message": "hello"}))?;
    admin.api().delete(&format!("/api/auth/service-tokens/{}/", token.id)).await?.expect(204)?;
    ends(listener.socket(), 4502).await?;
    // Without the scope, and at other endpoints, a back end is not let in.
    let other = admin.create_service_token(&unique("sender"), &["chat:send"]).await?;
    let with_scope = admin.create_service_token(&unique("listener"), &["channels:listen"]).await?;
    ends(&mut first.socket(PATH)?.token(&other.token).open().await?, 4503).await?;
    ends(&mut first.socket("/ws/notifications/")?.token(&with_scope.token).open().await?, 4003).await?;
    member.close().await
}

/// What back ends tell each other no client hears, or says.
async fn v1_groups_are_of_back_ends_alone(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    let (alice, admin) = (deployment.user("alice").await?, deployment.admin().await?);
    let token =
        admin.create_service_token(&unique("group"), &["channels:listen", "groups:send"]).await?.token;
    let (name, api) = (unique("workers"), deployment.api());
    let (channel, path) = (format!("group.{name}"), format!("/api/groups/{name}/events/"));
    let mut client = connect(first, &alice).await?;
    let refused = client.ask(json!({"type": "subscribe", "channel": channel})).await?;
    has(&refused, &json!({"type": "error", "code": "unknown_channel"}))?;
    let event = json!({"anything": {"at": ["all"]}});
    api.with_token(&alice.token).post(&path, &event).await?.expect(403)?;
    let mut listener = Client::connect(second.socket(PATH)?.token(&token)).await?;
    listener.subscribe(&channel).await?;
    let back_end = api.with_token(&token);
    let sent = back_end.post(&path, &event).await?.expect(201)?;
    ensure!(sent == json!({"channel": channel, "offset": 1}), "{sent}");
    let heard =
        listener.next_where("the event", |frame| frame["channel"] == channel && frame["id"].is_null());
    let heard = heard.await?;
    ensure!(heard["data"] == event && heard["offset"] == 1, "{heard}");
    back_end.post(&path, &json!(["no object"])).await?.expect(422)?;
    client.close().await?;
    listener.close().await
}

/// Everything that either side can say is said, and is as the specification has it.
async fn every_message(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [first, _] = deployment.gateways();
    let (org, admin) = (deployment.org(&[]).await?, deployment.admin().await?);
    let name = unique("somebody");
    admin.add_org_member(&org, &format!("django:{name}")).await?;
    let token = |seconds| minted(&name, now() + seconds);
    let mut client = Client::connect(first.socket(PATH)?.token(&token(SOON))).await?;
    let room = format!("room.{}", unique("general"));
    let room_at = client.subscribe(&room).await?;
    client.publish(&room, &said("hello")).await?;
    client.told(&room, "chat_message").await?;
    client.ask(json!({"type": "history", "channel": room})).await?;
    client.ask(json!({"type": "presence", "channel": room})).await?;
    client.ask(json!({"type": "ping", "timestamp": "now"})).await?;
    let refused = client.ask(json!({"type": "unsubscribe", "channel": "room.nowhere"})).await?;
    ensure!(refused["code"] == "not_subscribed", "{refused}");
    client.ask(json!({"type": "unsubscribe", "channel": room})).await?;
    let since = format!("{}.{}", room_at["epoch"].as_str().context("an epoch")?, room_at["offset"]);
    client
        .ask(json!({"type": "subscribe", "channel": room, "since": since, "query": {"history": 5}}))
        .await?;
    client.next_where("recovery", |frame| frame["type"] == "recovery").await?;
    client.ask(json!({"type": "subscribe", "channel": format!("org.{org}")})).await?;
    admin.remove_org_member(&org, &format!("django:{name}")).await?;
    client.next_where("the end", |frame| frame["type"] == "unsubscribed").await?;
    client.next_where("a warning", |frame| frame["type"] == "token_expiring").await?;
    let refreshed = client.ask(json!({"type": "refresh", "token": token(600)})).await?;
    ensure!(refreshed["type"] == "refreshed", "{refreshed}");
    let stopping = deployment.stop(&first.name);
    let told = async {
        client.next_where("farewell", |frame| frame["type"] == "reconnect").await?;
        ends(client.socket(), 1012).await
    };
    let (status, ()) = tokio::try_join!(stopping, told)?;
    ensure!(status.success(), "{status}");
    let unheard = |side: Side| -> BTreeSet<&str> {
        let messages = specification().messages(side).filter(|name| *name != OF_THE_SLOW);
        messages.filter(|name| !client.heard.iter().any(|heard| *heard == (*name, side))).collect()
    };
    let unheard = [unheard(Side::Client), unheard(Side::Server)];
    ensure!(unheard.iter().all(BTreeSet::is_empty), "specified, and not heard: {unheard:?}");
    Ok(())
}
