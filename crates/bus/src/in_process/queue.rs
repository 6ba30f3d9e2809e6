//! The queue of one subscription.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::message::Incoming;

/// Above this capacity an emptied queue gives its memory back.
const KEPT: usize = 32;

/// A bounded queue that takes no memory before its first message.
#[derive(Debug)]
pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Incoming>,
    waker: Option<Waker>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    /// Adds a message, unless the queue is full: then it returns false.
    pub(super) fn push(&self, incoming: Incoming) -> bool {
        let mut state = self.lock();
        if state.closed {
            return true;
        }
        if state.waiting.len() >= self.capacity {
            return false;
        }
        state.waiting.push_back(incoming);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The next message; `None` after the last one of a closed queue.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let mut state = self.lock();
        if let Some(incoming) = state.waiting.pop_front() {
            if state.waiting.is_empty() && state.waiting.capacity() > KEPT {
                state.waiting = VecDeque::new();
            }
            return Poll::Ready(Some(incoming));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            state.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    /// Takes no more messages; those that wait can still be taken out.
    pub(super) fn close(&self) {
        let waker = {
            let mut state = self.lock();
            state.closed = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Closes it and drops what waits.
    pub(super) fn clear(&self) {
        self.close();
        // Dropped outside the lock: a waiting request's reply slot wakes whoever asked.
        drop(mem::take(&mut self.lock().waiting));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
