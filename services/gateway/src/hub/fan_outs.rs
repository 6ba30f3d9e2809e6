//! The spans of events on their way through a gateway: from the moment that one is heard until it is handed to
//! every worker with a listener. What the workers then do is for all their connections together, and has metrics.

use std::collections::HashMap;

use carillon_contract::Channel;
use carillon_trace::{Kind, Span, TraceContext};

/// The most spans of events that wait for their turn; with too many all are given up.
const MAX_WAITING: usize = 1_024;

/// As far as their traces are recorded: otherwise there are none.
#[derive(Default)]
pub(super) struct FanOuts {
    /// Heard and not delivered yet: something before them is missing.
    waiting: HashMap<(Channel, u64), Span>,
    /// Delivered, and about to be handed on.
    leaving: Vec<Span>,
}

impl FanOuts {
    /// An event was heard; its offset is 0 if it is ephemeral.
    pub(super) fn heard(&mut self, channel: &Channel, offset: u64, trace: Option<&TraceContext>) {
        let Some(trace) = trace else { return };
        let mut span = Span::child_of(Some(trace), Kind::Consumer, || "fan_out".into());
        if !span.is_recording() {
            return;
        }
        span.set_service("gateway");
        span.set("carillon.channel.kind", channel.kind().to_owned());
        span.set_count("carillon.offset", offset);
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.clear();
        }
        self.waiting.insert((channel.clone(), offset), span);
    }

    /// It is for so many connections of each worker.
    pub(super) fn delivered(&mut self, channel: &Channel, offset: u64, listeners: &[u32]) {
        if let Some(mut span) = self.take(channel, offset) {
            span.set_count(
                "carillon.connections",
                listeners.iter().map(|count| u64::from(*count)).sum::<u64>(),
            );
            self.leaving.push(span);
        }
    }

    /// What still waits at or below the last one delivered was delivered before, or told in a greeting.
    pub(super) fn settle(&mut self, channel: &Channel, last: impl FnOnce() -> Option<u64>) {
        if self.waiting.is_empty() {
            return;
        }
        let Some(last) = last() else { return };
        let is_over = |of: &Channel, offset: u64| of == channel && (1..=last).contains(&offset);
        for (_, mut span) in self.waiting.extract_if(|(of, offset), _| is_over(of, *offset)) {
            span.set("carillon.duplicate", true);
        }
    }

    /// Those that were delivered have been handed to the workers.
    pub(super) fn left(&mut self) {
        self.leaving.clear();
    }

    fn take(&mut self, channel: &Channel, offset: u64) -> Option<Span> {
        if self.waiting.is_empty() { None } else { self.waiting.remove(&(channel.clone(), offset)) }
    }
}
