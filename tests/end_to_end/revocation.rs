//! Who loses access is disconnected within two seconds, on every gateway, and doesn't come back in.

use std::time::Duration;

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, JWT_SECRET, PASSWORD, Socket, hs256, log_in, simple_jwt_claims, unique};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    checks::{connect, ends, refused},
    suite::{Suite, both},
};

const PATH: &str = "/ws/notifications/";

/// What the promise is.
const WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        a_revoked_user_is_disconnected,
        a_deleted_user_is_disconnected,
        a_revoked_token_is_disconnected_and_no_other,
        a_refreshed_connection_ends_with_its_new_token,
        a_logout_ends_one_login_and_no_other,
        an_ended_membership_ends_its_connections,
        a_replaced_list_of_members_ends_those_left_out,
        a_revoked_service_token_publishes_no_more,
    );
}

async fn a_revoked_user_is_disconnected(deployment: &Deployment) -> anyhow::Result<()> {
    let (user, other) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let org = deployment.org(&[&user, &other]).await?;
    let own = format!("/ws/notifications/{}/", user.id);
    let events = format!("/ws/events/{org}/");
    let sockets = everywhere(deployment, &[PATH, &own, &events], &user.token).await?;
    let others = everywhere(deployment, &[PATH, &events], &other.token).await?;
    deployment.admin().await?.revoke_user(&user.id).await?;
    all_end(sockets, 4001).await?;
    all_live(others).await?;
    for gateway in deployment.gateways() {
        refused(gateway.socket(&own)?.token(&user.token), 4001).await?;
        gateway.api().with_token(&user.token).get("/api/notifications/").await?.expect(401)?;
    }
    let refresh = json!({"refresh": user.refresh});
    deployment.api().post("/api/auth/token/refresh/", &refresh).await?.expect(401)?;
    let again = log_in(&deployment.api(), &user.username, PASSWORD).await?;
    all_live(everywhere(deployment, &[PATH, &own, &events], &again.token).await?).await
}

async fn a_deleted_user_is_disconnected(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let sockets = everywhere(deployment, &[PATH], &user.token).await?;
    let path = format!("/api/auth/users/{}/", user.id);
    deployment.admin().await?.api().delete(&path).await?.expect(204)?;
    all_end(sockets, 4001).await?;
    refused(deployment.socket(PATH)?.token(&user.token), 4001).await?;
    deployment.admin().await?.api().delete(&path).await?.expect(404).map(drop)
}

/// By its `jti`; an OpenID provider's and a Django back end's too.
async fn a_revoked_token_is_disconnected_and_no_other(deployment: &Deployment) -> anyhow::Result<()> {
    let user = json!(unique("somebody"));
    let (claims, other) = (simple_jwt_claims(&user), simple_jwt_claims(&user));
    let (token, other) = (hs256(JWT_SECRET, &claims), hs256(JWT_SECRET, &other));
    let sockets = everywhere(deployment, &[PATH], &token).await?;
    let others = everywhere(deployment, &[PATH], &other).await?;
    revoke(deployment, claims["jti"].as_str().context("a jti")?).await?;
    all_end(sockets, 4001).await?;
    all_live(others).await?;
    refused(deployment.socket(PATH)?.token(&token), 4001).await
}

/// S4-08: the refreshed connection depends on the new token, and no longer on the old one.
async fn a_refreshed_connection_ends_with_its_new_token(deployment: &Deployment) -> anyhow::Result<()> {
    let user = json!(unique("somebody"));
    let (old, new) = (simple_jwt_claims(&user), simple_jwt_claims(&user));
    let mut sockets = everywhere(deployment, &[PATH], &hs256(JWT_SECRET, &old)).await?;
    let witnesses = everywhere(deployment, &[PATH], &hs256(JWT_SECRET, &old)).await?;
    for socket in &mut sockets {
        socket.send_json(&json!({"type": "refresh", "token": hs256(JWT_SECRET, &new)})).await?;
        socket.next_of_type("refreshed").await?;
    }
    revoke(deployment, old["jti"].as_str().context("a jti")?).await?;
    all_end(witnesses, 4001).await?;
    for socket in &mut sockets {
        socket.expect_none("an error", |frame| frame["type"] == "error").await?;
    }
    revoke(deployment, new["jti"].as_str().context("a jti")?).await?;
    all_end(sockets, 4001).await
}

