//! How late the event loops of a process are.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// How often a loop is looked at: seldom enough to cost nothing, often enough to meet what lasts.
const LOOKS: Duration = Duration::from_millis(200);

/// For how long the worst is remembered, at least.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Every event loop of a process, or of a part of it. Clones share what was measured.
#[derive(Debug, Clone, Default)]
pub struct EventLoops(Arc<Mutex<Worst>>);

/// The worst of this second, and of the one before.
#[derive(Debug, Default)]
struct Worst {
    since: Option<Instant>,
    latest: Duration,
    before: Duration,
}

impl EventLoops {
    /// Measures the loop that this runs on, for as long as it is polled: how much later than due a timer fires.
    /// `told` gets each measurement.
    pub async fn measure(&self, told: impl Fn(Duration)) {
        loop {
            let due = Instant::now() + LOOKS;
            sleep_until(due).await;
            let lag = due.elapsed();
            self.observe(Instant::now(), lag);
            told(lag);
        }
    }

    /// The worst that any of them was late within the last second or two.
    pub fn lag(&self) -> Duration {
        self.lag_at(Instant::now())
    }

    fn lag_at(&self, now: Instant) -> Duration {
        let mut worst = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        worst.turn(now);
        worst.latest.max(worst.before)
    }

    fn observe(&self, now: Instant, lag: Duration) {
        let mut worst = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        worst.turn(now);
        worst.latest = worst.latest.max(lag);
    }
}

impl Worst {
    fn turn(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed < REMEMBERED {
            return;
        }
        self.before = if passed < REMEMBERED * 2 { self.latest } else { Duration::ZERO };
        self.latest = Duration::ZERO;
        self.since = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_remembered_for_a_second_and_forgotten_after_two() {
        let (loops, start) = (EventLoops::default(), Instant::now());
        loops.observe(start, Duration::from_millis(300));
        loops.observe(start, Duration::from_millis(2));
        assert_eq!(loops.lag_at(start), Duration::from_millis(300));
        assert_eq!(loops.lag_at(start + REMEMBERED), Duration::from_millis(300));
        assert_eq!(loops.lag_at(start + REMEMBERED * 2), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_loop_that_is_held_up_is_late() {
        let loops = EventLoops::default();
        let measured = loops.clone();
        let measuring = tokio::spawn(async move { measured.measure(|_| ()).await });
        let started = Instant::now();
        while loops.lag() < Duration::from_millis(100) {
            assert!(started.elapsed() < Duration::from_secs(30), "it was late for 100 ms at least");
            std::thread::sleep(LOOKS + Duration::from_millis(150));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        measuring.abort();
    }
}
