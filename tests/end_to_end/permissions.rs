//! Who may use the HTTP API, and what it tells whom.

use anyhow::ensure;
use carillon_testkit::{Deployment, Gateway, PASSWORD, log_in, send, unique};
use reqwest::Method;
use serde_json::json;

use crate::{
    checks::has_texts,
    http::is_problem,
    suite::{Suite, both, strict},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        who_may_not_gets_401_or_403,
        who_guesses_passwords_has_to_wait,
        keys_are_public_and_nothing_else_of_them,
    );
    strict!(suite, pages_of_listed_origins_may_use_the_api);
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
        (Method::GET, "/api/monitoring/websocket/metrics/".to_owned()),
        (Method::GET, "/api/monitoring/websocket/active-connections/".to_owned()),
        (Method::POST, "/api/monitoring/websocket/connections/a-1/disconnect/".to_owned()),
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

/// On whichever gateway; others can log in meanwhile.
async fn who_guesses_passwords_has_to_wait(deployment: &Deployment) -> anyhow::Result<()> {
    let (user, other) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let wrong = json!({"username": user.username, "password": "guessed"});
    for attempt in 0..10 {
        let api = deployment.gateways()[attempt % 2].api();
        is_problem(&api.post("/api/auth/token/", &wrong).await?, 401)?;
    }
    let right = json!({"username": user.username, "password": PASSWORD});
    for gateway in deployment.gateways() {
        let reply = gateway.api().post("/api/auth/token/", &right).await?;
        is_problem(&reply, 429)?;
        let wait =
            reply.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
        ensure!(wait.is_some_and(|seconds| (1..=300).contains(&seconds)), "Retry-After: {wait:?}");
        log_in(&gateway.api(), &other.username, PASSWORD).await?;
    }
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
