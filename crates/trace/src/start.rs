//! From the environment to spans that arrive, and the end of it.

use std::{env, time::Duration};

use carillon_instruments::Registry;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SdkTracerProvider, SpanExporter as _};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    export::Queue,
    export_metrics::ExportMetrics,
    resource::resource,
    sampling::Sampling,
    settings::{Settings, SettingsError},
    tracer::{self, Tracer},
};

/// How long the last spans may take to leave when the process ends.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// Spans being recorded and sent, if they are.
#[derive(Debug)]
#[must_use = "the last spans are sent by stop()"]
pub struct Tracing(Option<Sending>);

#[derive(Debug)]
struct Sending {
    queue: Queue,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
    #[error(transparent)]
    Metrics(#[from] carillon_instruments::Error),
    #[error("they are recorded already")]
    Twice,
}

/// Has the spans of this process recorded, if the environment names a collector, and tells `registry` what
/// becomes of them. A configuration that is wrong is told in the log: a process that can't be watched is better
/// than none. Needs a tokio runtime.
pub fn start(process: &'static str, registry: &Registry) -> Tracing {
    match begin(process, registry) {
        Ok(sending) => Tracing(sending),
        Err(error) => {
            tracing::error!(%error, "no spans are recorded");
            Tracing(None)
        }
    }
}

impl Tracing {
    /// Sends the last spans, for three seconds at most.
    pub async fn stop(self) {
        let Some(Sending { queue, stop, mut task }) = self.0 else { return };
        stop.cancel();
        if timeout(LAST_SPANS, &mut task).await.is_err() {
            task.abort();
            queue.abandon();
            tracing::warn!("the last spans were not sent in time");
        }
    }
}

fn begin(process: &'static str, registry: &Registry) -> Result<Option<Sending>, StartError> {
    // Told in any case: that nothing is sent can be seen, too.
    let metrics = ExportMetrics::new()?;
    metrics.register(registry)?;
    let variable = |name: &str| env::var(name).ok();
    let Some(settings) = Settings::read(variable)? else { return Ok(None) };
    let resource = resource(process, RandomIdGenerator::default().new_trace_id().to_string());
    let mut exporter = SpanExporter::builder().with_http().build()?;
    exporter.set_resource(&resource);
    let argument = variable("OTEL_TRACES_SAMPLER_ARG");
    let Sampling { sampler, by_parent, complaint } =
        Sampling::of(variable("OTEL_TRACES_SAMPLER").as_deref(), argument.as_deref());
    if let Some(complaint) = complaint {
        tracing::warn!("{complaint}");
    }
    let queue = Queue::new(settings, metrics);
    let provider = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_resource(resource)
        .with_span_processor(queue.clone())
        .build();
    if !tracer::set(Tracer { sdk: provider.tracer("carillon"), by_parent }) {
        return Err(StartError::Twice);
    }
    let stop = CancellationToken::new();
    let task = tokio::spawn(queue.clone().send(exporter, stop.clone()));
    tracing::info!(process, "spans are recorded");
    Ok(Some(Sending { queue, stop, task }))
}
