//! What the gateway counts. Labels are bounded: endpoints, routes, codes and outcomes, never a
//! user, an address or a channel.

use carillon_contract::ENDPOINTS;
use carillon_instruments::{
    Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, Result,
    SECONDS,
};

/// From a connection that is refused to one that lasts a day, in seconds.
const LIFETIMES: [f64; 10] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0];

/// The limits that clients can meet.
const LIMITS: [&str; 9] = [
    "blocked_address",
    "blocked_user",
    "connections_per_address",
    "connections_per_user",
    "handshakes",
    "max_connections",
    "messages",
    "reconnections",
    "subscriptions",
];

/// The gateway's collectors.
pub(crate) struct Metrics {
    /// Open connections, by endpoint.
    pub(crate) connections: IntGaugeVec,
    /// Connections that this gateway may have; 0: as many as it likes.
    pub(crate) max_connections: IntGauge,
    /// Open subscriptions of connections that speak `carillon.v1`, by the endpoint that speaks for their channel.
    pub(crate) subscriptions: IntGaugeVec,
    /// Handshakes, by endpoint, outcome and reason.
    handshakes: IntCounterVec,
    /// Limits that were met, by kind.
    pub(crate) limited: IntCounterVec,
    /// Closed connections, by endpoint, code and kind of reason.
    pub(crate) closes: IntCounterVec,
    /// How long connections lasted, by endpoint (S4-09).
    pub(crate) connection_duration: HistogramVec,
    /// Frames that clients sent, by endpoint.
    pub(crate) frames_received: IntCounterVec,
    /// Binary frames that waited because their client sends too much.
    pub(crate) slowed: IntCounter,
    /// Frames put on their way to clients.
    pub(crate) frames_sent: IntCounter,
    /// Bytes written to WebSockets.
    pub(crate) bytes_sent: IntCounter,
    /// Bytes read from WebSockets.
    pub(crate) bytes_received: IntCounter,
    /// Messages that compression was tried on, by outcome.
    pub(crate) compressions: IntCounterVec,
    /// Bytes of messages that need not be written, because they are compressed.
    pub(crate) saved_bytes: IntCounter,
    /// From an event's append until a worker has written it to its sockets.
    pub(crate) delivery_duration: Histogram,
    /// Bytes that wait to be written, by worker.
    pub(crate) queue_bytes: IntGaugeVec,
    /// Connections whose sockets take no more for now, by worker.
    pub(crate) blocked_connections: IntGaugeVec,
    /// How late workers are.
    pub(crate) worker_lag: Histogram,
    /// Connections closed because they didn't keep up.
    pub(crate) slow_consumers: IntCounterVec,
    /// Ephemeral events that were left out for clients that didn't keep up, by endpoint.
    pub(crate) dropped_events: IntCounterVec,
    /// Reconnections with `since`, by outcome.
    pub(crate) recoveries: IntCounterVec,
    history_pages: IntCounterVec,
    /// HTTP requests, by route and status.
    pub(crate) http_requests: IntCounterVec,
    /// Time that HTTP requests took, by route.
    pub(crate) http_duration: HistogramVec,
    /// Channels subscribed to.
    pub(crate) channels: IntGauge,
    /// Renewals of leases, by owner and outcome.
    pub(crate) lease_renewals: IntCounterVec,
    /// Connections of which owners were told again.
    pub(crate) entered_again: IntCounter,
    /// How far it is with sending its clients elsewhere.
    pub(crate) drain: Drain,
    undecodable: IntCounter,
    gaps: IntCounterVec,
}

/// A gateway that goes.
pub(crate) struct Drain {
    /// 1 from the signal to stop on.
    pub(crate) draining: IntGauge,
    /// When that was, in seconds since 1970.
    pub(crate) started: Gauge,
    /// How long it may take.
    pub(crate) window: Gauge,
    /// Connections that were told to come back elsewhere.
    pub(crate) sent_away: IntCounter,
}

