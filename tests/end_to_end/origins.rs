//! Which hosts and origins may connect (document 0).

use anyhow::ensure;
use carillon_testkit::{Deployment, Gateway, User, send};
use reqwest::Method;

use crate::{
    checks::greeted,
    suite::{Suite, both, keycloak, strict},
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s0_11_only_pages_of_allowed_origins_connect,
        s0_11_an_unknown_host_is_a_bad_request,
        s0_11_a_forwarded_host_is_not_the_host,
    );
    strict!(suite, s0_11_patterns_are_those_of_allowed_hosts);
    keycloak!(suite, s0_11_an_asterisk_allows_everyone);
}

/// S0-11: the host of an `Origin` has to be allowed, else the handshake is answered with 403. A client without one,
/// as wscat or Python's, connects.
async fn s0_11_only_pages_of_allowed_origins_connect(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [gateway, _] = deployment.gateways();
    for origin in [
        "http://localhost:5173",
        "https://LOCALHOST",
        "http://app.localhost",
        "http://127.0.0.1:8000",
        "http://[::1]:3000",
    ] {
        connects(gateway, &user, "origin", origin).await?;
    }
    for origin in [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://evil.example:8000",
        "http://localhost@evil.example",
        "file:///etc/passwd",
        "null",
        "localhost",
        "",
    ] {
        is_refused(gateway, &user, "origin", origin, 403).await?;
    }
    greeted(gateway.socket("/ws/notifications/")?.token(&user.token)).await?.close().await
}

/// S0-11: a `Host` that isn't allowed is answered with 400, by sockets and by the HTTP API.
async fn s0_11_an_unknown_host_is_a_bad_request(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [gateway, _] = deployment.gateways();
    for host in ["localhost", "localhost:8000", "a.localhost", "[::1]:8000", "LocalHost"] {
        connects(gateway, &user, "host", host).await?;
        ensure!(status(gateway, &user, &[("host", host)]).await? == 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "evil.example:8000", "10.0.0.1"] {
        is_refused(gateway, &user, "host", host, 400).await?;
        ensure!(status(gateway, &user, &[("host", host)]).await? == 400, "{host}");
    }
    Ok(())
}

/// S0-11: as in Django, what a proxy (or anyone) says was the host doesn't count.
async fn s0_11_a_forwarded_host_is_not_the_host(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [gateway, _] = deployment.gateways();
    for (name, own, other) in [
        ("x-forwarded-host", "localhost", "evil.example"),
        ("forwarded", "host=localhost", "host=evil.example"),
    ] {
        let bad = [("host", "evil.example"), (name, own)];
        ensure!(status(gateway, &user, &bad).await? == 400, "{name} has let a bad host in");
        let good = [("host", "localhost"), (name, other)];
        ensure!(status(gateway, &user, &good).await? == 200, "{name} has kept a good host out");
        let socket = gateway.socket("/ws/notifications/")?.token(&user.token);
        let refusal = socket.header("host", "evil.example").header(name, own).refused().await?;
        ensure!(refusal.status == 400, "{refusal:?}");
    }
    Ok(())
}

/// S0-11: `exact.test, .example.com`: exact names, and domains with all below them.
async fn s0_11_patterns_are_those_of_allowed_hosts(
    deployment: &Deployment,
    gateway: &Gateway,
) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    for host in ["exact.test", "example.com", "app.example.com:443", "a.b.EXAMPLE.com"] {
        connects(gateway, &user, "host", host).await?;
        connects(gateway, &user, "origin", &format!("https://{host}")).await?;
    }
    for host in ["sub.exact.test", "badexample.com", "example.com.evil.test", "localhost"] {
        is_refused(gateway, &user, "host", host, 400).await?;
        is_refused(gateway, &user, "origin", &format!("https://{host}"), 403).await?;
    }
    Ok(())
}

/// S0-11: `*`.
async fn s0_11_an_asterisk_allows_everyone(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let [gateway, _] = deployment.gateways();
    for origin in ["https://anything.example", "http://localhost", "null"] {
        connects(gateway, &user, "origin", origin).await?;
    }
    connects(gateway, &user, "host", "anything.example").await
}

async fn connects(gateway: &Gateway, user: &User, header: &str, value: &str) -> anyhow::Result<()> {
    let socket = gateway.socket("/ws/notifications/")?.token(&user.token).header(header, value);
    greeted(socket).await?.close().await
}

async fn is_refused(
    gateway: &Gateway,
    user: &User,
    header: &str,
    value: &str,
    status: u16,
) -> anyhow::Result<()> {
    let socket = gateway.socket("/ws/notifications/")?.token(&user.token).header(header, value);
    let refusal = socket.refused().await?;
    ensure!(refusal.status == status, "{header} {value:?}: {refusal:?}");
    Ok(())
}

/// Of an HTTP request that is in order but for these headers.
async fn status(gateway: &Gateway, user: &User, headers: &[(&str, &str)]) -> anyhow::Result<u16> {
    let api = gateway.api().with_token(&user.token);
    let request = api.request(Method::GET, "/api/auth/me/");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Ok(send(request).await?.status)
}
