//! What bad input over HTTP gets: a problem body with the status that says whose mistake it is.

use anyhow::ensure;
use carillon_testkit::{Deployment, Gateway, Reply, send, unique};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checks::{has, has_texts},
    suite::{Suite, both, strict},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        malformed_json_is_400,
        a_wrong_type_is_422_and_names_the_field,
        who_may_not_gets_401_or_403,
        what_is_not_there_is_404,
        a_wrong_method_is_405_and_names_the_right_ones,
        a_body_over_1_mib_is_413,
        every_response_has_a_request_id,
        what_no_database_can_store_is_refused,
        keys_are_public_and_nothing_else_of_them,
    );
    strict!(suite, pages_of_listed_origins_may_use_the_api);
}

async fn malformed_json_is_400(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.admin().await?.api();
    let org = deployment.org(&[]).await?;
    for (method, path) in [
        (Method::POST, "/api/auth/token/".to_owned()),
        (Method::POST, "/api/auth/users/".to_owned()),
        (Method::POST, "/api/auth/orgs/".to_owned()),
        (Method::PUT, format!("/api/auth/orgs/{org}/members/")),
        (Method::POST, format!("/api/orgs/{org}/events/")),
        (Method::POST, "/api/notifications/read-all/".to_owned()),
    ] {
        for body in ["{", "{\"username\":", "username=alice&password=carillon", "{} {}", "\u{feff}{}"] {
            let reply = send(api.request(method.clone(), &path).body(body)).await?;
            is_problem(&reply, 400)?;
        }
    }
    Ok(())
}

async fn a_wrong_type_is_422_and_names_the_field(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.admin().await?.api();
    let org = deployment.org(&[]).await?;
    let (events, members) = (format!("/api/orgs/{org}/events/"), format!("/api/auth/orgs/{org}/members/"));
    for (method, path, body, field) in [
        (Method::POST, "/api/auth/token/", json!({"username": 5, "password": "carillon"}), "username"),
        (Method::POST, "/api/auth/token/", json!({"username": "alice"}), "password"),
        (Method::POST, "/api/auth/token/refresh/", json!({"refresh": {}}), "refresh"),
        (Method::POST, "/api/auth/users/", json!({"username": "x", "password": []}), "password"),
        (Method::POST, "/api/auth/users/", json!({"username": "", "password": "long enough"}), "username"),
        (Method::POST, "/api/auth/orgs/", json!({"id": 1.5, "name": "x"}), "id"),
        (Method::POST, "/api/auth/orgs/", json!({"id": "x"}), "name"),
        (Method::POST, "/api/auth/service-tokens/", json!({"name": "x", "scopes": ["root"]}), "scopes"),
        (Method::PUT, &members, json!({"members": "alice"}), "members"),
        (Method::POST, &events, json!({"data": {}}), "event_type"),
        (Method::POST, &events, json!({"event_type": 5}), "event_type"),
        (Method::POST, &events, json!({"event_type": "x", "data": []}), "data"),
        (Method::POST, &events, json!({"event_type": "x", "offset": 7}), "offset"),
        (Method::POST, "/api/notifications/read-all/", json!({"up_to": []}), "up_to"),
    ] {
        let reply = send(api.request(method, path).json(&body)).await?;
        let problem = is_problem(&reply, 422)?;
        ensure!(problem["field"] == field, "{path} {body}: {problem}");
    }
    let reply = api.post("/api/auth/orgs/", &json!([])).await?;
    is_problem(&reply, 422).map(drop)
}

