//! Turns tokens into identities.

use std::{fmt, sync::Arc, time::Duration};

use carillon_contract::messages::Identity;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use crate::{
    ConfigError, Issuer, Keys, Kind, VerifyError, claims, fetch::Source, identity::identity,
    key_ring::KeyRing, key_set::KeySet, parts::Parts, times::Times,
};

/// What holds for every issuer.
#[derive(Debug, Clone)]
pub struct Options {
    /// How far clocks may differ when `exp`, `nbf` and `iat` are judged.
    pub leeway: Duration,
    /// The age at which keys are asked for again, in the background.
    pub keys_max_age: Duration,
    /// The time between two attempts to get one issuer's keys, whatever asks for them.
    pub keys_min_interval: Duration,
    /// How long one attempt may take.
    pub keys_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            leeway: Duration::from_secs(5),
            keys_max_age: Duration::from_secs(600),
            keys_min_interval: Duration::from_secs(10),
            keys_timeout: Duration::from_secs(5),
        }
    }
}

/// Verifies the tokens of every configured issuer. Cheap to clone; clones share the keys.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuers: Vec<Trusted>,
    names: Vec<String>,
    leeway: Duration,
}

/// An issuer, with what its signatures are checked with.
struct Trusted {
    issuer: Issuer,
    material: Material,
}

enum Material {
    Secret(DecodingKey),
    Public(Arc<KeyRing>),
}

impl Verifier {
    /// A verifier for these issuers. Keys are fetched when first needed, within a Tokio runtime.
    ///
    /// # Errors
    /// Names that can't be prefixes or are taken, two owners of bare ids, two issuers that would claim
    /// the same tokens, or an address that can't be fetched from.
    pub fn new(issuers: Vec<Issuer>, options: Options) -> Result<Self, ConfigError> {
        check(&issuers)?;
        let names = issuers.iter().map(|issuer| issuer.name.clone()).collect();
        let issuers =
            issuers.into_iter().map(|issuer| Trusted::new(issuer, &options)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner { issuers, names, leeway: options.leeway })))
    }

    /// Who an access token, or a service token, stands for.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub async fn verify(&self, token: &str) -> Result<Identity, VerifyError> {
        self.judge(token, &[Kind::Access, Kind::Service]).await.map(|(identity, _)| identity)
    }

    /// Whose refresh token this is. Only Carillon's own are accepted: another issuer's are its to exchange.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub async fn verify_refresh(&self, token: &str) -> Result<Identity, VerifyError> {
        self.judge(token, &[Kind::Refresh]).await.map(|(identity, _)| identity)
    }

    /// Whose token this is, and of which kind, whatever the kind.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub async fn verify_any(&self, token: &str) -> Result<(Identity, Kind), VerifyError> {
        self.judge(token, &[Kind::Access, Kind::Refresh, Kind::Service]).await
    }

    /// Takes an issuer's public keys, as they arrive over the bus. They replace the ones before.
    ///
    /// # Errors
    /// An issuer that doesn't take pushed keys, or text that is no key set.
    pub fn set_keys(&self, issuer: &str, jwks: &str) -> Result<(), ConfigError> {
        let trusted = self.0.issuers.iter().find(|trusted| trusted.issuer.name == issuer);
        let ring = trusted.and_then(Trusted::pushed).ok_or_else(|| ConfigError::NotPushed(issuer.into()))?;
        ring.set(KeySet::parse(jwks).map_err(ConfigError::Jwks)?);
        Ok(())
    }

    async fn judge(&self, token: &str, accepted: &[Kind]) -> Result<(Identity, Kind), VerifyError> {
        let parts = Parts::parse(token)?;
        let trusted = self.0.issuer_of(&parts).ok_or(VerifyError::Invalid("unknown issuer"))?;
        trusted.check_signature(&parts).await?;
        let (issuer, claims) = (&trusted.issuer, &parts.claims);
        let kind = if issuer.own { Kind::of_own(claims)? } else { Kind::of_foreign(claims)? };
        if !accepted.contains(&kind) {
            return Err(VerifyError::Invalid("not a token for this purpose"));
        }
        check_audience(issuer, claims)?;
        let times = Times::check(claims, self.0.leeway)?;
        Ok((identity(issuer, &self.0.names, kind, claims, &times)?, kind))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Verifier").field(&self.0.names).finish()
    }
}

