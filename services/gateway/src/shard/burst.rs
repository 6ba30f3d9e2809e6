//! A burst: the events that one turn brings to one channel, rendered once for each format and
//! joined, so that a connection gets one reference instead of one for each event.

use carillon_contract::messages::Event;

use super::{compressor::Compressor, render::render};
use crate::{
    hub::Delivery,
    session::{Format, SessionInfo},
    websocket::{self, Frame},
};

/// Frames are joined up to this many bytes: enough for one write.
const JOINED: usize = 16 * 1024;

/// Events of one channel in their order: all durable or all ephemeral. One that goes to everyone
/// but its sender stands alone, and so does one that ends sessions.
pub(super) struct Burst<'a> {
    events: Vec<&'a Event>,
    rendered: Vec<(Format, Rendered)>,
}

/// The frames of a burst in one format.
#[derive(Default)]
pub(super) struct Rendered {
    /// Each with its offset.
    single: Vec<(u64, Frame)>,
    /// The same bytes in few pieces, each with the number of frames in it.
    pub(super) joined: Vec<(Frame, u64)>,
    /// Bytes by which compression has made them fewer.
    pub(super) saved: u64,
}

/// Whether two deliveries, one after the other, belong to the same burst.
pub(super) fn belong_together(one: &Delivery, next: &Delivery) -> bool {
    let (Delivery::Event(channel, one), Delivery::Event(other, next)) = (one, next) else { return false };
    let is_plain = |event: &Event| event.except_connection.is_empty() && event.dismissal.is_none();
    channel == other && (one.offset == 0) == (next.offset == 0) && is_plain(one) && is_plain(next)
}

impl<'a> Burst<'a> {
    /// The burst of deliveries that belong together.
    pub(super) fn new(deliveries: &'a [Delivery]) -> Self {
        let events = deliveries.iter().filter_map(|delivery| match delivery {
            Delivery::Event(_, event) => Some(&**event),
            Delivery::Reset(_) => None,
        });
        Self { events: events.collect(), rendered: Vec::new() }
    }

    pub(super) fn events(&self) -> &[&'a Event] {
        &self.events
    }

    /// Whether a client may not miss any of it.
    pub(super) fn is_durable(&self) -> bool {
        self.events.first().is_some_and(|event| event.offset != 0)
    }

    /// Whether this connection is the one that it does not go to.
    pub(super) fn is_not_for(&self, info: &SessionInfo) -> bool {
        let except = self.events.first().map_or("", |event| &event.except_connection);
        !except.is_empty() && *except == *info.connection
    }

    /// Whether a greeting that covers offsets up to `after` covers none of it.
    pub(super) fn is_all_after(&self, after: u64) -> bool {
        self.events.first().is_none_or(|event| event.offset == 0 || event.offset > after)
    }

    /// The frames in a format, rendered when its first listener is met.
    pub(super) fn frames(&mut self, format: Format, compressor: &Compressor) -> &Rendered {
        let known = self.rendered.iter().position(|(rendered, _)| *rendered == format);
        let index = known.unwrap_or_else(|| {
            self.rendered.push((format, Rendered::new(&self.events, format, compressor)));
            self.rendered.len() - 1
        });
        &self.rendered[index].1
    }
}

impl Rendered {
    fn new(events: &[&Event], format: Format, compressor: &Compressor) -> Self {
        let mut saved = 0;
        let mut frame = |event: &&Event| {
            let plain = render(event, format)?;
            let frame = compressor.fit(&plain, format.compression);
            saved += (plain.len() - frame.len()) as u64;
            Some((event.offset, frame))
        };
        let single: Vec<(u64, Frame)> = events.iter().filter_map(&mut frame).collect();
        Self { joined: join(&single), single, saved }
    }

    /// The frames, each with its offset, but for those that a greeting up to `after` covers.
    pub(super) fn after(&self, after: u64) -> impl Iterator<Item = &(u64, Frame)> {
        self.single.iter().filter(move |(offset, _)| *offset == 0 || *offset > after)
    }
}

