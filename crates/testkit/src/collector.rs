//! A collector of spans: it takes what OTLP exporters send over HTTP, and shows it to tests.

mod receiver;
mod span;

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use tokio::{sync::watch, time::timeout};

pub use span::CollectedSpan;

use crate::DEADLINE;

/// What a collector does with spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// It keeps them.
    Takes,
    /// It lets exporters wait for an answer for ever.
    Hangs,
}

/// An OTLP receiver on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    spans: watch::Sender<Vec<CollectedSpan>>,
    ended: Arc<AtomicBool>,
}

impl Collector {
    /// Starts one.
    ///
    /// # Errors
    /// If there is no port.
    pub fn start() -> anyhow::Result<Self> {
        Self::with(Manners::Takes)
    }

    /// Starts one that takes connections and never answers.
    ///
    /// # Errors
    /// If there is no port.
    pub fn start_hanging() -> anyhow::Result<Self> {
        Self::with(Manners::Hangs)
    }

    fn with(manners: Manners) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let spans = watch::Sender::new(Vec::new());
        let (kept, ended) = (spans.clone(), Arc::new(AtomicBool::new(false)));
        let is_ended = ended.clone();
        std::thread::Builder::new()
            .name("collector".to_owned())
            .spawn(move || receiver::serve(&listener, manners == Manners::Takes, &is_ended, &kept))?;
        Ok(Self { address, spans, ended })
    }

    /// What exporters find it by (`OTEL_EXPORTER_OTLP_ENDPOINT`).
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was collected so far.
    pub fn spans(&self) -> Vec<CollectedSpan> {
        self.spans.borrow().clone()
    }

    /// Waits until what was collected is enough for `find` to find what it looks for.
    ///
    /// # Errors
    /// If it isn't in time; then this says what there was.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&[CollectedSpan]) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut spans = self.spans.subscribe();
        let mut found = None;
        let waited = spans.wait_for(|spans| {
            found = find(spans);
            found.is_some()
        });
        // The sender is this collector's own.
        let _ = timeout(DEADLINE, waited).await.is_ok_and(|changed| changed.is_ok());
        found.with_context(|| format!("{what} was not collected, but {:#?}", self.spans()))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread, which finds that it is over.
        let _ = TcpStream::connect(self.address);
    }
}
