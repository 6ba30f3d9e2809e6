//! Tokens that expire while a connection is open (document 4).

use anyhow::ensure;
use carillon_testkit::{Deployment, Gateway, JWT_SECRET, Socket, hs256, now, simple_jwt_claims, unique};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time};

use crate::{
    checks::{connect, ends, has},
    suite::{Suite, strict},
};

/// How long a token is valid that is to expire soon, in seconds. Strict gateways warn two seconds before the end.
const SOON: u64 = 4;

pub(crate) fn register(suite: &mut Suite) {
    strict!(
        suite,
        s4_08_a_connection_ends_with_its_token,
        s4_08_a_refreshed_token_keeps_the_connection,
        s4_08_another_users_token_does_not_keep_it,
    );
}

/// S4-08: a warning first, then the endpoint's code, whatever the fraction of a second at which it was opened; not
/// before the time.
async fn s4_08_a_connection_ends_with_its_token(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let user = unique("somebody");
    let org = deployment.org(&[]).await?;
    deployment.admin().await?.add_org_member(&org, &format!("django:{user}")).await?;
    let endpoints = [
        ("/ws/notifications/".to_owned(), 4001),
        (format!("/ws/notifications/django:{user}/"), 4002),
        (format!("/ws/events/{org}/"), 4001),
    ];
    let (mut pace, mut endings) = (time::interval(time::Duration::from_millis(150)), JoinSet::new());
    for (path, code) in endpoints.iter().cycle().take(9) {
        pace.tick().await;
        let expires_at = now() + SOON;
        let socket = connect(gateway, path, &minted(&user, expires_at)).await?;
        endings.spawn(warned_and_ended(socket, *code, expires_at));
    }
    while let Some(ending) = endings.join_next().await {
        ending??;
    }
    Ok(())
}

/// S4-08: beyond the old token's end, on each endpoint.
async fn s4_08_a_refreshed_token_keeps_the_connection(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let user = unique("somebody");
    let org = deployment.org(&[]).await?;
    deployment.admin().await?.add_org_member(&org, &format!("django:{user}")).await?;
    let expires_at = now() + SOON;
    let old = minted(&user, expires_at);
    let mut sockets = Vec::new();
    for path in
        ["/ws/notifications/", &format!("/ws/notifications/django:{user}/"), &format!("/ws/events/{org}/")]
    {
        let mut socket = connect(gateway, path, &old).await?;
        socket.send_json(&json!({"type": "refresh", "token": minted(&user, now() + 3_600)})).await?;
        let refreshed = socket.next_of_type("refreshed").await?;
        ensure!(refreshed["expires_in"].as_u64().is_some_and(|left| left > 3_500), "{refreshed}");
        sockets.push(socket);
    }
    // The one that nobody refreshes tells when the old token's time is over.
    ends(&mut connect(gateway, "/ws/notifications/", &old).await?, 4001).await?;
    for socket in &mut sockets {
        socket.expect_none("a warning", |frame| frame["type"] == "token_expiring").await?;
    }
    let [notifications, own, events] = &mut sockets[..] else { anyhow::bail!("three sockets") };
    let title = unique("Hello");
    let body = json!({"user_id": format!("django:{user}"), "title": title, "message": "It works"});
    deployment.admin().await?.notify(&body).await?;
    for socket in [notifications, own] {
        has(&socket.next_of_type("notification_message").await?, &json!({"data": {"title": title}}))?;
    }
    deployment.admin().await?.publish(&org, &json!({"event_type": "system.alert"})).await?;
    events.next_where("the event", |frame| frame["event_type"] == "system.alert").await.map(drop)
}

/// S4-08: nor does one that is invalid, expired, or missing; the connection is told, and ends in its time.
async fn s4_08_another_users_token_does_not_keep_it(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let (user, other) = (unique("somebody"), deployment.user("bob").await?);
    let expires_at = now() + SOON;
    let path = format!("/ws/notifications/django:{user}/");
    let mut socket = connect(gateway, &path, &minted(&user, expires_at)).await?;
    let forged =
        hs256("a secret that is long enough, and not the deployment's", &simple_jwt_claims(&json!(user)));
    for frame in [
        json!({"type": "refresh", "token": minted("somebody else", now() + 3_600)}),
        json!({"type": "refresh", "token": other.token}),
        json!({"type": "refresh", "token": forged}),
        json!({"type": "refresh", "token": minted(&user, now() - 3_600)}),
        json!({"type": "refresh", "token": ""}),
        json!({"type": "refresh"}),
    ] {
        socket.send_json(&frame).await?;
        let error = socket.next_of_type("error").await?;
        has(&error, &json!({"type": "error", "code": "refresh"}))?;
        let token = frame["token"].as_str().filter(|token| !token.is_empty());
        ensure!(token.is_none_or(|token| !error.to_string().contains(token)), "{error} repeats the token");
    }
    warned_and_ended(socket, 4002, expires_at).await
}

async fn warned_and_ended(mut socket: Socket, code: u16, expires_at: u64) -> anyhow::Result<()> {
    let warning: Value = socket.next_of_type("token_expiring").await?;
    ensure!(warning["expires_in"].as_u64().is_some_and(|left| (1..=2).contains(&left)), "{warning}");
    ends(&mut socket, code).await?;
    ensure!(now() >= expires_at, "it ended before its time");
    Ok(())
}

/// A Django back end's token.
pub(crate) fn minted(user: &str, expires_at: u64) -> String {
    let mut claims = simple_jwt_claims(&json!(user));
    claims["iat"] = json!(expires_at - 3_600);
    claims["exp"] = json!(expires_at);
    hs256(JWT_SECRET, &claims)
}
