//! `carillon check`.

use std::fs;

use anyhow::{Context, ensure};
use carillon_testkit::{
    Authority, Cluster, Deployment, Durability, IdentityProvider, JWT_SECRET, Key, Nats, OneProcess, Options,
    Postgres, hs256, now,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::invocation::{Ended, Invocation};
use crate::{checks::has, suite::Suite};

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("s0_13_check_of_a_cluster", Options::default, a_cluster);
    suite.own_process("s0_13_check_of_one_process", Options::default, one_process);
    suite.secure("s0_13_check_judges_certificates", certificates);
}

fn check(arguments: &[&str]) -> Invocation {
    Invocation::of(&["check", "--json", "--timeout", "10s"]).with(arguments)
}

/// The row about one thing.
fn row(ended: &Ended, group: &str, check: &str) -> anyhow::Result<Value> {
    let report = ended.json()?;
    let rows = report["checks"].as_array().cloned().unwrap_or_default();
    let found = rows.into_iter().find(|row| row["group"] == group && row["check"] == check);
    found.with_context(|| format!("no row {group}, {check}: {report}"))
}

/// Checks the status of one row, and that a bad one says how to mend it.
fn is(ended: &Ended, group: &str, check: &str, status: &str) -> anyhow::Result<Value> {
    let row = row(ended, group, check)?;
    ensure!(row["status"] == status, "expected {status}: {row}");
    let is_bad = ["failed", "warning"].contains(&status);
    ensure!(row["mend"].is_string() == is_bad, "{row}");
    Ok(row)
}

/// S0-13: all is well with a cluster; and what isn't, one thing after the other, is found.
async fn a_cluster(cluster: &Cluster) -> anyhow::Result<()> {
    let (nats, postgres) = (cluster.nats().url(), cluster.postgres().url());
    let gateway = &cluster.deployment().gateways()[0];
    let whole = [
        "--nats-url",
        &nats,
        "--nats-user",
        "gateway",
        "--nats-password",
        "gateway",
        "--database-url",
        &postgres,
        "--url",
        &gateway.http,
        "--ready",
        &gateway.operations,
    ];
    let own = |invocation: Invocation| invocation.variable("CARILLON_JWT_SECRET", JWT_SECRET);
    let ended = own(check(&whole)).exits(0).await?;
    has(&ended.json()?, &json!({"failed": 0}))?;
    for (group, what) in [
        ("configuration", "options"),
        ("keys", "shared secret"),
        ("keys", "auth's own"),
        ("nats", "connection"),
        ("nats", "version"),
        ("nats", "max_payload"),
        ("nats", "round trip"),
        ("nats", "permissions"),
        ("database", "version"),
        ("database", "encoding"),
        ("database", "clock"),
        ("database", "connections"),
        ("database", "auth"),
        ("database", "chat"),
        ("services", "auth"),
        ("services", "ticket-presence"),
        ("addresses", gateway.http.as_str()),
        ("addresses", &format!("{}/readyz", gateway.operations)),
    ] {
        is(&ended, group, what, "ok")?;
    }
    what_each_program_may(&nats).await?;
    what_nats_lacks().await?;
    what_databases_lack(&postgres).await?;
    what_tokens_lack(&nats).await?;
    a_service_is_away(cluster, &whole).await
}

/// Each program is a user of its own, who may do what that needs, and not what another does.
async fn what_each_program_may(nats: &str) -> anyhow::Result<()> {
    for program in ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"] {
        let login = ["--nats-url", nats, "--nats-user", program, "--nats-password", program];
        let ended = check(&[&login[..], &["--nats-name", program]].concat()).exits(0).await?;
        is(&ended, "nats", "permissions", "ok")?;
        is(&ended, "nats", "round trip", "ok")?;
    }
    let chat = ["--nats-url", nats, "--nats-user", "chat", "--nats-password", "chat"];
    let ended = Invocation::of(&["check", "--json", "--timeout", "1s"]).with(&chat).exits(1).await?;
    let denied = is(&ended, "nats", "permissions", "failed")?;
    ensure!(denied["detail"].as_str().is_some_and(|detail| detail.contains("rpc.auth.heads")), "{denied}");
    is(&ended, "nats", "round trip", "failed").map(drop)
}

