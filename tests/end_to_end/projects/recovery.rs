//! What a client that was away missed of a project's tickets (S3-02).

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Socket, User};
use serde_json::json;

use super::{Team, api_of};
use crate::{
    checks::{has, lives},
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_02_what_was_missed_is_recovered,
        s3_02_a_list_says_where_to_go_on,
        s3_02_a_place_in_another_log_is_told,
    );
}

/// A connection that continues at that place.
async fn since(gateway: &Gateway, team: &Team, user: &User, since: &str) -> anyhow::Result<Socket> {
    let path = format!("{}?since={since}", team.path("tickets/"));
    let mut socket = gateway.socket(&path)?.token(&user.token).open().await?;
    has(&socket.next_json().await?, &json!({"type": "connection_established"}))?;
    Ok(socket)
}

/// Through another gateway; once each, in order, and then what happens next.
async fn s3_02_what_was_missed_is_recovered(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let alice = api_of(deployment, &team.alice);
    let mut bob = team.listen(first, "tickets/", &team.bob).await?;
    let ticket = team.create(&alice, &json!({"title": "heard"})).await?;
    bob.next_of_type("ticket_update").await?;
    let place = bob.since().context("no place")?;
    bob.close().await?;
    team.comment(&alice, &ticket, "missed").await?;
    alice.patch(&team.ticket_route(&ticket, ""), &json!({"priority": "high"})).await?.expect(200)?;
    alice.delete(&team.ticket_route(&ticket, "")).await?.expect(204)?;
    let mut sockets = Vec::new();
    for gateway in [second, first] {
        let mut bob = since(gateway, &team, &team.bob, &place).await?;
        has(&bob.next_json().await?, &json!({"type": "recovery", "recovered": true}))?;
        let added = bob.next_json().await?;
        has(&added, &json!({"type": "comment_added", "data": {"message": "missed", "comments": 1}}))?;
        for action in ["updated", "deleted"] {
            has(&bob.next_json().await?, &json!({"type": "ticket_update", "action": action}))?;
        }
        bob.expect_none("a repetition", |frame| frame["offset"].is_u64()).await?;
        sockets.push(bob);
    }
    let next = team.create(&alice, &json!({"title": "next"})).await?;
    for mut bob in sockets {
        let frame = bob.next_json().await?;
        ensure!(frame["data"] == next, "{frame}");
        lives(bob).await?;
    }
    Ok(())
}

/// `GET …/tickets/` has a `since`: exactly what is not in the list comes after it.
async fn s3_02_a_list_says_where_to_go_on(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let alice = api_of(deployment, &team.alice);
    let untouched = alice.get(&team.route("tickets/")).await?.expect(200)?;
    let listed = team.create(&alice, &json!({"title": "in the list"})).await?;
    let list = alice.get(&team.route("tickets/")).await?.expect(200)?;
    ensure!(list["tickets"] == json!([listed]), "{list}");
    let later = team.create(&alice, &json!({"title": "later"})).await?;
    for (list, gateway, expected) in
        [(&list, first, vec![&later]), (&untouched, second, vec![&listed, &later])]
    {
        let place = list["since"].as_str().context("no since")?;
        let mut socket = since(gateway, &team, &team.bob, place).await?;
        has(&socket.next_json().await?, &json!({"type": "recovery", "recovered": true}))?;
        for ticket in expected {
            let frame = socket.next_json().await?;
            ensure!(frame["data"] == *ticket, "{frame}");
        }
        socket.expect_none("more", |frame| frame["offset"].is_u64()).await?;
        lives(socket).await?;
    }
    Ok(())
}

async fn s3_02_a_place_in_another_log_is_told(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let mut socket = since(&deployment.gateways()[0], &team, &team.bob, "another.7").await?;
    has(&socket.next_json().await?, &json!({"type": "recovery", "recovered": false}))?;
    lives(socket).await
}
