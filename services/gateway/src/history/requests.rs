//! Who waits for which part of which channel's past, and which owner's log is to be asked next.
//!
//! One request of a channel is under way at a time, begun for whoever has waited longest there. Its answer
//! is for all for whom it has the next event, whenever they came and wherever exactly they left
//! off. Channels take turns, so that a crowd in one of them holds up no other.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use carillon_contract::{Channel, messages::Event};
use tokio::sync::oneshot;

/// Why a past can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The log no longer holds it, or is another one.
    Lost,
    /// The log can't be asked now.
    Unavailable,
}

/// The events that follow the place that was asked about: at least one.
pub(super) type Answer = Result<Vec<Arc<Event>>, Missing>;

/// Somebody who waits. Who is no longer there takes no answer.
pub(super) struct Waiter {
    pub(super) epoch: String,
    pub(super) after: u64,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What an owner's log has answered.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) epoch: String,
    /// The lowest offset that the log holds.
    pub(super) first: u64,
    /// In order, without gaps.
    pub(super) events: Vec<Arc<Event>>,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) channel: Channel,
    pub(super) epoch: String,
    pub(super) after: u64,
}

/// Those who wait, and the requests that are under way.
pub(super) struct Requests {
    lines: HashMap<Channel, Line>,
    /// Channels in which somebody waits and no request is under way.
    turns: VecDeque<Channel>,
    running: usize,
    most: usize,
}

/// Those who wait in one channel, in the order in which they came.
#[derive(Default)]
struct Line {
    waiters: Vec<Waiter>,
    asked: Option<Asked>,
}

/// The request that is under way.
struct Asked {
    after: u64,
    /// So many of the line were there already: the answer speaks of a time at which they waited.
    present: usize,
}

impl Requests {
    /// At most so many requests are under way at a time.
    pub(super) fn new(most: usize) -> Self {
        Self { lines: HashMap::new(), turns: VecDeque::new(), running: 0, most }
    }

    /// Somebody waits from now on.
    pub(super) fn wait(&mut self, channel: &Channel, waiter: Waiter) {
        let line = self.lines.entry(channel.clone()).or_insert_with(|| {
            self.turns.push_back(channel.clone());
            Line::default()
        });
        line.waiters.push(waiter);
    }

    /// The next request to be made, if there may be one more.
    pub(super) fn next(&mut self) -> Option<Request> {
        while self.running < self.most {
            let channel = self.turns.pop_front()?;
            let Some(line) = self.lines.get_mut(&channel) else { continue };
            line.waiters.retain(|waiter| !waiter.reply.is_closed());
            let Some(first) = line.waiters.first() else {
                self.lines.remove(&channel);
                continue;
            };
            let (epoch, after) = (first.epoch.clone(), first.after);
            line.asked = Some(Asked { after, present: line.waiters.len() });
            self.running += 1;
            return Some(Request { channel, epoch, after });
        }
        None
    }

    /// A channel's request was answered. Returns how many got their answer by it.
    pub(super) fn answered(&mut self, channel: &Channel, outcome: &Result<Page, Missing>) -> usize {
        let Some(line) = self.lines.get_mut(channel) else { return 0 };
        let Some(asked) = line.asked.take() else { return 0 };
        self.running -= 1;
        let before = line.waiters.len();
        let judged = line.waiters.drain(..).enumerate().filter_map(|(place, waiter)| {
            let answer = match outcome {
                Ok(page) => page.answer(&waiter, &asked, place < asked.present),
                Err(missing) => Some(Err(*missing)),
            };
            match answer {
                Some(answer) => {
                    // Whoever is gone needs none.
                    let _ = waiter.reply.send(answer);
                    None
                }
                None => Some(waiter),
            }
        });
        line.waiters = judged.collect();
        let answered = before - line.waiters.len();
        match line.waiters.is_empty() {
            true => drop(self.lines.remove(channel)),
            false => self.turns.push_back(channel.clone()),
        }
        answered
    }
}

impl Page {
    /// What it means for somebody who was there when the log was asked, or came later. `None` if another
    /// request has to tell.
    fn answer(&self, waiter: &Waiter, asked: &Asked, was_there: bool) -> Option<Answer> {
        if self.epoch != waiter.epoch {
            // Who came later may have been told of a log that is newer than this answer.
            return was_there.then_some(Err(Missing::Lost));
        }
        if self.first > waiter.after + 1 {
            return Some(Err(Missing::Lost));
        }
        let start = self.events.partition_point(|event| event.offset <= waiter.after);
        match self.events.get(start) {
            Some(event) if event.offset == waiter.after + 1 => Some(Ok(self.events[start..].to_vec())),
            // The log was asked for just this, and does not have it.
            _ if was_there && waiter.after == asked.after => Some(Err(Missing::Lost)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
