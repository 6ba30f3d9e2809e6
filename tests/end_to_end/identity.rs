//! Tokens of other issuers (document 1): an OpenID provider's, and those that tests mint.

use std::time::Duration;

use anyhow::ensure;
use carillon_testkit::{
    DEADLINE, Deployment, Gateway, JWT_SECRET, Key, PASSWORD, hs256, keycloak_claims, log_in, now,
    simple_jwt_claims, token, unique, unsigned,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    checks::{connect, has, refused},
    suite::{Suite, both, keycloak},
};

const PATH: &str = "/ws/notifications/";

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s1_08_keys_rotate_without_a_restart,
        auths_own_keys_rotate_without_a_restart,
        s1_11_tokens_can_be_minted_without_a_provider,
        s1_11_a_minted_token_has_its_bounds,
    );
    keycloak!(
        suite,
        s1_08_the_greeting_is_the_documents,
        s1_08_the_claims_say_who_it_is,
        s1_08_no_one_can_pretend_to_be_another_issuers_user,
    );
}

/// S1-08: where the provider owns bare ids, the greeting is document 1's to the letter.
async fn s1_08_the_greeting_is_the_documents(deployment: &Deployment) -> anyhow::Result<()> {
    let token = deployment.identity_provider()?.token("test-user-123")?;
    for gateway in deployment.gateways() {
        let mut socket = gateway.socket(PATH)?.token(&token).open().await?;
        let expected = json!({
            "type": "connection.established",
            "message": "Connected to notifications",
            "user_id": "test-user-123",
        });
        has(&socket.next_json().await?, &expected)?;
        socket.close().await?;
    }
    let mut own = connect(&deployment.gateways()[0], "/ws/notifications/test-user-123/", &token).await?;
    let title = unique("Hello");
    let body = json!({"user_id": "test-user-123", "title": title, "body": "You have a new message"});
    deployment.admin().await?.notify(&body).await?;
    own.next_where("the notification", |frame| frame["notification"]["title"] == title).await?;
    own.close().await
}

/// S1-08: `sub`, `email` and the names of a Keycloak token; its roles count only where they are mapped.
async fn s1_08_the_claims_say_who_it_is(deployment: &Deployment) -> anyhow::Result<()> {
    let (provider, subject) = (deployment.identity_provider()?, unique("0b5f-4c1d"));
    let mut claims = keycloak_claims(provider.issuer(), &subject);
    claims["realm_access"]["roles"] = json!(["admin", "realm-admin"]);
    let api = deployment.api().with_token(&provider.sign(&claims)?);
    let me = api.get("/api/auth/me/").await?.expect(200)?;
    let email = format!("{subject}@example.com");
    has(
        &me,
        &json!({"id": subject, "username": subject, "email": email, "first_name": "Test", "roles": []}),
    )?;
    api.get("/api/auth/users/").await?.expect(403)?;
    let org = deployment.org(&[]).await?;
    let path = format!("/ws/events/{org}/");
    refused(deployment.socket(&path)?.token(&provider.sign(&claims)?), 4003).await?;
    deployment.admin().await?.add_org_member(&org, &subject).await?;
    connect(&deployment.gateways()[0], &path, &provider.sign(&claims)?).await?.close().await
}

/// S1-08: what an issuer calls its users never is the name of another's.
async fn s1_08_no_one_can_pretend_to_be_another_issuers_user(deployment: &Deployment) -> anyhow::Result<()> {
    let (provider, user) = (deployment.identity_provider()?, deployment.user("alice").await?);
    ensure!(user.id.starts_with("carillon:"), "auth's users have no prefix here: {}", user.id);
    for subject in [user.id.as_str(), "django:7", "carillon:4"] {
        refused(deployment.socket(PATH)?.token(&provider.token(subject)?), 4001).await?;
    }
    let minted = hs256(JWT_SECRET, &simple_jwt_claims(&json!("test-user-123")));
    greets(&deployment.gateways()[0], &minted, &json!("django:test-user-123")).await
}

/// S1-08: RS256, then ES256 under another key, on every gateway, while the processes run on. Where the provider isn't
/// the owner of bare ids, its users are prefixed.
async fn s1_08_keys_rotate_without_a_restart(deployment: &Deployment) -> anyhow::Result<()> {
    let (provider, expected) = (deployment.identity_provider()?, json!("keycloak:test-user-123"));
    let rs256 = provider.token("test-user-123")?;
    for gateway in deployment.gateways() {
        greets(gateway, &rs256, &expected).await?;
    }
    // Of keys that nobody has: asking the provider for each of them would be an attack on it.
    let claims = keycloak_claims(provider.issuer(), "test-user-123");
    let (unknown, fetched) = (Key::p256("unknown")?.sign(&claims)?, provider.fetched());
    for _ in 0..5 {
        refused(deployment.socket(PATH)?.token(&unknown), 4001).await?;
    }
    ensure!(provider.fetched() <= fetched + 1, "fetched {} times", provider.fetched() - fetched);

    provider.rotate(Key::p256("second")?);
    let es256 = provider.token("test-user-123")?;
    for gateway in deployment.gateways() {
        is_accepted(gateway, &es256).await?;
        greets(gateway, &es256, &expected).await?;
        refused(gateway.socket(PATH)?.token(&rs256), 4001).await?;
        refused(gateway.socket(PATH)?.token(&Key::p256("second")?.sign(&claims)?), 4001).await?;
        refused(gateway.socket(PATH)?.token(&unsigned(&claims)), 4001).await?;
    }
    Ok(())
}

