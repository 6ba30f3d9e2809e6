//! Carillon's own keys and tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use carillon_token::{CarillonClaims, Kind, SigningError, SigningKey, jwks};
use serde_json::{Value, json};

#[test]
fn a_key_survives_storage() {
    let key = SigningKey::generate().expect("a key");
    let stored = SigningKey::from_pem(&key.to_pem()).expect("a key");
    assert_eq!(stored.id(), key.id());
    assert_eq!(stored.public_jwk(), key.public_jwk());
    let claims = CarillonClaims::new(Kind::Access, "1", "t", 1, 2);
    assert_eq!(stored.issue(&claims), key.issue(&claims), "Ed25519 signs the same with the same key");
    assert_ne!(SigningKey::generate().expect("a key").id(), key.id());
    for text in ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        assert_eq!(SigningKey::from_pem(text).err(), Some(SigningError::Key), "{text}");
    }
}

/// RFC 8037, appendix A: the key, its public part and its thumbprint.
#[test]
fn the_id_is_the_thumbprint() {
    let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64");
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let key = SigningKey::from_pem(&crate::keys::pem(&[&prefix[..], &seed].concat())).expect("a key");
    assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let expected = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "alg": "EdDSA", "use": "sig", "kid": key.id()
    });
    assert_eq!(key.public_jwk(), expected);
    let set: Value = serde_json::from_str(&jwks([&key])).expect("JSON");
    assert_eq!(set, json!({ "keys": [expected] }));
}

#[test]
fn claims_are_written_as_documented() {
    let key = SigningKey::generate().expect("a key");
    let mut claims = CarillonClaims::new(Kind::Service, "orders", "t1", 10, 20);
    claims.scope = "events:publish".into();
    let token = key.issue(&claims).expect("a token");
    let part = |index| -> Value {
        let text = token.split('.').nth(index).expect("a part");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64")).expect("JSON")
    };
    assert_eq!(part(0), json!({"typ": "JWT", "alg": "EdDSA", "kid": key.id()}));
    let expected = json!({
        "iss": "carillon", "sub": "orders", "token_type": "service", "jti": "t1", "iat": 10, "exp": 20,
        "scope": "events:publish"
    });
    assert_eq!(part(1), expected);
}
