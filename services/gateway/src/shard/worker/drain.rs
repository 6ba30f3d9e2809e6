//! Sending everyone away.

use std::{rc::Rc, time::Duration};

use tokio::sync::mpsc;

use crate::shard::registry::Shard;

/// Pause between two groups of connections that are sent away.
const STEP: Duration = Duration::from_millis(20);

/// How to send everyone away.
#[derive(Debug, Clone)]
pub(crate) struct Draining {
    /// The time over which connections are spread.
    pub(crate) window: Duration,
    /// Dropped when the worker's last connection is gone.
    pub(crate) done: mpsc::Sender<()>,
}

/// Sends every connection away, spread over the window.
pub(super) async fn drain(shard: Rc<Shard>, draining: Draining) {
    let keys = shard.keys(|_| true);
    let mut gone = 0;
    for step in 1.. {
        let due = due_by(step, keys.len(), draining.window);
        shard.metrics.drain.sent_away.inc_by((due - gone) as u64);
        keys[gone..due].iter().for_each(|key| shard.send_away(*key));
        gone = due;
        if gone == keys.len() {
            break;
        }
        tokio::time::sleep(STEP).await;
    }
    // Those that came in meanwhile, until the last is gone or the process has no more time.
    while !shard.is_empty() {
        shard.keys(|_| true).into_iter().for_each(|key| shard.send_away(key));
        tokio::time::sleep(STEP).await;
    }
    drop(draining.done);
}

/// How many of `total` connections are to be gone after that many steps: an even part of them, and one in each step at
/// least, since few need not wait for the whole window.
fn due_by(step: usize, total: usize, window: Duration) -> usize {
    let steps = usize::try_from(window.as_millis() / STEP.as_millis()).unwrap_or(usize::MAX).max(1);
    let even = step.saturating_mul(total) / steps;
    even.max(step).min(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_sent_away_evenly_and_few_sooner() {
        let (window, steps) = (Duration::from_secs(10), 500);
        for total in [501, 750, 999, 1_000, 10_001] {
            let due: Vec<usize> = (0..=steps).map(|step| due_by(step, total, window)).collect();
            let groups = due.windows(2).map(|pair| pair[1] - pair[0]);
            let (least, most) = (total / steps, total.div_ceil(steps));
            assert!(groups.clone().all(|group| (least..=most).contains(&group)), "{total}");
            assert_eq!((due[steps - 1] < total, due[steps]), (true, total));
        }
        assert_eq!(due_by(1, 0, window), 0);
        assert_eq!((due_by(1, 3, window), due_by(3, 3, window), due_by(9, 3, window)), (1, 3, 3));
        assert_eq!(due_by(1, 70, Duration::ZERO), 70);
    }
}
