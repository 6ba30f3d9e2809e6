//! Dialects: in which of the documents' JSON an endpoint speaks.

/// The JSON in which a connection to `/ws/notifications/` is spoken to (the design's Dialects).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Document 1's, and document 4's: `connection.established`, `notification`.
    Events,
    /// Document 2's: `connection_status`, `notification`.
    Rooms,
    /// Document 3's: `connection_established`, `notification_message`.
    Ticketing,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 3] = [Self::Events, Self::Rooms, Self::Ticketing];

    /// The name by which clients and configuration choose it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Rooms => "rooms",
            Self::Ticketing => "ticketing",
        }
    }

    /// The dialect of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name)
    }
}
