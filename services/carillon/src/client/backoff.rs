//! How long to wait before coming back.

use std::time::Duration;

/// The shortest and the longest pause.
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

/// Pauses that double, each at random between half and all of it, so that not everybody comes at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next pause; what the server has said counts if it is longer.
    pub(crate) fn pause(&mut self, said: Option<Duration>) -> Duration {
        let doubled = FIRST.saturating_mul(2_u32.saturating_pow(self.attempts.min(16))).min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        doubled.mul_f64(rand::random_range(0.5..1.0)).max(said.unwrap_or_default())
    }

    /// All is well again.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_begin_anew() {
        let mut backoff = Backoff::default();
        let pauses: Vec<Duration> = (0..20).map(|_| backoff.pause(None)).collect();
        assert!(pauses[0] <= FIRST && pauses.iter().all(|pause| *pause <= LONGEST));
        assert!(pauses[19] >= LONGEST / 2);
        backoff.reset();
        assert!(backoff.pause(None) <= FIRST);
        assert_eq!(backoff.pause(Some(LONGEST * 2)), LONGEST * 2);
    }
}
