//! Opening a WebSocket.

use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::rustls::ClientConfig;
use tokio_tungstenite::{
    client_async,
    tungstenite::{
        self,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderName, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
    },
};
use url::Url;

use super::{Socket, stream::secured};
use crate::DEADLINE;

/// How a WebSocket is to be opened.
#[derive(Debug, Clone)]
pub struct Handshake {
    url: Url,
    headers: Vec<(String, String)>,
    protocols: Vec<String>,
    trust: Option<Arc<ClientConfig>>,
}

/// A handshake that was answered with a plain HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status code.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

impl Handshake {
    /// With the endpoint at `path` of the gateway at `base` (`ws://127.0.0.1:8000`).
    ///
    /// # Errors
    /// If they make no URL.
    pub fn new(base: &str, path: &str) -> anyhow::Result<Self> {
        let url = format!("{base}{path}").parse().with_context(|| format!("{base}{path} is no URL"))?;
        Ok(Self { url, headers: Vec::new(), protocols: Vec::new(), trust: None })
    }

    /// Over TLS, if there is somebody to trust.
    #[must_use]
    pub(crate) fn trusting(mut self, trust: Option<Arc<ClientConfig>>) -> Self {
        self.trust = trust;
        self
    }

    /// With one more parameter in the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// With a token in the query, as browsers send it.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.query("token", token)
    }

    /// With `Authorization: Bearer`, as other clients can send it.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With one more subprotocol on offer.
    #[must_use]
    pub fn protocol(mut self, protocol: &str) -> Self {
        self.protocols.push(protocol.to_owned());
        self
    }

    /// Continues where `since` says, if it says anything.
    #[must_use]
    pub fn since(self, since: Option<String>) -> Self {
        match since {
            Some(since) => self.query("since", &since),
            None => self,
        }
    }

    /// Opens the socket. A refusal by a close frame is still to come then.
    ///
    /// # Errors
    /// If the gateway doesn't answer, or refuses with an HTTP status.
    pub async fn open(self) -> anyhow::Result<Socket> {
        let path = self.url.path().to_owned();
        match self.attempt().await? {
            Ok(socket) => Ok(socket),
            Err(refusal) => bail!("{path} was refused with {}: {}", refusal.status, refusal.body),
        }
    }

    /// Expects an HTTP refusal.
    ///
    /// # Errors
    /// If the gateway doesn't answer, or upgrades.
    pub async fn refused(self) -> anyhow::Result<Refusal> {
        let path = self.url.path().to_owned();
        match self.attempt().await? {
            Ok(_) => bail!("{path} was upgraded"),
            Err(refusal) => Ok(refusal),
        }
    }

    /// Opens the socket, or tells with which status the gateway refused to.
    ///
    /// # Errors
    /// If the gateway doesn't answer.
    pub async fn attempt(self) -> anyhow::Result<Result<Socket, Refusal>> {
        let address = self.url.socket_addrs(|| None)?.first().copied().context("an address")?;
        let request = self.request()?;
        let shake = async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let stream =
                secured(stream, self.url.host_str().unwrap_or_default(), self.trust.as_ref()).await?;
            anyhow::Ok(client_async(request, stream).await)
        };
        let path = self.url.path();
        let shaken = timeout(DEADLINE, shake).await.with_context(|| format!("no handshake with {path}"))?;
        match shaken.with_context(|| format!("no handshake with {path}"))? {
            Ok((stream, response)) => {
                let protocol = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
                let protocol = protocol.and_then(|value| value.to_str().ok()).map(str::to_owned);
                Ok(Ok(Socket::new(stream, path, protocol)))
            }
            Err(tungstenite::Error::Http(response)) => {
                let body = response.body().as_deref().unwrap_or_default();
                let body = String::from_utf8_lossy(body).into_owned();
                Ok(Err(Refusal { status: response.status().as_u16(), body }))
            }
            Err(error) => Err(error).with_context(|| format!("no handshake with {path}")),
        }
    }

    fn request(&self) -> anyhow::Result<Request> {
        let mut request = self.url.as_str().into_client_request()?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(HeaderName::try_from(name)?, HeaderValue::from_str(value)?);
        }
        if !self.protocols.is_empty() {
            let offered = HeaderValue::from_str(&self.protocols.join(", "))?;
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offered);
        }
        Ok(request)
    }
}
