//! Who is to connect, and how.

use super::framing::Framing;

/// Handshakes under way at once: fewer than any server's backlog.
const AT_ONCE: usize = 64;

/// The clients that are to connect to a server.
#[derive(Debug, Clone)]
pub(crate) struct Guests {
    /// What each asks for, in the order of their places.
    pub(crate) paths: Vec<String>,
    /// How the server wraps its messages.
    pub(crate) framing: Framing,
    /// How many handshakes are under way at once.
    pub(crate) at_once: usize,
}

impl Guests {
    /// Plain WebSocket clients of these paths, who don't crowd.
    pub(crate) fn new(paths: Vec<String>) -> Self {
        Self { paths, framing: Framing::Plain, at_once: AT_ONCE }
    }

    /// The same, of a server with another protocol.
    pub(crate) fn speaking(self, framing: Framing) -> Self {
        Self { framing, ..self }
    }

    /// The same, so many of them at a time.
    pub(crate) fn rushing(self, at_once: usize) -> Self {
        Self { at_once, ..self }
    }
}
