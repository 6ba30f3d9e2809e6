//! Logging in and out, and who one is.

use carillon_contract::messages::{Identity, access_change::Change};
use serde_json::json;

use crate::{
    database::Fresh,
    world::{PASSWORD, World, identity},
};

pub(crate) async fn a_login_gives_tokens_that_work_until_the_logout(fresh: Fresh) {
    let mut world = World::start(fresh).await;
    let mut listener = world.listen().await;
    let (access, refresh) = world.log_in(" ALICE ").await;
    assert_eq!(world.verify(&access).await, 200);
    assert_eq!(world.verify(&refresh).await, 200);
    let renewed = world.refresh(&refresh).await;
    assert_eq!(renewed.status, 200);
    let renewed = renewed.json["access"].as_str().expect("a token").to_owned();
    assert_eq!(world.verify(&renewed).await, 200);
    assert_eq!(world.refresh(&access).await.status, 401, "an access token is no refresh token");

    let (_, other) = world.log_in("alice").await;
    let body = json!({ "refresh": refresh });
    world.ask("auth.logout").body(&body).expect(204).await;
    let Change::TokenRevoked(revoked) = listener.next().await else { panic!("a revoked login") };
    assert!(revoked.forget_at > carillon_store::now());
    for token in [&access, &refresh, &renewed] {
        assert_eq!(world.verify(token).await, 401);
    }
    assert_eq!(world.refresh(&refresh).await.status, 401);
    assert_eq!(world.refresh(&other).await.status, 200, "another login goes on");
    world.ask("auth.logout").body(&body).expect(204).await;
    assert_eq!(world.changes().await.len(), 1, "it was revoked already");

    assert!(world.counter("carillon_auth_logins_total", "ok") == 2.0);
    assert!(world.counter("carillon_auth_tokens_issued_total", "access") == 4.0);
    assert!(world.counter("carillon_auth_revocations_total", "login") == 1.0);
    world.stop().await;
}

pub(crate) async fn wrong_credentials_are_refused(fresh: Fresh) {
    let world = World::start(fresh).await;
    let inactive = json!({"username": "dora", "password": PASSWORD, "active": false});
    world.admin("auth.users.create").body(&inactive).expect(201).await;
    let long = "x".repeat(2_000);
    let attempts =
        [("alice", "Carillon"), ("nobody", PASSWORD), ("dora", PASSWORD), ("alice", &long), ("", "")];
    let mut details = Vec::new();
    for (username, password) in attempts {
        let body = json!({"username": username, "password": password});
        let problem = world.ask("auth.token").body(&body).expect(401).await;
        details.push(problem["detail"].clone());
    }
    details.dedup();
    assert_eq!(details.len(), 1, "nobody can tell which part was wrong: {details:?}");
    assert!(world.counter("carillon_auth_logins_total", "wrong") == 5.0);
}

pub(crate) async fn what_is_malformed_is_refused(fresh: Fresh) {
    let world = World::start(fresh).await;
    world.ask("auth.token").raw_body("{").expect(400).await;
    world.ask("auth.token").body(&json!({"username": "alice"})).expect_field("password").await;
    let body = json!({"username": 1, "password": PASSWORD});
    world.ask("auth.token").body(&body).expect_field("username").await;
    world.ask("auth.token.refresh").body(&json!({})).expect_field("refresh").await;
    world.ask("auth.token.verify").body(&json!({})).expect_field("token").await;
    world.ask("auth.logout").expect_field("refresh").await;
    for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(world.verify(token).await, 401);
        assert_eq!(world.refresh(token).await.status, 401);
        world.ask("auth.logout").body(&json!({ "refresh": token })).expect(401).await;
    }
    let unknown = world.ask("auth.nothing").send().await;
    assert_eq!(unknown.status, 404);
}

pub(crate) async fn me_is_the_user_as_it_is_now(fresh: Fresh) {
    let world = World::start(fresh).await;
    world.ask("auth.me").expect(401).await;
    let stale = Identity { username: "old name".to_owned(), ..identity("1") };
    let me = world.ask("auth.me").identity(stale.clone()).expect(200).await;
    assert_eq!(
        me,
        json!({
            "id": 1, "username": "alice", "email": "alice@example.org",
            "first_name": "Alice", "last_name": "Demo", "roles": [],
            "organisations": [{"id": "acme", "name": "Acme"}],
            "projects": [{"id": 1, "name": "Demo project", "key": "PROJ"}],
        })
    );
    let carol = world.ask("auth.me").identity(identity("3")).expect(200).await;
    assert_eq!((&carol["organisations"], &carol["projects"]), (&json!([]), &json!([])));
    let admin = world.ask("auth.me").identity(identity("4")).expect(200).await;
    assert_eq!(admin["roles"], json!(["admin"]));
    world.admin("auth.users.delete").parameter("user_id", "1").expect(204).await;
    world.ask("auth.me").identity(stale).expect(401).await;
}

pub(crate) async fn me_of_another_issuer_is_what_its_token_says(fresh: Fresh) {
    let world = World::start(fresh).await;
    let user = "keycloak:0b7c";
    world
        .admin("auth.orgs.members.add")
        .parameter("org_id", "acme")
        .parameter("user_id", user)
        .expect(204)
        .await;
    let foreign = Identity {
        user: user.to_owned(),
        username: "eve".to_owned(),
        email: "eve@example.com".to_owned(),
        issuer: "keycloak".to_owned(),
        session: "their-session".to_owned(),
        ..Identity::default()
    };
    let me = world.ask("auth.me").identity(foreign.clone()).expect(200).await;
    assert_eq!((&me["id"], &me["username"]), (&json!(user), &json!("eve")));
    assert_eq!(me["organisations"], json!([{"id": "acme", "name": "Acme"}]));

    world.ask("auth.logout").identity(foreign).expect(204).await;
    let changes = world.changes().await;
    let [Change::TokenRevoked(revoked)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(revoked.token, "their-session");
}
