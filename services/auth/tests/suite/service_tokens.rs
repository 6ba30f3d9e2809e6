//! Tokens of back ends.

use carillon_contract::messages::access_change::Change;
use serde_json::{Value, json};

use crate::{
    database::Fresh,
    world::{World, identity, text},
};

pub(crate) async fn a_service_token_is_shown_once_and_can_be_revoked(fresh: Fresh) {
    let world = World::start(fresh).await;
    let body =
        json!({"name": "django", "scopes": ["notifications:send", "events:publish", "events:publish"]});
    let created = world.admin("auth.service-tokens.create").number("1").body(&body).expect(201).await;
    assert_eq!(created["scopes"], json!(["events:publish", "notifications:send"]));
    assert_eq!((&created["name"], &created["created_by"]), (&json!("django"), &json!("4")));
    let token = text(&created["token"]);
    assert_eq!(world.verify(&token).await, 200);
    assert_eq!(world.refresh(&token).await.status, 401, "it is no refresh token");
    let again = world.admin("auth.service-tokens.create").number("1").body(&body).expect(201).await;
    assert_eq!(again, created, "the gateway asked again");

    let listed = world.admin("auth.service-tokens.list").expect(200).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert!(listed["items"][0].get("token").is_none());
    assert_eq!(listed["items"][0]["revoked_at"], Value::Null);

    let id = text(&created["id"]);
    world.admin("auth.service-tokens.revoke").parameter("token_id", &id).expect(204).await;
    assert_eq!(world.verify(&token).await, 401);
    let changes = world.changes().await;
    let [Change::TokenRevoked(revoked)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(revoked.token, id);
    let listed = world.admin("auth.service-tokens.list").expect(200).await;
    assert!(listed["items"][0]["revoked_at"].is_string());
    for id in [id.as_str(), "unknown"] {
        world.admin("auth.service-tokens.revoke").parameter("token_id", id).expect(404).await;
    }
    // Made by the same request, but no longer the same.
    world.admin("auth.service-tokens.create").number("1").body(&body).expect(409).await;
}

pub(crate) async fn a_service_token_that_can_not_be_is_refused(fresh: Fresh) {
    let world = World::start(fresh).await;
    for (field, body) in [
        ("name", json!({"scopes": ["events:publish"]})),
        ("name", json!({"name": "", "scopes": ["events:publish"]})),
        ("scopes", json!({"name": "x"})),
        ("scopes", json!({"name": "x", "scopes": []})),
        ("scopes", json!({"name": "x", "scopes": ["events:publish", "everything"]})),
        ("expires_in", json!({"name": "x", "scopes": ["events:publish"], "expires_in": 1})),
        ("expires_in", json!({"name": "x", "scopes": ["events:publish"], "expires_in": 4_000_000_000_i64})),
        ("expires_in", json!({"name": "x", "scopes": ["events:publish"], "expires_in": "1y"})),
    ] {
        world.admin("auth.service-tokens.create").body(&body).expect_field(field).await;
    }
    let body = json!({"name": "x", "scopes": ["events:publish"]});
    world.ask("auth.service-tokens.create").identity(identity("1")).body(&body).expect(403).await;
    world.ask("auth.service-tokens.list").identity(identity("1")).expect(403).await;
}
