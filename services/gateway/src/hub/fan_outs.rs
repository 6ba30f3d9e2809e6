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

#[cfg(test)]
mod tests {
    use carillon_trace::testing::{RecordedSpan, record, recorded};

    use super::*;

    fn publication() -> Span {
        record();
        Span::root(Kind::Producer, || "publish".into(), None, "test")
    }

    fn fan_outs_of(publication: &Span) -> Vec<RecordedSpan> {
        let spans = recorded(publication.context().expect("a context"));
        spans.into_iter().filter(|span| span.name == "fan_out").collect()
    }

    fn channel() -> Channel {
        "room.general".parse().expect("a channel")
    }

    #[test]
    fn it_lasts_until_the_workers_have_the_event() {
        let (mut fan_outs, publication) = (FanOuts::default(), publication());
        fan_outs.heard(&channel(), 2, publication.context());
        fan_outs.settle(&channel(), || Some(0));
        assert!(fan_outs_of(&publication).is_empty(), "the event before it is missing");
        fan_outs.delivered(&channel(), 2, &[3, 0, 4]);
        fan_outs.settle(&channel(), || Some(2));
        assert!(fan_outs_of(&publication).is_empty(), "nobody has it yet");
        fan_outs.left();
        let spans = fan_outs_of(&publication);
        assert_eq!((spans.len(), &*spans[0].attributes["carillon.connections"]), (1, "7"));
        assert_eq!(spans[0].attributes.get("carillon.duplicate"), None);
    }

    #[test]
    fn what_was_there_before_is_a_duplicate() {
        let (mut fan_outs, publication) = (FanOuts::default(), publication());
        fan_outs.heard(&channel(), 2, publication.context());
        fan_outs.heard(&channel(), 0, publication.context());
        fan_outs.settle(&"room.other".parse().expect("a channel"), || Some(9));
        fan_outs.settle(&channel(), || Some(2));
        let spans = fan_outs_of(&publication);
        assert_eq!((spans.len(), &*spans[0].attributes["carillon.duplicate"]), (1, "true"));
    }

    #[test]
    fn too_many_that_wait_are_given_up() {
        let (mut fan_outs, publication) = (FanOuts::default(), publication());
        (1..=MAX_WAITING as u64 + 1)
            .for_each(|offset| fan_outs.heard(&channel(), offset, publication.context()));
        assert_eq!((fan_outs_of(&publication).len(), fan_outs.waiting.len()), (MAX_WAITING, 1));
    }

    #[test]
    fn without_a_trace_nothing_is_kept() {
        let mut fan_outs = FanOuts::default();
        fan_outs.heard(&channel(), 2, None);
        fan_outs.settle(&channel(), || unreachable!("nobody asks"));
        assert!(fan_outs.waiting.is_empty());
    }
}