/// The frames in as few pieces as the bound allows.
fn join(frames: &[(u64, Frame)]) -> Vec<(Frame, u64)> {
    let mut rest = frames;
    let mut pieces = Vec::new();
    while let Some(((_, first), others)) = rest.split_first() {
        let mut bytes = first.len();
        let fitting = others.iter().take_while(|(_, frame)| {
            bytes += frame.len();
            bytes <= JOINED
        });
        let (piece, left) = rest.split_at(1 + fitting.count());
        let joined = match piece {
            [(_, only)] => only.clone(),
            several => websocket::joined(several.iter().map(|(_, frame)| frame)),
        };
        pieces.push((joined, piece.len() as u64));
        rest = left;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use carillon_contract::{
        Channel,
        messages::{Dismissal, Variant},
    };

    use super::*;
    use crate::session::Framing;

    const JSON: Format = Format { dialect: None, framing: Framing::Text, compression: None };

    fn delivery(offset: u64, length: usize, except: &str) -> Delivery {
        let json = format!("{{\"a\":\"{}\"}}", "x".repeat(length));
        let variants = vec![Variant::json(json)];
        let channel = Channel::everyone();
        let event = Event {
            channel: channel.as_str().to_owned(),
            offset,
            variants,
            except_connection: except.to_owned(),
            ..Event::default()
        };
        Delivery::Event(channel, Arc::new(event))
    }

    #[test]
    fn pieces_hold_every_frame_once_in_order_within_the_bound() {
        let deliveries: Vec<_> = (1..=40).map(|offset| delivery(offset, 1_000, "")).collect();
        let mut burst = Burst::new(&deliveries);
        let compressor = Compressor::of_tests();
        let frames = burst.frames(JSON, &compressor);
        let bytes =
            |frames: Vec<&Frame>| frames.into_iter().flat_map(|frame| frame.to_vec()).collect::<Vec<_>>();
        let joined = bytes(frames.joined.iter().map(|(frame, _)| frame).collect());
        assert_eq!(joined, bytes(frames.after(0).map(|(_, frame)| frame).collect()));
        assert_eq!(frames.joined.iter().map(|(_, count)| count).sum::<u64>(), 40);
        assert_eq!(frames.joined.len(), 3);
        assert!(frames.joined.iter().all(|(frame, _)| frame.len() <= JOINED));
        assert_eq!(frames.after(38).map(|(offset, _)| *offset).collect::<Vec<_>>(), [39, 40]);
        assert!(burst.is_all_after(0) && !burst.is_all_after(1));
    }

    #[test]
    fn a_frame_above_the_bound_is_a_piece_of_its_own() {
        let deliveries = [delivery(1, 10, ""), delivery(2, JOINED, ""), delivery(3, 10, "")];
        let mut burst = Burst::new(&deliveries);
        let counts: Vec<u64> =
            burst.frames(JSON, &Compressor::of_tests()).joined.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 1, 1]);
    }

    #[test]
    fn what_differs_in_kind_is_not_joined() {
        let reset = Delivery::Reset(Channel::everyone());
        assert!(belong_together(&delivery(1, 1, ""), &delivery(2, 1, "")));
        assert!(!belong_together(&delivery(1, 1, ""), &delivery(0, 1, "")));
        assert!(!belong_together(&delivery(1, 1, ""), &delivery(2, 1, "me")));
        assert!(!belong_together(&delivery(1, 1, "me"), &delivery(2, 1, "")));
        let Delivery::Event(channel, event) = delivery(2, 1, "") else { panic!("an event") };
        let dismissal = Some(Dismissal::default());
        let ends = Delivery::Event(channel, Arc::new(Event { dismissal, ..(*event).clone() }));
        assert!(!belong_together(&delivery(1, 1, ""), &ends));
        assert!(!belong_together(&ends, &delivery(3, 1, "")));
        assert!(!belong_together(&delivery(1, 1, ""), &reset) && !belong_together(&reset, &reset));
    }
}
