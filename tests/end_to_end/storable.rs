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
