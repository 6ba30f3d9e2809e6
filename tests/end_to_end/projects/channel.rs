//! All that happens in a project, on one connection (S0-02).

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, unique};
use serde_json::{Value, json};

use super::{Team, api_of};
use crate::{
    checks::{has, lives},
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(suite, s0_02_a_project_is_heard_on_one_connection, s0_02_what_was_missed_of_a_project_is_recovered);
}

/// Tickets, comments, who is there and what they do, and a back end's own events.
async fn s0_02_a_project_is_heard_on_one_connection(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let mut alice = first.socket(&team.path(""))?.token(&team.alice.token).open().await?;
    let greeting = alice.next_json().await?;
    let expected = json!({
        "type": "connection_established",
        "message": "Connected to project",
        "project_id": team.project.id_json(),
        "user_id": team.alice.id_json(),
    });
    has(&greeting, &expected)?;
    let channels = greeting["channels"].as_array().context("no channels")?;
    let names: Vec<_> = channels.iter().filter_map(|channel| channel["name"].as_str()).collect();
    let id = &team.project.id;
    ensure!(
        names == ["tickets", "presence", "events"].map(|kind| format!("project.{id}.{kind}")),
        "{greeting}"
    );
    let status =
        json!({"type": "user_status", "action": "joined", "user_id": team.alice.id_json(), "count": 1});
    has(&alice.next_json().await?, &status)?;

    let mut bob = second.socket(&team.path("presence/"))?.token(&team.bob.token).open().await?;
    bob.next_json().await?;
    has(
        &alice.next_of_type("user_status").await?,
        &json!({"action": "joined", "user_id": team.bob.id_json()}),
    )?;
    let api = api_of(deployment, &team.bob);
    let ticket = team.create(&api, &json!({"title": "Fix login bug"})).await?;
    ensure!(alice.next_of_type("ticket_update").await?["data"] == ticket, "another ticket");
    team.comment(&api, &ticket, "On it").await?;
    has(&alice.next_of_type("comment_added").await?, &json!({"data": {"message": "On it"}}))?;
    bob.send_json(&json!({"type": "viewing", "ticket_id": ticket["ticket_id"]})).await?;
    has(&alice.next_of_type("ticket_viewing").await?, &json!({"ticket_id": ticket["ticket_id"]}))?;
    let typing = json!({"type": "typing", "ticket_id": ticket["ticket_id"], "is_typing": true});
    bob.send_json(&typing).await?;
    has(&alice.next_of_type("user_typing").await?, &json!({"is_typing": true}))?;
    let token =
        deployment.admin().await?.create_service_token(&unique("django"), &["events:publish"]).await?;
    let event = json!({"type": "sprint.started", "sprint": 7});
    let django = deployment.api().with_token(&token.token);
    django.post(&team.route("events/"), &event).await?.expect(201)?;
    has(&alice.next_of_type("sprint.started").await?, &event)?;
    bob.close().await?;
    has(
        &alice.next_of_type("user_status").await?,
        &json!({"action": "left", "user_id": team.bob.id_json()}),
    )?;
    lives(alice).await
}

/// From three logs, each in its order.
async fn s0_02_what_was_missed_of_a_project_is_recovered(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let alice = team.listen(first, "", &team.alice).await?;
    let place = alice.since().context("no place")?;
    alice.close().await?;
    let api = api_of(deployment, &team.bob);
    let ticket = team.create(&api, &json!({"title": "missed"})).await?;
    team.comment(&api, &ticket, "missed").await?;
    let event = json!({"type": "sprint.started", "sprint": 7});
    let admin = deployment.admin().await?.api();
    admin.post(&team.route("events/"), &event).await?.expect(201)?;
    team.listen(first, "presence/", &team.bob).await?.close().await?;
    let path = format!("{}?since={place}", team.path(""));
    let mut alice = second.socket(&path)?.token(&team.alice.token).open().await?;
    has(&alice.next_of_type("recovery").await?, &json!({"recovered": true}))?;
    let mut missed: Vec<Value> = Vec::new();
    let left = |frame: &Value| frame["action"] == "left" && frame["user_id"] == team.bob.id_json();
    while !(missed.iter().any(left) && missed.iter().any(|frame| frame["type"] == "sprint.started")) {
        missed.push(alice.next_json().await?);
    }
    for name in ["tickets", "presence", "events"] {
        let channel = format!("project.{}.{name}", team.project.id);
        let offsets = missed.iter().filter(|frame| frame["channel"] == channel);
        let offsets: Vec<_> = offsets.filter_map(|frame| frame["offset"].as_u64()).collect();
        ensure!(!offsets.is_empty() && offsets.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{missed:?}");
    }
    lives(alice).await
}
