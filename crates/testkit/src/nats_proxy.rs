//! A proxy in front of NATS that cuts connections, and loses messages where a test wants one lost.

mod protocol;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::{
    io::{AsyncWriteExt, BufReader, BufWriter, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use crate::{DEADLINE, Nats};

/// Stands between a process and NATS: give its [`Self::url`] to a gateway of its own
/// ([`Cluster::add_gateway`](crate::Cluster::add_gateway), `--nats-url`).
#[derive(Debug)]
pub struct NatsProxy {
    port: u16,
    state: Arc<State>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    upstream: u16,
    connected: watch::Sender<bool>,
    to_lose: Mutex<ToLose>,
    lost: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct ToLose {
    subject: String,
    count: usize,
}

impl NatsProxy {
    /// Starts one in front of `nats`.
    ///
    /// # Errors
    /// If there is no port.
    pub async fn start(nats: &Nats) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State {
            upstream: nats.port(),
            connected: watch::Sender::new(true),
            to_lose: Mutex::default(),
            lost: watch::Sender::new(0),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { port, state, server })
    }

    /// Where a process connects instead of to NATS.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends every connection, and refuses new ones.
    pub fn cut(&self) {
        self.state.connected.send_replace(false);
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.state.connected.send_replace(true);
    }

    /// Loses the next `count` messages of this subject on their way from NATS. Replaces what was asked before.
    pub fn lose(&self, subject: &str, count: usize) {
        *self.state.to_lose() = ToLose { subject: subject.to_owned(), count };
    }

    /// Waits until so many messages have been lost, since the start.
    ///
    /// # Errors
    /// If they aren't in time.
    pub async fn wait_until_lost(&self, count: usize) -> anyhow::Result<()> {
        let mut lost = self.state.lost.subscribe();
        let enough = timeout(DEADLINE, lost.wait_for(|lost| *lost >= count)).await;
        enough.with_context(|| format!("fewer than {count} messages came to be lost"))??;
        Ok(())
    }
}

impl Drop for NatsProxy {
    fn drop(&mut self) {
        self.server.abort();
        self.cut();
    }
}

impl State {
    fn to_lose(&self) -> std::sync::MutexGuard<'_, ToLose> {
        self.to_lose.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loses(&self, subject: &str) -> bool {
        let mut to_lose = self.to_lose();
        let loses = to_lose.count > 0 && to_lose.subject == subject;
        if loses {
            to_lose.count -= 1;
            self.lost.send_modify(|lost| *lost += 1);
        }
        loses
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut connected = state.connected.subscribe();
        if !*connected.borrow_and_update() {
            continue;
        }
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            tokio::select! {
                // Either end may go away; the other then finds its connection closed.
                _ = relay(client, &state) => {}
                _ = connected.wait_for(|connected| !connected) => {}
            }
        });
    }
}

async fn relay(client: TcpStream, state: &State) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", state.upstream)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        done = copy(&mut from_client, &mut to_server) => done.map(drop),
        done = forward(from_server, to_client, state) => done,
    }
}

async fn forward(server: OwnedReadHalf, client: OwnedWriteHalf, state: &State) -> std::io::Result<()> {
    let (mut server, mut client) = (BufReader::new(server), BufWriter::new(client));
    while let Some(frame) = protocol::read(&mut server).await? {
        if !frame.subject.is_some_and(|subject| state.loses(&subject)) {
            client.write_all(&frame.bytes).await?;
        }
        if server.buffer().is_empty() {
            client.flush().await?;
        }
    }
    Ok(())
}
