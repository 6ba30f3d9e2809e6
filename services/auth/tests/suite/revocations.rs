//! What is void before its time.

use carillon_contract::messages::{AccessRequest, access_change::Change};
use carillon_token::{Issuer, KeyHook, Options, Verifier};
use serde_json::json;

use crate::{
    database::Fresh,
    world::{World, identity, text},
};

/// A gateway's verifier, with the keys as they are.
async fn verifier(world: &World) -> Verifier {
    let jwks = world.ask("auth.jwks").expect(200).await.to_string();
    let hook = KeyHook::new(move || {
        let jwks = jwks.clone();
        async move { Ok::<_, std::io::Error>(jwks) }
    });
    Verifier::new(vec![Issuer::carillon(hook).bare_ids()], Options::default()).expect("a verifier")
}

pub(crate) async fn a_revoked_user_has_to_log_in_again(fresh: Fresh) {
    let world = World::start(fresh).await;
    let verifier = verifier(&world).await;
    let mut listener = world.listen().await;
    let mut tokens = Vec::new();
    // Also when it happens again within the second that tokens are marked with.
    for _ in 0..3 {
        let (access, refresh) = world.log_in("alice").await;
        tokens.push((access, refresh));
        world.admin("auth.users.revoke").parameter("user_id", "1").expect(204).await;
        let Change::UserRevoked(revoked) = listener.next().await else { panic!("a revoked user") };
        assert_eq!(revoked.user, "1");
        for (access, refresh) in &tokens {
            let identity = verifier.verify(access).await.expect("a good signature");
            assert!(identity.issued_at < revoked.before, "gateways see that it is void");
            assert_eq!(world.verify(access).await, 401);
            assert_eq!(world.refresh(refresh).await.status, 401);
        }
        let (access, refresh) = world.log_in("alice").await;
        let identity = verifier.verify(&access).await.expect("a good signature");
        assert!(identity.issued_at >= revoked.before, "gateways see that it is not");
        assert_eq!((identity.user.as_str(), identity.username.as_str()), ("1", "alice"));
        assert_eq!(world.verify(&access).await, 200);
        let renewed = world.refresh(&refresh).await;
        assert_eq!(renewed.status, 200);
        let identity = verifier.verify(&text(&renewed.json["access"])).await.expect("a good signature");
        assert!(identity.issued_at >= revoked.before);
    }
    let access = world.call(&AccessRequest::default()).await;
    assert_eq!((access.users.len(), access.offset), (1, 3));
    // Someone of another issuer, whom nobody here knows.
    world.admin("auth.users.revoke").parameter("user_id", "keycloak:1").expect(204).await;
    world.ask("auth.users.revoke").identity(identity("1")).parameter("user_id", "2").expect(403).await;
    world.admin("auth.users.revoke").parameter("user_id", "").expect_field("user_id").await;
}

pub(crate) async fn a_revoked_login_or_token_is_void(fresh: Fresh) {
    let world = World::start(fresh).await;
    let verifier = verifier(&world).await;
    let (access, refresh) = world.log_in("alice").await;
    let identity = verifier.verify(&access).await.expect("a good signature");
    assert!(!identity.token.is_empty() && !identity.session.is_empty());
    let revoke = |token: &str| world.admin("auth.tokens.revoke").parameter("token_id", token).expect(204);
    revoke(&identity.token).await;
    assert_eq!((world.verify(&access).await, world.refresh(&refresh).await.status), (401, 200));
    revoke(&identity.session).await;
    assert_eq!((world.verify(&refresh).await, world.refresh(&refresh).await.status), (401, 401));
    let body = json!({"name": "x", "scopes": ["events:publish"]});
    let service = world.admin("auth.service-tokens.create").body(&body).expect(201).await;
    revoke(&text(&service["id"])).await;
    assert_eq!(world.verify(&text(&service["token"])).await, 401);
    let listed = world.admin("auth.service-tokens.list").expect(200).await;
    assert!(listed["items"][0]["revoked_at"].is_string());
    let snapshot = world.call(&AccessRequest::default()).await;
    let mut told: Vec<_> = snapshot.tokens.iter().map(|revoked| revoked.token.clone()).collect();
    let mut expected = vec![identity.token, identity.session, text(&service["id"])];
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    world.admin("auth.tokens.revoke").parameter("token_id", "").expect_field("token_id").await;
}

pub(crate) async fn what_is_revoked_is_told_a_page_at_a_time(fresh: Fresh) {
    let world = World::start(fresh).await;
    let (users, tokens) = (1_003, 1_005);
    for number in 0..users {
        let user = format!("keycloak:{number}");
        world.admin("auth.users.revoke").parameter("user_id", &user).expect(204).await;
    }
    for number in 0..tokens {
        world.admin("auth.tokens.revoke").parameter("token_id", &format!("token-{number}")).expect(204).await;
    }
    let mut told = (Vec::new(), Vec::new());
    let mut request = AccessRequest::default();
    let mut pages = 0;
    loop {
        let reply = world.call(&request).await;
        assert_eq!(reply.offset, u64::try_from(users + tokens).expect("a number"));
        assert!(!reply.epoch.is_empty());
        told.0.extend(reply.users.into_iter().map(|revoked| revoked.user));
        told.1.extend(reply.tokens.into_iter().map(|revoked| revoked.token));
        pages += 1;
        if reply.next.is_empty() {
            break;
        }
        request.after = reply.next;
    }
    for told in [&mut told.0, &mut told.1] {
        told.sort();
        told.dedup();
    }
    assert_eq!((told.0.len(), told.1.len(), pages), (users, tokens, 3));
    request.after = "nonsense".to_owned();
    let refused = world.bus.call(carillon_contract::ServiceName::Auth, &request).await;
    assert!(matches!(refused, Err(carillon_bus::RequestError::Refused(_))), "{refused:?}");
}
