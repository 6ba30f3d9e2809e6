//! Who is in a project (S3-03).

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Gateway, Project, Socket, User};
use serde_json::{Value, json};

use super::{Team, api_of, next};
use crate::{
    checks::{has, has_texts, lives},
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_03_coming_and_going_is_told_once_for_each_user,
        s3_03_one_who_vanishes_leaves_once,
        s3_03_the_api_says_who_is_there,
        s3_03_what_was_missed_is_recovered,
    );
}

/// A connection, and its greeting, which tells who is there.
pub(super) async fn enter(gateway: &Gateway, path: &str, user: &User) -> anyhow::Result<(Socket, Value)> {
    let mut socket = gateway.socket(path)?.token(&user.token).open().await?;
    let greeting = socket.next_where("who is there", |frame| frame["present"].is_array()).await?;
    Ok((socket, greeting))
}

/// What is told of a user who comes or goes.
fn status(user: &User, action: &str, count: usize) -> Value {
    json!({
        "type": "user_status",
        "action": action,
        "user_id": user.id_json(),
        "username": user.username,
        "count": count,
    })
}

fn is_status(frame: &Value) -> bool {
    frame["type"] == "user_status"
}

/// The document's example: two tabs on two gateways, and of two endpoints, are one user.
async fn s3_03_coming_and_going_is_told_once_for_each_user(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let path = team.path("presence/");
    let (mut alice, greeting) = enter(first, &path, &team.alice).await?;
    has(&greeting, &status(&team.alice, "joined", 1))?;
    ensure!(greeting["channels"].is_array() && greeting["epoch"].is_string(), "{greeting}");
    let (one, greeting) = enter(second, &path, &team.bob).await?;
    has(&greeting, &status(&team.bob, "joined", 2))?;
    for (user, present) in [&team.alice, &team.bob].into_iter().zip(0..) {
        let shown = &greeting["present"][present];
        let nothing = json!({"username": user.username, "viewing": [], "typing": []});
        has(shown, &json!({"user_id": user.id_json()}))?;
        has(shown, &nothing)?;
        has_texts(shown, &["since"])?;
    }
    has(&next(&mut alice, "user_status", "joined").await?, &status(&team.bob, "joined", 2))?;
    let (other, _) = enter(first, &team.path(""), &team.bob).await?;
    alice.expect_none("a second join", is_status).await?;
    one.close().await?;
    alice.expect_none("a first leave", is_status).await?;
    other.close().await?;
    has(&alice.next_where("a leave", is_status).await?, &status(&team.bob, "left", 1))?;
    // Whoever listens to tickets alone is not there.
    let mut bob = team.listen(second, "tickets/", &team.bob).await?;
    alice.expect_none("a listener to tickets", is_status).await?;
    bob.expect_none("presence", is_status).await?;
    lives(alice).await
}

/// Without a close frame: its place is kept for some seconds, and if it is back by then nobody hears of it.
async fn s3_03_one_who_vanishes_leaves_once(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let path = team.path("presence/");
    let (mut alice, _) = enter(first, &path, &team.alice).await?;
    let (bob, _) = enter(second, &path, &team.bob).await?;
    next(&mut alice, "user_status", "joined").await?;
    drop(bob);
    let (bob, greeting) = enter(first, &path, &team.bob).await?;
    ensure!(greeting["count"] == 2, "{greeting}");
    drop(bob);
    has(&alice.next_where("a leave", is_status).await?, &status(&team.bob, "left", 1))?;
    alice.expect_none("a second leave", is_status).await?;
    lives(alice).await
}

/// `GET …/presence/`, a page at a time; the first to come first.
async fn s3_03_the_api_says_who_is_there(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let (path, route) = (team.path("presence/"), team.route("presence/"));
    let api = api_of(deployment, &team.alice);
    let nobody = api.get(&route).await?.expect(200)?;
    ensure!(nobody == json!({"count": 0, "present": [], "next": null}), "{nobody}");
    let (mut alice, _) = enter(first, &path, &team.alice).await?;
    let (mut bob, _) = enter(second, &path, &team.bob).await?;
    alice.send_json(&json!({"type": "viewing", "ticket_id": 7})).await?;
    alice.send_json(&json!({"type": "typing", "ticket_id": 7, "is_typing": true})).await?;
    next(&mut bob, "ticket_viewing", "started").await?;
    bob.next_of_type("user_typing").await?;
    let page = api.get(&format!("{route}?limit=1")).await?.expect(200)?;
    has(&page, &json!({"count": 2}))?;
    has(&page["present"][0], &json!({"user_id": team.alice.id_json(), "viewing": [7], "typing": [7]}))?;
    ensure!(page["present"][1].is_null(), "{page}");
    let after = page["next"].as_str().context("no next page")?;
    let rest = api.get(&format!("{route}?limit=1&after={after}")).await?.expect(200)?;
    has(&rest["present"][0], &json!({"user_id": team.bob.id_json(), "viewing": [], "typing": []}))?;
    ensure!(rest["next"].is_null(), "{rest}");
    for query in ["limit=0", "limit=1001", "after=nobody"] {
        api.get(&format!("{route}?{query}")).await?.expect(422)?;
    }
    let stranger = deployment.user("carol").await?;
    deployment.api().get(&route).await?.expect(401)?;
    api_of(deployment, &stranger).get(&route).await?.expect(403)?;
    let unknown = Project { id: "999999999".to_owned(), key: String::new() };
    api.get(&format!("/api/projects/{}/presence/", unknown.id)).await?.expect(404)?;
    lives(alice).await?;
    lives(bob).await
}

/// Who came and went meanwhile, in that order; oneself too.
async fn s3_03_what_was_missed_is_recovered(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let (carol, path) = (deployment.user("carol").await?, team.path("presence/"));
    deployment.admin().await?.add_project_member(&team.project.id, &carol.id).await?;
    let (mut witness, _) = enter(first, &path, &carol).await?;
    let (alice, _) = enter(first, &path, &team.alice).await?;
    let place = alice.since().context("no place")?;
    alice.close().await?;
    has(&next(&mut witness, "user_status", "left").await?, &status(&team.alice, "left", 1))?;
    enter(second, &path, &team.bob).await?.0.close().await?;
    has(&next(&mut witness, "user_status", "left").await?, &status(&team.bob, "left", 1))?;
    let (mut alice, greeting) = enter(second, &format!("{path}?since={place}"), &team.alice).await?;
    ensure!(greeting["count"] == 2, "{greeting}");
    has(&alice.next_json().await?, &json!({"type": "recovery", "recovered": true}))?;
    for (user, action, count) in [
        (&team.alice, "left", 1),
        (&team.bob, "joined", 2),
        (&team.bob, "left", 1),
        (&team.alice, "joined", 2),
    ] {
        has(&alice.next_json().await?, &status(user, action, count))?;
    }
    alice.expect_none("a repetition", is_status).await?;
    lives(alice).await?;
    lives(witness).await
}
