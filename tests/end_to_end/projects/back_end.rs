//! Back ends that keep their own tickets: what they publish to a project (S3-04, S0-02).

use anyhow::ensure;
use carillon_testkit::{Api, Deployment, unique};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Team, api_of};
use crate::{
    checks::{greeted, has, lives},
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_04_a_back_end_tells_of_its_own_tickets,
        s3_04_a_back_ends_event_is_told_once,
        s0_02_a_back_ends_own_events_reach_the_project,
        s3_04_only_back_ends_publish,
    );
}

async fn back_end(deployment: &Deployment, scopes: &[&str]) -> anyhow::Result<Api> {
    let token = deployment.admin().await?.create_service_token(&unique("django"), scopes).await?;
    Ok(deployment.api().with_token(&token.token))
}

/// The document's example, for a ticket that nobody here knows; and whom it names is notified.
async fn s3_04_a_back_end_tells_of_its_own_tickets(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let django = back_end(deployment, &["events:publish"]).await?;
    let mut tickets = team.listen(first, "tickets/", &team.alice).await?;
    let mut project = team.listen(second, "", &team.bob).await?;
    let inbox = second.socket("/ws/notifications/")?.query("dialect", "ticketing").token(&team.bob.token);
    let mut inbox = greeted(inbox).await?;
    let id = unique("ticket_123_assigned");
    let event = json!({
        "type": "ticket_update",
        "action": "created",
        "data": {
            "ticket_id": 123,
            "key": "PROJ-456",
            "title": "Fix login bug",
            "status": {"id": 1, "name": "Open", "color": "#1890ff"},
        },
        "extra": {"kept": true},
    });
    let notice = json!({
        "id": id,
        "notification_type": "ticket_assigned",
        "title": "Ticket Assigned",
        "message": "You were assigned to PROJ-456: Fix login bug",
        "ticket_id": 123,
        "ticket_key": "PROJ-456",
    });
    let mut body = event.clone();
    body["notify"] = notice.clone();
    body["notify"]["user_id"] = team.bob.id_json();
    let reply = django.post(&team.route("events/"), &body).await?.expect(201)?;
    for socket in [&mut tickets, &mut project] {
        let frame = socket.next_of_type("ticket_update").await?;
        has(&frame, &event)?;
        ensure!(frame.get("notify").is_none() && frame["offset"] == reply["offset"], "{frame}, {reply}");
    }
    let notified = inbox.next_where("the notification", |frame| frame["data"]["id"] == id).await?;
    has(&notified, &json!({"type": "notification_message", "data": notice}))?;
    let comment = json!({
        "type": "comment_added", "data": {"comment_id": 7, "ticket_id": 123, "message": "On it"},
    });
    django.post(&team.route("events/"), &comment).await?.expect(201)?;
    for mut socket in [tickets, project] {
        has(&socket.next_of_type("comment_added").await?, &comment)?;
        lives(socket).await?;
    }
    let listed = api_of(deployment, &team.alice).get(&team.route("tickets/")).await?.expect(200)?;
    ensure!(listed["tickets"] == json!([]), "{listed}");
    lives(inbox).await
}

