//! How connections are refused: by a close code, which browsers can see, or by HTTP (documents 1, 3 and 4).

use anyhow::ensure;
use carillon_testkit::{
    Deployment, Gateway, Handshake, JWT_SECRET, PASSWORD, hs256, now, send, simple_jwt_claims, unique,
};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::{
    checks::{ends, greeted, has, refused},
    suite::{Suite, both, strict},
};

/// Of the user that minted tokens stand for.
const OWN: &str = "/ws/notifications/django:7/";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s1_07_an_expired_token_is_an_invalid_one_in_document_1,
        s4_06_every_code_of_document_4,
        s4_06_a_refused_client_has_the_reason,
        what_is_no_handshake_is_a_bad_request,
    );
    strict!(
        suite,
        s3_08_tokens_are_refused_with_http_where_that_is_asked_for,
        s2_04_nobody_is_anonymous_unless_that_is_asked_for,
    );
}

/// S1-07: 4001 for whatever is wrong with the token; 4003 for who may not be there.
async fn s1_07_an_expired_token_is_an_invalid_one_in_document_1(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let service =
        deployment.admin().await?.create_service_token(&unique("shop"), &["events:publish"]).await?;
    for gateway in deployment.gateways() {
        for path in ["/ws/notifications/".to_owned(), format!("/ws/events/{org}/")] {
            let socket = || gateway.socket(&path);
            refused(socket()?.token(&expired()), 4001).await?;
            refused(socket()?.bearer(&expired()), 4001).await?;
            refused(socket()?.protocol("bearer").protocol(&expired()), 4001).await?;
            refused(socket()?.token(&service.token), 4003).await?;
        }
        // A channel's name that would be too long, and a path that isn't text.
        refused(gateway.socket(&format!("/ws/events/{}/", "x".repeat(2_000)))?.token(&user.token), 4004)
            .await?;
        let nowhere = gateway.socket("/ws/events/%FF/")?.token(&user.token).refused().await?;
        ensure!(nowhere.status == 404, "{nowhere:?}");
    }
    Ok(())
}

/// S4-06: 4001, 4002, 4003, 4004, 4005 and 1000, on both gateways, wherever the token is.
async fn s4_06_every_code_of_document_4(deployment: &Deployment) -> anyhow::Result<()> {
    let other = deployment.user("bob").await?;
    let service =
        deployment.admin().await?.create_service_token(&unique("shop"), &["events:publish"]).await?;
    let forged =
        hs256("a secret that is long enough, and not the deployment's", &simple_jwt_claims(&json!(7)));
    for gateway in deployment.gateways() {
        let socket = || gateway.socket(OWN);
        for (token, code) in [
            (&forged, 4001),
            (&expired(), 4002),
            (&service.token, 4004),
            (&other.token, 4005),
            (&valid(), 1000),
        ] {
            for handshake in [
                socket()?.token(token),
                socket()?.bearer(token),
                socket()?.protocol("bearer").protocol(token),
            ] {
                closes(handshake, code).await?;
            }
        }
        refused(socket()?, 4003).await?;
        refused(socket()?.query("token", ""), 4003).await?;
        refused(gateway.socket("/ws/notifications/7/")?.token(&valid()), 4005).await?;
    }
    Ok(())
}

/// S4-06: the close frame says why, in words; a browser gets it as `event.reason`.
async fn s4_06_a_refused_client_has_the_reason(deployment: &Deployment) -> anyhow::Result<()> {
    for (token, expected) in
        [(Some(expired()), "expired"), (Some("x.y.z".to_owned()), "invalid"), (None, "missing")]
    {
        let mut handshake = deployment.socket(OWN)?;
        if let Some(token) = &token {
            handshake = handshake.token(token);
        }
        let (_, reason) = handshake.open().await?.expect_close().await?;
        ensure!(reason.contains(expected), "the reason is {reason:?}");
        ensure!(token.is_none_or(|token| !reason.contains(&token)), "the reason repeats the token");
    }
    Ok(())
}