/// No token 401, somebody else's 403; every route.
async fn who_may_not_gets_401_or_403(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let back_end =
        deployment.admin().await?.create_service_token(&unique("shop"), &["notifications:send"]).await?;
    let api = deployment.api();
    for (method, path) in [
        (Method::GET, "/api/auth/users/".to_owned()),
        (Method::POST, "/api/auth/users/".to_owned()),
        (Method::DELETE, format!("/api/auth/users/{}/", user.id)),
        (Method::POST, format!("/api/auth/users/{}/revoke/", user.id)),
        (Method::POST, "/api/auth/tokens/anything/revoke/".to_owned()),
        (Method::GET, "/api/auth/service-tokens/".to_owned()),
        (Method::POST, "/api/auth/service-tokens/".to_owned()),
        (Method::POST, "/api/auth/keys/rotate/".to_owned()),
        (Method::GET, "/api/auth/orgs/".to_owned()),
        (Method::POST, "/api/auth/orgs/".to_owned()),
        (Method::DELETE, format!("/api/auth/orgs/{org}/")),
        (Method::GET, format!("/api/auth/orgs/{org}/members/")),
        (Method::PUT, format!("/api/auth/orgs/{org}/members/")),
        (Method::PUT, format!("/api/auth/orgs/{org}/members/{}/", user.id)),
        (Method::DELETE, format!("/api/auth/orgs/{org}/members/{}/", user.id)),
        (Method::GET, "/api/auth/projects/".to_owned()),
        (Method::POST, "/api/auth/projects/".to_owned()),
        (Method::POST, format!("/api/orgs/{org}/events/")),
    ] {
        for (token, status) in [
            (None, 401),
            (Some("nonsense"), 401),
            (Some(user.token.as_str()), 403),
            (Some(&back_end.token), 403),
        ] {
            let caller = token.map_or_else(|| api.clone(), |token| api.with_token(token));
            let reply = send(caller.request(method.clone(), &path).json(&json!({}))).await?;
            is_problem(&reply, status)?;
            ensure!(status != 401 || reply.headers.contains_key("www-authenticate"), "{path}: no challenge");
        }
    }
    for path in ["/api/auth/me/", "/api/notifications/"] {
        is_problem(&api.get(path).await?, 401)?;
        is_problem(&api.with_token(&user.refresh).get(path).await?, 401)?;
        is_problem(&api.with_token(&back_end.token).get(path).await?, 403)?;
    }
    let wrong = json!({"username": user.username, "password": "wrong"});
    is_problem(&api.post("/api/auth/token/", &wrong).await?, 401).map(drop)
}

async fn what_is_not_there_is_404(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.admin().await?.api();
    let (user, nowhere) = (deployment.user("alice").await?, unique("nowhere"));
    for path in
        ["/", "/api/", "/api/nothing/", "/api/auth/token/x/", "/ws/notifications/", "/api//auth/me/", "/%FF"]
    {
        is_problem(&api.get(path).await?, 404)?;
    }
    for path in [
        format!("/api/auth/orgs/{nowhere}/members/"),
        "/api/auth/orgs/%00/members/".to_owned(),
        format!("/api/auth/projects/{nowhere}/members/"),
    ] {
        is_problem(&api.get(&path).await?, 404)?;
    }
    for path in [
        format!("/api/auth/orgs/{nowhere}/"),
        format!("/api/auth/orgs/{nowhere}/members/{}/", user.id),
        "/api/auth/users/4711471147114711/".to_owned(),
        format!("/api/auth/users/{nowhere}/"),
        format!("/api/auth/service-tokens/{nowhere}/"),
        "/api/notifications/4711/".to_owned(),
        format!("/api/notifications/{nowhere}/"),
    ] {
        is_problem(&api.delete(&path).await?, 404)?;
    }
    let event = json!({"event_type": "resource.created"});
    is_problem(&api.post(&format!("/api/orgs/{nowhere}/events/"), &event).await?, 404)?;
    is_problem(&api.post("/api/notifications/4711/read/", &json!({})).await?, 404)?;
    let refusal = deployment.socket("/ws/nothing/")?.token(&user.token).refused().await?;
    ensure!(refusal.status == 404, "{refusal:?}");
    Ok(())
}

