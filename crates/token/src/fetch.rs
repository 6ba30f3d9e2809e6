//! Where an issuer's keys come from: an address, or whoever else has them.

use std::{error::Error, fmt, future::Future, net::IpAddr, pin::Pin, sync::Arc};

use reqwest::{Client, Url, redirect};

use crate::ConfigError;

/// The largest key set, in bytes: a hundred RSA keys with their certificates fit.
const MAX_BODY: usize = 256 * 1024;

/// A key set's JSON, or why there is none.
pub(crate) type Fetched = Result<String, FetchError>;
type Failure = Box<dyn Error + Send + Sync>;
type Asked = Pin<Box<dyn Future<Output = Result<String, Failure>> + Send>>;

/// Asks whoever issues pushed keys for the current set, such as auth over the bus.
#[derive(Clone)]
pub struct KeyHook(Arc<dyn Fn() -> Asked + Send + Sync>);

/// Why no key set came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    Http(String),
    #[error("answered {0}")]
    Status(u16),
    #[error("more than {MAX_BODY} bytes")]
    TooLarge,
    #[error("not UTF-8")]
    Encoding,
    #[error("{0}")]
    Hook(Failure),
    #[error("not a JSON Web Key Set: {0}")]
    Malformed(&'static str),
    #[error("took too long")]
    TimedOut,
}

/// Where one issuer's keys come from.
#[derive(Clone)]
pub(crate) enum Source {
    Url(Url, Client),
    Hook(KeyHook),
}

impl KeyHook {
    /// A hook that resolves to the JSON text of a key set.
    pub fn new<F, Fut, E>(ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Failure>,
    {
        Self(Arc::new(move || {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(Into::into) })
        }))
    }
}

impl fmt::Debug for KeyHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHook")
    }
}

impl Source {
    /// Keys from an http or https address.
    pub(crate) fn url(issuer: &str, url: Url) -> Result<Self, ConfigError> {
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(ConfigError::Url(issuer.to_owned()));
        }
        let client =
            client(&url).map_err(|source| ConfigError::Client { issuer: issuer.to_owned(), source })?;
        Ok(Self::Url(url, client))
    }

    /// The key set as it is now.
    pub(crate) async fn fetch(&self) -> Fetched {
        match self {
            Self::Url(url, client) => get(client, url.clone()).await,
            Self::Hook(hook) => (hook.0)().await.map_err(FetchError::Hook),
        }
    }
}

/// No connection outlives its request: they are rare, and a worker's runtime may end before the next.
/// A redirect is not followed, since the address is the root of the trust in these keys.
fn client(url: &Url) -> reqwest::Result<Client> {
    let builder = Client::builder().pool_max_idle_per_host(0).redirect(redirect::Policy::none());
    let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
    // Where TLS isn't used, there need be no certificates on the machine.
    let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    builder.build()
}

async fn get(client: &Client, url: Url) -> Fetched {
    let mut response = client.get(url).send().await.map_err(FetchError::from)?;
    if response.status() != 200 {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(FetchError::from)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| FetchError::Encoding)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

impl From<reqwest::Error> for FetchError {
    /// Without the address, which may hold a password, and with the cause, which says what to do.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        Self::Http(text)
    }
}