/// RFC 6455, section 4.2.1.
async fn what_is_no_handshake_is_a_bad_request(deployment: &Deployment) -> anyhow::Result<()> {
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    for (what, headers) in [
        ("no key", vec![("sec-websocket-version", "13")]),
        ("no version", vec![("sec-websocket-key", KEY)]),
        ("an old version", vec![("sec-websocket-key", KEY), ("sec-websocket-version", "8")]),
    ] {
        let request = upgrade(deployment.api().request(Method::GET, "/ws/notifications/"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let status = send(request).await?.status;
        ensure!(status == 400 || status == 426, "{what}: {status}");
    }
    Ok(())
}

/// S3-08: HTTP 403 in place of an upgrade, with a problem body.
async fn s3_08_tokens_are_refused_with_http_where_that_is_asked_for(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let (user, other) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let own = format!("/ws/notifications/{}/", user.id);
    let path = "/ws/notifications/";
    for handshake in [
        gateway.socket(path)?.token("nonsense"),
        gateway.socket(path)?.bearer(&format!("{}x", user.token)),
        gateway.socket(path)?.token(&expired()),
        gateway.socket(path)?.protocol("bearer").protocol(&user.refresh),
        gateway.socket(&own)?.token(&other.token),
        gateway.socket(&own)?,
    ] {
        let refusal = handshake.refused().await?;
        ensure!(refusal.status == 403, "{refusal:?}");
    }
    // The same handshake by a client that reads on after the head.
    let request = gateway.api().request(Method::GET, "/ws/notifications/?token=nonsense");
    let request = upgrade(request).header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let problem = send(request.header("sec-websocket-version", "13")).await?.expect(403)?;
    has(&problem, &json!({"status": 403, "title": "Forbidden"}))?;
    greeted(gateway.socket(&own)?.token(&user.token)).await?.close().await?;
    // Membership is known only when the owner is asked, and that is after the upgrade.
    let org = deployment.org(&[&other]).await?;
    refused(gateway.socket(&format!("/ws/events/{org}/"))?.token(&user.token), 4003).await
}

/// S2-04, S2-08: without `--allow-anonymous` a client needs a token, to listen and to send.
async fn s2_04_nobody_is_anonymous_unless_that_is_asked_for(
    _: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let refusal = gateway.socket("/ws/notifications/")?.refused().await?;
    ensure!(refusal.status == 403, "{refusal:?}");
    let body = json!({"title": "Test", "message": "Hello!", "priority": "high"});
    let reply = gateway.api().post("/api/notifications/send/", &body).await?;
    ensure!(reply.headers.contains_key("www-authenticate"), "no WWW-Authenticate: {:?}", reply.headers);
    has(&reply.expect(401)?, &json!({"status": 401}))?;
    // Nor is there anyone whose password everyone knows.
    for username in ["alice", "bob", "carol"] {
        let known = json!({"username": username, "password": PASSWORD});
        gateway.api().post("/api/auth/token/", &known).await?.expect(401)?;
    }
    Ok(())
}

fn upgrade(request: RequestBuilder) -> RequestBuilder {
    request.header("connection", "upgrade").header("upgrade", "websocket")
}

fn valid() -> String {
    hs256(JWT_SECRET, &simple_jwt_claims(&json!(7)))
}

fn expired() -> String {
    let mut claims = simple_jwt_claims(&json!(7));
    claims["iat"] = json!(now() - 7_200);
    claims["exp"] = json!(now() - 3_600);
    hs256(JWT_SECRET, &claims)
}

/// 1000 is what the client itself closes an accepted connection with.
async fn closes(handshake: Handshake, code: u16) -> anyhow::Result<()> {
    if code != 1000 {
        return refused(handshake, code).await;
    }
    let mut socket = greeted(handshake).await?;
    socket.ask_to_close(1000, "done").await?;
    ends(&mut socket, 1000).await
}