impl Metrics {
    /// Makes the collectors and registers them.
    ///
    /// # Errors
    /// A registry that has them already.
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        let counter = |name: &str, help: &str| registry.counter(&named(name), help);
        let counters =
            |name: &str, help: &str, labels: &[&str]| registry.counters(&named(name), help, labels);
        let gauge = |name: &str, help: &str| registry.gauge(&named(name), help);
        let gauges = |name: &str, help: &str, labels: &[&str]| registry.gauges(&named(name), help, labels);
        let times = |name: &str, help: &str| registry.histogram(&named(name), help, &SECONDS);
        Ok(Self {
            connections: gauges("connections", "Open WebSocket connections, by endpoint.", &["endpoint"])?,
            max_connections: gauge("max_connections", "Connections that this gateway may have; 0: no limit.")?,
            subscriptions: gauges(
                "subscriptions",
                "Channels that connections which speak carillon.v1 are subscribed to, by endpoint.",
                &["endpoint"],
            )?,
            handshakes: counters(
                "handshakes_total",
                "WebSocket handshakes, by endpoint, outcome, and the reason of a refusal.",
                &["endpoint", "outcome", "reason"],
            )?,
            limited: counters(
                "limited_total",
                "What was refused because of a limit of clients, by limit.",
                &["limit"],
            )?,
            closes: counters(
                "closes_total",
                "Closed connections, by endpoint, close code and kind of reason.",
                &["endpoint", "code", "reason"],
            )?,
            frames_received: counters("frames_received_total", "Messages received, by endpoint.", &["endpoint"])?,
            slowed: counter(
                "frames_slowed_total",
                "Binary messages that waited because their client sent more than it may in a minute.",
            )?,
            frames_sent: counter("frames_sent_total", "Frames queued for clients.")?,
            bytes_sent: counter("sent_bytes_total", "Bytes written to WebSockets.")?,
            bytes_received: counter("received_bytes_total", "Bytes read from WebSockets.")?,
            compressions: counters(
                "compressions_total",
                "Messages that were compressed, once for all who get them, by whether that made them smaller.",
                &["outcome"],
            )?,
            saved_bytes: counter(
                "saved_bytes_total",
                "Bytes that compression has saved of what was queued for clients.",
            )?,
            connection_duration: registry.histograms(
                &named("connection_duration_seconds"),
                "Time that connections lasted which have ended, by endpoint.",
                &LIFETIMES,
                &["endpoint"],
            )?,
            delivery_duration: times(
                "delivery_duration_seconds",
                "Time from an event's append until a worker has written it to the sockets of all who listen there.",
            )?,
            queue_bytes: gauges(
                "queue_bytes",
                "Bytes that wait to be written to clients, by worker, looked at every few seconds.",
                &["worker"],
            )?,
            blocked_connections: gauges(
                "blocked_connections",
                "Connections whose sockets take no more for now, by worker, looked at every few seconds.",
                &["worker"],
            )?,
            worker_lag: times(
                "worker_lag_seconds",
                "How much later than due a timer of a worker's event loop fires.",
            )?,
            slow_consumers: counters(
                "slow_consumers_total",
                "Clients that did not keep up, by what became of it.",
                &["policy"],
            )?,
            dropped_events: counters(
                "dropped_events_total",
                "Ephemeral events left out for clients that did not keep up, by endpoint.",
                &["endpoint"],
            )?,
            recoveries: counters(
                "recoveries_total",
                "Reconnections with a place to resume from, by outcome.",
                &["outcome"],
            )?,
            history_pages: counters(
                "history_pages_total",
                "Pages of events for clients that come back: found in memory, asked of their owner, or shared with another who asked.",
                &["source"],
            )?,
            http_requests: counters("http_requests_total", "HTTP requests, by route and status.", &["route", "status"])?,
            http_duration: registry.histograms(
                &named("http_request_duration_seconds"),
                "Time to answer an HTTP request, by route.",
                &SECONDS,
                &["route"],
            )?,
            channels: gauge("channels", "Channels that the gateway is subscribed to.")?,
            lease_renewals: counters(
                "lease_renewals_total",
                "Renewals of the gateway's lease with services that count who is there, by outcome.",
                &["owner", "outcome"],
            )?,
            entered_again: counter(
                "entered_again_total",
                "Connections that were told again to services whose lease of this gateway had lapsed.",
            )?,
            undecodable: counter("undecodable_events_total", "Messages on the bus that were no events.")?,
            gaps: counters("gaps_total", "Missing events: filled from the log, or lost for good.", &["outcome"])?,
            drain: Drain::new(registry)?,
        }
        .at_zero())
    }

    /// What appears with its first has not grown by it: how these grow is what dashboards and alerts look at.
    fn at_zero(self) -> Self {
        let endpoints: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.name).collect();
        for (counters, values) in [
            (&self.gaps, &["filled", "lost"][..]),
            (&self.slow_consumers, &["close", "drop"]),
            (&self.recoveries, &["recovered", "unrecoverable", "lost"]),
            (&self.history_pages, &["memory", "owner", "shared"]),
            (&self.limited, &LIMITS),
            (&self.frames_received, &endpoints),
            (&self.dropped_events, &endpoints),
        ] {
            values.iter().for_each(|value| drop(counters.with_label_values(&[*value])));
        }
        for endpoint in endpoints {
            self.connections.with_label_values(&[endpoint]).set(0);
            self.subscriptions.with_label_values(&[endpoint]).set(0);
            drop(self.handshakes.with_label_values(&[endpoint, "accepted", "none"]));
        }
        self
    }

    /// A handshake at an endpoint was accepted.
    pub(crate) fn accepted(&self, endpoint: &str) {
        self.handshakes.with_label_values(&[endpoint, "accepted", "none"]).inc();
    }

    /// A handshake at an endpoint, or at "none", was refused.
    pub(crate) fn refused(&self, endpoint: &str, reason: &str) {
        self.handshakes.with_label_values(&[endpoint, "refused", reason]).inc();
    }

    /// Something on the bus was no event.
    pub(crate) fn undecodable(&self) {
        self.undecodable.inc();
    }

    /// So many pages of the past came from memory, from their owner, or with another's.
    pub(crate) fn history_page(&self, source: &str, count: usize) {
        self.history_pages.with_label_values(&[source]).inc_by(count as u64);
    }

    /// So many missing events came from the log.
    pub(crate) fn gap_filled(&self, events: usize) {
        self.gaps.with_label_values(&["filled"]).inc_by(events as u64);
    }

    /// A gap can't be filled: its events are no longer in the log.
    pub(crate) fn gap_lost(&self) {
        self.gaps.with_label_values(&["lost"]).inc();
    }
}

impl Drain {
    fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            draining: registry
                .gauge(&named("draining"), "Whether the gateway sends its clients elsewhere (1 or 0).")?,
            started: registry.level(
                &named("drain_started_timestamp_seconds"),
                "When it began to, in seconds since 1970; 0: it has not.",
            )?,
            window: registry.level(
                &named("drain_window_seconds"),
                "How long it may take over that before it ends all the same.",
            )?,
            sent_away: registry.counter(
                &named("drained_connections_total"),
                "Connections whose clients were told to come back, because the gateway goes.",
            )?,
        })
    }
}

fn named(name: &str) -> String {
    format!("carillon_gateway_{name}")
}