/// By its `Idempotency-Key`: told once, notified once.
async fn s3_04_a_back_ends_event_is_told_once(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let django = back_end(deployment, &["events:publish"]).await?;
    let mut project = team.listen(&deployment.gateways()[0], "", &team.alice).await?;
    let notify =
        json!([{"user_ids": [team.alice.id_json(), team.bob.id_json()], "title": "x", "message": "y"}]);
    let mut body = json!({"type": "deployed", "version": 7, "notify": notify});
    let key = unique("key");
    let publish = async |body: &Value| {
        let request = django.request(Method::POST, &team.route("events/")).header("idempotency-key", &key);
        carillon_testkit::send(request.json(body)).await
    };
    let first = publish(&body).await?.expect(201)?;
    ensure!(publish(&body).await?.expect(201)? == first, "told twice");
    body["version"] = json!(8);
    publish(&body).await?.expect(409)?;
    let told = project.next_of_type("deployed").await?;
    has(&told, &json!({"version": 7, "offset": first["offset"]}))?;
    project.expect_none("a repetition", |frame| frame["type"] == "deployed").await?;
    for user in [&team.alice, &team.bob] {
        let mut socket = deployment.socket("/ws/notifications/")?.token(&user.token).open().await?;
        // One more event; when its notification is there, those before are.
        let last = unique("last");
        let notify = json!({"user_id": user.id_json(), "title": last, "message": "y"});
        let event = json!({"type": "deployed", "version": last, "notify": notify});
        django.post(&team.route("events/"), &event).await?.expect(201)?;
        socket.next_where("the last", |frame| frame["title"] == last).await?;
        let inbox = api_of(deployment, user).get("/api/notifications/").await?.expect(200)?;
        let titles: Vec<_> =
            inbox["items"].as_array().into_iter().flatten().map(|item| &item["title"]).collect();
        let count = titles.iter().filter(|title| **title == "x").count();
        ensure!(count == 1, "{count} notifications: {titles:?}");
    }
    lives(project).await
}

/// S0-02: those who listen to the project hear them, those who listen to its tickets don't.
async fn s0_02_a_back_ends_own_events_reach_the_project(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let other = Team::start(deployment).await?;
    let django = back_end(deployment, &["events:publish"]).await?;
    let sockets = [team.listen(first, "", &team.alice).await?, team.listen(second, "", &team.bob).await?];
    let mut deaf = [
        team.listen(first, "tickets/", &team.alice).await?,
        team.listen(second, "presence/", &team.bob).await?,
        other.listen(second, "", &other.bob).await?,
    ];
    let event = json!({"type": "sprint.started", "sprint": {"id": 7, "goal": "é"}, "by": null});
    django.post(&team.route("events/"), &event).await?.expect(201)?;
    for mut socket in sockets {
        has(&socket.next_of_type("sprint.started").await?, &event)?;
        lives(socket).await?;
    }
    for socket in &mut deaf {
        socket.expect_none("an event", |frame| frame["type"] == "sprint.started").await?;
    }
    Ok(())
}

async fn s3_04_only_back_ends_publish(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let event = json!({"type": "deployed"});
    let route = team.route("events/");
    let django = back_end(deployment, &["events:publish"]).await?;
    let other = back_end(deployment, &["notifications:send"]).await?;
    let mut socket = team.listen(&deployment.gateways()[0], "", &team.alice).await?;
    deployment.api().post(&route, &event).await?.expect(401)?;
    api_of(deployment, &team.alice).post(&route, &event).await?.expect(403)?;
    other.post(&route, &event).await?.expect(403)?;
    django.post("/api/projects/999999999/events/", &event).await?.expect(404)?;
    for (field, body) in [
        ("type", json!({})),
        ("type", json!({"type": "user_status"})),
        ("type", json!({"type": "two words"})),
        ("data", json!({"type": "comment_added"})),
        ("action", json!({"type": "ticket_update", "data": {}, "action": "moved"})),
        ("offset", json!({"type": "deployed", "offset": 7})),
        ("notify", json!({"type": "deployed", "notify": {"title": "to nobody", "message": "x"}})),
        ("body", json!([])),
    ] {
        let refused = django.post(&route, &body).await?.expect(422)?;
        ensure!(refused["field"] == field, "{body}: {refused}");
    }
    let broken = django.request(Method::POST, &route).body("{not json");
    carillon_testkit::send(broken).await?.expect(400)?;
    socket
        .expect_none("a refused event", |frame| {
            frame["channel"].as_str().is_some_and(|name| name.ends_with(".events"))
        })
        .await?;
    deployment.admin().await?.api().post(&route, &event).await?.expect(201)?;
    socket.next_of_type("deployed").await?;
    lives(socket).await
}
