//! Keys made for the tests, and tokens made with them.

use std::{
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use carillon_token::{Issuer, KeyHook, Options, Secret, Url, Verifier, VerifyError};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "django-insecure-only-for-these-tests";
pub(crate) const PROVIDER: &str = "https://id.example.org/realms/demo";

pub(crate) static RSA: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa("rsa-1"));
pub(crate) static OTHER_RSA: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa("rsa-2"));
pub(crate) static P256: LazyLock<TestKey> = LazyLock::new(|| TestKey::p256("ec-1"));
pub(crate) static P384: LazyLock<TestKey> = LazyLock::new(|| TestKey::p384("ec-2"));
pub(crate) static ED25519: LazyLock<TestKey> = LazyLock::new(|| TestKey::ed25519("ed-1"));

/// A private key with a name.
pub(crate) struct TestKey {
    pub(crate) id: &'static str,
    pub(crate) key: EncodingKey,
    pub(crate) algorithm: Algorithm,
}

impl TestKey {
    pub(crate) fn rsa(id: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der: Pkcs8V1Der<'_> = pair.as_der().expect("DER");
        let key = EncodingKey::from_rsa_pem(pem(der.as_ref()).as_bytes()).expect("a key");
        Self { id, key, algorithm: Algorithm::RS256 }
    }

    pub(crate) fn p256(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        Self { id, key: EncodingKey::from_ec_der(der.as_ref()), algorithm: Algorithm::ES256 }
    }

    fn p384(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).expect("a key");
        Self { id, key: EncodingKey::from_ec_der(der.as_ref()), algorithm: Algorithm::ES384 }
    }

    fn ed25519(id: &'static str) -> Self {
        let der = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).expect("a key");
        Self { id, key: EncodingKey::from_ed_der(der.as_ref()), algorithm: Algorithm::EdDSA }
    }

    /// The public key, without saying for which algorithm.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = json!(Jwk::from_encoding_key(&self.key, self.algorithm).expect("a public key"));
        jwk["kid"] = json!(self.id);
        jwk.as_object_mut().expect("an object").remove("alg");
        jwk
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(self.algorithm, claims)
    }

    pub(crate) fn token_with(&self, algorithm: Algorithm, claims: &Value) -> String {
        let header = json!({"alg": format!("{algorithm:?}"), "typ": "JWT", "kid": self.id});
        raw(&header, claims, &self.key, algorithm)
    }
}

/// A token with exactly this header, signed with this key by this algorithm, whatever the header says.
pub(crate) fn raw(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).expect("a signature");
    format!("{message}.{signature}")
}

pub(crate) fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(crate) fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

pub(crate) fn set(keys: &[&TestKey]) -> String {
    set_of(keys.iter().map(|key| key.jwk()).collect())
}

pub(crate) fn set_of(keys: Vec<Value>) -> String {
    json!({ "keys": keys }).to_string()
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("a time")
}

/// What a Django SimpleJWT access token says.
pub(crate) fn django_claims() -> Value {
    json!({"token_type": "access", "exp": now() + 300, "iat": now(), "jti": "4f1c", "user_id": 42})
}

/// What a Keycloak access token says.
pub(crate) fn provider_claims() -> Value {
    json!({
        "exp": now() + 300, "iat": now(), "jti": "f0a1", "iss": PROVIDER, "aud": ["account", "carillon"],
        "sub": "6b8e", "typ": "Bearer", "sid": "5d2c", "scope": "openid email profile",
        "realm_access": {"roles": ["offline_access", "realm-admin"]},
        "preferred_username": "alice", "email": "alice@example.org",
        "given_name": "Alice", "family_name": "Liddell",
    })
}

pub(crate) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

pub(crate) fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

pub(crate) fn secret() -> Secret {
    Secret::new(SECRET).expect("a secret")
}

pub(crate) fn hmac() -> EncodingKey {
    EncodingKey::from_secret(SECRET.as_bytes())
}

pub(crate) fn hs256(claims: &Value) -> String {
    carillon_token::mint_hs256(&secret(), claims).expect("a token")
}

pub(crate) fn django() -> Issuer {
    Issuer::secret("django", secret()).bare_ids()
}

/// An OpenID provider at an address that nothing answers.
pub(crate) fn provider() -> Issuer {
    provider_at("http://127.0.0.1:1/certs".parse().expect("a URL"))
}

pub(crate) fn provider_at(url: Url) -> Issuer {
    Issuer::jwks("keycloak", url).expected_issuer(PROVIDER)
}

/// A hook that is never to be asked.
pub(crate) fn no_hook() -> KeyHook {
    KeyHook::new(|| async { Err::<String, _>("nobody to ask") })
}

/// An OpenID provider whose keys are here already, under the name that pushes them.
pub(crate) fn pushed(keys: &str) -> Verifier {
    let mut issuer = provider();
    issuer.keys = carillon_token::Keys::Pushed(no_hook());
    let verifier = verifier(vec![django(), issuer, Issuer::carillon(no_hook())]);
    verifier.set_keys("keycloak", keys).expect("keys");
    verifier
}

pub(crate) fn verifier(issuers: Vec<Issuer>) -> Verifier {
    Verifier::new(issuers, Options::default()).expect("a verifier")
}

pub(crate) async fn refusal(verifier: &Verifier, token: &str) -> VerifyError {
    verifier.verify(token).await.expect_err("a refusal")
}

pub(crate) async fn reason(verifier: &Verifier, token: &str) -> &'static str {
    match refusal(verifier, token).await {
        VerifyError::Invalid(reason) => reason,
        other => panic!("{other}"),
    }
}
