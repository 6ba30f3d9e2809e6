//! Arbitrary bytes, mutated tokens and arbitrary headers: no panic, and nobody gets in.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use carillon_contract::messages::Identity;
use carillon_token::{CarillonClaims, Kind, SigningKey, Verifier, VerifyError, jwks};
use jsonwebtoken::{Algorithm, EncodingKey};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::keys::{
    ED25519, P256, P384, RSA, django_claims, encode, hmac, hs256, now, provider_claims, pushed, raw, set,
};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"));

static OWN: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().expect("a key"));

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let verifier = pushed(&set(&[&RSA, &P256, &P384, &ED25519]));
    verifier.set_keys("carillon", &jwks([&*OWN])).expect("keys");
    verifier
});

/// One valid token of each kind of key.
static VALID: LazyLock<Vec<String>> = LazyLock::new(|| {
    let own = CarillonClaims::new(Kind::Access, "1", "t", now(), now() + 3_600);
    let claims = provider_claims();
    let mut tokens = vec![hs256(&django_claims()), OWN.issue(&own).expect("a token")];
    tokens.extend([&RSA, &P256, &P384, &ED25519].map(|key| key.token(&claims)));
    tokens
});

fn verify(token: &str) -> Result<Identity, VerifyError> {
    RUNTIME.block_on(VERIFIER.verify(token))
}

#[test]
fn the_tokens_that_are_mutated_are_valid() {
    for token in VALID.iter() {
        assert!(verify(token).is_ok());
    }
}

fn names() -> impl Strategy<Value = Value> {
    let known =
        ["none", "HS256", "HS384", "RS256", "PS256", "ES256", "ES384", "EdDSA", "rsa-1", "ec-1", "JWT"];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => prop::sample::select(vec![json!(null), json!([]), json!({}), json!(["HS256"]), json!(true)]),
    ]
}

fn headers() -> impl Strategy<Value = Value> {
    let fields = ["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "enc", "zip", "other"];
    prop::collection::btree_map(prop::sample::select(fields.to_vec()), names(), 0..6)
        .prop_map(|map| json!(map))
}

proptest! {
    #[test]
    fn arbitrary_text(text in any::<String>()) {
        prop_assert!(verify(&text).is_err());
    }

    #[test]
    fn three_arbitrary_parts(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 3)) {
        let words: Vec<_> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        prop_assert!(verify(&words.join(".")).is_err());
    }

    /// Any character changed, put in or left out: no longer a token.
    #[test]
    fn a_mutated_token(which in 0..6_usize, at in any::<prop::sample::Index>(), byte in 0..128_u8, how in 0..3) {
        let valid = &VALID[which];
        let at = at.index(valid.len());
        let mut bytes = valid.clone().into_bytes();
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        let token = String::from_utf8(bytes).expect("ASCII");
        prop_assume!(&token != valid);
        prop_assert!(verify(&token).is_err());
    }

    /// Parts of different tokens make no token.
    #[test]
    fn a_mixture(header in 0..6_usize, claims in 0..6_usize, signature in 0..6_usize) {
        let part = |token: usize, index| VALID[token].split('.').nth(index).expect("a part");
        let token = [part(header, 0), part(claims, 1), part(signature, 2)].join(".");
        prop_assert_eq!(verify(&token).is_ok(), VALID.contains(&token));
    }

    /// Whatever a header says, a signature that isn't the key's lets nobody in.
    #[test]
    fn an_arbitrary_header(header in headers(), claims in 0..2, forger in prop::collection::vec(any::<u8>(), 0..40)) {
        let claims = if claims == 0 { django_claims() } else { provider_claims() };
        let token = raw(&header, &claims, &EncodingKey::from_secret(&forger), Algorithm::HS256);
        prop_assert!(verify(&token).is_err());
        let unsigned = format!("{}.{}.", encode(&header), encode(&claims));
        prop_assert!(verify(&unsigned).is_err());
    }

    /// With the secret, only a header that says HS256 and asks for nothing more is believed.
    #[test]
    fn an_arbitrary_header_with_a_good_signature(header in headers()) {
        let token = raw(&header, &django_claims(), &hmac(), Algorithm::HS256);
        let accepted = verify(&token).is_ok();
        prop_assert!(!accepted || (header["alg"] == "HS256" && header["crit"].is_null()));
    }

    /// Claims of any shape, well signed: no panic, and the user is what the claim says.
    #[test]
    fn arbitrary_claims(user in names(), exp in names(), iat in names(), roles in names(), kind in names()) {
        let claims = json!({"user_id": user, "exp": exp, "iat": iat, "roles": roles, "typ": kind});
        let _ = verify(&hs256(&claims));
        let claims = json!({"user_id": user, "exp": now() + 60, "roles": roles});
        if let Ok(identity) = verify(&hs256(&claims)) {
            let text = user.as_str().map_or_else(|| user.to_string(), str::to_owned);
            prop_assert_eq!(identity.user, text);
            prop_assert!(identity.roles.is_empty());
        }
    }
}
