//! What is no token of ours, each with its reason.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use carillon_token::VerifyError;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::keys::{
    ED25519, OTHER_RSA, P256, P384, RSA, django_claims, encode, hmac, hs256, provider_claims, pushed, raw,
    reason, refusal, set, set_of, with, without,
};

#[tokio::test]
async fn text_that_is_no_token() {
    let verifier = pushed(&set(&[]));
    let long = format!("{}.{}.{}", "a".repeat(4_000), "b".repeat(4_000), "c".repeat(200));
    for (token, expected) in [
        ("", "empty"),
        ("a", "not three parts"),
        ("a.b", "not three parts"),
        ("a.b.c.d", "not three parts"),
        ("a.b.c.d.e", "not three parts"),
        ("..", "malformed header"),
        ("a.b.c", "malformed header"),
        ("é.b.c", "not ASCII"),
        (&long, "longer than 8 KiB"),
    ] {
        assert_eq!(reason(&verifier, token).await, expected, "{token}");
    }
}

#[tokio::test]
async fn eight_kibibytes_are_the_limit() {
    let verifier = pushed(&set(&[]));
    let padded = |length: usize| {
        // Base64 has no length of 4n + 1, so a name in the header fills what the claims cannot.
        (0..4)
            .map(|shift| {
                let header = json!({"alg": "HS256", "kid": "k".repeat(shift)});
                let base = raw(&header, &with(django_claims(), "pad", json!("")), &hmac(), Algorithm::HS256);
                let pad = (length - base.len()) * 3 / 4;
                let claims = with(django_claims(), "pad", json!("p".repeat(pad)));
                raw(&header, &claims, &hmac(), Algorithm::HS256)
            })
            .find(|token| token.len() == length)
            .expect("a token of that length")
    };
    assert!(verifier.verify(&padded(8_192)).await.is_ok());
    assert_eq!(reason(&verifier, &padded(8_193)).await, "longer than 8 KiB");
}

#[tokio::test]
async fn headers_that_ask_for_something_else() {
    let verifier = pushed(&set(&[]));
    for (header, expected) in [
        (json!({"alg": "HS256", "crit": ["exp"], "exp": 1}), "unknown critical header"),
        (json!({"alg": "HS256", "crit": []}), "unknown critical header"),
        (json!({"alg": "HS256", "b64": false}), "unencoded payload"),
        (json!({"alg": "HS256", "b64": "true"}), "unencoded payload"),
        (json!({"alg": "HS256", "enc": "A128GCM"}), "encrypted"),
        (json!({"alg": "HS256", "zip": "DEF"}), "encrypted"),
        (json!({"alg": "HS256", "typ": "logout+jwt"}), "unknown header type"),
        (json!({"alg": "HS256", "kid": 7}), "malformed header"),
        (json!({"alg": ["HS256"]}), "malformed header"),
        (json!(["HS256", null, null, null, null, null, null]), "malformed header"),
        (json!({"typ": "JWT"}), "malformed header"),
        (json!({"alg": "hs256"}), "algorithm not accepted"),
        (json!({"alg": "dir"}), "algorithm not accepted"),
        (json!({"alg": "PS512"}), "algorithm not accepted"),
    ] {
        let token = raw(&header, &django_claims(), &hmac(), Algorithm::HS256);
        assert_eq!(reason(&verifier, &token).await, expected, "{header}");
    }
}

#[tokio::test]
async fn a_header_that_says_two_things() {
    let verifier = pushed(&set(&[]));
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"HS256"}"#);
    let token = hs256(&django_claims());
    let (_, rest) = token.split_once('.').expect("a token");
    assert_eq!(reason(&verifier, &format!("{header}.{rest}")).await, "malformed header");
}

#[tokio::test]
async fn no_signature() {
    let verifier = pushed(&set(&[&RSA]));
    for name in ["none", "None", "NONE", "nOnE", ""] {
        for claims in [django_claims(), provider_claims()] {
            let message = format!("{}.{}", encode(&json!({"alg": name})), encode(&claims));
            for token in [format!("{message}."), format!("{message}.{}", URL_SAFE_NO_PAD.encode("x"))] {
                assert_eq!(reason(&verifier, &token).await, "algorithm not accepted");
            }
        }
    }
    for token in [hs256(&django_claims()), RSA.token(&provider_claims())] {
        let (message, _) = token.rsplit_once('.').expect("a token");
        assert_eq!(reason(&verifier, &format!("{message}.")).await, "the signature is wrong");
    }
}

