//! Opening a WebSocket.

use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderName, HeaderValue, header},
        protocol::WebSocketConfig,
    },
};

use super::{Address, SecretText, Socket, StreamError, connect};

/// What stays as it is in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is kept to read into, for each connection: thousands of them fit into one process.
const READ_BUFFER: usize = 4 * 1024;

/// A WebSocket to be.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    address: Address,
    path: String,
    query: String,
    headers: Vec<(HeaderName, String)>,
}

/// One that is open.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The socket.
    pub(crate) socket: Socket,
    /// How long TCP, TLS and the upgrade took.
    pub(crate) took: Duration,
}

/// Why it didn't open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// Not even a connection.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// HTTP instead.
    #[error("refused with HTTP {status}{}", shown(body))]
    Refused { status: u16, body: String, retry_after: Option<u64> },
    /// No answer.
    #[error("no handshake within {0:?}")]
    TimedOut(Duration),
    /// No WebSocket server.
    #[error("no WebSocket handshake: {0}")]
    Protocol(Box<tungstenite::Error>),
}

impl Handshake {
    /// With the endpoint at this path.
    pub(crate) fn new(address: &Address, path: &str) -> Self {
        Self { address: address.clone(), path: path.to_owned(), query: String::new(), headers: Vec::new() }
    }

    /// With one more parameter.
    #[must_use]
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(&format!("{name}={}", utf8_percent_encode(value, PLAIN)));
        self
    }

    /// With a token, in a header: so it is in no proxy's log.
    #[must_use]
    pub(crate) fn token(mut self, token: Option<&SecretText>) -> Self {
        if let Some(token) = token {
            self.headers.push((header::AUTHORIZATION, format!("Bearer {}", token.as_str())));
        }
        self
    }

    /// Opens it. A refusal by a close frame is still to come then.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub(crate) async fn open(&self, within: Duration) -> Result<Opened, HandshakeError> {
        timeout(within, self.shake()).await.unwrap_or(Err(HandshakeError::TimedOut(within)))
    }

    async fn shake(&self) -> Result<Opened, HandshakeError> {
        let begun = Instant::now();
        let request = self.request().map_err(|error| HandshakeError::Protocol(Box::new(error)))?;
        let stream = connect(&self.address).await?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((stream, _)) => Ok(Opened { socket: Socket::new(stream), took: begun.elapsed() }),
            Err(error) => Err(refused(error)),
        }
    }

    fn request(&self) -> Result<Request, tungstenite::Error> {
        let url = self.address.socket(&format!("{}{}", self.path, self.query));
        let mut request = url.into_client_request()?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, HeaderValue::from_str(value)?);
        }
        Ok(request)
    }
}

fn refused(error: tungstenite::Error) -> HandshakeError {
    let tungstenite::Error::Http(response) = error else { return HandshakeError::Protocol(Box::new(error)) };
    let retry_after = response.headers().get(header::RETRY_AFTER);
    HandshakeError::Refused {
        status: response.status().as_u16(),
        retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
        body: String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned(),
    }
}

/// What a refusal says: the `detail` of a problem body, or else its beginning.
fn shown(body: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let said = problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or(body.trim());
    if said.is_empty() { String::new() } else { format!(": {}", said.chars().take(200).collect::<String>()) }
}

impl HandshakeError {
    /// Whether the same may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Stream(StreamError::Unreachable(..)) | Self::TimedOut(_) => true,
            Self::Refused { status, .. } => matches!(status, 429 | 502 | 503 | 504),
            // A connection that broke meanwhile.
            Self::Protocol(error) => {
                matches!(**error, tungstenite::Error::Io(_) | tungstenite::Error::Protocol(_))
            }
            Self::Stream(_) => false,
        }
    }

    /// After how long it is worth trying again, if it was said.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => retry_after.map(Duration::from_secs),
            _ => None,
        }
    }
}
