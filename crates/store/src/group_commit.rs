//! Group commit: concurrent writes share a transaction, and with it the price of a commit.

mod traces;

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use carillon_trace::{Span, TraceContext};
use futures_util::FutureExt as _;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};

use self::traces::Traces;
pub(crate) use self::traces::of_item;
use crate::{Database, Engine, StoreError, Transaction, span};

/// The most writes of one transaction.
const MAX_ITEMS: usize = 200;

/// How many writes wait for the next transaction; further callers wait for a place in the queue.
const QUEUE: usize = 5 * MAX_ITEMS;

/// How long a caller waits for a place in the queue before it is told that the database is overloaded.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a transaction may take.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an item that lost a race (a deadlock, say) is tried by itself.
const ATTEMPTS: usize = 3;

/// What a group of concurrent writes does in their common transaction.
pub trait Batch: Send + Sync + 'static {
    /// One caller's write.
    type Item: Send + Sync + 'static;
    /// What its caller is told once it is committed.
    type Output: Send + 'static;

    /// Does what the items ask, in their order, and gives one output for each. It may be called
    /// again for the same items in a new transaction: if one of several items fails, each is
    /// applied by itself, so that it fails alone. What is no failure of the database (a refusal,
    /// say) belongs into the output.
    fn apply(
        &self,
        tx: &mut Transaction,
        items: &[&Self::Item],
    ) -> impl Future<Output = Result<Vec<Self::Output>, StoreError>> + Send;
}

struct Job<B: Batch> {
    item: B::Item,
    /// From here to the answer.
    span: Span,
    /// Where it is in its trace, recorded or not.
    trace: Option<TraceContext>,
    reply: oneshot::Sender<Result<B::Output, StoreError>>,
}

/// Where concurrent writes meet. Clones share the queue; its writers end when the last is dropped.
pub struct GroupCommit<B: Batch> {
    queue: mpsc::Sender<Job<B>>,
}

impl<B: Batch> Clone for GroupCommit<B> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<B: Batch> std::fmt::Debug for GroupCommit<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GroupCommit").field("room", &self.queue.capacity()).finish()
    }
}

