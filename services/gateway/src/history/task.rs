//! The task that asks owners for what isn't in memory.

use std::{sync::Arc, time::Duration};

use carillon_bus::Bus;
use carillon_contract::{
    Channel,
    messages::{Event, HistoryRequest},
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    memory::Memory,
    requests::{Missing, Page, Request, Requests, Waiter},
};
use crate::metrics::Metrics;

/// Requests of one gateway that are under way at a time.
const MOST: usize = 32;

/// Events asked for in one request.
const PAGE: u32 = 200;

/// Questions that wait for the task; who asks more waits too.
const QUESTIONS: usize = 4_096;

/// How long somebody waits for a turn and its answer. Where an owner is away a long line would else move as
/// slowly as its requests time out.
const PATIENCE: Duration = Duration::from_secs(10);

/// The past of every channel.
pub(crate) struct History {
    memory: Arc<Memory>,
    questions: mpsc::Sender<Question>,
    metrics: Arc<Metrics>,
}

struct Question {
    channel: Channel,
    waiter: Waiter,
    head: u64,
}

impl History {
    /// Events that follow `after` in the log of this epoch, which has events up to `head`: a page of them,
    /// which may end before or beyond that, and has at least one.
    ///
    /// # Errors
    /// The log no longer holds the next one, or can't be asked.
    pub(crate) async fn page(
        &self,
        channel: &Channel,
        epoch: &str,
        after: u64,
        head: u64,
    ) -> Result<Vec<Arc<Event>>, Missing> {
        let events = self.memory.page(channel, epoch, after, head);
        if !events.is_empty() {
            self.metrics.history_page("memory", 1);
            return Ok(events);
        }
        let (reply, answer) = oneshot::channel();
        let waiter = Waiter { epoch: epoch.to_owned(), after, reply };
        let question = Question { channel: channel.clone(), waiter, head };
        self.questions.send(question).await.map_err(|_| Missing::Unavailable)?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(Missing::Unavailable),
        }
    }
}

/// Starts the task.
pub(crate) fn start(
    bus: Bus,
    memory: Arc<Memory>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> History {
    let (sender, questions) = mpsc::channel(QUESTIONS);
    let requests = Requests::new(MOST);
    let task = Task {
        bus,
        memory: memory.clone(),
        metrics: metrics.clone(),
        requests,
        calls: FuturesUnordered::new(),
    };
    tokio::spawn(task.run(questions, shutdown));
    History { memory, questions: sender, metrics }
}

type Outcome = (Channel, Result<Page, Missing>);

struct Task {
    bus: Bus,
    memory: Arc<Memory>,
    metrics: Arc<Metrics>,
    requests: Requests,
    calls: FuturesUnordered<BoxFuture<'static, Outcome>>,
}

impl Task {
    async fn run(mut self, mut questions: mpsc::Receiver<Question>, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(question) = questions.recv() => self.hear(question),
                Some((channel, outcome)) = self.calls.next() => self.answered(&channel, outcome),
            }
            while let Some(request) = self.requests.next() {
                self.metrics.history_page("owner", 1);
                self.calls.push(self.call(request));
            }
        }
    }

    fn hear(&mut self, Question { channel, waiter, head }: Question) {
        // Another's answer may have come meanwhile.
        let events = self.memory.page(&channel, &waiter.epoch, waiter.after, head);
        if events.is_empty() {
            return self.requests.wait(&channel, waiter);
        }
        self.metrics.history_page("memory", 1);
        let _ = waiter.reply.send(Ok(events));
    }

    fn call(&self, request: Request) -> BoxFuture<'static, Outcome> {
        let Request { channel, epoch, after } = request;
        let limit = self.memory.lacks(&channel, &epoch, after, PAGE).max(1);
        let request = HistoryRequest { channel: channel.as_str().to_owned(), after, limit };
        let bus = self.bus.clone();
        Box::pin(async move {
            let outcome = match bus.call(channel.owner(), &request).await {
                Ok(reply) => {
                    let events = reply.events.into_iter().map(Arc::new).collect();
                    Ok(Page { epoch: reply.epoch, first: reply.first, events })
                }
                Err(error) => {
                    tracing::warn!(%channel, %error, "what clients missed could not be read");
                    Err(Missing::Unavailable)
                }
            };
            (channel, outcome)
        })
    }

    fn answered(&mut self, channel: &Channel, outcome: Result<Page, Missing>) {
        if let Ok(page) = &outcome {
            self.memory.keep(channel, &page.events);
        }
        let answered = self.requests.answered(channel, &outcome);
        // The first of them is the one that was asked for.
        self.metrics.history_page("shared", answered.saturating_sub(1));
    }
}
