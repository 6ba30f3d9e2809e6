//! How many bytes a minute a client of binary frames may send. What is more waits its turn: nothing is lost.

use std::time::{Duration, Instant};

/// What a client may send without waiting: a minute's bytes, and what comes up to that by and by.
#[derive(Debug)]
pub(super) struct Allowance {
    per_minute: u64,
    /// When all that was sent is paid for. In the past: nothing is owed.
    paid_at: Instant,
}

impl Allowance {
    pub(super) fn new(per_minute: u64, now: Instant) -> Self {
        Self { per_minute, paid_at: now }
    }

    /// Takes bytes off it, and says for how long they have to wait.
    pub(super) fn take(&mut self, bytes: usize, now: Instant) -> Duration {
        const MINUTE: Duration = Duration::from_secs(60);
        let cost = MINUTE.mul_f64(bytes as f64 / self.per_minute as f64);
        self.paid_at = self.paid_at.max(now) + cost;
        self.paid_at.duration_since(now).saturating_sub(MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_a_minutes_bytes_waits() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut allowance = Allowance::new(600, start);
        let mut take = |bytes, seconds| allowance.take(bytes, at(seconds)).as_secs();
        assert_eq!((take(400, 0), take(200, 0)), (0, 0));
        assert_eq!((take(50, 0), take(100, 0)), (5, 15));
        // After a quarter of a minute that is made up for; after a long silence there is no more than a minute's.
        assert_eq!(take(10, 15), 1);
        assert_eq!((take(600, 3_600), take(10, 3_600)), (0, 1));
    }
}
