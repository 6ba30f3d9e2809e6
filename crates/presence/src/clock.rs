//! The time, which a test may set.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine.
    #[default]
    System,
    /// Whoever holds the number: microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Microseconds since 1970.
    pub fn now(&self) -> i64 {
        match self {
            Self::System => carillon_store::now(),
            Self::Manual(time) => time.load(Ordering::SeqCst),
        }
    }
}
