//! Issues tokens: Carillon's own, and HMAC tokens for tests and tools (S1-11).

use std::fmt;

use aws_lc_rs::{rand::SystemRandom, signature::Ed25519KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{CARILLON, Kind, Secret, SigningError};

/// The claims of Carillon's own tokens. `iss` is added by [`SigningKey::issue`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CarillonClaims {
    /// The user's id, or the name of a service.
    pub sub: String,
    /// What the token is for.
    pub token_type: Kind,
    /// The token's own id, by which it can be revoked. Never empty.
    pub jti: String,
    /// The login that it belongs to; empty for service tokens.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sid: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// The name by which the user is addressed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preferred_username: String,
    /// The e-mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The given name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub given_name: String,
    /// The family name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub family_name: String,
    /// Carillon's role names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// A service token's scopes, separated by spaces.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

impl CarillonClaims {
    /// Claims with only what every token has.
    pub fn new(token_type: Kind, sub: impl Into<String>, jti: impl Into<String>, iat: i64, exp: i64) -> Self {
        Self {
            sub: sub.into(),
            token_type,
            jti: jti.into(),
            sid: String::new(),
            iat,
            exp,
            preferred_username: String::new(),
            email: String::new(),
            given_name: String::new(),
            family_name: String::new(),
            roles: Vec::new(),
            scope: String::new(),
        }
    }
}

/// An Ed25519 key that signs Carillon's own tokens. Its `Debug` output shows only the key's id.
#[derive(Clone)]
pub struct SigningKey {
    key: EncodingKey,
    public: Jwk,
    id: String,
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SigningError::Generate`].
    pub fn generate() -> Result<Self, SigningError> {
        let document =
            Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| SigningError::Generate)?;
        Self::new(EncodingKey::from_ed_der(document.as_ref()))
    }

    /// A key from what [`SigningKey::to_pem`] wrote.
    ///
    /// # Errors
    /// [`SigningError::Key`].
    pub fn from_pem(pem: &str) -> Result<Self, SigningError> {
        Self::new(EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| SigningError::Key)?)
    }

    /// The private key as PKCS#8 PEM, to be stored where only auth can read it.
    pub fn to_pem(&self) -> String {
        let content = STANDARD.encode(self.key.as_bytes());
        format!("-----BEGIN PRIVATE KEY-----\n{content}\n-----END PRIVATE KEY-----\n")
    }

    /// The key's id (`kid`): its RFC 7638 thumbprint.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public key as a JSON Web Key.
    pub fn public_jwk(&self) -> Value {
        json!(self.public)
    }

    /// A signed token.
    ///
    /// # Errors
    /// [`SigningError::Sign`].
    pub fn issue(&self, claims: &CarillonClaims) -> Result<String, SigningError> {
        #[derive(Serialize)]
        struct Issued<'a> {
            iss: &'static str,
            #[serde(flatten)]
            claims: &'a CarillonClaims,
        }
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let claims = Issued { iss: CARILLON, claims };
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_| SigningError::Sign)
    }

    fn new(key: EncodingKey) -> Result<Self, SigningError> {
        let mut public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).map_err(|_| SigningError::Key)?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| SigningError::Key)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { key, public, id })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SigningKey").field(&self.id).finish()
    }
}

/// The public JSON Web Key Set of these keys, as `/.well-known/jwks.json` and the bus carry it.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> String {
    let keys: Vec<Value> = keys.into_iter().map(SigningKey::public_jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// A token signed with HS256, as Django's SimpleJWT makes them: for tests and tools.
///
/// # Errors
/// [`SigningError::Sign`].
pub fn mint_hs256(secret: &Secret, claims: &Value) -> Result<String, SigningError> {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).map_err(|_| SigningError::Sign)
}
