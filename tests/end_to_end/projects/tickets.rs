//! Tickets, as everyone who listens to the project's tickets hears of them (S3-02).

use anyhow::ensure;
use carillon_testkit::{Deployment, Socket, send};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Team, api_of, next, person};
use crate::{
    checks::{has, has_texts, lives},
    suite::{Suite, both},
};

/// How many tickets are created at once.
const CREATIONS: u32 = 20;

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_02_a_new_ticket_has_the_documents_shape,
        s3_02_a_change_is_told_with_what_changed,
        s3_02_an_outdated_change_gets_the_current_ticket,
        s3_02_a_deleted_ticket_is_told,
        s3_02_keys_have_no_gaps_when_many_create_at_once,
    );
}

/// Everyone who listens, on two gateways: one who acts and one who doesn't.
pub(super) async fn listeners(deployment: &Deployment, team: &Team) -> anyhow::Result<[Socket; 2]> {
    let [first, second] = deployment.gateways();
    Ok([
        team.listen(first, "tickets/", &team.alice).await?,
        team.listen(second, "tickets/", &team.bob).await?,
    ])
}

/// The document's example: its fields, and those that were added.
async fn s3_02_a_new_ticket_has_the_documents_shape(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let path = team.path("tickets/");
    let mut socket = deployment.socket(&path)?.token(&team.alice.token).open().await?;
    let greeting = json!({
        "type": "connection_established",
        "message": "Connected to project tickets",
        "project_id": team.project.id_json(),
        "user_id": team.alice.id_json(),
    });
    has(&socket.next_json().await?, &greeting)?;
    socket.close().await?;
    let sockets = listeners(deployment, &team).await?;
    let body = json!({"title": "Fix login bug", "labels": ["login"], "due_date": "2026-01-31"});
    let ticket = team.create(&api_of(deployment, &team.alice), &body).await?;
    let expected = json!({
        "key": team.key(1),
        "project_id": team.project.id_json(),
        "title": "Fix login bug",
        "description": "",
        "status": {"id": 1, "name": "Open", "color": "#1890ff"},
        "priority": "medium",
        "assignee": null,
        "reporter": person(&team.alice),
        "labels": ["login"],
        "due_date": "2026-01-31",
        "comments": 0,
        "version": 1,
    });
    has(&ticket, &expected)?;
    has_texts(&ticket, &["created_at", "updated_at"])?;
    ensure!(ticket["ticket_id"].is_u64(), "no number for an id: {ticket}");
    for mut socket in sockets {
        let frame = socket.next_of_type("ticket_update").await?;
        has(&frame, &json!({"action": "created", "changes": {}, "actor": person(&team.alice)}))?;
        ensure!(frame["data"] == ticket, "{frame} instead of {ticket}");
        lives(socket).await?;
    }
    Ok(())
}

async fn s3_02_a_change_is_told_with_what_changed(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    let sockets = listeners(deployment, &team).await?;
    let route = team.ticket_route(&ticket, "");
    let body = json!({"status": "Done", "assignee": team.alice.id_json(), "title": "Fix login bug"});
    let changed = bob.patch(&route, &body).await?.expect(200)?;
    has(&changed, &json!({"status": {"id": 4, "name": "Done", "color": "#52c41a"}, "version": 2}))?;
    // What changes nothing tells nothing.
    let same = bob.patch(&route, &body).await?.expect(200)?;
    ensure!(same == changed, "{same}");
    let changes = json!({
        "status": {"from": ticket["status"], "to": changed["status"]},
        "assignee": {"from": null, "to": changed["assignee"]},
    });
    for mut socket in sockets {
        let frame = next(&mut socket, "ticket_update", "updated").await?;
        ensure!(frame["changes"] == changes && frame["data"] == changed, "{frame}");
        has(&frame, &json!({"actor": person(&team.bob), "data": {"assignee": person(&team.alice)}}))?;
        socket.expect_none("another change", |frame| frame["type"] == "ticket_update").await?;
        socket.close().await?;
    }
    let log = alice.get(&team.ticket_route(&ticket, "activity/")).await?.expect(200)?;
    has(&log["activity"][0], &json!({"number": 1, "action": "created", "actor": person(&team.alice)}))?;
    has(&log["activity"][1], &json!({"number": 2, "action": "updated", "changes": changes}))?;
    ensure!(log["activity"][2].is_null() && log["next"].is_null(), "{log}");
    Ok(())
}

async fn s3_02_an_outdated_change_gets_the_current_ticket(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    let route = team.ticket_route(&ticket, "");
    let first = alice.patch(&route, &json!({"priority": "urgent", "version": 1})).await?.expect(200)?;
    let refused = bob.patch(&route, &json!({"priority": "low", "version": 1})).await?.expect(409)?;
    ensure!(refused["ticket"] == first && first["version"] == 2, "{refused}");
    let second = bob.patch(&route, &json!({"priority": "low", "version": 2})).await?.expect(200)?;
    has(&second, &json!({"priority": "low", "version": 3}))?;
    let shown = alice.get(&route).await?.expect(200)?;
    ensure!(shown == second, "{shown}");
    Ok(())
}

/// By its reporter, or an admin; nobody else.
async fn s3_02_a_deleted_ticket_is_told(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let one = team.create(&alice, &json!({"title": "one"})).await?;
    let two = team.create(&alice, &json!({"title": "two"})).await?;
    let sockets = listeners(deployment, &team).await?;
    bob.delete(&team.ticket_route(&one, "")).await?.expect(403)?;
    alice.delete(&team.ticket_route(&one, "")).await?.expect(204)?;
    deployment.admin().await?.api().delete(&team.ticket_route(&two, "")).await?.expect(204)?;
    for mut socket in sockets {
        for ticket in [&one, &two] {
            let frame = next(&mut socket, "ticket_update", "deleted").await?;
            ensure!(frame["data"] == *ticket, "{frame}");
        }
        socket.close().await?;
    }
    for method in [Method::GET, Method::DELETE] {
        let request = alice.request(method, &team.ticket_route(&one, ""));
        send(request).await?.expect(404)?;
    }
    // Its number is nobody else's.
    has(&team.create(&bob, &json!({"title": "three"})).await?, &json!({"key": team.key(3)}))
}

/// Through both gateways; whoever listens hears of them in the order of their keys.
async fn s3_02_keys_have_no_gaps_when_many_create_at_once(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let sockets = listeners(deployment, &team).await?;
    let mut creations = JoinSet::new();
    for place in 0..CREATIONS {
        let api = deployment.gateways()[place as usize % 2].api().with_token(&team.alice.token);
        let route = team.route("tickets/");
        creations
            .spawn(async move { api.post(&route, &json!({"title": place.to_string()})).await?.expect(201) });
    }
    let created = creations.join_all().await.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let mut keys: Vec<&Value> = created.iter().map(|ticket| &ticket["key"]).collect();
    keys.sort_by_key(|key| key.as_str().map(|key| (key.len(), key.to_owned())));
    let expected: Vec<Value> = (1..=CREATIONS).map(|number| json!(team.key(number))).collect();
    ensure!(keys.iter().copied().eq(&expected), "{keys:?}");
    for mut socket in sockets {
        for key in &expected {
            let frame = next(&mut socket, "ticket_update", "created").await?;
            ensure!(frame["data"]["key"] == *key, "expected {key}, got {frame}");
        }
        lives(socket).await?;
    }
    Ok(())
}
