//! What a connection makes of what it hears.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use serde_json::Value;

use super::{
    Phase,
    connection::Connection,
    ledger::Arrival,
    message::{self, Mark},
};

impl Connection {
    /// Takes a frame. True if it says that this connection is in its room now.
    pub(super) fn hear(&mut self, frame: &str) -> bool {
        if let Some(mark) = Mark::find(frame, &self.seat.run) {
            // What was published comes back to its sender with the acknowledgement, which has no mark.
            self.advance(frame);
            self.arrived(mark);
            return false;
        }
        if frame.contains("\"message_ack\"") {
            self.acknowledged(message::acknowledged(frame));
            return false;
        }
        self.told(frame)
    }

    /// What is neither a message nor its acknowledgement is rare: it is read properly.
    fn told(&mut self, frame: &str) -> bool {
        let value: Value = serde_json::from_str(frame).unwrap_or_default();
        match value["type"].as_str() {
            Some("connected") if !self.seat.multiplexed => {
                let offset = value["channels"][0]["offset"].as_u64();
                self.entered(&value["epoch"], offset)
            }
            Some("subscribed") => self.entered(&value["epoch"], value["offset"].as_u64()),
            Some("recovery") if value["recovered"] == false => {
                self.tally.unrecovered.fetch_add(1, Relaxed);
                false
            }
            Some("reconnect") => {
                self.after = value["after_ms"].as_u64().map(Duration::from_millis);
                false
            }
            Some("error") => {
                self.refused(&value);
                false
            }
            _ => {
                self.advance(frame);
                false
            }
        }
    }

    fn entered(&mut self, epoch: &Value, offset: Option<u64>) -> bool {
        let epoch = epoch.as_str().unwrap_or_default().to_owned();
        let is_same = self.place.as_ref().is_some_and(|(known, _)| *known == epoch);
        if !is_same {
            self.place = Some((epoch, offset.unwrap_or(0)));
        }
        if !self.joined && self.phase() == Phase::Opening {
            self.joined = self.tally.join(self.seat.room);
        }
        true
    }

    fn advance(&mut self, frame: &str) {
        if let (Some((_, last)), Some(offset)) = (&mut self.place, offset_of(frame, self.seat.multiplexed)) {
            *last = offset.max(*last);
        }
    }

    fn arrived(&mut self, mark: Mark) {
        // A message may come before this connection has looked what the phase is: it was sent after it had begun.
        if let (None, Phase::Sending(at)) = (self.begun, self.phase()) {
            self.begun = Some(at);
        }
        let Some(begun) = self.begun.filter(|_| self.joined) else { return };
        let counter = match self.ledgers.entry(mark.sender).or_default().take(mark.number) {
            Arrival::Again => {
                self.tally.again.fetch_add(1, Relaxed);
                return;
            }
            Arrival::Late => {
                self.tally.late.fetch_add(1, Relaxed);
                &self.tally.received
            }
            Arrival::InOrder => &self.tally.received,
        };
        counter.fetch_add(1, Relaxed);
        let now = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.tally.latency(self.seat.number, now.saturating_sub(mark.due));
    }

    fn acknowledged(&mut self, number: Option<u64>) {
        if let (Some(number), Some((sender, _))) = (number, self.seat.sender)
            && self.outbox.settle(number)
        {
            self.tally.accept(self.seat.room, sender, number);
        }
    }

    /// A message that isn't wanted, or a subscription.
    fn refused(&mut self, error: &Value) {
        self.tally.error(error["message"].as_str().unwrap_or("refused").to_owned());
        let own = error["client_id"].as_str().and_then(|id| id.rsplit('-').next()?.parse().ok());
        // Frames are answered in order: without a name it is the oldest.
        let number = own.or_else(|| error["id"].as_u64()).or_else(|| self.outbox.oldest());
        if number.is_some_and(|number| self.outbox.settle(number)) {
            self.tally.refused.fetch_add(1, Relaxed);
        }
    }
}

/// In `carillon.v1` the offset stands before the data, elsewhere at the end.
fn offset_of(frame: &str, multiplexed: bool) -> Option<u64> {
    if multiplexed {
        let before_data = frame.split_once("\"data\":").map_or(frame, |(before, _)| before);
        return message::offset(before_data);
    }
    message::offset(frame)
}