async fn what_nats_lacks() -> anyhow::Result<()> {
    let nobody = check(&["--nats-url", "nats://127.0.0.1:1"]).exits(1).await?;
    is(&nobody, "nats", "connection", "failed")?;
    is(&nobody, "services", "on the bus", "skipped")?;

    let small = Nats::start_with("max_payload: 1MB").await?;
    let ended = check(&["--nats-url", &small.url()]).exits(1).await?;
    let payload = is(&ended, "nats", "max_payload", "failed")?;
    ensure!(payload["mend"].as_str().is_some_and(|mend| mend.contains("8MB")), "{payload}");
    is(&ended, "services", "auth", "failed")?;

    let strict = Nats::start_with(
        r#"max_payload: 8MB
        authorization { users: [{
          user: carillon, password: secret, permissions: { publish: ["rpc.>"], subscribe: ["_INBOX_gateway.>"] }
        }] }"#,
    )
    .await?;
    let ended = check(&["--nats-url", &strict.url()]).exits(1).await?;
    let refused = is(&ended, "nats", "connection", "failed")?;
    ensure!(refused["mend"].as_str().is_some_and(|mend| mend.contains("--nats-credentials")), "{refused}");
    let login = format!("nats://carillon:secret@127.0.0.1:{}", strict.port());
    let ended =
        Invocation::of(&["check", "--json", "--timeout", "2s", "--nats-url", &login]).exits(1).await?;
    let denied = is(&ended, "nats", "permissions", "failed")?;
    ensure!(denied["detail"].as_str().is_some_and(|detail| detail.contains("live.")), "{denied}");
    ensure!(!ended.output.contains("secret@"), "a password is shown: {ended:?}");
    Ok(())
}

async fn what_databases_lack(of_another: &str) -> anyhow::Result<()> {
    let fresh = Postgres::start(Durability::Process).await?;
    let ended = check(&["--database-url", &fresh.url()]).exits(0).await?;
    let pending = is(&ended, "database", "chat", "warning")?;
    ensure!(pending["detail"].as_str().is_some_and(|detail| detail.contains("not taken yet")), "{pending}");
    check(&["--database-url", &fresh.url(), "--strict"]).exits(1).await?;
    fresh.kill()?;
    // One service elsewhere, where there is nothing any more.
    let elsewhere = format!("chat={}", fresh.url());
    let ended = check(&["--database-url", of_another, "--database", &elsewhere]).exits(1).await?;
    is(&ended, "database", "chat", "failed")?;
    is(&ended, "database", "auth", "ok")?;
    check(&["--database", "nothing=postgres://x"]).exits(2).await.map(drop)
}

async fn what_tokens_lack(nats: &str) -> anyhow::Result<()> {
    let short = check(&[]).variable("CARILLON_JWT_SECRET", "tooshort").variable("CARILLON_WORKERS", "many");
    let ended = short.exits(1).await?;
    is(&ended, "configuration", "CARILLON_JWT_SECRET", "failed")?;
    is(&ended, "configuration", "CARILLON_WORKERS", "failed")?;
    ensure!(!ended.output.contains("tooshort"), "a secret is shown: {ended:?}");
    check(&["--workers", "many"]).exits(2).await?;
    let missing = check(&["--jwt-secret-file", "/nowhere/secret"]).exits(1).await?;
    is(&missing, "keys", "shared secret", "failed")?;
    is(&missing, "configuration", "options", "failed")?;
    let weak = check(&[]).variable("CARILLON_JWT_SECRET", "sixteen-bytes-ok").exits(0).await?;
    is(&weak, "keys", "shared secret", "warning")?;

    let judged = async |expiry: u64, code: i32| {
        let token = hs256(JWT_SECRET, &json!({"user_id": 7, "exp": expiry}));
        let invocation = check(&["--nats-url", nats]).variable("CARILLON_JWT_SECRET", JWT_SECRET);
        invocation.variable("CARILLON_TOKEN", &token).exits(code).await
    };
    let good = judged(now() + 300, 0).await?;
    let row = is(&good, "keys", "token", "ok")?;
    let detail = row["detail"].as_str().unwrap_or_default();
    ensure!(detail.contains("of 7, by django"), "{row}");
    let left = detail.rsplit_once(' ').and_then(|(_, left)| left.strip_suffix('s')?.parse::<u64>().ok());
    ensure!(left.is_some_and(|left| (200..=300).contains(&left)), "it says for how many seconds: {row}");
    is(&judged(now() - 300, 1).await?, "keys", "token", "failed")?;

    let url = "http://127.0.0.1:1/certs";
    let provider = check(&[]).variable("KEYCLOAK_JWKS_URL", url).exits(1).await?;
    is(&provider, "keys", "OpenID provider", "failed")?;
    let running = IdentityProvider::start(Key::p256("first")?).await?;
    let provider = check(&[]).variable("KEYCLOAK_JWKS_URL", &running.jwks_url()).exits(0).await?;
    let keys = is(&provider, "keys", "OpenID provider", "ok")?;
    ensure!(keys["detail"].as_str().is_some_and(|detail| detail.contains("ES256")), "{keys}");
    Ok(())
}