/// The classic: what everybody knows, used as what only two may know.
#[tokio::test]
async fn an_hmac_made_with_a_public_key() {
    let verifier = pushed(&set(&[&RSA, &P256, &ED25519]));
    for key in [&RSA, &P256, &ED25519] {
        let jwk = key.jwk();
        let texts = ["n", "x", "y"].iter().filter_map(|name| jwk[*name].as_str());
        let mut forgeries: Vec<Vec<u8>> = texts
            .flat_map(|text| {
                let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64");
                let pem = format!(
                    "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
                    STANDARD.encode(&bytes)
                );
                [text.as_bytes().to_vec(), pem.into_bytes(), bytes]
            })
            .collect();
        forgeries.push(jwk.to_string().into_bytes());
        for secret in forgeries {
            for (id, claims) in [(json!(key.id), provider_claims()), (Value::Null, django_claims())] {
                let header = json!({"alg": "HS256", "kid": id});
                let token = raw(&header, &claims, &EncodingKey::from_secret(&secret), Algorithm::HS256);
                assert!(matches!(refusal(&verifier, &token).await, VerifyError::Invalid(_)));
            }
        }
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_the_keys() {
    let only_rs512 = with(RSA.jwk(), "alg", json!("RS512"));
    let verifier = pushed(&set_of(vec![only_rs512, P256.jwk()]));
    let claims = provider_claims();
    assert!(verifier.verify(&RSA.token_with(Algorithm::RS512, &claims)).await.is_ok());
    let wrong = "the algorithm is not the key's";
    for algorithm in [Algorithm::RS256, Algorithm::RS384, Algorithm::PS256] {
        assert_eq!(reason(&verifier, &RSA.token_with(algorithm, &claims)).await, wrong);
    }
    let header = json!({"alg": "ES384", "kid": P256.id});
    assert_eq!(reason(&verifier, &raw(&header, &claims, &P384.key, Algorithm::ES384)).await, wrong);
    let header = json!({"alg": "EdDSA", "kid": RSA.id});
    assert_eq!(reason(&verifier, &raw(&header, &claims, &ED25519.key, Algorithm::EdDSA)).await, wrong);
    // Signed for one algorithm, labelled with another of the same key.
    let verifier = pushed(&set(&[&RSA]));
    let header = json!({"alg": "PS256", "kid": RSA.id});
    let token = raw(&header, &claims, &RSA.key, Algorithm::RS256);
    assert_eq!(reason(&verifier, &token).await, "the signature is wrong");
}

#[tokio::test]
async fn every_algorithm_of_a_key_that_does_not_say() {
    let verifier = pushed(&set(&[&RSA, &P256, &P384, &ED25519]));
    use Algorithm::{ES256, ES384, EdDSA, PS256, RS256, RS384, RS512};
    for (key, algorithm) in [
        (&RSA, RS256),
        (&RSA, RS384),
        (&RSA, RS512),
        (&RSA, PS256),
        (&P256, ES256),
        (&P384, ES384),
        (&ED25519, EdDSA),
    ] {
        let identity = verifier.verify(&key.token_with(algorithm, &provider_claims())).await;
        assert_eq!(identity.expect("accepted").user, "keycloak:6b8e", "{algorithm:?}");
    }
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let token = raw(&json!(Header::new(algorithm)), &django_claims(), &hmac(), algorithm);
        assert_eq!(verifier.verify(&token).await.expect("accepted").user, "42");
    }
}

#[tokio::test]
async fn a_token_that_names_no_key() {
    let unnamed = without(OTHER_RSA.jwk(), "kid");
    let verifier = pushed(&set_of(vec![P256.jwk(), RSA.jwk(), unnamed]));
    let claims = provider_claims();
    let sign = |header, key: &EncodingKey| raw(&header, &claims, key, Algorithm::RS256);
    for key in [&RSA, &OTHER_RSA] {
        assert!(verifier.verify(&sign(json!({"alg": "RS256"}), &key.key)).await.is_ok());
    }
    // One that names a key is not tried with a key that has no name.
    let token = sign(json!({"alg": "RS256", "kid": OTHER_RSA.id}), &OTHER_RSA.key);
    assert_eq!(refusal(&verifier, &token).await, VerifyError::KeysUnavailable);
    let forged = sign(json!({"alg": "RS256"}), &crate::keys::TestKey::rsa("rsa-3").key);
    assert_eq!(reason(&verifier, &forged).await, "the signature is wrong");
}

#[tokio::test]
async fn someone_elses_signature() {
    let verifier = pushed(&set(&[&RSA]));
    let header = json!({"alg": "RS256", "kid": RSA.id});
    let forged = raw(&header, &provider_claims(), &OTHER_RSA.key, Algorithm::RS256);
    assert_eq!(reason(&verifier, &forged).await, "the signature is wrong");
    let other = EncodingKey::from_secret(b"another secret of some length");
    let forged = raw(&json!({"alg": "HS256"}), &django_claims(), &other, Algorithm::HS256);
    assert_eq!(reason(&verifier, &forged).await, "the signature is wrong");
    // The key that came along with the token is not looked at.
    let header = json!({"alg": "RS256", "kid": RSA.id, "jwk": OTHER_RSA.jwk(), "jku": "http://127.0.0.1:1/"});
    let forged = raw(&header, &provider_claims(), &OTHER_RSA.key, Algorithm::RS256);
    assert_eq!(reason(&verifier, &forged).await, "the signature is wrong");
}

#[tokio::test]
async fn keys_for_other_purposes() {
    let encryption = with(RSA.jwk(), "use", json!("enc"));
    let wrapping = with(P256.jwk(), "key_ops", json!(["wrapKey"]));
    let unknown = json!({"kty": "XYZ", "kid": "x", "n": 1});
    let shared = json!({"kty": "oct", "kid": "shared", "k": URL_SAFE_NO_PAD.encode("0123456789abcdef0123456789abcdef")});
    let mismatched = with(P384.jwk(), "alg", json!("RS256"));
    let verifier =
        pushed(&set_of(vec![encryption, wrapping, unknown, shared, mismatched, json!(null), ED25519.jwk()]));
    for key in [&RSA, &P256, &P384] {
        assert_eq!(refusal(&verifier, &key.token(&provider_claims())).await, VerifyError::KeysUnavailable);
    }
    let header = json!({"alg": "HS256", "kid": "shared"});
    let shared = EncodingKey::from_secret(b"0123456789abcdef0123456789abcdef");
    let forged = raw(&header, &provider_claims(), &shared, Algorithm::HS256);
    assert!(verifier.verify(&forged).await.is_err());
    assert!(verifier.verify(&ED25519.token(&provider_claims())).await.is_ok());
}