impl<B: Batch> GroupCommit<B> {
    /// Starts the writers: one on SQLite, where one can write at a time; two on Postgres, so that
    /// one prepares while the other commits. Needs a tokio runtime.
    pub fn new(database: Database, batch: B) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let writer = Arc::new(Writer { database, batch });
        let writers = match writer.database.engine() {
            Engine::Postgres => 2,
            Engine::Sqlite => 1,
        };
        for _ in 0..writers {
            tokio::spawn(Arc::clone(&writer).run(Arc::clone(&jobs)));
        }
        Self { queue }
    }

    /// Writes an item, and returns once it is committed. Dropped before, it may be written or not.
    ///
    /// # Errors
    /// What the item's own transaction failed with, or that the database is unavailable or overloaded.
    pub async fn submit(&self, item: B::Item) -> Result<B::Output, StoreError> {
        let (reply, answer) = oneshot::channel();
        let stopped = || StoreError::Unavailable("the writer has stopped".into());
        let span = span::write();
        let trace = span.context().cloned().or_else(TraceContext::current);
        timeout(QUEUE_TIMEOUT, self.queue.send(Job { item, span, trace, reply }))
            .await
            .map_err(|_| StoreError::Unavailable("too many writes are waiting".into()))?
            .map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

struct Writer<B: Batch> {
    database: Database,
    batch: B,
}

impl<B: Batch> Writer<B> {
    /// A batch is whatever waits when this writer gets to it: no timer, so that a single write
    /// never waits for company.
    async fn run(self: Arc<Self>, jobs: Arc<Mutex<mpsc::Receiver<Job<B>>>>) {
        let mut batch = Vec::with_capacity(MAX_ITEMS);
        while jobs.lock().await.recv_many(&mut batch, MAX_ITEMS).await > 0 {
            // Whoever has given up will repeat it, or doesn't care.
            batch.retain(|job| !job.reply.is_closed());
            self.write(std::mem::take(&mut batch)).await;
        }
    }

    async fn write(&self, mut jobs: Vec<Job<B>>) {
        let traces = Traces::of(&mut jobs);
        let items: Vec<_> = jobs.iter().map(|job| &job.item).collect();
        match self.transact(&items, &traces).await {
            Ok(outputs) => reply_all(jobs, outputs),
            Err(error) if error.is_unavailable() || jobs.len() == 1 && !is_conflict(&error) => {
                fail_all(jobs, &error);
            }
            Err(error) => {
                tracing::debug!(items = jobs.len(), %error, "a batch failed; each write is tried by itself");
                self.write_each(jobs).await;
            }
        }
    }

    async fn write_each(&self, jobs: Vec<Job<B>>) {
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            let outcome = self.write_one(&job).await;
            let unavailable = outcome.as_ref().err().filter(|error| error.is_unavailable()).cloned();
            job.answer(outcome);
            if let Some(error) = unavailable {
                return fail_all(jobs.collect(), &error);
            }
        }
    }

    async fn write_one(&self, job: &Job<B>) -> Result<B::Output, StoreError> {
        let traces = Traces::of_one(job);
        let mut attempt = 1;
        loop {
            match self.transact(&[&job.item], &traces).await {
                Err(error) if is_conflict(&error) && attempt < ATTEMPTS => attempt += 1,
                outcome => {
                    return outcome?.pop().ok_or_else(|| StoreError::other("a write without an outcome"));
                }
            }
        }
    }

    /// One transaction, committed when this returns `Ok` with one output for each item.
    async fn transact(&self, items: &[&B::Item], traces: &Traces) -> Result<Vec<B::Output>, StoreError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let metrics = self.database.metrics();
        metrics.group_commit_items.observe(items.len() as f64);
        let _timer = metrics.group_commit_seconds.start_timer();
        // A panic is the items' fault, not the writer's end.
        let attempt = AssertUnwindSafe(self.apply_and_commit(items, traces)).catch_unwind();
        let failure = match timeout(TRANSACTION_TIMEOUT, attempt).await {
            Ok(Ok(outcome)) => return outcome,
            Ok(Err(_)) => StoreError::other("the write panicked"),
            Err(_) => StoreError::Unavailable("the transaction took too long".into()),
        };
        metrics.failed(&failure);
        Err(failure)
    }

    async fn apply_and_commit(
        &self,
        items: &[&B::Item],
        traces: &Traces,
    ) -> Result<Vec<B::Output>, StoreError> {
        let tx = self.database.begin_in(traces.transaction(&self.database, items.len())).await?;
        let outcome = self.apply_in(tx, items, traces).await;
        outcome.inspect_err(|error| self.database.metrics().failed(error))
    }

    async fn apply_in(
        &self,
        mut tx: Transaction,
        items: &[&B::Item],
        traces: &Traces,
    ) -> Result<Vec<B::Output>, StoreError> {
        // What is to be published or delivered afterwards remembers where it comes from.
        let trace = tx.trace().cloned();
        let outputs = traces.scope(TraceContext::scope_in(trace, self.batch.apply(&mut tx, items))).await?;
        if outputs.len() != items.len() {
            return Err(StoreError::other("a batch must have one output for each item"));
        }
        tx.commit().await?;
        Ok(outputs)
    }
}

fn is_conflict(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict(_))
}

impl<B: Batch> Job<B> {
    fn answer(mut self, outcome: Result<B::Output, StoreError>) {
        if let Err(error) = &outcome {
            span::fail(&mut self.span, error);
        }
        // Over before its caller goes on. A caller that has gone needs no answer.
        drop(self.span);
        let _ = self.reply.send(outcome);
    }
}

fn reply_all<B: Batch>(jobs: Vec<Job<B>>, outputs: Vec<B::Output>) {
    for (job, output) in jobs.into_iter().zip(outputs) {
        job.answer(Ok(output));
    }
}

fn fail_all<B: Batch>(jobs: Vec<Job<B>>, error: &StoreError) {
    for job in jobs {
        job.answer(Err(error.clone()));
    }
}
