//! From a method's name on the bus to the service's function for it, counted and timed.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use carillon_bus::{Handler, Refusal};
use carillon_contract::{
    Method, ServiceName,
    messages::{
        ClosedNotice, FrameRequest, HeadsReply, HeadsRequest, HistoryRequest, HttpRequest, OpenRequest,
    },
};
use carillon_instruments::{HistogramVec, IntCounterVec, Registry, SECONDS};

use crate::{Failure, Service, service::answer};

/// The most channels whose heads one request may ask for.
const MAX_HEADS: usize = 10_000;

pub(crate) struct Dispatcher<S> {
    service: Arc<S>,
    metrics: Metrics,
}

impl<S: Service> Dispatcher<S> {
    pub(crate) fn new(service: Arc<S>, registry: &Registry) -> carillon_instruments::Result<Self> {
        Ok(Self { service, metrics: Metrics::new(S::NAME, registry)? })
    }

    async fn dispatch(&self, method: &str, payload: Bytes) -> Result<Bytes, Failure> {
        let service = &*self.service;
        match method {
            OpenRequest::NAME => answer(payload, |request| service.open(request)).await,
            FrameRequest::NAME => answer(payload, |request| service.frame(request)).await,
            ClosedNotice::NAME => answer(payload, |notice| service.closed(notice)).await,
            HistoryRequest::NAME => {
                answer(payload, |request: HistoryRequest| async move {
                    Ok(service.log().history(&request).await?)
                })
                .await
            }
            HeadsRequest::NAME => answer(payload, |request| self.heads(request)).await,
            HttpRequest::NAME => {
                answer(payload, |request| async move {
                    Ok(service.http(request).await.unwrap_or_else(|problem| problem.into_reply()))
                })
                .await
            }
            _ => service.call(method, payload).await,
        }
    }

    async fn heads(&self, request: HeadsRequest) -> Result<HeadsReply, Failure> {
        if request.channels.len() > MAX_HEADS {
            return Err(Failure::Malformed(format!("heads of more than {MAX_HEADS} channels")));
        }
        let log = self.service.log();
        Ok(HeadsReply { epoch: log.epoch().to_owned(), channels: log.heads(&request.channels).await? })
    }
}

impl<S: Service> Handler for Dispatcher<S> {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        let started = Instant::now();
        let outcome = self.dispatch(method, payload).await;
        self.metrics.observe(method, &outcome, started);
        if let Err(failure @ (Failure::Malformed(_) | Failure::Internal(_))) = &outcome {
            tracing::warn!(service = %S::NAME, method, %failure, "a request was refused");
        }
        outcome.map_err(Refusal::from)
    }
}

/// Requests served, by method and outcome.
struct Metrics {
    requests: IntCounterVec,
    seconds: HistogramVec,
}

impl Metrics {
    fn new(service: ServiceName, registry: &Registry) -> carillon_instruments::Result<Self> {
        let registry = registry.of_service(service.as_str());
        Ok(Self {
            requests: registry.counters(
                "carillon_requests_total",
                "Requests served over the bus, by method and outcome.",
                &["method", "outcome"],
            )?,
            seconds: registry.histograms(
                "carillon_request_duration_seconds",
                "Time that a service took to answer a request over the bus, by method.",
                &SECONDS,
                &["method"],
            )?,
        })
    }

    fn observe(&self, method: &str, outcome: &Result<Bytes, Failure>, started: Instant) {
        let outcome = match outcome {
            Ok(_) => "ok",
            Err(Failure::Unavailable(_)) => "unavailable",
            Err(Failure::Malformed(_)) => "malformed",
            Err(Failure::UnknownMethod) => "unknown_method",
            Err(Failure::Internal(_)) => "internal",
        };
        // Whoever asks for a method that isn't there must not choose a label.
        let method = if outcome == "unknown_method" { "unknown" } else { method };
        self.requests.with_label_values(&[method, outcome]).inc();
        self.seconds.with_label_values(&[method]).observe(started.elapsed().as_secs_f64());
    }
}
