//! Which tickets the users in a project view, and where they type (S3-03).

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Socket, User};
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use super::{Team, api_of, next, presence::enter};
use crate::{
    checks::{has, lives},
    suite::{Suite, both},
};

/// Before somebody is no longer shown as typing who doesn't say so again.
const BY_ITSELF: Duration = Duration::from_secs(4);

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_03_which_ticket_is_viewed_is_told_for_each_user,
        s3_03_typing_is_told_to_the_others_and_ends,
        s3_03_a_tab_that_is_closed_types_and_views_no_more,
        s3_03_a_ticket_of_another_project_is_unknown,
        s3_03_what_cannot_be_read_gets_an_error,
    );
}

/// Frames are handled one after the other: once one is refused, those before have been.
async fn is_handled(socket: &mut Socket) -> anyhow::Result<()> {
    socket.send_json(&json!({"type": "nothing"})).await?;
    has(&socket.next_of_type("error").await?, &json!({"code": "invalid"}))
}

async fn s3_03_which_ticket_is_viewed_is_told_for_each_user(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let (path, api) = (team.path("presence/"), api_of(deployment, &team.bob));
    let mut tickets = Vec::new();
    for title in ["one", "two"] {
        tickets.push(team.create(&api, &json!({"title": title})).await?["ticket_id"].clone());
    }
    let (mut alice, _) = enter(first, &path, &team.alice).await?;
    let (mut one, _) = enter(second, &path, &team.bob).await?;
    let (mut other, _) = enter(first, &team.path(""), &team.bob).await?;
    let told = |action: &str, ticket: &Value| {
        json!({
            "type": "ticket_viewing",
            "action": action,
            "ticket_id": ticket,
            "user_id": team.bob.id_json(),
            "username": team.bob.username,
        })
    };
    let view = |ticket: &Value| json!({"type": "viewing", "ticket_id": ticket});
    let is_viewing = |frame: &Value| frame["type"] == "ticket_viewing";
    one.send_json(&view(&tickets[0])).await?;
    for socket in [&mut alice, &mut one, &mut other] {
        has(&socket.next_of_type("ticket_viewing").await?, &told("started", &tickets[0]))?;
    }
    // The same in another tab is nothing new; nor is it over while one tab still shows it.
    other.send_json(&view(&tickets[0])).await?;
    is_handled(&mut other).await?;
    other.expect_none("a second start", is_viewing).await?;
    one.send_json(&view(&tickets[1])).await?;
    has(&alice.next_of_type("ticket_viewing").await?, &told("started", &tickets[1]))?;
    let (third, greeting) = enter(second, &path, &team.alice).await?;
    let mut viewing = greeting["present"][1]["viewing"].as_array().cloned().context("no tickets")?;
    viewing.sort_by_key(Value::as_u64);
    ensure!(viewing == tickets, "{greeting}");
    third.close().await?;
    other.send_json(&view(&Value::Null)).await?;
    has(&alice.next_of_type("ticket_viewing").await?, &told("stopped", &tickets[0]))?;
    is_handled(&mut other).await?;
    one.close().await?;
    has(&alice.next_of_type("ticket_viewing").await?, &told("stopped", &tickets[1]))?;
    alice.expect_none("more", |frame| is_viewing(frame) || frame["action"] == "left").await?;
    lives(other).await?;
    lives(alice).await
}

/// By itself, after five seconds; not to the tab that says it.
async fn s3_03_typing_is_told_to_the_others_and_ends(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let path = team.path("presence/");
    let (mut alice, _) = enter(first, &path, &team.alice).await?;
    let (mut bob, _) = enter(second, &team.path(""), &team.bob).await?;
    let told = |is_typing: bool| {
        json!({
            "type": "user_typing",
            "ticket_id": 7,
            "user_id": team.bob.id_json(),
            "username": team.bob.username,
            "is_typing": is_typing,
        })
    };
    for is_typing in [true, false, true] {
        bob.send_json(&json!({"type": "typing", "ticket_id": 7, "is_typing": is_typing})).await?;
        let frame = alice.next_of_type("user_typing").await?;
        has(&frame, &told(is_typing))?;
        ensure!(frame.get("offset").is_none(), "stored: {frame}");
    }
    has(&alice.next_of_type("user_typing").await?, &told(false))?;
    bob.expect_none("its own typing", |frame| frame["type"] == "user_typing").await?;
    lives(bob).await?;
    lives(alice).await
}

