//! What is kept for a connection while its session is being opened: all that has to wait for the
//! owner's answer.

use crate::websocket::{CloseReason, Frame};

/// What an entry costs besides its bytes.
const OVERHEAD: usize = 48;

/// Memberships that are kept in mind for one connection.
const MAX_ENDED: usize = 64;

/// Events that arrived meanwhile, in their order, and the user's memberships that ended.
#[derive(Default)]
pub(super) struct Opening {
    pub(super) held: Vec<Held>,
    bytes: usize,
    ended: Vec<Box<str>>,
}

/// Something that waits until the session is open.
pub(super) struct Held {
    pub(super) channel: usize,
    /// Of a durable event; the greeting may cover it.
    pub(super) offset: u64,
    pub(super) consequence: Consequence,
}

/// What becomes of an event then.
pub(super) enum Consequence {
    /// It is sent.
    Frame(Frame),
    /// It ends the session.
    Dismissal(CloseReason),
}

impl Held {
    pub(super) fn frame(channel: usize, offset: u64, frame: Frame) -> Self {
        Self { channel, offset, consequence: Consequence::Frame(frame) }
    }

    pub(super) fn dismissal(channel: usize, offset: u64, reason: CloseReason) -> Self {
        Self { channel, offset, consequence: Consequence::Dismissal(reason) }
    }

    fn bytes(&self) -> usize {
        OVERHEAD
            + match &self.consequence {
                Consequence::Frame(frame) => frame.len(),
                Consequence::Dismissal(reason) => reason.reason.len(),
            }
    }
}

impl Opening {
    /// Keeps an event, within a bound in bytes; one of any size can be alone. False if there is no room.
    pub(super) fn hold(&mut self, held: Held, limit: usize) -> bool {
        self.bytes += held.bytes();
        let has_room = self.held.is_empty() || self.bytes <= limit;
        if has_room {
            self.held.push(held);
        }
        has_room
    }

    /// A membership of the user has ended.
    pub(super) fn ended(&mut self, resource: &str) {
        if self.ended.len() < MAX_ENDED {
            self.ended.push(resource.into());
        }
    }

    /// Whether a membership may have ended meanwhile: any, if there were more than can be kept in mind.
    pub(super) fn has_ended(&self, resource: &str) -> bool {
        self.ended.len() == MAX_ENDED || self.ended.iter().any(|ended| **ended == *resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_memberships_than_can_be_kept_in_mind_may_be_any() {
        let mut opening = Opening::default();
        opening.ended("org.0");
        assert!(opening.has_ended("org.0") && !opening.has_ended("org.x"));
        (0..1_000).for_each(|number| opening.ended(&format!("org.{number}")));
        assert!(opening.has_ended("org.x") && opening.ended.len() == MAX_ENDED);
    }

    #[test]
    fn what_is_held_is_bounded_whatever_it_is() {
        let mut opening = Opening::default();
        assert!(opening.hold(Held::frame(0, 1, vec![0; 5_000].into()), 1_000));
        assert!(!opening.hold(Held::dismissal(0, 2, CloseReason::NORMAL), 1_000));
        let mut opening = Opening::default();
        let count = (1..1_000)
            .take_while(|offset| opening.hold(Held::dismissal(0, *offset, CloseReason::NORMAL), 1_000));
        assert_eq!(count.count(), 1_000 / OVERHEAD);
    }
}