impl Inner {
    /// The one issuer whose token this can be. One that expects an `iss` has all tokens with it and
    /// no others, so that no other issuer's key is ever tried on them. The rest belong to the one
    /// issuer that expects none and has the type of key that the algorithm needs.
    fn issuer_of(&self, parts: &Parts<'_>) -> Option<&Trusted> {
        let named = self.issuers.iter().find(|trusted| {
            trusted.issuer.expected_issuer.as_deref().is_some_and(|expected| parts.issuer() == Some(expected))
        });
        named.or_else(|| {
            self.issuers.iter().find(|trusted| {
                trusted.issuer.expected_issuer.is_none() && trusted.material.is_shared() == parts.is_hmac()
            })
        })
    }
}

impl Material {
    fn is_shared(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

impl Trusted {
    fn new(issuer: Issuer, options: &Options) -> Result<Self, ConfigError> {
        let ring = |source| Material::Public(KeyRing::new(issuer.name.clone(), source, options));
        let material = match &issuer.keys {
            Keys::Secret(secret) => Material::Secret(DecodingKey::from_secret(secret.as_bytes())),
            Keys::Pushed(hook) => ring(Source::Hook(hook.clone())),
            Keys::Url(url) => ring(Source::url(&issuer.name, url.clone())?),
        };
        Ok(Self { issuer, material })
    }

    fn pushed(&self) -> Option<&KeyRing> {
        match (&self.issuer.keys, &self.material) {
            (Keys::Pushed(_), Material::Public(ring)) => Some(ring),
            _ => None,
        }
    }

    async fn check_signature(&self, parts: &Parts<'_>) -> Result<(), VerifyError> {
        match &self.material {
            // Before the keys are looked at, so that such a token can't have them fetched.
            material if material.is_shared() != parts.is_hmac() => {
                Err(VerifyError::Invalid("the algorithm is not the key's"))
            }
            Material::Public(ring) => ring.check(parts).await,
            Material::Secret(key) if parts.is_signed_by(key) => Ok(()),
            Material::Secret(_) => Err(VerifyError::Invalid("the signature is wrong")),
        }
    }
}

fn check_audience(issuer: &Issuer, claims: &Map<String, Value>) -> Result<(), VerifyError> {
    let Some(audience) = &issuer.audience else { return Ok(()) };
    let stated = match claims.get("aud") {
        Some(Value::String(text)) => text == audience,
        list => claims::words(list).contains(&audience.as_str()),
    };
    if stated { Ok(()) } else { Err(VerifyError::Invalid("for another audience")) }
}

fn check(issuers: &[Issuer]) -> Result<(), ConfigError> {
    for (index, issuer) in issuers.iter().enumerate() {
        if !is_name(&issuer.name) {
            return Err(ConfigError::IssuerName(issuer.name.clone()));
        }
        if issuer.claims.user.is_empty() {
            return Err(ConfigError::NoUserClaim(issuer.name.clone()));
        }
        issuers[..index].iter().try_for_each(|other| check_pair(other, issuer))?;
    }
    Ok(())
}

fn check_pair(one: &Issuer, other: &Issuer) -> Result<(), ConfigError> {
    let names = || (one.name.clone(), other.name.clone());
    if one.name == other.name {
        return Err(ConfigError::DuplicateIssuer(one.name.clone()));
    }
    if one.bare_ids && other.bare_ids {
        let (one, other) = names();
        return Err(ConfigError::BareIds(one, other));
    }
    let same_type = matches!(one.keys, Keys::Secret(_)) == matches!(other.keys, Keys::Secret(_));
    if one.expected_issuer == other.expected_issuer && (same_type || one.expected_issuer.is_some()) {
        let (one, other) = names();
        return Err(ConfigError::Ambiguous(one, other));
    }
    Ok(())
}

/// No colon, which separates the name from the id.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}
