//! What Prometheus is told about the bus, as the process that uses it sees it.

use std::{sync::Weak, time::Instant};

use bytes::Bytes;
use carillon_contract::Subject;
use carillon_instruments::{
    Collector, Desc, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, MetricFamily, Opts,
    Registry, Result, SECONDS,
};

use crate::{RefusalKind, RequestError, nats::Nats};

/// Figures about requests that this process made.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
}

/// A counter.
///
/// # Panics
/// If the name, a constant, can't be used.
pub(crate) fn counter(name: &'static str, help: &'static str) -> IntCounter {
    usable(IntCounter::new(name, help))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let requests = Opts::new(
            "carillon_bus_requests_total",
            "Requests that this process made over the bus, by whom they were for, method and outcome.",
        );
        let seconds = HistogramOpts::new(
            "carillon_bus_request_duration_seconds",
            "Time until a request over the bus was answered or given up, by whom it was for and method.",
        );
        Self {
            requests: usable(IntCounterVec::new(requests, &["to", "method", "outcome"])),
            seconds: usable(HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["to", "method"])),
        }
    }

    /// A request has come to its end.
    pub(crate) fn observe(
        &self,
        subject: &Subject,
        outcome: &std::result::Result<Bytes, RequestError>,
        started: Instant,
    ) {
        let Some((to, method)) = Subject::request(subject.as_str()) else { return };
        self.requests.with_label_values(&[to, method, outcome_of(outcome)]).inc();
        self.seconds.with_label_values(&[to, method]).observe(started.elapsed().as_secs_f64());
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<()> {
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.seconds.clone()))
    }
}

fn outcome_of(outcome: &std::result::Result<Bytes, RequestError>) -> &'static str {
    match outcome {
        Ok(_) => "ok",
        Err(RequestError::TimedOut) => "timed_out",
        Err(RequestError::NoResponders) => "no_responders",
        Err(RequestError::Disconnected) => "disconnected",
        Err(RequestError::TooLarge) => "too_large",
        Err(RequestError::Malformed) => "malformed",
        Err(RequestError::Refused(refusal)) if refusal.kind == RefusalKind::Unavailable => "unavailable",
        Err(RequestError::Refused(_)) => "refused",
    }
}

/// Asks the bus whether it is connected when it is asked itself.
pub(crate) struct Connected {
    nats: Option<Weak<Nats>>,
    gauge: IntGauge,
}

impl Connected {
    /// `None`: a bus within the process, which always is.
    pub(crate) fn new(nats: Option<Weak<Nats>>) -> Self {
        let help = "Whether there is a connection to the bus (1 or 0).";
        Self { nats, gauge: usable(IntGauge::new("carillon_bus_connected", help)) }
    }
}

impl Collector for Connected {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let is_connected = |nats: &Weak<Nats>| nats.upgrade().is_some_and(|nats| nats.is_connected());
        self.gauge.set(self.nats.as_ref().is_none_or(is_connected).into());
        self.gauge.collect()
    }
}

fn usable<T>(metric: Result<T>) -> T {
    match metric {
        Ok(metric) => metric,
        Err(error) => panic!("a name that can't be used: {error}"),
    }
}
