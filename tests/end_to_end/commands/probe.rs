//! `carillon probe`.

use anyhow::ensure;
use carillon_testkit::{Cluster, Deployment, Options, User};
use serde_json::{Value, json};

use super::invocation::{Ended, Invocation};
use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(suite, s0_13_probe_visits_every_endpoint, s0_13_probe_says_what_it_could_not_see);
    suite.own_cluster("s0_13_probe_finds_a_service_that_is_away", Options::default, a_service_is_away);
}

/// Someone who may be everywhere.
async fn everywhere(deployment: &Deployment) -> anyhow::Result<User> {
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    deployment.org(&[&alice]).await?;
    deployment.project(&[&alice]).await?;
    let api = deployment.api().with_token(&alice.token);
    api.post("/api/chat/conversations/", &json!({"participants": [bob.id_json()]})).await?.success()?;
    Ok(alice)
}

fn probe(deployment: &Deployment, token: &str, arguments: &[&str]) -> Invocation {
    let url = &deployment.gateways()[0].http;
    let invocation = Invocation::of(&["probe", "--json", "--timeout", "20s", "--url", url]).with(arguments);
    invocation.variable("CARILLON_TOKEN", token)
}

fn rows(ended: &Ended) -> anyhow::Result<Vec<Value>> {
    Ok(ended.json()?["endpoints"].as_array().cloned().unwrap_or_default())
}

/// S0-13: each endpoint answers, and what is missed there is recovered.
pub(crate) async fn s0_13_probe_visits_every_endpoint(deployment: &Deployment) -> anyhow::Result<()> {
    let user = everywhere(deployment).await?;
    let ended = probe(deployment, &user.token, &[]).exits(0).await?;
    let rows = rows(&ended)?;
    let names: Vec<&str> = rows.iter().filter_map(|row| row["endpoint"].as_str()).collect();
    for name in [
        "notifications",
        "events",
        "conversation",
        "chat",
        "collaboration",
        "document",
        "counter",
        "project",
        "carillon.v1",
    ] {
        ensure!(names.contains(&name), "{name} is not among {names:?}");
    }
    let skipped: Vec<&Value> = rows.iter().filter(|row| row["outcome"] != "ok").collect();
    let is_for_admins = |row: &&Value| row["endpoint"] == "system-health";
    ensure!(skipped.iter().all(is_for_admins), "{skipped:?}");
    for row in rows.iter().filter(|row| row["outcome"] == "ok") {
        for time in ["handshake_ms", "greeting_ms", "ping_ms", "echo_ms", "recovery_ms"] {
            ensure!(row[time].as_f64().is_some_and(|time| time > 0.0), "no {time} in {row}");
        }
    }
    Ok(())
}

/// S0-13: who may be nowhere sees less, and is told why; nothing at all is a failure.
async fn s0_13_probe_says_what_it_could_not_see(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let ended = probe(deployment, &user.token, &["--endpoints", "events,chat"]).exits(0).await?;
    has(&ended.json()?, &json!({"ok": 1, "failed": 0, "skipped": 1}))?;
    let events = &rows(&ended)?[0];
    ensure!(events["reason"].as_str().is_some_and(|reason| reason.contains("--org")), "{events}");
    probe(deployment, &user.token, &["--endpoints", "events,chat", "--strict"]).exits(1).await?;
    probe(deployment, &user.token, &["--endpoints", "events"]).exits(1).await?;
    // Of an organisation where the user is nobody.
    let refused =
        probe(deployment, &user.token, &["--endpoints", "events", "--org", "elsewhere"]).exits(1).await?;
    has(&rows(&refused)?[0], &json!({"outcome": "failed"}))?;
    probe(deployment, "no-token", &[]).exits(1).await?.complains("who am I?")?;
    probe(deployment, &user.token, &["--endpoints", "nothing"]).exits(2).await?.complains("carillon.v1")
}

/// S0-13: the endpoints of a service that is away fail, and no other; when it is back, all is well.
async fn a_service_is_away(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let user = everywhere(deployment).await?;
    for replica in ["chat-1", "chat-2"] {
        deployment.kill(replica)?;
    }
    let ended = probe(deployment, &user.token, &["--conversation", "1"]).exits(1).await?;
    for row in rows(&ended)? {
        let name = row["endpoint"].as_str().unwrap_or_default();
        let is_of_chat =
            ["conversation", "chat", "collaboration", "document", "counter", "named-counter"].contains(&name);
        let expected = if is_of_chat { "failed" } else { "ok" };
        ensure!(row["outcome"] == expected || name == "system-health", "{row}");
    }
    deployment.start("chat-1").await?;
    probe(deployment, &user.token, &[]).exits(0).await.map(drop)
}
