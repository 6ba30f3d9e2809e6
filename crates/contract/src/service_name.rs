//! The services by name.

use std::fmt;

/// A service that owns a domain. Its name is its subject token, its queue group, its database
/// schema and its label in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceName {
    /// Users, organisations, projects, memberships, tokens, keys, revocation.
    Auth,
    /// User notifications and organisation events.
    Notification,
    /// Chat rooms, conversations, collaboration rooms, documents and counters.
    Chat,
    /// Projects: tickets, comments, who is there, and the projects' own events.
    TicketPresence,
    /// The system itself: what every gateway counts, and its open connections.
    Metrics,
}

impl ServiceName {
    /// Every service.
    pub const ALL: [Self; 5] =
        [Self::Auth, Self::Notification, Self::Chat, Self::TicketPresence, Self::Metrics];

    /// The name as it stands in subjects, schemas, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Notification => "notification",
            Self::Chat => "chat",
            Self::TicketPresence => "ticket-presence",
            Self::Metrics => "metrics",
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
