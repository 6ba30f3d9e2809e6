//! What never reaches a log (document 1).

use anyhow::{Context, ensure};
use carillon_testkit::{
    Deployment, Handshake, JWT_SECRET, User, hs256, log_in, now, simple_jwt_claims, unique,
};
use serde_json::json;

use crate::suite::{Suite, both, keycloak};

/// How every JSON Web Token begins: `{"` in base64.
const TOKEN: &str = "eyJ";

pub(crate) fn register(suite: &mut Suite) {
    both!(suite, s1_16_no_token_and_no_secret_reaches_a_log);
    keycloak!(suite, s1_16_nor_does_any_when_everything_is_logged);
}

/// S1-16: whether they are good or bad, in the query, in a header, in a subprotocol, in a frame or in a body. Every
/// log of the deployment is looked at, with all that other tests have caused so far.
async fn s1_16_no_token_and_no_secret_reaches_a_log(deployment: &Deployment) -> anyhow::Result<()> {
    let password = unique("a password that nobody else has");
    let user = log_in_and_out(deployment, &password).await?;
    let sent = handshakes(deployment, &user).await?;
    let service = service_token(deployment).await?;
    for process in deployment.processes() {
        let log = deployment.supervisor().output(&process)?;
        for secret in sent.iter().chain([&password, &service, &user.token, &user.refresh]) {
            ensure!(!log.contains(secret), "the log of {process} has {secret}");
        }
        for (secret, what) in
            [(JWT_SECRET, "the HMAC secret"), (TOKEN, "a token"), ("BEGIN PRIVATE", "a key")]
        {
            let line = log.lines().find(|line| line.contains(secret));
            ensure!(line.is_none(), "the log of {process} has {what}: {line:?}");
        }
    }
    has_a_line_for_each_refusal(deployment)
}

/// S1-16: these deployments log at level `trace`, libraries included.
async fn s1_16_nor_does_any_when_everything_is_logged(deployment: &Deployment) -> anyhow::Result<()> {
    s1_16_no_token_and_no_secret_reaches_a_log(deployment).await
}

/// Logs in, also with a wrong password, refreshes, verifies, and logs another login out.
async fn log_in_and_out(deployment: &Deployment, password: &str) -> anyhow::Result<User> {
    let (api, username) = (deployment.api(), unique("alice"));
    let account = json!({"username": username, "password": password});
    deployment.admin().await?.api().post("/api/auth/users/", &account).await?.expect(201)?;
    let user = log_in(&api, &username, password).await?;
    let wrong = json!({"username": username, "password": format!("{password}, but wrong")});
    api.post("/api/auth/token/", &wrong).await?.expect(401)?;
    // People type their password into the wrong field.
    let mixed_up = json!({"username": password, "password": password});
    api.post("/api/auth/token/", &mixed_up).await?.expect(401)?;
    let refresh = json!({"refresh": user.refresh});
    api.post("/api/auth/token/refresh/", &refresh).await?.expect(200)?;
    api.post("/api/auth/token/verify/", &json!({"token": user.token})).await?.expect(200)?;
    for broken in [format!("{}x", user.refresh), "nonsense that is secret".to_owned()] {
        api.post("/api/auth/token/refresh/", &json!({"refresh": broken})).await?.expect(401)?;
        api.post("/api/auth/token/verify/", &json!({"token": broken})).await?.expect(401)?;
    }
    let other = log_in(&api, &username, password).await?;
    api.post("/api/auth/logout/", &json!({"refresh": other.refresh})).await?.expect(204)?;
    Ok(user)
}

/// Sends tokens of every kind in every way; those that were sent.
async fn handshakes(deployment: &Deployment, user: &User) -> anyhow::Result<Vec<String>> {
    let mut claims = simple_jwt_claims(&json!(unique("somebody")));
    let minted = hs256(JWT_SECRET, &claims);
    claims["exp"] = json!(now() - 3_600);
    let expired = hs256(JWT_SECRET, &claims);
    let tokens = [
        user.token.clone(),
        minted,
        expired,
        hs256("a secret that is long enough, and not the deployment's", &claims),
        unique("secret-nonsense"),
        user.refresh.clone(),
    ];
    for (index, token) in tokens.iter().enumerate() {
        for path in ["/ws/notifications/", "/ws/notifications/7/", "/ws/events/nowhere/", "/ws/nothing/"] {
            let socket = || deployment.gateways()[index % 2].socket(path);
            for handshake in [
                socket()?.token(token),
                socket()?.query("Token", token).query("access_token", token),
                socket()?.bearer(token),
                socket()?.protocol("bearer").protocol(token),
                socket()?.token(token).header("origin", "https://evil.example"),
                socket()?.token(token).query("dialect", "klingon"),
            ] {
                attempt(handshake, token).await?;
            }
        }
        let path = format!("/api/notifications/?token={token}&access_token={token}");
        deployment.gateways()[index % 2].api().with_token(token).get(&path).await?;
    }
    Ok(tokens.to_vec())
}

/// However it ends. On an open connection the token is sent once more, in frames.
async fn attempt(handshake: Handshake, token: &str) -> anyhow::Result<()> {
    let Ok(mut socket) = handshake.attempt().await? else { return Ok(()) };
    socket.send_json(&json!({"type": "refresh", "token": token})).await.ok();
    socket.send_json(&json!({"type": token, "token": token})).await.ok();
    socket.ask_to_close(1000, "done").await.ok();
    socket.expect_close().await.ok();
    Ok(())
}

async fn service_token(deployment: &Deployment) -> anyhow::Result<String> {
    let admin = deployment.admin().await?;
    let service = admin.create_service_token(&unique("shop"), &["notifications:send"]).await?;
    let api = deployment.api().with_token(&service.token);
    let body = json!({"user_id": 7, "title": "Test", "message": "Hello!"});
    api.post("/api/notifications/send/", &body).await?.expect(200)?;
    api.get("/api/notifications/").await?.expect(403)?;
    admin.api().delete(&format!("/api/auth/service-tokens/{}/", service.id)).await?.expect(204)?;
    let path = format!("/ws/notifications/?token={}", service.token);
    refused_at(deployment, &path).await?;
    Ok(service.token)
}

async fn refused_at(deployment: &Deployment, path: &str) -> anyhow::Result<()> {
    let (code, _) = deployment.socket(path)?.open().await?.expect_close().await?;
    ensure!([4001, 4003].contains(&code), "closed with {code}");
    Ok(())
}

/// The logs are not clean because there are none: refusals are there, with their reason.
fn has_a_line_for_each_refusal(deployment: &Deployment) -> anyhow::Result<()> {
    let name = &deployment.gateways()[0].name;
    let log = deployment.supervisor().output(name)?;
    for reason in ["token expired", "invalid token", "token missing", "unknown dialect"] {
        let line = log.lines().find(|line| line.contains("refused") && line.contains(reason));
        line.with_context(|| format!("the log of {name} has no line about: {reason}"))?;
    }
    Ok(())
}
