//! The tokens of this crate, which doesn't make them with `carillon-token`, are what that accepts.

use carillon_testkit::{IdentityProvider, JWT_SECRET, Key, hs256, simple_jwt_claims, unsigned};
use carillon_token::{Issuer, Options, Secret, Verifier};
use serde_json::json;

fn verifier(issuer: Issuer) -> Verifier {
    Verifier::new(vec![issuer.bare_ids()], Options::default()).expect("a verifier")
}

#[tokio::test]
async fn a_simple_jwt_token_is_accepted_and_an_unsigned_one_is_not() {
    let verifier = verifier(Issuer::secret("django", Secret::new(JWT_SECRET).expect("a secret")));
    let claims = simple_jwt_claims(&json!(42));
    let identity = verifier.verify(&hs256(JWT_SECRET, &claims)).await.expect("accepted");
    assert_eq!(identity.user, "42");
    verifier
        .verify(&hs256("another secret, also of more than thirty-two bytes", &claims))
        .await
        .expect_err("refused");
    verifier.verify(&unsigned(&claims)).await.expect_err("refused");
}

#[tokio::test]
async fn tokens_of_the_identity_provider_are_accepted() {
    for key in [Key::rsa("first").expect("a key"), Key::p256("first").expect("a key")] {
        let provider = IdentityProvider::start(key).await.expect("a provider");
        let url = provider.jwks_url().parse().expect("a URL");
        let verifier = verifier(Issuer::jwks("keycloak", url));
        let token = provider.token("test-user-123").expect("a token");
        let identity = verifier.verify(&token).await.expect("accepted");
        assert_eq!(
            (identity.user.as_str(), identity.email.as_str()),
            ("test-user-123", "test-user-123@example.com")
        );
        assert_eq!(provider.fetched(), 1);
        provider.rotate(Key::p256("second").expect("a key"));
        assert_ne!(provider.token("test-user-123").expect("a token"), token);
    }
}
