//! When a process is ready to be used.

use std::{fs, path::PathBuf, time::Duration};

use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

/// A check that takes longer than this has failed; it is made again.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a process shows that it is ready.
#[derive(Debug, Clone)]
pub(crate) enum Ready {
    /// A NATS server greets on this port.
    Nats(u16),
    /// The Postgres in this data directory says so.
    Postgres(PathBuf),
    /// Something listens on this port.
    Listens(u16),
    /// `GET` of this URL is answered with 200.
    Http(String),
}

impl Ready {
    /// Whether the process `id` is ready now.
    pub(crate) async fn check(&self, http: &reqwest::Client, id: u32) -> bool {
        match self {
            Self::Nats(port) => timeout(PATIENCE, greets(*port)).await.unwrap_or(false),
            Self::Listens(port) => TcpStream::connect(("127.0.0.1", *port)).await.is_ok(),
            Self::Postgres(directory) => postmaster_is_ready(directory, id).unwrap_or(false),
            Self::Http(url) => match http.get(url).timeout(PATIENCE).send().await {
                Ok(response) => response.status() == 200,
                Err(_) => false,
            },
        }
    }

    /// The base of the URL that is asked, if one is.
    pub(crate) fn operations(&self) -> Option<String> {
        let Self::Http(url) = self else { return None };
        url.strip_suffix("/readyz").map(str::to_owned)
    }

    /// Whether the process may exit a few times before it stays: a Postgres that was killed leaves shared
    /// memory that its successor refuses to take over until the last orphan of the first is gone.
    pub(crate) fn may_need_another_start(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

async fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let mut greeting = [0; 5];
    stream.read_exact(&mut greeting).await.is_ok() && &greeting == b"INFO "
}

/// The first line of `postmaster.pid` is the server's process id, the eighth its state.
fn postmaster_is_ready(directory: &std::path::Path, id: u32) -> Option<bool> {
    let text = fs::read_to_string(directory.join("postmaster.pid")).ok()?;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    Some(lines.first()? == &id.to_string() && lines.get(7)? == &"ready")
}