async fn a_service_is_away(cluster: &Cluster, whole: &[&str]) -> anyhow::Result<()> {
    for replica in ["chat-1", "chat-2"] {
        cluster.deployment().kill(replica)?;
    }
    let ended = check(whole).exits(1).await?;
    is(&ended, "services", "chat", "failed")?;
    is(&ended, "services", "auth", "ok").map(drop)
}

/// S0-13: what `carillon up` stands on: its files, and whoever can read them.
async fn one_process(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    let gateway = &deployment.gateways()[0];
    let data = deployment.supervisor().directory().join("data");
    let directory = data.display().to_string();
    let arguments = ["--data-dir", &directory, "--url", &gateway.http, "--ready", &gateway.operations];
    let ended = check(&arguments).exits(0).await?;
    has(&ended.json()?, &json!({"failed": 0, "warnings": 0}))?;
    for (group, what) in [
        ("configuration", "mode"),
        ("database", "chat"),
        ("database", "chat, file"),
        ("files", "store"),
        ("addresses", gateway.http.as_str()),
        ("addresses", &format!("{}, demo", gateway.http)),
    ] {
        is(&ended, group, what, "ok")?;
    }
    is(&ended, "nats", "connection", "skipped")?;
    let public =
        check(&arguments).with(&["--listen", "0.0.0.0:8000", "--allow-anonymous", "all"]).exits(0).await?;
    for what in ["mode", "hosts", "anonymous"] {
        is(&public, "configuration", what, "warning")?;
    }
    let nowhere = check(&["--data-dir", "/nowhere/data"]).exits(1).await?;
    is(&nowhere, "database", "auth", "failed")?;
    deployment.stop(OneProcess::NAME).await?;
    let stopped = check(&arguments).exits(1).await?;
    is(&stopped, "addresses", gateway.http.as_str(), "failed").map(drop)
}

/// S0-13, S4-09: the certificate that clients are shown, and the one that a gateway would start with.
async fn certificates(deployment: &Deployment) -> anyhow::Result<()> {
    let gateway = &deployment.gateways()[0];
    let row_of_url = format!("{}, TLS", gateway.http);
    let ended = check(&["--url", &gateway.http]).exits(0).await?;
    let shown = is(&ended, "addresses", &row_of_url, "ok")?;
    ensure!(shown["detail"] == "a valid certificate, for 30 days more", "{shown}");
    let stranger = check(&["--url", &gateway.http]).variable("SSL_CERT_FILE", "/nowhere/ca.crt");
    is(&stranger.exits(1).await?, "addresses", &row_of_url, "failed")?;
    let plain = gateway.http.replace("https://", "http://");
    is(&check(&["--url", &plain]).exits(1).await?, "addresses", &plain, "failed")?;
    let no_tls = gateway.operations.replace("http://", "https://");
    is(&check(&["--url", &no_tls]).exits(1).await?, "addresses", &format!("{no_tls}, TLS"), "failed")?;

    let (authority, directory) = (Authority::new()?, TempDir::new()?);
    let [certificate, key] = authority.issue("gateway.test", 30)?.write(directory.path())?;
    let files = async |code: i32, status: &str| {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        let ended = check(&["--tls-certificate", &certificate, "--tls-key", &key]).exits(code).await?;
        is(&ended, "configuration", "TLS", status)
    };
    let good = files(0, "ok").await?;
    ensure!(good["detail"] == "a certificate, for 30 days more", "{good}");
    authority.issue("gateway.test", 3)?.write(directory.path())?;
    let ending = files(0, "warning").await?;
    ensure!(ending["detail"] == "the certificate ends in 3 days", "{ending}");
    fs::write(&key, authority.issue("gateway.test", 30)?.key)?;
    let wrong = files(1, "failed").await?;
    ensure!(wrong["detail"].as_str().is_some_and(|detail| detail.contains("don't make a pair")), "{wrong}");
    fs::remove_file(&certificate)?;
    files(1, "failed").await?;
    check(&["--tls-key", "alone"]).exits(2).await.map(drop)
}
