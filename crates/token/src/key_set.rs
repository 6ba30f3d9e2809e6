//! A JSON Web Key Set (RFC 7517), and which of its keys made a signature.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::{VerifyError, algorithm, parts::Parts};

/// More keys than any issuer needs.
const MAX_KEYS: usize = 100;

/// How many keys are tried for one token, which may not name one: checking a signature costs time.
const MAX_TRIED: usize = 4;

/// The public keys of one issuer.
pub(crate) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// What a key set says about a token.
pub(crate) enum Verdict {
    /// One of its keys made the signature.
    Signed,
    /// It has no such key; a newer set may have.
    UnknownKey,
    /// It has the key, and the token is not its.
    Refused(VerifyError),
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set. Keys of unknown types, for other purposes or malformed are left out, as the
    /// standard asks; shared secrets (`oct`) have no business in a public set, and are left out too.
    pub(crate) fn parse(json: &str) -> Result<Self, &'static str> {
        let set: RawSet = serde_json::from_str(json).map_err(|_| "no JSON object with a list `keys`")?;
        if set.keys.len() > MAX_KEYS {
            return Err("more than 100 keys");
        }
        Ok(Self(set.keys.into_iter().filter_map(Key::read).collect()))
    }

    /// How many of the set's keys can be used.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What the set's keys are for, by the names of their algorithms, without repetition.
    pub(crate) fn algorithms(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.0.iter().flat_map(|key| &key.algorithms).map(|algorithm| format!("{algorithm:?}")).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether one of the keys made the token's signature. A token that names no key may have been made
    /// by any that is for its algorithm.
    pub(crate) fn judge(&self, token: &Parts<'_>) -> Verdict {
        let is_named = |key: &&Key| token.key_id.is_none() || key.id == token.key_id;
        let is_for = |key: &&Key| key.algorithms.contains(&token.algorithm);
        let mut fitting = self.0.iter().filter(is_named).filter(is_for).take(MAX_TRIED).peekable();
        if fitting.peek().is_none() {
            let is_known = token.key_id.is_some() && self.0.iter().any(|key| is_named(&key));
            return if is_known {
                Verdict::Refused(VerifyError::Invalid("the algorithm is not the key's"))
            } else {
                Verdict::UnknownKey
            };
        }
        if fitting.any(|key| token.is_signed_by(&key.key)) {
            Verdict::Signed
        } else {
            Verdict::Refused(VerifyError::Invalid("the signature is wrong"))
        }
    }
}

impl Key {
    fn read(value: Value) -> Option<Self> {
        let raw: RawKey = serde_json::from_value(value).ok()?;
        let verifies = raw.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && raw.key_ops.as_ref().is_none_or(|uses| uses.iter().any(|name| name == "verify"));
        let (possible, key) = raw.material().filter(|_| verifies)?;
        let algorithms = match &raw.alg {
            None => possible.to_vec(),
            Some(name) => vec![algorithm::named(name).filter(|named| possible.contains(named))?],
        };
        Some(Self { id: raw.kid, algorithms, key })
    }
}

impl RawKey {
    /// The key itself, and the algorithms that its type can be used with.
    fn material(&self) -> Option<(&'static [Algorithm], DecodingKey)> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (modulus, exponent) = (decode(&self.n)?, decode(&self.e)?);
                let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
                (256..=1024).contains(&modulus.len()).then_some((algorithm::RSA, key))
            }
            ("EC", Some("P-256")) => Some((algorithm::P256, self.point(32)?)),
            ("EC", Some("P-384")) => Some((algorithm::P384, self.point(48)?)),
            ("OKP", Some("Ed25519")) => {
                let x = decode(&self.x).filter(|x| x.len() == 32)?;
                Some((algorithm::ED25519, DecodingKey::from_ed_der(&x)))
            }
            _ => None,
        }
    }

    fn point(&self, length: usize) -> Option<DecodingKey> {
        let (x, y) = (decode(&self.x)?, decode(&self.y)?);
        let uncompressed = [&[4], x.as_slice(), y.as_slice()].concat();
        (x.len() == length && y.len() == length).then(|| DecodingKey::from_ec_der(&uncompressed))
    }
}

fn decode(text: &Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.as_ref()?).ok()
}
