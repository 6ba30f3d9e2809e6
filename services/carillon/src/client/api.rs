//! HTTP requests to a deployment.

use std::{error::Error, time::Duration};

use anyhow::Context;
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;

use super::{Address, SecretText};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Requests with one token, or none.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    client: Client,
    address: Address,
    token: Option<SecretText>,
}

/// What a request came to.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body; null if it isn't JSON.
    pub(crate) body: Value,
    /// After how many seconds to ask again.
    pub(crate) retry_after: Option<u64>,
}

/// Why a request has not succeeded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No answer.
    #[error("no answer from {address}: {reason}. Is a gateway there? (--url)")]
    NoAnswer { address: String, reason: String },
    /// A refusal.
    #[error("{method} {path} was refused with {status}{}{}", field(body), hint(*status))]
    Refused { method: Method, path: String, status: u16, body: Value, retry_after: Option<u64> },
}

impl Api {
    /// Requests to this address.
    ///
    /// # Errors
    /// A machine without certificates.
    pub(crate) fn new(address: &Address, token: Option<SecretText>) -> anyhow::Result<Self> {
        let builder =
            Client::builder().timeout(TIMEOUT).user_agent(concat!("carillon/", env!("CARGO_PKG_VERSION")));
        let builder = if address.is_loopback() { builder.no_proxy() } else { builder };
        // Where TLS isn't used, there need be no certificates on the machine.
        let builder = if address.is_secure() { builder } else { builder.tls_certs_only([]) };
        let client = builder.build().context("an HTTP client")?;
        Ok(Self { client, address: address.clone(), token })
    }

    /// The answer to a request, whatever its status.
    ///
    /// # Errors
    /// [`ApiError::NoAnswer`].
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Answer, ApiError> {
        let mut request = self.client.request(method, self.address.http(path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.as_str());
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unanswered = |error: reqwest::Error| ApiError::NoAnswer {
            address: self.address.to_string(),
            reason: causes(&error.without_url()),
        };
        let response = request.send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let bytes = response.bytes().await.map_err(unanswered)?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default(), retry_after })
    }

    /// The body of a request's answer that says success.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Value, ApiError> {
        let Answer { status, body, retry_after } = self.ask(method.clone(), path, body, key).await?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        Err(ApiError::Refused { method, path: path.to_owned(), status, body, retry_after })
    }

    /// GET.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub(crate) async fn get(&self, path: &str) -> Result<Value, ApiError> {
        self.call(Method::GET, path, None, None).await
    }
}

impl ApiError {
    /// Whether the same may succeed later, and after how long if that was said.
    pub(crate) fn retry(&self) -> Option<Option<Duration>> {
        match self {
            Self::NoAnswer { .. } => Some(None),
            Self::Refused { status: 429 | 502 | 503 | 504, retry_after, .. } => {
                Some(retry_after.map(Duration::from_secs))
            }
            Self::Refused { .. } => None,
        }
    }
}

/// An error with all that caused it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// What a problem body (RFC 9457) says.
fn field(body: &Value) -> String {
    let said = body["detail"].as_str().or(body["title"].as_str()).unwrap_or_default();
    match (body["field"].as_str(), said) {
        (_, "") => String::new(),
        (Some(field), said) => format!(": {field}: {said}"),
        (None, said) => format!(": {said}"),
    }
}

fn hint(status: u16) -> &'static str {
    match StatusCode::from_u16(status) {
        Ok(StatusCode::UNAUTHORIZED) => ". Say who you are: --token, CARILLON_TOKEN or --login",
        Ok(StatusCode::FORBIDDEN) => ". It takes another token: an admin's, or one with the scope",
        Ok(StatusCode::NOT_FOUND) => ". Is that the gateway's address? (--url)",
        _ => "",
    }
}
