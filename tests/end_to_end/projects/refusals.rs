//! What bad requests get: 401, 403, 404, 409, and 422 that names the field.

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Deployment, unique};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Team, api_of, number};
use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(
        suite,
        s3_02_only_members_read_and_write,
        s3_02_what_a_ticket_cannot_be_names_the_field,
        s3_02_what_is_not_there_is_404,
    );
}

/// A request with a body that would be right.
async fn status(api: &Api, method: Method, path: &str, body: &Value) -> anyhow::Result<u16> {
    Ok(carillon_testkit::send(api.request(method, path).json(body)).await?.status)
}

/// Every route: 401 without a token, 403 for a stranger and a back end, 404 for a project that isn't there.
async fn s3_02_only_members_read_and_write(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let alice = api_of(deployment, &team.alice);
    let ticket = number(&team.create(&alice, &json!({"title": "Fix login bug"})).await?, "ticket_id")?;
    let (title, message) = (json!({"title": "x"}), json!({"message": "x"}));
    let (list, show) = ("tickets/".to_owned(), format!("tickets/{ticket}/"));
    let comments = format!("tickets/{ticket}/comments/");
    let stranger = api_of(deployment, &deployment.user("carol").await?);
    let scopes = ["events:publish", "notifications:send"];
    let back_end = deployment.admin().await?.create_service_token(&unique("django"), &scopes).await?;
    let back_end = deployment.api().with_token(&back_end.token);
    for (method, rest, body) in [
        (Method::GET, String::new(), &title),
        (Method::GET, list.clone(), &title),
        (Method::POST, list, &title),
        (Method::GET, show.clone(), &title),
        (Method::PATCH, show.clone(), &title),
        (Method::DELETE, show, &title),
        (Method::GET, format!("tickets/{ticket}/activity/"), &title),
        (Method::GET, comments.clone(), &message),
        (Method::POST, comments.clone(), &message),
        (Method::PATCH, format!("{comments}1/"), &message),
        (Method::DELETE, format!("{comments}1/"), &message),
        (Method::GET, "statuses/".to_owned(), &title),
        (Method::GET, "presence/".to_owned(), &title),
    ] {
        for (api, expected) in [(deployment.api(), 401), (stranger.clone(), 403), (back_end.clone(), 403)] {
            let got = status(&api, method.clone(), &team.route(&rest), body).await?;
            ensure!(got == expected, "{method} {rest}: {got}, expected {expected}");
        }
        let unknown = format!("/api/projects/999999999/{rest}");
        let got = status(&alice, method.clone(), &unknown, body).await?;
        ensure!(got == 404, "{method} {unknown}: {got}");
    }
    let shown = alice.get(&team.route(&format!("tickets/{ticket}/"))).await?.expect(200)?;
    has(&shown, &json!({"title": "Fix login bug", "version": 1, "comments": 0}))
}

async fn s3_02_what_a_ticket_cannot_be_names_the_field(deployment: &Deployment) -> anyhow::Result<()> {
    let team = Team::start(deployment).await?;
    let alice = api_of(deployment, &team.alice);
    let ticket = team.create(&alice, &json!({"title": "x".repeat(200)})).await?;
    let stranger = deployment.user("carol").await?;
    let route = team.ticket_route(&ticket, "");
    for (field, value) in [
        ("title", json!("")),
        ("title", json!("  ")),
        ("title", json!("é".repeat(201))),
        ("title", json!(7)),
        ("status", json!("Nowhere")),
        ("status", json!(99)),
        ("assignee", stranger.id_json()),
        ("assignee", json!(999_999_999)),
        ("priority", json!("most")),
        ("labels", json!(["x".repeat(51)])),
        ("due_date", json!("2026-02-30")),
        ("description", json!("x".repeat(20_001))),
        ("colour", json!("red")),
    ] {
        let mut body = json!({"title": "x"});
        body[field] = value;
        for reply in [alice.post(&team.route("tickets/"), &body).await?, alice.patch(&route, &body).await?] {
            let refused = reply.expect(422).with_context(|| body.to_string())?;
            ensure!(refused["field"] == field || field == "colour", "{body}: {refused}");
        }
    }
    alice.post(&team.route("tickets/"), &json!({})).await?.expect(422)?;
    alice.post(&team.ticket_route(&ticket, "comments/"), &json!({"message": " "})).await?.expect(422)?;
    let broken = alice.request(Method::POST, &team.route("tickets/")).body("{not json");
    carillon_testkit::send(broken).await?.expect(400)?;
    let shown = alice.get(&route).await?.expect(200)?;
    ensure!(shown == ticket, "{shown}");
    let listed = alice.get(&team.route("tickets/")).await?.expect(200)?;
    ensure!(listed["tickets"] == json!([ticket]), "{listed}");
    Ok(())
}

/// A ticket of another project is none of this one.
async fn s3_02_what_is_not_there_is_404(deployment: &Deployment) -> anyhow::Result<()> {
    let (team, other) = (Team::start(deployment).await?, Team::start(deployment).await?);
    let alice = api_of(deployment, &team.alice);
    let foreign = other.create(&api_of(deployment, &other.alice), &json!({"title": "theirs"})).await?;
    let foreign = number(&foreign, "ticket_id")?;
    for id in
        [foreign.to_string(), format!("0{foreign}"), "x".to_owned(), "-1".to_owned(), "999999999".to_owned()]
    {
        let route = team.route(&format!("tickets/{id}/"));
        alice.get(&route).await?.expect(404)?;
        alice.patch(&route, &json!({"title": "mine"})).await?.expect(404)?;
        alice.delete(&route).await?.expect(404)?;
        alice.get(&format!("{route}activity/")).await?.expect(404)?;
        alice.get(&format!("{route}comments/")).await?.expect(404)?;
        alice.post(&format!("{route}comments/"), &json!({"message": "x"})).await?.expect(404)?;
    }
    Ok(())
}
