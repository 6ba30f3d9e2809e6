//! The limits of a deployment, as they come out of its options and its mode.

use super::{Mode, Span};

/// How much one client, or one gateway, may have. 0: as much as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quotas {
    pub(crate) mode: Mode,
    pub(crate) connections_per_address: u32,
    pub(crate) connections_per_user: u32,
    pub(crate) reconnections_per_hour: u32,
    pub(crate) messages_per_minute: u32,
    pub(crate) handshakes_per_second: u32,
    pub(crate) connections: u32,
    /// Channels of one connection that speaks `carillon.v1`.
    pub(crate) subscriptions_per_connection: u32,
    /// How long that hour is, in seconds.
    pub(crate) reconnection_window: u32,
    /// How long that minute is, in seconds.
    pub(crate) message_window: u32,
}

impl Quotas {
    pub(super) const HANDSHAKES: Span = Span::SECOND;

    pub(crate) fn message_span(&self) -> Span {
        Span::of_seconds(self.message_window)
    }

    pub(super) fn reconnection_span(&self) -> Span {
        Span::of_seconds(self.reconnection_window)
    }

    /// Whether it matters where connections come from.
    pub(super) fn count_addresses(&self) -> bool {
        self.connections_per_address > 0 || self.reconnections_per_hour > 0
    }

    /// Whether gateways have anything to tell each other.
    pub(super) fn count_anything(&self) -> bool {
        self.count_addresses() || self.connections_per_user > 0
    }

    /// Says once what holds.
    pub(crate) fn log(&self) {
        tracing::info!(
            mode = %self.mode,
            connections_per_address = self.connections_per_address,
            connections_per_user = self.connections_per_user,
            reconnections_per_hour = self.reconnections_per_hour,
            messages_per_minute = self.messages_per_minute,
            handshakes_per_second = self.handshakes_per_second,
            max_connections = self.connections,
            subscriptions_per_connection = self.subscriptions_per_connection,
            "the limits of clients (0: none)"
        );
    }
}
