//! Input that no database could store.

use anyhow::ensure;
use carillon_testkit::{Deployment, send, unique};
use reqwest::Method;
use serde_json::json;

use crate::suite::{Suite, both};

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, what_no_database_can_store_is_refused);
}

/// Postgres has no place for the character 0: wherever it is put, that is the caller's mistake.
async fn what_no_database_can_store_is_refused(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.admin().await?.api();
    let (user, org) = (deployment.user("alice").await?, deployment.org(&[]).await?);
    for (method, path, body) in [
        (Method::POST, "/api/auth/token/", json!({"username": "a\0", "password": "carillon"})),
        (Method::POST, "/api/auth/token/", json!({"username": user.username, "password": "a\0"})),
        (Method::POST, "/api/auth/token/verify/", json!({"token": "a\0"})),
        (Method::POST, "/api/auth/users/", json!({"username": "a\0", "password": "long enough"})),
        (
            Method::POST,
            "/api/auth/users/",
            json!({"username": unique("a"), "password": "long enough", "email": "\0"}),
        ),
        (Method::POST, "/api/auth/orgs/", json!({"id": "a\0", "name": "a"})),
        (Method::POST, "/api/auth/orgs/", json!({"name": "a\0"})),
        (Method::POST, "/api/auth/projects/", json!({"name": "a", "key": "A\0"})),
        (Method::POST, "/api/auth/service-tokens/", json!({"name": "a\0", "scopes": ["events:publish"]})),
        (Method::POST, "/api/auth/tokens/a%00/revoke/", json!({})),
        (Method::POST, "/api/auth/users/a%00/revoke/", json!({})),
        (Method::DELETE, "/api/auth/users/a%00/", json!({})),
        (Method::DELETE, "/api/auth/orgs/a%00/", json!({})),
        (Method::GET, "/api/auth/orgs/a%00/members/", json!({})),
        (Method::GET, "/api/auth/orgs/?after=a%00", json!({})),
        (Method::GET, "/api/auth/users/?after=a%00", json!({})),
        (Method::GET, "/api/auth/service-tokens/?after=a%00", json!({})),
        (Method::GET, &format!("/api/auth/orgs/{org}/members/?after=a%00"), json!({})),
        (Method::PUT, &format!("/api/auth/orgs/{org}/members/a%00/"), json!({})),
        (Method::PUT, &format!("/api/auth/orgs/{org}/members/"), json!({"members": ["a\0"]})),
        (Method::DELETE, "/api/auth/service-tokens/a%00/", json!({})),
        (Method::POST, "/api/orgs/a%00/events/", json!({"event_type": "x"})),
        (Method::POST, "/api/notifications/send/", json!({"title": "a", "message": "b", "user_id": "a\0"})),
        (Method::POST, "/api/notifications/send/", json!({"title": "a", "message": "b", "org_id": "a\0"})),
        (Method::POST, "/api/notifications/a%00/read/", json!({})),
        (Method::POST, "/api/notifications/read-all/", json!({"up_to": "a\0"})),
        (Method::DELETE, "/api/notifications/a%00/", json!({})),
    ] {
        let reply = send(api.request(method, path).json(&body)).await?;
        ensure!((400..500).contains(&reply.status), "{path} {body}: {} {}", reply.status, reply.body);
    }
    projects(deployment, api).await?;
    // Nor has an index place for what nobody is called.
    let long: String = (0..4_000).map(|number| format!("{:x}", number * 7_919)).collect();
    let body = json!({"username": long, "password": "carillon"});
    deployment.api().post("/api/auth/token/", &body).await?.expect(401)?;
    // In what is only handed on, it is a character as any other.
    let body = json!({"title": "a\0b", "message": "\0", "user_id": user.id, "more": {"\0": "\0"}});
    api.post("/api/notifications/send/", &body).await?.expect(200)?;
    let refusal = deployment.socket("/ws/events/a%00/")?.token(&user.token).refused().await?;
    ensure!(refusal.status == 404, "{refusal:?}");
    Ok(())
}

/// Nor has a project.
async fn projects(deployment: &Deployment, admin: &carillon_testkit::Api) -> anyhow::Result<()> {
    let project = deployment.project(&[]).await?;
    let at = |rest: &str| format!("/api/projects/{}{rest}", project.id);
    let ticket = admin.post(&at("/tickets/"), &json!({"title": "a"})).await?.expect(201)?;
    let (one, comments) =
        (format!("/tickets/{}/", ticket["ticket_id"]), format!("/tickets/{}/comments/", ticket["ticket_id"]));
    for (method, path, body) in [
        (Method::GET, "/api/projects/a%00/".to_owned(), json!({})),
        (Method::GET, "/api/projects/?after=a%00".to_owned(), json!({})),
        (Method::POST, at("/tickets/"), json!({"title": "a\0"})),
        (Method::POST, at("/tickets/"), json!({"title": "a", "description": "\0"})),
        (Method::POST, at("/tickets/"), json!({"title": "a", "labels": ["\0"]})),
        (Method::POST, at("/tickets/"), json!({"title": "a", "assignee": "a\0"})),
        (Method::POST, at("/tickets/"), json!({"title": "a", "status": "\0"})),
        (Method::GET, at("/tickets/?q=a%00"), json!({})),
        (Method::GET, at("/tickets/?label=a%00"), json!({})),
        (Method::GET, at("/tickets/?assignee=a%00"), json!({})),
        (Method::GET, at("/tickets/?sort=title&cursor=1.a%00"), json!({})),
        (Method::PATCH, at(&one), json!({"title": "\0"})),
        (Method::GET, at("/tickets/1%00/"), json!({})),
        (Method::POST, at(&comments), json!({"message": "a\0"})),
        (Method::POST, at("/statuses/"), json!({"name": "a\0"})),
        (Method::GET, at("/presence/?after=1.a%00"), json!({})),
        (Method::POST, at("/events/"), json!({"type": "a\0"})),
    ] {
        let reply = send(admin.request(method, &path).json(&body)).await?;
        ensure!((400..500).contains(&reply.status), "{path} {body}: {} {}", reply.status, reply.body);
    }
    // In what is only handed on, it is a character as any other.
    let body = json!({"type": "news", "data": {"\0": "a\0"}});
    admin.post(&at("/events/"), &body).await?.expect(201)?;
    Ok(())
}
