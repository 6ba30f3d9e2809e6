//! What the gateway counts. Labels are bounded: endpoints, routes, codes and outcomes, never a
//! user, an address or a channel.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// From a connection that is refused to one that lasts a day, in seconds.
const LIFETIMES: [f64; 10] = [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0];

/// The gateway's collectors.
pub(crate) struct Metrics {
    /// Open connections, by endpoint.
    pub(crate) connections: IntGaugeVec,
    /// Open subscriptions of connections that speak `carillon.v1`, by the endpoint that speaks for their channel.
    pub(crate) subscriptions: IntGaugeVec,
    /// Handshakes, by endpoint and outcome.
    pub(crate) handshakes: IntCounterVec,
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
    /// Messages that compression was tried on, by outcome.
    pub(crate) compressions: IntCounterVec,
    /// Bytes of messages that need not be written, because they are compressed.
    pub(crate) saved_bytes: IntCounter,
    /// From an event's commit to its arrival at a worker.
    pub(crate) event_delay: Histogram,
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
    undecodable: IntCounter,
    gaps: IntCounterVec,
}

impl Metrics {
    /// Makes the collectors and registers them.
    ///
    /// # Errors
    /// A registry that has them already.
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            connections: IntGaugeVec::new(
                Opts::new("carillon_gateway_connections", "Open WebSocket connections, by endpoint."),
                &["endpoint"],
            )?,
            subscriptions: IntGaugeVec::new(
                Opts::new(
                    "carillon_gateway_subscriptions",
                    "Channels that connections which speak carillon.v1 are subscribed to, by endpoint.",
                ),
                &["endpoint"],
            )?,
            handshakes: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_handshakes_total",
                    "WebSocket handshakes, by endpoint and outcome.",
                ),
                &["endpoint", "outcome"],
            )?,
            limited: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_limited_total",
                    "What was refused because of a limit of clients, by limit.",
                ),
                &["limit"],
            )?,
            closes: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_closes_total",
                    "Closed connections, by endpoint, close code and kind of reason.",
                ),
                &["endpoint", "code", "reason"],
            )?,
            frames_received: IntCounterVec::new(
                Opts::new("carillon_gateway_frames_received_total", "Messages received, by endpoint."),
                &["endpoint"],
            )?,
            slowed: IntCounter::new(
                "carillon_gateway_frames_slowed_total",
                "Binary messages that waited because their client sent more than it may in a minute.",
            )?,
            frames_sent: IntCounter::new("carillon_gateway_frames_sent_total", "Frames queued for clients.")?,
            bytes_sent: IntCounter::new("carillon_gateway_sent_bytes_total", "Bytes written to WebSockets.")?,
            compressions: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_compressions_total",
                    "Messages that were compressed, once for all who get them, by whether that made them smaller.",
                ),
                &["outcome"],
            )?,
            saved_bytes: IntCounter::new(
                "carillon_gateway_saved_bytes_total",
                "Bytes that compression has saved of what was queued for clients.",
            )?,
            connection_duration: HistogramVec::new(
                HistogramOpts::new(
                    "carillon_gateway_connection_duration_seconds",
                    "Time that connections lasted which have ended, by endpoint.",
                )
                .buckets(LIFETIMES.to_vec()),
                &["endpoint"],
            )?,
            event_delay: Histogram::with_opts(HistogramOpts::new(
                "carillon_gateway_event_delay_seconds",
                "Time from an event's append to its arrival at a worker of this gateway.",
            ))?,
            slow_consumers: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_slow_consumers_total",
                    "Clients that did not keep up, by what became of it.",
                ),
                &["policy"],
            )?,
            dropped_events: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_dropped_events_total",
                    "Ephemeral events left out for clients that did not keep up, by endpoint.",
                ),
                &["endpoint"],
            )?,
            recoveries: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_recoveries_total",
                    "Reconnections with a place to resume from, by outcome.",
                ),
                &["outcome"],
            )?,
            history_pages: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_history_pages_total",
                    "Pages of events for clients that come back: found in memory, asked of their owner, or shared with another who asked.",
                ),
                &["source"],
            )?,
            http_requests: IntCounterVec::new(
                Opts::new("carillon_gateway_http_requests_total", "HTTP requests, by route and status."),
                &["route", "status"],
            )?,
            http_duration: HistogramVec::new(
                HistogramOpts::new(
                    "carillon_gateway_http_request_duration_seconds",
                    "Time to answer an HTTP request, by route.",
                ),
                &["route"],
            )?,
            channels: IntGauge::new(
                "carillon_gateway_channels",
                "Channels that the gateway is subscribed to.",
            )?,
            lease_renewals: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_lease_renewals_total",
                    "Renewals of the gateway's lease with services that count who is there, by outcome.",
                ),
                &["owner", "outcome"],
            )?,
            entered_again: IntCounter::new(
                "carillon_gateway_entered_again_total",
                "Connections that were told again to services whose lease of this gateway had lapsed.",
            )?,
            undecodable: IntCounter::new(
                "carillon_gateway_undecodable_events_total",
                "Messages on the bus that were no events.",
            )?,
            gaps: IntCounterVec::new(
                Opts::new(
                    "carillon_gateway_gaps_total",
                    "Missing events: filled from the log, or lost for good.",
                ),
                &["outcome"],
            )?,
        };
        metrics.register(registry)?;
        Ok(metrics)
    }

    fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.connections.clone()))?;
        registry.register(Box::new(self.subscriptions.clone()))?;
        registry.register(Box::new(self.handshakes.clone()))?;
        registry.register(Box::new(self.limited.clone()))?;
        registry.register(Box::new(self.closes.clone()))?;
        registry.register(Box::new(self.frames_received.clone()))?;
        registry.register(Box::new(self.slowed.clone()))?;
        registry.register(Box::new(self.frames_sent.clone()))?;
        registry.register(Box::new(self.bytes_sent.clone()))?;
        registry.register(Box::new(self.compressions.clone()))?;
        registry.register(Box::new(self.saved_bytes.clone()))?;
        registry.register(Box::new(self.connection_duration.clone()))?;
        registry.register(Box::new(self.event_delay.clone()))?;
        registry.register(Box::new(self.slow_consumers.clone()))?;
        registry.register(Box::new(self.dropped_events.clone()))?;
        registry.register(Box::new(self.recoveries.clone()))?;
        registry.register(Box::new(self.history_pages.clone()))?;
        registry.register(Box::new(self.http_requests.clone()))?;
        registry.register(Box::new(self.http_duration.clone()))?;
        registry.register(Box::new(self.channels.clone()))?;
        registry.register(Box::new(self.lease_renewals.clone()))?;
        registry.register(Box::new(self.entered_again.clone()))?;
        registry.register(Box::new(self.undecodable.clone()))?;
        registry.register(Box::new(self.gaps.clone()))
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
