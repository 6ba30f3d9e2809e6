//! Serving requests.

use std::{any::Any, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use carillon_contract::Subject;
use futures_util::FutureExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, error, warn};

use crate::{Bus, Refusal, RefusalKind, Subscription, message::Incoming, span};

/// How long [`Server::stop`] waits for what is running.
const DRAIN: Duration = Duration::from_secs(10);

/// Answers the requests to a service.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. `method` is the last word of its subject. The trace context of the
    /// request is current while this runs.
    fn handle(&self, method: &str, payload: Bytes) -> impl Future<Output = Result<Bytes, Refusal>> + Send;
}

impl<H: Handler> Handler for Arc<H> {
    fn handle(&self, method: &str, payload: Bytes) -> impl Future<Output = Result<Bytes, Refusal>> + Send {
        (**self).handle(method, payload)
    }
}

/// A service's requests being answered. Dropping it stops it too, without waiting.
#[derive(Debug)]
#[must_use = "dropping a server stops it"]
pub struct Server {
    stop: CancellationToken,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Takes no more requests, finishes those that wait or run (for up to ten seconds), and
    /// returns when the replies are sent.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(accepting) = self.accepting.take() {
            // It does not panic, and nothing aborts it.
            let _ = accepting.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The refusal that stands in for a reply which the bus cannot carry.
pub(crate) fn too_large() -> Refusal {
    Refusal::new(RefusalKind::Internal, "the reply is larger than the bus carries")
}

pub(crate) fn start<H: Handler>(
    bus: Bus,
    service: &'static str,
    subscription: Subscription,
    concurrency: usize,
    handler: H,
) -> Server {
    let stop = CancellationToken::new();
    let serving = Serving {
        bus,
        service,
        subscription,
        permits: Arc::new(Semaphore::new(concurrency.max(1))),
        running: TaskTracker::new(),
        handler: Arc::new(handler),
    };
    let accepting = tokio::spawn(serving.run(stop.clone()));
    Server { stop, accepting: Some(accepting) }
}

struct Serving<H> {
    bus: Bus,
    service: &'static str,
    subscription: Subscription,
    permits: Arc<Semaphore>,
    running: TaskTracker,
    handler: Arc<H>,
}

impl<H: Handler> Serving<H> {
    async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.accept()).await;
        if time::timeout(DRAIN, self.finish()).await.is_err() {
            warn!(service = %self.service, running = self.running.len(), "requests are left unfinished");
        }
    }

    /// Takes requests on until there are no more.
    async fn accept(&mut self) {
        loop {
            // In this order, so that what cannot be handled yet waits in the bounded queue.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
            let Some(incoming) = self.subscription.incoming().await else { return };
            self.spawn(incoming, permit);
        }
    }

    async fn finish(&mut self) {
        self.subscription.drain().await;
        self.accept().await;
        self.running.close();
        self.running.wait().await;
        if let Err(error) = self.bus.flush().await {
            debug!(service = %self.service, %error, "the last replies may be lost");
        }
    }

    fn spawn(&self, incoming: Incoming, permit: OwnedSemaphorePermit) {
        let (bus, handler, service) = (self.bus.clone(), Arc::clone(&self.handler), self.service);
        self.running.spawn(async move {
            answer(&bus, service, &*handler, incoming).await;
            drop(permit);
        });
    }
}

async fn answer<H: Handler>(bus: &Bus, service: &'static str, handler: &H, incoming: Incoming) {
    let Incoming { message, reply_to } = incoming;
    let Some(method) = Subject::method(&message.subject) else { return };
    let span = span::serving(&message, service);
    let handled = AssertUnwindSafe(async { handler.handle(method, message.payload).await }).catch_unwind();
    let handled = span.scope(handled).await;
    let reply = handled.unwrap_or_else(|panic| {
        error!(%service, method, panic = panic_text(&*panic), "a request's handler panicked");
        Err(Refusal::new(RefusalKind::Internal, "internal error"))
    });
    span::served(span, &reply);
    let Some(reply_to) = reply_to else { return };
    if let Err(error) = bus.reply(reply_to, reply).await {
        warn!(%service, method, %error, "a reply was not sent");
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}
