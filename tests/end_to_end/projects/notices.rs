//! Who is notified of what happens to tickets, by itself (S3-04): once, and never of one's own doing.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Socket, User};
use serde_json::{Value, json};

use super::{Team, api_of, number, person};
use crate::{
    checks::{greeted, has, has_texts, lives},
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_04_an_assignee_is_notified_as_the_document_shows,
        s3_04_whoever_is_mentioned_is_notified,
        s3_04_the_reporter_is_notified_of_comments,
        s3_04_nobody_is_notified_of_its_own_doing,
        s3_04_one_is_notified_once_for_several_reasons,
    );
}

/// Listens as document 3's front end does.
async fn inbox(gateway: &Gateway, user: &User) -> anyhow::Result<Socket> {
    greeted(gateway.socket("/ws/notifications/")?.query("dialect", "ticketing").token(&user.token)).await
}

/// The next notification of this ticket, and the fields of the document's example that all have.
async fn told(socket: &mut Socket, ticket: &Value, kind: &str, title: &str) -> anyhow::Result<Value> {
    let of_ticket = |frame: &Value| frame["data"]["ticket_id"] == ticket["ticket_id"];
    let frame = socket.next_where("a notification", of_ticket).await?;
    let expected = json!({"notification_type": kind, "title": title, "ticket_key": ticket["key"]});
    has(&frame, &json!({"type": "notification_message", "data": expected}))?;
    has_texts(&frame["data"], &["id", "message", "timestamp"])?;
    Ok(frame["data"].clone())
}

/// Nothing more of that ticket: the user's inbox holds so many notifications of it.
async fn are_told(deployment: &Deployment, user: &User, ticket: &Value, count: usize) -> anyhow::Result<()> {
    let inbox = api_of(deployment, user).get("/api/notifications/").await?.expect(200)?;
    let items = inbox["items"].as_array().context("no items")?;
    let of_ticket = items.iter().filter(|item| item["ticket_id"] == ticket["ticket_id"]).count();
    ensure!(of_ticket == count, "{of_ticket} notifications instead of {count}: {inbox}");
    Ok(())
}

/// Notifications are delivered in the order of what they are about: once this one is there, whatever came
/// before would be.
async fn settle(deployment: &Deployment, team: &Team, users: &[&User]) -> anyhow::Result<()> {
    let admin = deployment.admin().await?.api();
    for user in users {
        let mut socket = inbox(&deployment.gateways()[0], user).await?;
        let ticket = team.create(admin, &json!({"title": "the last", "assignee": user.id_json()})).await?;
        told(&mut socket, &ticket, "ticket_assigned", "Ticket Assigned").await?;
        socket.close().await?;
    }
    Ok(())
}

/// Test 1 of the document; its example's fields, each of them.
async fn s3_04_an_assignee_is_notified_as_the_document_shows(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let (mut one, mut other) = (inbox(first, &team.bob).await?, inbox(second, &team.bob).await?);
    let alice = api_of(deployment, &team.alice);
    let ticket = team.create(&alice, &json!({"title": "Fix login bug"})).await?;
    let route = team.ticket_route(&ticket, "");
    alice.patch(&route, &json!({"assignee": team.bob.id_json()})).await?.expect(200)?;
    let id = number(&ticket, "ticket_id")?;
    let expected = json!({
        "id": format!("ticket_{id}_assigned"),
        "message": format!("You were assigned to {}: Fix login bug", team.key(1)),
        "ticket_id": id,
        "project_id": team.project.id_json(),
        "actor": person(&team.alice),
    });
    for socket in [&mut one, &mut other] {
        has(&told(socket, &ticket, "ticket_assigned", "Ticket Assigned").await?, &expected)?;
    }
    // What doesn't change the assignee says nothing to it.
    let same = json!({"assignee": team.bob.id_json(), "priority": "high"});
    alice.patch(&route, &same).await?.expect(200)?;
    let born = team.create(&alice, &json!({"title": "Born so", "assignee": team.bob.id_json()})).await?;
    for mut socket in [one, other] {
        told(&mut socket, &born, "ticket_assigned", "Ticket Assigned").await?;
        lives(socket).await?;
    }
    are_told(deployment, &team.bob, &ticket, 1).await
}

