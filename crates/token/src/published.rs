//! What an issuer publishes, for operators who check whether it can be had.

use std::time::Duration;

use reqwest::Url;
use tokio::time::timeout;

use crate::{
    fetch::{FetchError, Source},
    key_set::KeySet,
};

/// A key set, as far as it can be used here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedKeys {
    /// How many of its keys can be used.
    pub usable: usize,
    /// For which algorithms.
    pub algorithms: Vec<String>,
}

impl PublishedKeys {
    /// What there is in a key set's JSON.
    ///
    /// # Errors
    /// A text that is no key set.
    pub fn parse(jwks: &str) -> Result<Self, &'static str> {
        let keys = KeySet::parse(jwks)?;
        Ok(Self { usable: keys.len(), algorithms: keys.algorithms() })
    }
}

/// Fetches the keys at an address, as a verifier does.
///
/// # Errors
/// Why it would get none, in words that don't repeat the address.
pub async fn published_keys(url: &Url, within: Duration) -> Result<PublishedKeys, String> {
    let source = Source::url("the issuer", url.clone()).map_err(|error| error.to_string())?;
    let fetched = timeout(within, source.fetch()).await.unwrap_or(Err(FetchError::TimedOut));
    let jwks = fetched.map_err(|error| error.to_string())?;
    PublishedKeys::parse(&jwks).map_err(str::to_owned)
}
