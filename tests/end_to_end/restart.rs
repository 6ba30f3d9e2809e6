//! What outlives a restart of `carillon up`: everything.

use anyhow::{Context, ensure};
use carillon_testkit::{Api, Deployment, OneProcess, Options, PASSWORD, User, log_in, send, unique};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checks::{connect, has, refused},
    suite::Suite,
};

const INBOX: &str = "/api/notifications/";

pub(crate) fn register(suite: &mut Suite) {
    suite.own_process("a_restart_keeps_everything", Options::default, a_restart_keeps_everything);
}

/// What was there before a restart.
struct World {
    user: User,
    org: String,
    key: String,
    /// Of a login that was logged out.
    void: String,
    service: String,
    inbox: Value,
    jwks: Value,
    places: [(String, String); 2],
}

/// When it is asked to stop, and when it is killed.
async fn a_restart_keeps_everything(process: &OneProcess) -> anyhow::Result<()> {
    let deployment = process.deployment();
    is_the_demo(deployment).await?;
    let world = build(deployment).await?;
    let status = deployment.stop(OneProcess::NAME).await?;
    ensure!(status.success(), "stopped with {status}");
    process.start_again().await?;
    is_all_there(deployment, &world).await.context("after it was stopped")?;
    process.kill()?;
    process.start_again().await?;
    is_all_there(deployment, &world).await.context("after it was killed")
}

async fn build(deployment: &Deployment) -> anyhow::Result<World> {
    let user = deployment.user("alice").await?;
    let org = deployment.org(&[&user]).await?;
    let admin = deployment.admin().await?;
    let service = admin.create_service_token(&unique("shop"), &["notifications:send"]).await?.token;
    let [gateway, _] = deployment.gateways();
    let notifications = connect(gateway, "/ws/notifications/", &user.token).await?;
    let path = format!("/ws/events/{org}/");
    let events = connect(gateway, &path, &user.token).await?;
    let places = [
        ("/ws/notifications/".to_owned(), notifications.since().context("a place")?),
        (path, events.since().context("a place")?),
    ];
    let key = unique("order");
    let api = deployment.api().with_token(&user.token);
    for _ in 0..3 {
        let body = json!({"user_id": user.id, "title": unique("title"), "message": "Hello", "order_id": 456});
        admin.notify(&body).await?;
    }
    keyed(&deployment.api().with_token(&service), &user, &key).await?;
    let ids = api.get(INBOX).await?.expect(200)?;
    api.post(&format!("{INBOX}{}/read/", ids["items"][1]["id"]), &json!({})).await?.expect(200)?;
    api.delete(&format!("{INBOX}{}/", ids["items"][2]["id"])).await?.expect(204)?;
    admin.publish(&org, &json!({"event_type": "resource.created", "data": {"resource_id": 7}})).await?;
    let login = log_in(&deployment.api(), &user.username, PASSWORD).await?;
    let refresh = json!({"refresh": login.refresh});
    deployment.api().post("/api/auth/logout/", &refresh).await?.expect(204)?;
    let inbox = api.get(INBOX).await?.expect(200)?;
    let jwks = api.get("/.well-known/jwks.json").await?.expect(200)?;
    Ok(World { user, org, key, void: login.token, service, inbox, jwks, places })
}

async fn is_all_there(deployment: &Deployment, world: &World) -> anyhow::Result<()> {
    let World { user, org, key, void, service, inbox, jwks, places } = world;
    let api = deployment.api().with_token(&user.token);
    let (now, keys) =
        (api.get(INBOX).await?.expect(200)?, api.get("/.well-known/jwks.json").await?.expect(200)?);
    ensure!(now["items"] == inbox["items"] && now["counts"] == inbox["counts"], "it is {now}, was {inbox}");
    ensure!(now["version"].as_i64() >= inbox["version"].as_i64(), "the version is older: {now}");
    ensure!(keys == *jwks, "the keys are {keys}, were {jwks}");
    let me = api.get("/api/auth/me/").await?.expect(200)?;
    has(&me, &json!({"id": user.id_json(), "username": user.username}))?;
    ensure!(me["organisations"][0]["id"] == *org, "no member any more: {me}");
    log_in(&deployment.api(), &user.username, PASSWORD).await?;
    refused(deployment.socket("/ws/notifications/")?.token(void), 4001).await?;
    is_the_demo(deployment).await?;
    // Repeated, the request is still the one before the restart.
    keyed(&deployment.api().with_token(service), user, key).await?;
    let again = api.get(INBOX).await?.expect(200)?;
    ensure!(
        again["items"] == inbox["items"] && again["counts"] == inbox["counts"],
        "it is {again}, was {inbox}"
    );
    for (path, since) in places {
        resumes(deployment, path, &user.token, since).await.with_context(|| path.clone())?;
    }
    Ok(())
}

/// Made once: alice and bob are members of organisation acme and of project 1, carol of neither.
async fn is_the_demo(deployment: &Deployment) -> anyhow::Result<()> {
    for (id, username, member, roles) in [
        (1, "alice", true, json!([])),
        (2, "bob", true, json!([])),
        (3, "carol", false, json!([])),
        (4, "admin", false, json!(["admin"])),
    ] {
        let user = log_in(&deployment.api(), username, PASSWORD).await?;
        let me = deployment.api().with_token(&user.token).get("/api/auth/me/").await?.expect(200)?;
        has(&me, &json!({"id": id, "username": username, "roles": roles}))?;
        let (orgs, projects) = (&me["organisations"], &me["projects"]);
        if member {
            has(&orgs[0], &json!({"id": "acme"}))?;
            has(&projects[0], &json!({"id": 1, "key": "PROJ"}))?;
        } else {
            ensure!(*orgs == json!([]) && *projects == json!([]), "{me}");
        }
    }
    Ok(())
}

async fn keyed(api: &Api, user: &User, key: &str) -> anyhow::Result<()> {
    let body = json!({"user_id": user.id, "title": "once", "message": "Hello"});
    let request = api.request(Method::POST, "/api/notifications/send/").header("idempotency-key", key);
    send(request.json(&body)).await?.expect(200).map(drop)
}

/// Everything since the place before the first restart, in order: the log and its epoch are the same.
async fn resumes(deployment: &Deployment, path: &str, token: &str, since: &str) -> anyhow::Result<()> {
    let mut socket = deployment.socket(path)?.token(token).since(Some(since.to_owned())).open().await?;
    socket.next_json().await?;
    let recovery = socket.next_json().await?;
    has(&recovery, &json!({"type": "recovery", "recovered": true}))?;
    let last: u64 = since.rsplit('.').next().context("an offset")?.parse()?;
    let missed = recovery["missed"].as_u64().filter(|missed| *missed > 0).context("nothing was missed")?;
    for offset in last + 1..=last + missed {
        has(&socket.next_json().await?, &json!({"offset": offset}))?;
    }
    socket.close().await
}