async fn a_logout_ends_one_login_and_no_other(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let laptop = log_in(&deployment.api(), &user.username, PASSWORD).await?;
    let refresh = json!({"refresh": user.refresh});
    let later = deployment.api().post("/api/auth/token/refresh/", &refresh).await?.expect(200)?;
    let later = later["access"].as_str().context("an access token")?;
    let mut sockets = everywhere(deployment, &[PATH], &user.token).await?;
    sockets.extend(everywhere(deployment, &[PATH], later).await?);
    let others = everywhere(deployment, &[PATH], &laptop.token).await?;
    deployment.api().post("/api/auth/logout/", &refresh).await?.expect(204)?;
    all_end(sockets, 4001).await?;
    all_live(others).await?;
    for token in [&user.token, later] {
        refused(deployment.socket(PATH)?.token(token), 4001).await?;
        let verified = deployment.api().post("/api/auth/token/verify/", &json!({"token": token})).await?;
        verified.expect(401)?;
    }
    deployment.api().post("/api/auth/token/refresh/", &refresh).await?.expect(401).map(drop)
}

/// Those that needed it end with 4003, the user's others stay; the same when the organisation is removed.
async fn an_ended_membership_ends_its_connections(deployment: &Deployment) -> anyhow::Result<()> {
    let (alice, bob) = (deployment.user("alice").await?, deployment.user("bob").await?);
    let (org, other) = (deployment.org(&[&alice, &bob]).await?, deployment.org(&[&alice]).await?);
    let (path, elsewhere) = (format!("/ws/events/{org}/"), format!("/ws/events/{other}/"));
    let ended = everywhere(deployment, &[&path], &alice.token).await?;
    let stay = everywhere(deployment, &[PATH, &elsewhere], &alice.token).await?;
    let last = everywhere(deployment, &[&path], &bob.token).await?;
    let admin = deployment.admin().await?;
    admin.remove_org_member(&org, &alice.id).await?;
    all_end(ended, 4003).await?;
    all_live(stay).await?;
    for gateway in deployment.gateways() {
        refused(gateway.socket(&path)?.token(&alice.token), 4003).await?;
    }
    admin.api().delete(&format!("/api/auth/orgs/{org}/")).await?.expect(204)?;
    all_end(last, 4003).await?;
    refused(deployment.socket(&path)?.token(&bob.token), 4003).await
}

/// The bulk `PUT` by which another system keeps members in step.
async fn a_replaced_list_of_members_ends_those_left_out(deployment: &Deployment) -> anyhow::Result<()> {
    let (alice, bob, carol) =
        (deployment.user("alice").await?, deployment.user("bob").await?, deployment.user("carol").await?);
    let org = deployment.org(&[&alice, &bob]).await?;
    let path = format!("/ws/events/{org}/");
    let out = everywhere(deployment, &[&path], &alice.token).await?;
    let stay = everywhere(deployment, &[&path], &bob.token).await?;
    let token = deployment.admin().await?.create_service_token(&unique("hr"), &["memberships:write"]).await?;
    let members = json!({"members": [bob.id_json(), carol.id_json()]});
    let api = deployment.api().with_token(&token.token);
    let replaced = api.put(&format!("/api/auth/orgs/{org}/members/"), &members).await?.expect(200)?;
    ensure!(replaced == json!({"added": 1, "removed": 1}), "{replaced}");
    all_end(out, 4003).await?;
    all_live(stay).await?;
    all_live(everywhere(deployment, &[&path], &carol.token).await?).await
}

async fn a_revoked_service_token_publishes_no_more(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let admin = deployment.admin().await?;
    let token = admin.create_service_token(&unique("shop"), &["notifications:send"]).await?;
    let body = json!({"user_id": user.id, "title": "Test", "message": "Hello!"});
    let api = deployment.api().with_token(&token.token);
    api.post("/api/notifications/send/", &body).await?.expect(200)?;
    admin.api().delete(&format!("/api/auth/service-tokens/{}/", token.id)).await?.expect(204)?;
    let refused = async {
        while api.post("/api/notifications/send/", &body).await?.status == 200 {}
        anyhow::Ok(())
    };
    timeout(WITHIN, refused).await.context("it still publishes")??;
    api.post("/api/notifications/send/", &body).await?.expect(401).map(drop)
}

async fn revoke(deployment: &Deployment, token: &str) -> anyhow::Result<()> {
    let path = format!("/api/auth/tokens/{token}/revoke/");
    deployment.admin().await?.api().post(&path, &json!({})).await?.success().map(drop)
}

/// A connection to each of these, on each gateway.
async fn everywhere(deployment: &Deployment, paths: &[&str], token: &str) -> anyhow::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for gateway in deployment.gateways() {
        for path in paths {
            sockets.push(connect(gateway, path, token).await?);
        }
    }
    Ok(sockets)
}

async fn all_end(sockets: Vec<Socket>, code: u16) -> anyhow::Result<()> {
    let all = async {
        for mut socket in sockets {
            ends(&mut socket, code).await?;
        }
        anyhow::Ok(())
    };
    timeout(WITHIN, all).await.context("a connection did not end within two seconds")?
}

async fn all_live(sockets: Vec<Socket>) -> anyhow::Result<()> {
    for mut socket in sockets {
        socket.expect_none("an error", |frame| frame["type"] == "error").await?;
        socket.close().await?;
    }
    Ok(())
}
