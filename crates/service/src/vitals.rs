//! What every process measures of itself: what it is, what it uses of the machine, and how late its event loop is.

use carillon_instruments::{ProcessCollector, Result, SECONDS};
use tokio_util::sync::CancellationToken;

use crate::Shell;

/// Has `/metrics`, and the process's word of its health, tell of this process, whose name is `service`, until `ended`.
///
/// # Errors
/// If the registry tells of a process already.
pub fn measure_process(shell: &Shell, service: &str, ended: CancellationToken) -> Result<()> {
    let registry = &shell.metrics;
    let help = "Always 1; its labels say which program this is, and of which version.";
    let build = registry.gauges("carillon_build_info", help, &["service", "version"])?;
    build.with_label_values(&[service, env!("CARGO_PKG_VERSION")]).set(1);
    registry.register(Box::new(ProcessCollector::for_self()))?;
    let help = "How much later than due a timer of the process's event loop fires.";
    let lag = registry.histogram("carillon_event_loop_lag_seconds", help, &SECONDS)?;
    let loops = shell.health.event_loops().clone();
    tokio::spawn(async move {
        ended.run_until_cancelled(loops.measure(|late| lag.observe(late.as_secs_f64()))).await
    });
    Ok(())
}
