//! What a process measures: the registry from which `/metrics` gathers. Beside figures it keeps what each
//! metric is, also of those that have no figures yet, so that `docs/metrics.md` can be held against it.
//!
//! The only crate that names `prometheus`.

mod instrument;
mod registry;
mod rules;

pub use instrument::{Instrument, Kind};
pub use prometheus::{
    Error, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Result, TEXT_FORMAT,
    core::{Collector, Desc},
    local::LocalHistogram,
    process_collector::ProcessCollector,
    proto::{Metric, MetricFamily},
};
pub use registry::Registry;
pub use rules::violations;

/// Bounds of histograms of times from half a millisecond to ten seconds, in seconds.
pub const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