/// On every gateway at once, and tokens of the keys before are still good.
async fn auths_own_keys_rotate_without_a_restart(deployment: &Deployment) -> anyhow::Result<()> {
    let user = deployment.user("alice").await?;
    let keys = async |gateway: &Gateway| {
        let keys = gateway.api().get("/.well-known/jwks.json").await?.expect(200)?;
        let ids = keys["keys"].as_array().into_iter().flatten().map(|key| key["kid"].to_string());
        anyhow::Ok(ids.collect::<Vec<_>>())
    };
    let [first, second] = deployment.gateways();
    let before = keys(first).await?;
    deployment.admin().await?.api().post("/api/auth/keys/rotate/", &json!({})).await?.success()?;
    let later = log_in(&deployment.api(), &user.username, PASSWORD).await?;
    for gateway in [first, second] {
        let after = keys(gateway).await?;
        ensure!(
            before.iter().all(|id| after.contains(id)) && after.len() > before.len(),
            "{before:?}, {after:?}"
        );
        for token in [&user.token, &later.token] {
            greets(gateway, token, &user.id_json()).await?;
        }
    }
    ensure!(user.token.split('.').next() != later.token.split('.').next(), "the key is the same");
    Ok(())
}

/// S1-11: with the secret of the environment and nothing else; SimpleJWT's claim, as a number or a text.
async fn s1_11_tokens_can_be_minted_without_a_provider(deployment: &Deployment) -> anyhow::Result<()> {
    let [first, second] = deployment.gateways();
    greets(first, &hs256(JWT_SECRET, &simple_jwt_claims(&json!(7))), &json!("django:7")).await?;
    let name = unique("test-user-123");
    let minted = hs256(JWT_SECRET, &simple_jwt_claims(&json!(name)));
    greets(second, &minted, &json!(format!("django:{name}"))).await?;
    let subject = hs256(JWT_SECRET, &json!({"sub": name, "exp": now() + 60}));
    greets(second, &subject, &json!(format!("django:{name}"))).await?;

    let mut socket = connect(first, &format!("/ws/notifications/django:{name}/"), &minted).await?;
    let title = unique("Hello");
    let body = json!({"user_id": format!("django:{name}"), "title": title, "message": "It works"});
    deployment.admin().await?.notify(&body).await?;
    socket.next_where("the notification", |frame| frame["title"] == title).await?;
    let inbox =
        deployment.api().with_token(&minted).get("/api/notifications/?status=unread").await?.expect(200)?;
    let mut items = inbox["items"].as_array().into_iter().flatten();
    ensure!(items.any(|item| item["title"] == title), "not in the inbox: {inbox}");
    socket.close().await
}

/// S1-11: what is signed otherwise, or isn't an access token, opens nothing.
async fn s1_11_a_minted_token_has_its_bounds(deployment: &Deployment) -> anyhow::Result<()> {
    let claims = simple_jwt_claims(&json!(7));
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        hs256(JWT_SECRET, &claims)
    };
    let critical = json!({"alg": "HS256", "typ": "JWT", "crit": ["exp"]});
    for refusable in [
        unsigned(&claims),
        hs256("another secret that is long enough as well, but isn't this deployment's", &claims),
        with("token_type", json!("refresh")),
        with("exp", Value::Null),
        with("exp", json!("tomorrow")),
        with("nbf", json!(now() + 3_600)),
        with("user_id", json!("")),
        with("user_id", json!([7])),
        with("padding", json!("x".repeat(8 * 1_024))),
        token(&critical, &claims, |_| vec![0; 32]),
    ] {
        refused(deployment.socket(PATH)?.bearer(&refusable), 4001).await?;
        deployment.api().with_token(&refusable).get("/api/auth/me/").await?.expect(401)?;
    }
    Ok(())
}

async fn greets(gateway: &Gateway, token: &str, user: &Value) -> anyhow::Result<()> {
    let mut socket = gateway.socket(PATH)?.token(token).open().await?;
    has(&socket.next_json().await?, &json!({"type": "connection.established", "user_id": user}))?;
    socket.close().await
}

/// Waits until a gateway has fetched the provider's new key, which it does at most every ten seconds.
async fn is_accepted(gateway: &Gateway, token: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    let api = gateway.api().with_token(token);
    while api.get("/api/auth/me/").await?.status != 200 {
        ensure!(Instant::now() < deadline, "{} has not accepted the provider's new key", gateway.name);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
