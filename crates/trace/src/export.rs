//! Spans on their way to the collector: they wait in a bounded queue, and leave in batches, in the background.
//! A collector that is slow or away costs spans, never time.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{export_metrics::ExportMetrics, settings::Settings};

/// Spans that wait. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    metrics: ExportMetrics,
    waiting: Mutex<Vec<SpanData>>,
    /// A batch is together.
    together: Notify,
    /// That spans are lost has been said, and none has arrived since.
    is_said: AtomicBool,
}

impl Queue {
    pub(crate) fn new(settings: Settings, metrics: ExportMetrics) -> Self {
        Self(Arc::new(Shared {
            settings,
            metrics,
            waiting: Mutex::default(),
            together: Notify::new(),
            is_said: AtomicBool::new(false),
        }))
    }

    /// Sends what waits, until `stop`, and then what is left.
    pub(crate) async fn send<E: SpanExporter>(self, exporter: E, stop: CancellationToken) {
        loop {
            let is_last = stop.is_cancelled();
            if !is_last {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.0.together.notified() => {}
                    () = sleep(self.0.settings.delay) => {}
                }
            }
            self.send_batches(&exporter, &stop).await;
            if is_last {
                return;
            }
        }
    }

    async fn send_batches<E: SpanExporter>(&self, exporter: &E, stop: &CancellationToken) {
        while let Some(batch) = self.batch() {
            let is_whole = batch.len() == self.0.settings.batch;
            self.0.export(exporter, batch).await;
            // What has come meanwhile waits for more.
            if !is_whole && !stop.is_cancelled() {
                return;
            }
        }
    }

    /// Gives up what is left.
    pub(crate) fn abandon(&self) {
        let left = mem::take(&mut *self.lock());
        self.0.metrics.dropped.inc_by(left.len() as u64);
    }

    /// The oldest spans.
    fn batch(&self) -> Option<Vec<SpanData>> {
        let mut waiting = self.lock();
        if waiting.is_empty() {
            return None;
        }
        let count = waiting.len().min(self.0.settings.batch);
        let later = waiting.split_off(count);
        Some(mem::replace(&mut *waiting, later))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SpanData>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    async fn export<E: SpanExporter>(&self, exporter: &E, batch: Vec<SpanData>) {
        let count = batch.len() as u64;
        match exporter.export(batch).await {
            Ok(()) => {
                self.metrics.exported.inc_by(count);
                self.is_said.store(false, Ordering::Relaxed);
            }
            Err(error) => {
                self.metrics.failed.inc_by(count);
                self.say(&error.to_string());
            }
        }
    }

    /// Says why spans are lost: once, until some have arrived again.
    fn say(&self, reason: &str) {
        if !self.is_said.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "spans are lost on their way to the collector");
        }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        let mut waiting = self.lock();
        let count = waiting.len();
        if count < self.0.settings.queue {
            waiting.push(span);
            drop(waiting);
            if count + 1 == self.0.settings.batch {
                self.0.together.notify_one();
            }
        } else {
            drop(waiting);
            self.0.metrics.dropped.inc();
            self.0.say("too many of them wait");
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::{error::OTelSdkError, trace::SdkTracerProvider};
    use tokio::sync::mpsc;

    use super::*;

    /// Takes batches, or refuses them.
    #[derive(Debug)]
    struct Collector {
        batches: mpsc::UnboundedSender<usize>,
        refuses: bool,
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.batches.send(batch.len()).expect("a test that listens");
            if self.refuses { Err(OTelSdkError::InternalFailure("refused".into())) } else { Ok(()) }
        }
    }

    struct Bed {
        queue: Queue,
        metrics: ExportMetrics,
        provider: SdkTracerProvider,
    }

    impl Bed {
        fn new(queue: usize, batch: usize) -> Self {
            let metrics = ExportMetrics::new().expect("metrics");
            let settings = Settings { queue, batch, delay: Duration::from_secs(3_600) };
            let queue = Queue::new(settings, metrics.clone());
            let provider = SdkTracerProvider::builder().with_span_processor(queue.clone()).build();
            Self { queue, metrics, provider }
        }

        fn end(&self, spans: usize) {
            (0..spans).for_each(|_| drop(self.provider.tracer("test").start("something")));
        }

        fn outcomes(&self) -> [u64; 3] {
            [self.metrics.exported.get(), self.metrics.failed.get(), self.metrics.dropped.get()]
        }
    }

    #[tokio::test]
    async fn a_batch_leaves_when_it_is_together_and_the_rest_at_the_end() {
        let bed = Bed::new(100, 3);
        let (batches, mut sent) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let collector = Collector { batches, refuses: false };
        let sending = tokio::spawn(bed.queue.clone().send(collector, stop.clone()));
        bed.end(3);
        assert_eq!(sent.recv().await, Some(3), "without waiting for the hour to pass");
        bed.end(4);
        assert_eq!(sent.recv().await, Some(3));
        stop.cancel();
        sending.await.expect("a task that ends");
        assert_eq!((sent.recv().await, sent.recv().await), (Some(1), None));
        assert_eq!(bed.outcomes(), [7, 0, 0]);
    }

    #[tokio::test]
    async fn too_many_are_dropped_and_counted() {
        let bed = Bed::new(5, 5);
        bed.end(8);
        assert_eq!(bed.outcomes(), [0, 0, 3]);
        bed.queue.abandon();
        assert_eq!(bed.outcomes(), [0, 0, 8]);
    }

    #[tokio::test]
    async fn what_a_collector_refuses_is_counted_and_not_kept() {
        let bed = Bed::new(5, 2);
        let (batches, mut sent) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let collector = Collector { batches, refuses: true };
        let sending = tokio::spawn(bed.queue.clone().send(collector, stop.clone()));
        bed.end(2);
        assert_eq!(sent.recv().await, Some(2));
        stop.cancel();
        sending.await.expect("a task that ends");
        assert_eq!((sent.recv().await, bed.outcomes()), (None, [0, 2, 0]));
    }
}
