//! What every process measures of itself: what it is, what it uses of the machine, and how late its event loop is.

use std::time::Duration;

use carillon_instruments::{Histogram, ProcessCollector, Registry, Result, SECONDS};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// How often the event loop is looked at: seldom enough to cost nothing, often enough to meet what lasts.
const LOOKS: Duration = Duration::from_millis(200);

/// Has `/metrics` tell of this process, whose name is `service`, until `shutdown`.
///
/// # Errors
/// If the registry tells of a process already.
pub fn measure_process(registry: &Registry, service: &str, shutdown: CancellationToken) -> Result<()> {
    let help = "Always 1; its labels say which program this is, and of which version.";
    let build = registry.gauges("carillon_build_info", help, &["service", "version"])?;
    build.with_label_values(&[service, env!("CARGO_PKG_VERSION")]).set(1);
    registry.register(Box::new(ProcessCollector::for_self()))?;
    let help = "How much later than due a timer of the process's event loop fires.";
    let lag = registry.histogram("carillon_event_loop_lag_seconds", help, &SECONDS)?;
    tokio::spawn(async move { shutdown.run_until_cancelled(measure_lag(lag)).await });
    Ok(())
}

async fn measure_lag(lag: Histogram) {
    loop {
        let due = Instant::now() + LOOKS;
        sleep_until(due).await;
        lag.observe(due.elapsed().as_secs_f64());
    }
}
