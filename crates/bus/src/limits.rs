//! What bounds a bus.

/// The bounds of a bus, the same over NATS and in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest payload in bytes. An HTTP body of 1 MiB fits in several times over.
    ///
    /// Over NATS the server's own `max_payload` counts as well, less some room for headers. Its
    /// default of 1 MiB is too small to carry such a body inside a request, so a deployment
    /// configures `max_payload: 8MB`.
    pub payload: usize,
    /// How many messages wait in one subscription. What comes on top is dropped, and
    /// [`Signal::Dropped`](crate::Signal::Dropped) says so.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { payload: 4 * 1024 * 1024, queue: 8_192 }
    }
}
