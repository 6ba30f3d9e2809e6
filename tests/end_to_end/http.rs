//! What bad input over HTTP gets: a problem body with the status that says whose mistake it is.

use anyhow::{Context, ensure};
use carillon_testkit::{DEADLINE, Deployment, Gateway, Reply, send, unique};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    checks::{has, has_texts},
    suite::{Suite, both},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        malformed_json_is_400,
        a_wrong_type_is_422_and_names_the_field,
        what_is_not_there_is_404,
        a_wrong_method_is_405_and_names_the_right_ones,
        a_body_over_1_mib_is_413,
        every_response_has_a_request_id,
    );
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

async fn what_is_not_there_is_404(deployment: &Deployment) -> anyhow::Result<()> {
    let api = deployment.admin().await?.api();
    let (user, nowhere) = (deployment.user("alice").await?, unique("nowhere"));
    for path in [
        "/nothing",
        "/assets/nothing.js",
        "/api/",
        "/api/nothing/",
        "/api/auth/token/x/",
        "/ws/notifications/",
        "/api//auth/me/",
        "/%FF",
    ] {
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
    is_problem(&send(api.request(Method::POST, path).body(format!("{largest} "))).await?, 413)?;
    for gateway in deployment.gateways() {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n");
        let announced = format!("{head}Content-Length: {}\r\n\r\n", u64::MAX);
        let chunk = format!("{:x}\r\n{largest} \r\n", MIB + 1);
        let in_chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n");
        for request in [announced, in_chunks] {
            let answer = first_line(gateway, &request).await?;
            ensure!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        }
    }
    Ok(())
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

/// Of the answer to a request that no HTTP client would send like this.
async fn first_line(gateway: &Gateway, request: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(gateway.http.trim_start_matches("http://")).await?;
    let mut answer = [0; 64];
    let length = timeout(DEADLINE, async {
        // Who has heard enough may refuse to hear the rest.
        stream.write_all(request.as_bytes()).await.ok();
        stream.read(&mut answer).await
    });
    let length = length.await.context("no answer")??;
    Ok(String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned())
}

/// RFC 9457.
pub(crate) fn is_problem(reply: &Reply, status: u16) -> anyhow::Result<Value> {
    let problem = reply.expect(status)?;
    has(&problem, &json!({"type": "about:blank", "status": status}))?;
    has_texts(&problem, &["title", "detail"])?;
    let kind = reply.headers.get("content-type").and_then(|value| value.to_str().ok());
    ensure!(kind == Some("application/problem+json"), "{kind:?}: {}", reply.body);
    Ok(problem)
}
