//! Well-signed claims that are refused all the same, each with its reason.

use std::time::Duration;

use carillon_token::{Options, Verifier, VerifyError};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use crate::keys::{
    RSA, django, django_claims, hmac, hs256, now, provider_claims, pushed, raw, reason, refusal, set, with,
    without,
};

#[tokio::test]
async fn times() {
    let verifier = pushed(&set(&[]));
    for (name, value, expected) in [
        ("exp", json!(now() - 60), VerifyError::Expired),
        ("exp", json!(0), VerifyError::Expired),
        ("exp", Value::Null, VerifyError::Invalid("no expiry")),
        ("exp", json!("tomorrow"), VerifyError::Invalid("a time is not a number")),
        ("exp", json!(-1), VerifyError::Invalid("a time is out of range")),
        ("exp", json!(1e300), VerifyError::Invalid("a time is out of range")),
        ("exp", json!(u64::MAX), VerifyError::Invalid("a time is out of range")),
        ("exp", json!((now() + 60) * 1_000), VerifyError::Invalid("a time is out of range")),
        ("nbf", json!(now() + 60), VerifyError::Invalid("not valid yet")),
        ("iat", json!(now() + 60), VerifyError::Invalid("issued in the future")),
        ("iat", json!([]), VerifyError::Invalid("a time is not a number")),
    ] {
        let token = hs256(&with(django_claims(), name, value.clone()));
        assert_eq!(refusal(&verifier, &token).await, expected, "{name} {value}");
    }
    assert_eq!(reason(&verifier, &hs256(&without(django_claims(), "exp"))).await, "no expiry");
    for (name, value) in
        [("exp", now() as f64 + 60.5), ("nbf", now() as f64 + 2.0), ("iat", now() as f64 + 2.0)]
    {
        assert!(verifier.verify(&hs256(&with(django_claims(), name, json!(value)))).await.is_ok(), "{name}");
    }
    let options = Options { leeway: Duration::from_secs(3_600), ..Options::default() };
    let lenient = Verifier::new(vec![django()], options).expect("a verifier");
    for (name, value) in [("exp", now() - 60), ("nbf", now() + 60), ("iat", now() + 60)] {
        assert!(lenient.verify(&hs256(&with(django_claims(), name, json!(value)))).await.is_ok(), "{name}");
    }
}

/// Whoever cannot sign learns nothing, not even that a token would have expired.
#[tokio::test]
async fn expired_needs_a_good_signature() {
    let verifier = pushed(&set(&[]));
    let other = EncodingKey::from_secret(b"another secret of some length");
    let claims = with(django_claims(), "exp", json!(1));
    let forged = raw(&json!({"alg": "HS256"}), &claims, &other, Algorithm::HS256);
    assert_eq!(reason(&verifier, &forged).await, "the signature is wrong");
}

#[tokio::test]
async fn tokens_for_something_else() {
    let verifier = pushed(&set(&[&RSA]));
    for kind in ["refresh", "service", "Refresh", ""] {
        let token = hs256(&with(django_claims(), "token_type", json!(kind)));
        assert_eq!(reason(&verifier, &token).await, "not an access token", "{kind}");
        assert!(verifier.verify_refresh(&token).await.is_err());
        assert!(verifier.verify_any(&token).await.is_err());
    }
    for kind in [json!("ID"), json!("Refresh"), json!("Offline"), json!("Logout"), json!(1)] {
        let token = RSA.token(&with(provider_claims(), "typ", kind.clone()));
        assert_eq!(reason(&verifier, &token).await, "not an access token", "{kind}");
    }
}

#[tokio::test]
async fn claims_that_are_no_object() {
    let verifier = pushed(&set(&[]));
    for claims in [json!([]), json!("text"), json!(1), json!(null)] {
        let token = raw(&json!({"alg": "HS256"}), &claims, &hmac(), Algorithm::HS256);
        assert_eq!(reason(&verifier, &token).await, "malformed claims", "{claims}");
    }
}
