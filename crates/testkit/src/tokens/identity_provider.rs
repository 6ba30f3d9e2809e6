//! An OpenID provider, as far as Carillon sees it: a URL that answers with a key set.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{Key, keycloak_claims};

/// Publishes public keys over HTTP, and signs with the current one.
#[derive(Debug)]
pub struct IdentityProvider {
    base: String,
    state: Arc<State>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    keys: Mutex<Vec<Arc<Key>>>,
    fetched: AtomicUsize,
}

impl IdentityProvider {
    /// Starts one that publishes and signs with `key`.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start(key: Key) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}/realms/test", listener.local_addr()?);
        let state = Arc::new(State { keys: Mutex::new(vec![Arc::new(key)]), fetched: AtomicUsize::new(0) });
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { base, state, server })
    }

    /// What its tokens say under `iss`.
    pub fn issuer(&self) -> &str {
        &self.base
    }

    /// Where the keys are (`KEYCLOAK_JWKS_URL`).
    pub fn jwks_url(&self) -> String {
        format!("{}/protocol/openid-connect/certs", self.base)
    }

    /// From now on signs with this key, and publishes it only.
    pub fn rotate(&self, key: Key) {
        *self.state.keys() = vec![Arc::new(key)];
    }

    /// How often the keys were fetched.
    pub fn fetched(&self) -> usize {
        self.state.fetched.load(Ordering::Relaxed)
    }

    /// A token for this subject, as Keycloak makes it.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn token(&self, subject: &str) -> anyhow::Result<String> {
        self.sign(&keycloak_claims(self.issuer(), subject))
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let key = self.state.keys().last().cloned();
        key.ok_or_else(|| anyhow::anyhow!("no key"))?.sign(claims)
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl State {
    fn keys(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Key>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jwks(&self) -> Value {
        json!({"keys": self.keys().iter().map(|key| key.public()).collect::<Vec<_>>()})
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            // A client that goes away has its reason.
            let _ = answer(stream, &state).await;
        });
    }
}

/// Every request is answered with the keys, whatever it asks for.
async fn answer(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut stream = BufStream::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    state.fetched.fetch_add(1, Ordering::Relaxed);
    let body = state.jwks().to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let reply = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(reply.as_bytes()).await?;
    stream.flush().await
}
