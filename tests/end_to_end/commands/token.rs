//! `carillon token`.

use anyhow::ensure;
use carillon_testkit::{Cluster, Deployment, JWT_SECRET, OneProcess, Options, unique};
use serde_json::json;

use super::invocation::Invocation;
use crate::{
    checks::has,
    suite::{Suite, both},
};

pub(super) fn register(suite: &mut Suite) {
    both!(suite, s0_13_a_minted_token_is_taken);
    suite.own_process("s0_13_a_token_by_auths_own_key", Options::default, with_sqlite);
    suite.own_cluster("s0_13_a_token_by_auths_own_key", Options::default, with_postgres);
}

/// S0-13: a token of the shared secret is one that gateways take, for whom it says.
async fn s0_13_a_minted_token_is_taken(deployment: &Deployment) -> anyhow::Result<()> {
    let user = unique("user");
    let mint = || Invocation::of(&["token", "--user", &user]);
    let secret = |invocation: Invocation| invocation.variable("CARILLON_JWT_SECRET", JWT_SECRET);
    let minted = secret(mint().with(&["--username", "ann", "--claim", "team=[1]"])).exits(0).await?;
    ensure!(minted.output.trim().split('.').count() == 3 && minted.output.lines().count() == 1, "{minted:?}");
    let me = deployment.api().with_token(minted.output.trim()).get("/api/auth/me/").await?.expect(200)?;
    has(&me, &json!({"id": format!("django:{user}"), "username": "ann"}))?;

    let directory = tempfile::tempdir()?;
    let file = directory.path().join("secret");
    std::fs::write(&file, format!("{JWT_SECRET}\n"))?;
    let file = file.display().to_string();
    let minted =
        mint().with(&["--jwt-secret-file", &file, "--lifetime", "2m", "--json"]).exits(0).await?.json()?;
    has(&minted, &json!({"kind": "access", "signed_by": "secret", "holder": user, "expires_in": 120}))?;
    let token = minted["token"].as_str().unwrap_or_default();
    deployment.api().with_token(token).get("/api/auth/me/").await?.expect(200)?;

    mint().exits(2).await?.complains("nothing to sign with")?;
    let short = mint().with(&["--jwt-secret-file", "/dev/null"]).exits(1).await?;
    short.complains("at least 16 bytes")?;
    Invocation::of(&["token"]).exits(2).await?.complains("--user")?;
    let unscoped = Invocation::of(&["token", "--service", "shop"]).exits(2).await?;
    unscoped.complains("--scopes")
}

/// S0-13: with auth's own key, out of the database of `carillon up`.
async fn with_sqlite(process: &OneProcess) -> anyhow::Result<()> {
    let file = process.deployment().supervisor().directory().join("data/auth.db");
    by_auths_own_key(process.deployment(), &format!("sqlite:{}", file.display())).await
}

/// S0-13: with auth's own key, out of a cluster's database.
async fn with_postgres(cluster: &Cluster) -> anyhow::Result<()> {
    by_auths_own_key(cluster.deployment(), &cluster.postgres().url()).await
}

/// A back end's token is listed by auth, and can be revoked as any other; a user's has the user's own roles.
async fn by_auths_own_key(deployment: &Deployment, database: &str) -> anyhow::Result<()> {
    let (name, user) = (unique("shop"), deployment.user("alice").await?);
    let database = ["--database-url", database];
    let service =
        Invocation::of(&["token", "--service", &name, "--scopes", "notifications:send"]).with(&database);
    let token = service.exits(0).await?.output;
    let back_end = deployment.api().with_token(token.trim());
    let body = json!({"user_id": user.id, "title": "minted", "message": "Hello"});
    back_end.post("/api/notifications/send/", &body).await?.expect(200)?;
    let admin = deployment.admin().await?.api();
    let listed = admin.get("/api/auth/service-tokens/").await?.expect(200)?;
    let items = listed["items"].as_array().cloned().unwrap_or_default();
    let own = items.iter().find(|item| item["name"] == name.as_str());
    has(own.unwrap_or(&json!(null)), &json!({"scopes": ["notifications:send"], "created_by": "operator"}))?;

    let admins = Invocation::of(&["token", "--user", "admin"]).with(&database).exits(0).await?.output;
    deployment.api().with_token(admins.trim()).get("/api/auth/users/").await?.expect(200)?;
    let stranger =
        Invocation::of(&["token", "--user", "nobody-of-that-name"]).with(&database).exits(1).await?;
    stranger.complains("no user")?;
    let scopes =
        Invocation::of(&["token", "--service", "x", "--scopes", "all"]).with(&database).exits(1).await?;
    scopes.complains("notifications:send")
}
