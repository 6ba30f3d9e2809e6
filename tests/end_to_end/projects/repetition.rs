//! Requests that are sent again, by their `Idempotency-Key` (S3-02).

use anyhow::ensure;
use carillon_testkit::{Api, Deployment, Reply, send, unique};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Team, api_of, next, number, tickets::listeners};
use crate::suite::{Suite, both};

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_02_a_repeated_request_is_done_once,
        s3_02_what_was_deleted_is_not_made_again,
        s3_02_a_key_of_one_ticket_is_none_of_another,
    );
}

async fn post(api: &Api, route: &str, key: &str, body: &Value) -> anyhow::Result<Reply> {
    send(api.request(Method::POST, route).header("idempotency-key", key).json(body)).await
}

/// By its `Idempotency-Key`, through another gateway.
async fn s3_02_a_repeated_request_is_done_once(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let sockets = listeners(deployment, &team).await?;
    let key = unique("key");
    let twice = async |method: Method, route: &str, body: &Value| {
        let mut replies: Vec<Reply> = Vec::new();
        for gateway in deployment.gateways() {
            let request = gateway.api().with_token(&team.alice.token).request(method.clone(), route);
            replies.push(send(request.header("idempotency-key", &key).json(body)).await?);
        }
        let (first, second) = (replies[0].success()?, replies[1].success()?);
        ensure!(first == second && replies[0].status == replies[1].status, "{first}, then {second}");
        Ok(first)
    };
    let ticket = twice(Method::POST, &team.route("tickets/"), &json!({"title": "once"})).await?;
    let route = team.ticket_route(&ticket, "");
    twice(Method::PATCH, &route, &json!({"title": "still once", "version": 1})).await?;
    let comments = team.ticket_route(&ticket, "comments/");
    let comment = twice(Method::POST, &comments, &json!({"message": "once"})).await?;
    twice(Method::DELETE, &format!("{comments}{}/", number(&comment, "comment_id")?), &json!({})).await?;
    twice(Method::DELETE, &route, &json!({})).await?;
    for mut socket in sockets {
        for (kind, action) in [
            ("ticket_update", json!("created")),
            ("ticket_update", json!("updated")),
            ("comment_added", Value::Null),
            ("comment_deleted", Value::Null),
            ("ticket_update", json!("deleted")),
        ] {
            let frame = socket.next_json().await?;
            ensure!(frame["type"] == kind && frame["action"] == action, "expected {kind}, got {frame}");
        }
        socket.expect_none("a repetition", |frame| frame["offset"].is_u64()).await?;
        socket.close().await?;
    }
    Ok(())
}

/// A repeated request is answered as then.
async fn s3_02_what_was_deleted_is_not_made_again(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, key) = (api_of(deployment, &team.alice), unique("key"));
    let (title, message) = (json!({"title": "once"}), json!({"message": "once"}));
    let ticket = post(&alice, &team.route("tickets/"), &key, &title).await?.expect(201)?;
    let comments = team.ticket_route(&ticket, "comments/");
    let comment = post(&alice, &comments, &key, &message).await?.expect(201)?;
    alice.delete(&format!("{comments}{}/", number(&comment, "comment_id")?)).await?.expect(204)?;
    let again = post(&alice, &comments, &key, &message).await?.expect(201)?;
    ensure!(again == comment, "{again}");
    let left = alice.get(&comments).await?.expect(200)?;
    ensure!(left["comments"] == json!([]), "{left}");
    alice.delete(&team.ticket_route(&ticket, "")).await?.expect(204)?;
    let again = post(&alice, &team.route("tickets/"), &key, &title).await?.expect(201)?;
    ensure!(again == ticket, "{again}");
    let left = alice.get(&team.route("tickets/")).await?.expect(200)?;
    ensure!(left["tickets"] == json!([]), "{left}");
    Ok(())
}

async fn s3_02_a_key_of_one_ticket_is_none_of_another(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let (alice, key) = (api_of(deployment, &team.alice), unique("key"));
    let mut tickets = Vec::new();
    for title in ["one", "two"] {
        tickets.push(team.create(&alice, &json!({"title": title})).await?);
    }
    let sockets = listeners(deployment, &team).await?;
    for ticket in &tickets {
        let comments = team.ticket_route(ticket, "comments/");
        post(&alice, &comments, &key, &json!({"message": "the same"})).await?.expect(201)?;
        let request = alice.request(Method::PATCH, &team.ticket_route(ticket, ""));
        let request = request.header("idempotency-key", &key).json(&json!({"priority": "high"}));
        let changed = send(request).await?.expect(200)?;
        ensure!(changed["version"] == 2, "{changed}");
    }
    for mut socket in sockets {
        for ticket in &tickets {
            let added = socket.next_of_type("comment_added").await?;
            ensure!(added["data"]["ticket_id"] == ticket["ticket_id"], "{added}");
            let updated = next(&mut socket, "ticket_update", "updated").await?;
            ensure!(updated["data"]["ticket_id"] == ticket["ticket_id"], "{updated}");
        }
        socket.close().await?;
    }
    Ok(())
}