/// RFC 9110: with `Allow`.
async fn a_wrong_method_is_405_and_names_the_right_ones(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.admin().await?.api();
    for (method, path, allowed) in [
        (Method::GET, "/api/auth/token/", "POST"),
        (Method::PUT, "/api/auth/orgs", "GET, POST"),
        (Method::PATCH, "/api/notifications/7/", "DELETE"),
        (Method::DELETE, "/api/notifications/send/", "POST"),
        (Method::POST, "/.well-known/jwks.json", "GET"),
    ] {
        let reply = send(api.request(method, path)).await?;
        is_problem(&reply, 405)?;
        let header = reply.headers.get("allow").and_then(|value| value.to_str().ok());
        ensure!(header == Some(allowed), "{path}: Allow is {header:?}");
    }
    Ok(())
}

/// Whether its length is announced or not; what is smaller is the owner's to judge.
async fn a_body_over_1_mib_is_413(deployment: &Deployment) -> anyhow::Result<()> {
    const MIB: usize = 1_024 * 1_024;
    let api = deployment.api();
    let largest = format!("{{\"refresh\":\"{}\"}}", "x".repeat(MIB - 14));
    ensure!(largest.len() == MIB, "{} bytes", largest.len());
    let path = "/api/auth/token/refresh/";
    is_problem(&send(api.request(Method::POST, path).body(largest.clone())).await?, 401)?;
    is_problem(&send(api.request(Method::POST, path).body(format!("{largest} "))).await?, 413).map(drop)
}

/// The caller's own, if it gives one.
async fn every_response_has_a_request_id(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.api();
    for path in ["/api/auth/me/", "/api/nothing/", "/.well-known/jwks.json"] {
        let reply = api.get(path).await?;
        let id = reply.headers.get("x-request-id");
        ensure!(id.is_some_and(|id| !id.is_empty()), "{path}: {:?}", reply.headers);
        let own = unique("request");
        let reply = send(api.request(Method::GET, path).header("x-request-id", &own)).await?;
        let id = reply.headers.get("x-request-id").and_then(|id| id.to_str().ok());
        ensure!(id == Some(&own), "{path}: {id:?}");
    }
    Ok(())
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

/// Only public halves are shown.
async fn keys_are_public_and_nothing_else_of_them(deployment: &Deployment) -> anyhow::Result<()> {
    for gateway in deployment.gateways() {
        let keys = gateway.api().get("/.well-known/jwks.json").await?.expect(200)?;
        let keys = keys["keys"].as_array().cloned().unwrap_or_default();
        ensure!(!keys.is_empty(), "no keys");
        for key in keys {
            has_texts(&key, &["kty", "kid", "alg"])?;
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                ensure!(key.get(private).is_none(), "{private} is shown");
            }
        }
    }
    Ok(())
}

/// CORS: a browser is told so only for those that `--cors-origins` lists.
async fn pages_of_listed_origins_may_use_the_api(_: &Deployment, gateway: &Gateway) -> anyhow::Result<()> {
    let api = gateway.api();
    for (origin, allowed) in
        [("https://app.example.com", true), ("https://example.com", false), ("https://evil.example", false)]
    {
        let preflight = api
            .request(Method::OPTIONS, "/api/notifications/send/")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-csrftoken");
        let request = api.request(Method::GET, "/.well-known/jwks.json").header("origin", origin);
        for reply in [send(preflight).await?, send(request).await?] {
            let header =
                reply.headers.get("access-control-allow-origin").and_then(|value| value.to_str().ok());
            ensure!(header == allowed.then_some(origin), "{origin}: {} {header:?}", reply.status);
        }
    }
    Ok(())
}

/// RFC 9457.
fn is_problem(reply: &Reply, status: u16) -> anyhow::Result<Value> {
    let problem = reply.expect(status)?;
    has(&problem, &json!({"type": "about:blank", "status": status}))?;
    has_texts(&problem, &["title", "detail"])?;
    let kind = reply.headers.get("content-type").and_then(|value| value.to_str().ok());
    ensure!(kind == Some("application/problem+json"), "{kind:?}: {}", reply.body);
    Ok(problem)
}
