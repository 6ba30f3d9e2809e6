//! Signing keys of an identity provider.

use anyhow::anyhow;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use serde_json::{Value, json};

use super::{encode, token};

/// A key pair with a key id.
#[derive(Debug)]
pub struct Key {
    id: String,
    pair: Pair,
}

#[derive(Debug)]
enum Pair {
    Rsa(rsa::KeyPair),
    P256(EcdsaKeyPair),
}

impl Key {
    /// A new RSA key of 2048 bits, for RS256: Keycloak's default.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn rsa(id: &str) -> anyhow::Result<Self> {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow!("no RSA key"))?;
        Ok(Self { id: id.to_owned(), pair: Pair::Rsa(pair) })
    }

    /// A new P-256 key, for ES256.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn p256(id: &str) -> anyhow::Result<Self> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| anyhow!("no EC key"))?;
        Ok(Self { id: id.to_owned(), pair: Pair::P256(pair) })
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let header = json!({"alg": self.algorithm(), "typ": "JWT", "kid": self.id});
        let mut failure = None;
        let token = token(&header, claims, |input| {
            self.signature(input).unwrap_or_else(|error| {
                failure = Some(error);
                Vec::new()
            })
        });
        failure.map_or(Ok(token), Err)
    }

    /// The public half, as a JSON Web Key.
    pub fn public(&self) -> Value {
        let mut key = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let modulus = encode(public.modulus().big_endian_without_leading_zero());
                let exponent = encode(public.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "n": modulus, "e": exponent})
            }
            Pair::P256(pair) => {
                // An uncompressed point: 4, then x and y of 32 bytes each.
                let point = &pair.public_key().as_ref()[1..];
                json!({"kty": "EC", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..])})
            }
        };
        key["kid"] = json!(self.id);
        key["alg"] = json!(self.algorithm());
        key["use"] = json!("sig");
        key
    }

    fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
        }
    }

    fn signature(&self, input: &[u8]) -> anyhow::Result<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature)
                    .map_err(|_| anyhow!("no RSA signature"))?;
                Ok(signature)
            }
            Pair::P256(pair) => {
                let signature = pair.sign(&random, input).map_err(|_| anyhow!("no EC signature"))?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}
