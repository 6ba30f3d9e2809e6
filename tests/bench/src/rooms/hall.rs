//! Everybody in all rooms: what each has heard, and who may speak again.

use anyhow::{Result, bail, ensure};
use hdrhistogram::Histogram;

use super::{room::Room, shape::Shape, speech::Speech};
use crate::client::{Clock, Ears};

/// The longest latency that is told from others, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// What was heard while it was measured.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    /// Messages that somebody heard.
    pub(crate) messages: u64,
    /// Each as often as it was heard.
    pub(crate) deliveries: u64,
}

/// The members of all rooms, known by the places of their connections.
pub(crate) struct Hall {
    shape: Shape,
    clock: Clock,
    rooms: Vec<Room>,
    members: Vec<Member>,
    greeted: usize,
    /// When the last read ended.
    arrived: u64,
    /// Deliveries that are yet to come.
    outstanding: u64,
    /// Who has heard its own message.
    due: Vec<usize>,
    pub(crate) tally: Tally,
    pub(crate) latency: Histogram<u32>,
}

#[derive(Debug, Default, Clone)]
struct Member {
    is_greeted: bool,
    /// How many messages it has heard in this measurement.
    heard: usize,
    /// The number of the last message that it has said, and of the last that anybody has heard of it.
    said: u64,
    last: u64,
    in_flight: usize,
}

impl Hall {
    pub(crate) fn new(shape: Shape) -> Result<Self> {
        Ok(Self {
            shape,
            clock: Clock::start(),
            rooms: (0..shape.rooms).map(|_| Room::default()).collect(),
            members: vec![Member::default(); shape.connections()],
            greeted: 0,
            arrived: 0,
            outstanding: 0,
            due: Vec::new(),
            tally: Tally::default(),
            latency: Histogram::new_with_max(LONGEST, 3)?,
        })
    }

    /// Starts counting anew.
    pub(crate) fn reset(&mut self) {
        self.tally = Tally::default();
        self.latency.reset();
    }

    /// Those who have heard a message of their own since this was asked last.
    pub(crate) fn take_due(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.due)
    }

    /// What `speaker` says now, so that `window` of its messages are in flight.
    pub(crate) fn speak(&mut self, speaker: usize, window: usize) -> impl Iterator<Item = Speech> + use<> {
        let member = &mut self.members[speaker];
        let count = window.saturating_sub(member.in_flight);
        member.in_flight += count;
        let (first, sent) = (member.said + 1, self.clock.now());
        member.said += count as u64;
        self.outstanding += (count * self.shape.members) as u64;
        (first..first + count as u64).map(move |number| Speech { speaker, number, sent })
    }

    /// How often messages are yet to be heard.
    pub(crate) fn outstanding(&self) -> u64 {
        self.outstanding
    }

    /// Forgets what was heard, now that everybody has heard everything.
    ///
    /// # Errors
    /// If somebody has not.
    pub(crate) fn forget(&mut self) -> Result<()> {
        for (index, member) in self.members.iter_mut().enumerate() {
            let said = self.rooms[self.shape.room_of(index)].heard();
            ensure!(member.heard == said, "connection {index} heard {} of {said} messages", member.heard);
            member.heard = 0;
        }
        self.rooms.iter_mut().for_each(Room::forget);
        Ok(())
    }

    fn hear(&mut self, index: usize, speech: Speech) -> Result<()> {
        let (room, speaker) = (self.shape.room_of(index), speech.speaker);
        ensure!(
            speaker < self.members.len() && self.shape.room_of(speaker) == room,
            "a message of another room"
        );
        let (heard, mut last) = (self.members[index].heard, self.members[speaker].last);
        let is_first = self.rooms[room].hear(heard, speech, &mut last)?;
        self.members[speaker].last = last;
        let member = &mut self.members[index];
        member.heard += 1;
        if speaker == index {
            member.in_flight -= 1;
            self.due.push(index);
        }
        self.outstanding -= 1;
        self.tally.deliveries += 1;
        self.tally.messages += u64::from(is_first);
        Ok(self.latency.record(self.arrived.saturating_sub(speech.sent))?)
    }

    fn greet(&mut self, index: usize) {
        if !std::mem::replace(&mut self.members[index].is_greeted, true) {
            self.greeted += 1;
        }
    }
}

impl Ears for Hall {
    fn read(&mut self) {
        self.arrived = self.clock.now();
    }

    fn text(&mut self, index: usize, text: &[u8], _length: usize) -> Result<()> {
        if let Some(speech) = Speech::read(text)? {
            return self.hear(index, speech);
        }
        let has = |kind: &[u8]| text.windows(kind.len()).any(|window| window == kind);
        match () {
            () if has(b"\"type\":\"history\"") => self.greet(index),
            // Somebody has come.
            () if has(b"\"type\":\"notification\"") => {}
            () => bail!("among the messages came: {}", String::from_utf8_lossy(text)),
        }
        Ok(())
    }

    fn greeted(&self) -> usize {
        self.greeted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(hall: &mut Hall, speaker: usize, window: usize) -> Vec<String> {
        hall.speak(speaker, window).map(|speech| speech.frame(128)).collect()
    }

    #[test]
    fn everybody_in_the_room_hears_and_the_speaker_goes_on() {
        let mut hall = Hall::new(Shape { rooms: 2, members: 2 }).expect("a hall");
        let frames = said(&mut hall, 2, 1);
        assert_eq!((frames.len(), hall.outstanding()), (1, 2));
        assert!(said(&mut hall, 2, 1).is_empty());
        assert!(hall.text(0, frames[0].as_bytes(), 1).is_err(), "the other room");
        hall.text(3, frames[0].as_bytes(), 1).expect("the other member");
        assert!(hall.take_due().is_empty() && hall.forget().is_err());
        hall.text(2, frames[0].as_bytes(), 1).expect("the speaker");
        assert_eq!((hall.take_due(), hall.outstanding()), (vec![2], 0));
        assert_eq!((hall.tally.messages, hall.tally.deliveries), (1, 2));
        hall.forget().expect("everybody has heard it");
        assert_eq!(said(&mut hall, 2, 1).len(), 1);
    }

    #[test]
    fn comings_are_passed_over_and_errors_are_not() {
        let mut hall = Hall::new(Shape { rooms: 1, members: 1 }).expect("a hall");
        hall.text(0, br#"{"count":0,"type":"history"}"#, 1).expect("a greeting");
        hall.text(0, br#"{"type":"notification","event":"user_joined"}"#, 1).expect("a newcomer");
        assert_eq!(hall.greeted(), 1);
        assert!(hall.text(0, br#"{"type":"error","message":"no"}"#, 1).is_err());
    }
}
