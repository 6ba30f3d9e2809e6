//! Whom tokens stand for, and which issuer each belongs to.

use carillon_contract::messages::Identity;
use carillon_token::{
    CarillonClaims, Claims, ConfigError, Issuer, Keys, Kind, Options, Secret, SigningKey, Verifier,
    VerifyError, jwks,
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::keys::{
    PROVIDER, RSA, SECRET, django, django_claims, hmac, hs256, no_hook, now, provider, provider_claims,
    pushed, raw, reason, secret, set, verifier, with, without,
};

fn own(key: &SigningKey) -> Verifier {
    let verifier = verifier(vec![Issuer::carillon(no_hook()).bare_ids()]);
    verifier.set_keys("carillon", &jwks([key])).expect("keys");
    verifier
}

#[tokio::test]
async fn a_django_token() -> Result<(), VerifyError> {
    let claims = json!({"token_type": "access", "exp": 4_102_444_800_i64, "iat": 1_700_000_000, "jti": "4f1c",
        "user_id": 42, "username": "alice"});
    let identity = pushed(&set(&[])).verify(&hs256(&claims)).await?;
    let expected = Identity {
        user: "42".into(),
        username: "alice".into(),
        token: "4f1c".into(),
        issuer: "django".into(),
        issued_at: 1_700_000_000_000_000,
        expires_at: 4_102_444_800_000_000,
        ..Identity::default()
    };
    assert_eq!(identity, expected);
    Ok(())
}

#[tokio::test]
async fn a_keycloak_token() -> Result<(), VerifyError> {
    let claims = with(provider_claims(), "exp", json!(4_102_444_800_i64));
    let mut issuer = provider().roles("realm-admin=admin".parse().expect("a mapping")).audience("carillon");
    issuer.keys = Keys::Pushed(no_hook());
    let verifier = verifier(vec![issuer]);
    verifier.set_keys("keycloak", &set(&[&RSA])).expect("keys");
    let identity = verifier.verify(&RSA.token(&with(claims.clone(), "iat", json!(1.5)))).await?;
    let expected = Identity {
        user: "keycloak:6b8e".into(),
        username: "alice".into(),
        email: "alice@example.org".into(),
        first_name: "Alice".into(),
        last_name: "Liddell".into(),
        roles: vec!["admin".into()],
        token: "f0a1".into(),
        session: "5d2c".into(),
        issuer: "keycloak".into(),
        issued_at: 1_500_000,
        expires_at: 4_102_444_800_000_000,
        ..Identity::default()
    };
    assert_eq!(identity, expected);
    for audience in [json!("other"), json!(["account"]), json!("account carillon"), json!(1), Value::Null] {
        let token = RSA.token(&with(claims.clone(), "aud", audience));
        assert_eq!(reason(&verifier, &token).await, "for another audience");
    }
    assert!(verifier.verify(&RSA.token(&with(claims, "aud", json!("carillon")))).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_carillon_token() {
    let key = SigningKey::generate().expect("a key");
    let verifier = own(&key);
    let mut claims = CarillonClaims::new(Kind::Access, "7", "t1", now(), now() + 60);
    claims.sid = "s1".into();
    claims.roles = vec!["admin".into()];
    claims.preferred_username = "alice".into();
    // A person's token has no scopes, whatever it says.
    claims.scope = "notifications:send".into();
    let identity = verifier.verify(&key.issue(&claims).expect("a token")).await.expect("accepted");
    assert_eq!((identity.user.as_str(), identity.username.as_str()), ("7", "alice"));
    assert_eq!((identity.token.as_str(), identity.session.as_str()), ("t1", "s1"));
    assert!(identity.is_admin() && identity.scopes.is_empty() && !identity.service);

    claims.token_type = Kind::Refresh;
    let token = key.issue(&claims).expect("a token");
    assert_eq!(reason(&verifier, &token).await, "not a token for this purpose");
    assert_eq!(verifier.verify_refresh(&token).await.expect("accepted").user, "7");
    assert_eq!(verifier.verify_any(&token).await.expect("accepted").1, Kind::Refresh);

    claims.token_type = Kind::Service;
    claims.scope = "notifications:send events:publish".into();
    let token = key.issue(&claims).expect("a token");
    let identity = verifier.verify(&token).await.expect("accepted");
    assert!(identity.service && identity.user.is_empty() && identity.roles.is_empty());
    assert!(identity.has_scope("events:publish") && !identity.has_scope("events"));
    assert!(verifier.verify_refresh(&token).await.is_err());

    claims.jti = String::new();
    assert_eq!(reason(&verifier, &key.issue(&claims).expect("a token")).await, "no token id");
}

#[tokio::test]
async fn user_ids() {
    let verifier = pushed(&set(&[]));
    for (value, expected) in [
        (json!(42), "42"),
        (json!(-1), "-1"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!("test-user-123"), "test-user-123"),
        (json!("urn:x:1"), "urn:x:1"),
    ] {
        let identity = verifier.verify(&hs256(&with(django_claims(), "user_id", value))).await;
        assert_eq!(identity.expect("accepted").user, expected);
    }
    let odd = "the user id is neither text nor a whole number";
    for (value, expected) in [
        (json!(1.5), odd),
        (json!(true), odd),
        (json!([1]), odd),
        (json!(""), "not a user id"),
        (json!("a\u{0}b"), "not a user id"),
        (json!("x".repeat(256)), "not a user id"),
        (json!("keycloak:6b8e"), "the user id looks like another issuer's"),
        (json!("carillon:1"), "the user id looks like another issuer's"),
        (json!("django:1"), "the user id looks like another issuer's"),
    ] {
        let token = hs256(&with(django_claims(), "user_id", value.clone()));
        assert_eq!(reason(&verifier, &token).await, expected, "{value}");
    }
    assert_eq!(reason(&verifier, &hs256(&without(django_claims(), "user_id"))).await, "no user id");
    let identity =
        verifier.verify(&hs256(&with(without(django_claims(), "user_id"), "sub", json!("9")))).await;
    assert_eq!(identity.expect("accepted").user, "9");
}

#[tokio::test]
async fn configured_claims() {
    let claims = Claims { roles: vec!["https://example.org/roles".into()], ..Claims::simple_jwt() };
    let issuer = django()
        .claims(claims)
        .user_claim("account.id")
        .roles("boss=admin,boss=staff,editor=staff".parse().expect("a mapping"));
    let verifier = verifier(vec![issuer]);
    let token = hs256(&json!({
        "exp": now() + 60, "account": {"id": 5}, "user_id": 6, "https://example.org/roles": "boss admin"
    }));
    let identity = verifier.verify(&token).await.expect("accepted");
    assert_eq!((identity.user.as_str(), identity.roles), ("5", vec!["admin".into(), "staff".into()]));
}

/// Roles and scopes that another issuer claims to know here.
#[tokio::test]
async fn a_foreign_issuer_gives_no_rights() {
    let verifier = pushed(&set(&[&RSA]));
    let claims = json!({
        "exp": now() + 60, "sub": "1", "jti": "1", "roles": ["admin"], "scope": "notifications:send",
        "realm_access": {"roles": ["admin"]}, "service": true
    });
    for token in [hs256(&claims), RSA.token(&with(claims.clone(), "iss", json!(PROVIDER)))] {
        let identity = verifier.verify(&token).await.expect("accepted");
        assert!(!identity.is_admin() && identity.roles.is_empty() && identity.scopes.is_empty());
        assert!(!identity.service);
    }
}

/// No issuer's key vouches for another's `iss`, in any direction.
#[tokio::test]
async fn an_issuer_speaks_for_itself_only() {
    let key = SigningKey::generate().expect("a key");
    let verifier = pushed(&set(&[&RSA]));
    verifier.set_keys("carillon", &jwks([&key])).expect("keys");
    let wrong = "the algorithm is not the key's";
    let token = hs256(&with(django_claims(), "iss", json!(PROVIDER)));
    assert_eq!(reason(&verifier, &token).await, wrong);
    let header = json!({"alg": "HS256", "kid": RSA.id});
    let claims = with(provider_claims(), "iss", json!(PROVIDER));
    let token = raw(&header, &claims, &hmac(), Algorithm::HS256);
    assert_eq!(reason(&verifier, &token).await, wrong);
    let carillon = with(with(provider_claims(), "iss", json!("carillon")), "token_type", json!("access"));
    assert!(verifier.verify(&RSA.token(&carillon)).await.is_err());
    // None of those with public keys takes a token without its `iss`.
    assert_eq!(reason(&verifier, &RSA.token(&without(provider_claims(), "iss"))).await, "unknown issuer");
    let other = with(provider_claims(), "iss", json!("https://elsewhere.example.org"));
    assert_eq!(reason(&verifier, &RSA.token(&other)).await, "unknown issuer");
    // A list is not the issuer, even if it holds it.
    let list = with(provider_claims(), "iss", json!([PROVIDER]));
    assert_eq!(reason(&verifier, &RSA.token(&list)).await, "unknown issuer");
}

#[tokio::test]
async fn two_secrets_are_told_apart_by_issuer() {
    let other = Secret::new("the secret of another project").expect("a secret");
    let second = Issuer::secret("second", other.clone()).expected_issuer("second-project");
    let verifier = verifier(vec![second, django()]);
    let claims = with(django_claims(), "iss", json!("second-project"));
    let token = carillon_token::mint_hs256(&other, &claims).expect("a token");
    assert_eq!(verifier.verify(&token).await.expect("accepted").user, "second:42");
    assert_eq!(reason(&verifier, &hs256(&claims)).await, "the signature is wrong");
    let token = carillon_token::mint_hs256(&other, &django_claims()).expect("a token");
    assert_eq!(reason(&verifier, &token).await, "the signature is wrong");
    assert_eq!(verifier.verify(&hs256(&django_claims())).await.expect("accepted").user, "42");
}

#[test]
fn configurations_that_cannot_be_right() {
    let refused = |issuers| Verifier::new(issuers, Options::default()).expect_err("a refusal");
    for name in ["", "a:b", "A", "ä", "a b", &"a".repeat(65)] {
        let error = refused(vec![Issuer::secret(name, secret())]);
        assert!(matches!(error, ConfigError::IssuerName(_)), "{name}");
    }
    let error = refused(vec![django(), django()]);
    assert!(matches!(error, ConfigError::DuplicateIssuer(_)));
    let error = refused(vec![django(), provider().bare_ids()]);
    assert!(matches!(error, ConfigError::BareIds(..)));
    let error = refused(vec![django(), Issuer::secret("second", secret())]);
    assert!(matches!(error, ConfigError::Ambiguous(..)));
    let error = refused(vec![provider(), Issuer::secret("second", secret()).expected_issuer(PROVIDER)]);
    assert!(matches!(error, ConfigError::Ambiguous(..)));
    let error = refused(vec![Issuer::jwks("files", "file:///etc/passwd".parse().expect("a URL"))]);
    assert!(matches!(error, ConfigError::Url(_)));
    let error = refused(vec![django().claims(Claims { user: Vec::new(), ..Claims::openid() })]);
    assert!(matches!(error, ConfigError::NoUserClaim(_)));
    let verifier = verifier(vec![django(), provider()]);
    for name in ["django", "keycloak", "nobody"] {
        assert!(matches!(verifier.set_keys(name, &set(&[])), Err(ConfigError::NotPushed(_))), "{name}");
    }
}

/// S1-16: what is printed of a configuration tells no secret.
#[test]
fn debug_output_tells_nothing() {
    let url = "https://user:hunter2@id.example.org/certs?token=hunter2".parse().expect("a URL");
    let issuers = vec![django(), Issuer::jwks("keycloak", url)];
    let text = format!("{issuers:?} {:?}", verifier(issuers.clone()));
    assert!(!text.contains(SECRET) && !text.contains("hunter2"), "{text}");
    let key = SigningKey::generate().expect("a key");
    let private = key.to_pem().lines().nth(1).expect("a line").to_owned();
    assert!(!format!("{key:?}").contains(&private));
}