/// In a description and in a comment; a later edit that still names it says nothing more; strangers hear nothing.
async fn s3_04_whoever_is_mentioned_is_notified(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let stranger = deployment.user("carol").await?;
    let mut bob = inbox(first, &team.bob).await?;
    let alice = api_of(deployment, &team.alice);
    let (name, actor) = (team.bob.username.to_uppercase(), &team.alice.username);
    let text = format!("@{name}, have a look with @{}. Not bob@example.com", stranger.username);
    let ticket = team.create(&alice, &json!({"title": "Login", "description": text})).await?;
    let mentioned = told(&mut bob, &ticket, "ticket_mentioned", "You Were Mentioned").await?;
    let message = format!("{actor} mentioned you in {}: Login", team.key(1));
    has(&mentioned, &json!({"message": message, "actor": person(&team.alice)}))?;
    let more = json!({"description": format!("{text}. Well?")});
    alice.patch(&team.ticket_route(&ticket, ""), &more).await?.expect(200)?;
    let comment = team.comment(&alice, &ticket, &format!("(@{name})")).await?;
    let mentioned = told(&mut bob, &ticket, "ticket_mentioned", "You Were Mentioned").await?;
    has(&mentioned, &json!({"comment_id": comment["comment_id"]}))?;
    let route = team.ticket_route(&ticket, &format!("comments/{}/", comment["comment_id"]));
    alice
        .patch(&route, &json!({"message": format!("@{name} @{}", team.alice.username)}))
        .await?
        .expect(200)?;
    settle(deployment, &team, &[&team.bob]).await?;
    are_told(deployment, &team.bob, &ticket, 2).await?;
    are_told(deployment, &team.alice, &ticket, 0).await?;
    are_told(deployment, &stranger, &ticket, 0).await?;
    lives(inbox(second, &stranger).await?).await
}

async fn s3_04_the_reporter_is_notified_of_comments(deployment: &Deployment) -> anyhow::Result<()> {
    let ([_, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let mut alice = inbox(second, &team.alice).await?;
    let (reporter, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let ticket = team.create(&reporter, &json!({"title": "Login"})).await?;
    team.comment(&bob, &ticket, "I am on it").await?;
    let notice = told(&mut alice, &ticket, "comment_added", "New Comment").await?;
    let message = format!("{} commented on {}: Login", team.bob.username, team.key(1));
    has(&notice, &json!({"message": message, "actor": person(&team.bob)}))?;
    are_told(deployment, &team.bob, &ticket, 0).await?;
    lives(alice).await
}

async fn s3_04_nobody_is_notified_of_its_own_doing(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let alice = api_of(deployment, &team.alice);
    let own = json!({
        "title": "My own", "assignee": team.alice.id_json(), "description": format!("@{}", team.alice.username),
    });
    let ticket = team.create(&alice, &own).await?;
    team.comment(&alice, &ticket, &format!("note to myself, @{}", team.alice.username)).await?;
    settle(deployment, &team, &[&team.alice]).await?;
    are_told(deployment, &team.alice, &ticket, 0).await
}

/// Assigned and mentioned; reporter and mentioned. A request that is repeated notifies no more.
async fn s3_04_one_is_notified_once_for_several_reasons(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, bob) = (api_of(deployment, &team.alice), api_of(deployment, &team.bob));
    let body = json!({
        "title": "Login", "assignee": team.bob.id_json(), "description": format!("@{0} @{0}", team.bob.username),
    });
    let key = carillon_testkit::unique("key");
    let mut tickets = Vec::new();
    for gateway in deployment.gateways() {
        let api = gateway.api().with_token(&team.alice.token);
        let request = api.request(reqwest::Method::POST, &team.route("tickets/")).json(&body);
        tickets.push(carillon_testkit::send(request.header("idempotency-key", &key)).await?.expect(201)?);
    }
    ensure!(tickets[0] == tickets[1], "{tickets:?}");
    let text = format!("@{} I am on it", team.alice.username);
    team.comment(&bob, &tickets[0], &text).await?;
    settle(deployment, &team, &[&team.alice, &team.bob]).await?;
    are_told(deployment, &team.bob, &tickets[0], 1).await?;
    are_told(deployment, &team.alice, &tickets[0], 1).await?;
    let kept = alice.get("/api/notifications/").await?.expect(200)?;
    let item = kept["items"]
        .as_array()
        .context("items")?
        .iter()
        .find(|item| item["ticket_id"] == tickets[0]["ticket_id"]);
    has(item.context("the notification")?, &json!({"notification_type": "ticket_mentioned"}))
}