/// At once; the user's other tab stays where it is.
async fn s3_03_a_tab_that_is_closed_types_and_views_no_more(deployment: &Deployment) -> anyhow::Result<()> {
    let ([first, second], team) = (deployment.gateways(), Team::start(deployment).await?);
    let path = team.path("presence/");
    let (mut alice, _) = enter(first, &path, &team.alice).await?;
    let (mut one, _) = enter(second, &path, &team.bob).await?;
    let (mut other, _) = enter(first, &path, &team.bob).await?;
    for (socket, ticket) in [(&mut one, 7), (&mut other, 8)] {
        socket.send_json(&json!({"type": "viewing", "ticket_id": ticket})).await?;
        has(&next(&mut alice, "ticket_viewing", "started").await?, &json!({"ticket_id": ticket}))?;
    }
    one.send_json(&json!({"type": "typing", "ticket_id": 7, "is_typing": true})).await?;
    has(&alice.next_of_type("user_typing").await?, &json!({"ticket_id": 7, "is_typing": true}))?;
    one.close().await?;
    let ends = async {
        let (mut viewed, mut typed) = (false, false);
        while !(viewed && typed) {
            let frame = alice.next_json().await?;
            ensure!(frame["ticket_id"] == 7, "{frame}");
            viewed |= frame["type"] == "ticket_viewing" && frame["action"] == "stopped";
            typed |= frame["type"] == "user_typing" && frame["is_typing"] == false;
        }
        Ok(())
    };
    timeout(BY_ITSELF, ends).await.context("it did not end with the tab")??;
    let present = api_of(deployment, &team.alice).get(&team.route("presence/")).await?.expect(200)?;
    has(&present["present"][1], &json!({"viewing": [8], "typing": []}))?;
    lives(other).await?;
    lives(alice).await
}

/// Nor is one that isn't there; a project without tickets keeps them elsewhere, and knows any.
async fn s3_03_a_ticket_of_another_project_is_unknown(deployment: &Deployment) -> anyhow::Result<()> {
    let (team, other) = (Team::start(deployment).await?, Team::start(deployment).await?);
    let ticket = |team: &Team, user: &User| {
        let (api, route) = (api_of(deployment, user), team.route("tickets/"));
        async move { api.post(&route, &json!({"title": "Fix login bug"})).await?.expect(201) }
    };
    let foreign = ticket(&other, &other.alice).await?["ticket_id"].clone();
    let frames = [
        json!({"type": "viewing", "ticket_id": foreign, "client_id": "a"}),
        json!({"type": "viewing", "ticket_id": 999_999_999, "client_id": "b"}),
        json!({"type": "viewing", "ticket_id": "PROJ-456", "client_id": "c"}),
        json!({"type": "typing", "ticket_id": foreign, "is_typing": true, "client_id": "d"}),
    ];
    let (mut alice, _) = enter(&deployment.gateways()[0], &team.path("presence/"), &team.alice).await?;
    alice.send_json(&frames[2]).await?;
    let kept_elsewhere = json!({"action": "started", "ticket_id": "PROJ-456"});
    has(&alice.next_of_type("ticket_viewing").await?, &kept_elsewhere)?;
    let own = ticket(&team, &team.alice).await?["ticket_id"].clone();
    for frame in &frames {
        alice.send_json(frame).await?;
        let refused = json!({"code": "unknown_ticket", "client_id": frame["client_id"]});
        has(&alice.next_of_type("error").await?, &refused)?;
    }
    alice.send_json(&json!({"type": "viewing", "ticket_id": own})).await?;
    has(&next(&mut alice, "ticket_viewing", "started").await?, &json!({"ticket_id": own}))?;
    lives(alice).await
}

async fn s3_03_what_cannot_be_read_gets_an_error(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    for endpoint in ["presence/", ""] {
        let (mut alice, _) = enter(&deployment.gateways()[0], &team.path(endpoint), &team.alice).await?;
        for payload in
            [r#"{"type":"viewing"}"#, r#"{"type":"typing","ticket_id":7}"#, "[]", r#"{"type":"x"}"#]
        {
            alice.send_text(payload).await?;
            has(&alice.next_of_type("error").await?, &json!({"code": "invalid"}))?;
        }
        alice.send_text("{not json").await?;
        has(&alice.next_of_type("error").await?, &json!({"message": "Invalid JSON"}))?;
        lives(alice).await?;
    }
    Ok(())
}
