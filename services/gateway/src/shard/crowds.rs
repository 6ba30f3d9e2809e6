//! What comes in crowds: handshakes, departures. A worker does a few at a time, and then lets its other tasks go on, so
//! that thousands who come or go at once keep nobody's events waiting for longer than those few take.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use tokio::{sync::Semaphore, task::yield_now};

use super::registry::Shard;

/// How many are done before other tasks of the worker get their turn.
const SLICE: usize = 2;

/// Whose turn it is.
pub(super) struct Crowds(Semaphore);

impl Default for Crowds {
    fn default() -> Self {
        Self(Semaphore::new(SLICE))
    }
}

impl Crowds {
    /// Does what can be done of something at once when its turn comes. Whatever it waits for then takes
    /// nobody else's.
    async fn in_turn<F: Future>(&self, step: F) -> F::Output {
        let mut step = pin!(step);
        // It is never closed.
        let turn = self.0.acquire().await;
        let begun = poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await;
        // The next one has this turn after everybody else had theirs.
        yield_now().await;
        drop(turn);
        match begun {
            Poll::Ready(done) => done,
            Poll::Pending => step.await,
        }
    }
}

impl Shard {
    /// See [`Crowds::in_turn`].
    pub(crate) async fn in_turn<F: Future>(&self, step: F) -> F::Output {
        self.crowds.in_turn(step).await
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending, rc::Rc};

    use tokio::task::{LocalSet, spawn_local};

    use super::*;

    #[test]
    fn a_crowd_gives_way_and_who_waits_for_something_else_holds_up_nobody() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, async {
            let (crowds, done) = (Rc::new(Crowds::default()), Rc::new(Cell::new(0)));
            for _ in 0..100 {
                let crowds = crowds.clone();
                spawn_local(async move { crowds.in_turn(pending::<()>()).await });
            }
            let crowd = (0..1_000).map(|_| {
                let (crowds, done) = (crowds.clone(), done.clone());
                spawn_local(async move { crowds.in_turn(async { done.set(done.get() + 1) }).await })
            });
            let crowd: Vec<_> = crowd.collect();
            let (mut before, mut most) = (0, 0);
            while crowd.iter().any(|task| !task.is_finished()) {
                yield_now().await;
                most = most.max(done.get() - before);
                before = done.get();
            }
            assert_eq!(done.get(), 1_000);
            assert!(most <= 2 * SLICE, "{most} at a time");
        });
    }
}
