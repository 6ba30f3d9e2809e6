//! An HTTP client for one gateway.

use anyhow::{Context, ensure};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;

/// Requests to one gateway, with or without a token.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What a request came to.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Api {
    /// Requests to the gateway at `base` (`http://127.0.0.1:8000`), without a token.
    pub fn new(http: reqwest::Client, base: &str) -> Self {
        Self { http, base: base.to_owned(), token: None }
    }

    /// The same with `Authorization: Bearer <token>`.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// GET.
    ///
    /// # Errors
    /// If there is no answer; any status is one.
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        send(self.request(Method::GET, path)).await
    }

    /// POST of a JSON body.
    ///
    /// # Errors
    /// If there is no answer; any status is one.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// PUT of a JSON body.
    ///
    /// # Errors
    /// If there is no answer; any status is one.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        send(self.request(Method::PUT, path).json(body)).await
    }

    /// PATCH with a JSON body.
    ///
    /// # Errors
    /// If there is no answer; any status is one.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        send(self.request(Method::PATCH, path).json(body)).await
    }

    /// DELETE.
    ///
    /// # Errors
    /// If there is no answer; any status is one.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Reply> {
        send(self.request(Method::DELETE, path)).await
    }

    /// Any other request, to be completed and passed to [`send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }
}

/// Sends a request that was made with [`Api::request`].
///
/// # Errors
/// If there is no answer; any status is one.
pub async fn send(request: RequestBuilder) -> anyhow::Result<Reply> {
    let response = request.timeout(crate::DEADLINE).send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Reply { status, headers, body: response.text().await? })
}

impl Reply {
    /// The body, if the status is the expected one; null if it is empty.
    ///
    /// # Errors
    /// Another status, or a body that is not JSON.
    pub fn expect(&self, status: u16) -> anyhow::Result<Value> {
        ensure!(self.status == status, "expected status {status}, got {}: {}", self.status, self.body);
        self.json()
    }

    /// The body, if the status says success; null if it is empty.
    ///
    /// # Errors
    /// Another status, or a body that is not JSON.
    pub fn success(&self) -> anyhow::Result<Value> {
        ensure!((200..300).contains(&self.status), "status {}: {}", self.status, self.body);
        self.json()
    }

    /// The body, whatever the status; null if it is empty.
    ///
    /// # Errors
    /// If it isn't JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&self.body).with_context(|| format!("not JSON: {}", self.body))
    }
}
