//! What a worker has counted of its connections, by where they came in: plain numbers, since nothing but a copy
//! of them leaves the worker's thread.

use super::connection::Connection;
use crate::telemetry::Entrance;

/// Microseconds of a day.
const DAY: i64 = 86_400 * 1_000_000;

/// Since the worker started, those that are gone included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Sessions that were opened, and how many of those connections are gone.
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    /// How long those that are gone lasted, together.
    pub(crate) closed_milliseconds: u64,
    /// Messages of clients, and to them.
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    /// The last two days on which sessions were opened, the later first.
    pub(crate) days: [Day; 2],
}

/// The sessions that were opened on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Day {
    /// Days since 1970-01-01, UTC.
    pub(crate) day: u32,
    pub(crate) opened: u64,
}

/// One for each entrance.
#[derive(Debug, Clone)]
pub(crate) struct Tallies(Box<[Tally]>);

impl Default for Tallies {
    fn default() -> Self {
        Self(Entrance::all().map(|_| Tally::default()).collect())
    }
}

impl Tallies {
    pub(crate) fn get(&self, entrance: Entrance) -> &Tally {
        &self.0[entrance.index()]
    }

    pub(super) fn of(&mut self, entrance: Entrance) -> &mut Tally {
        &mut self.0[entrance.index()]
    }

    /// Adds what was queued for a connection since this was last done, and what was written to it.
    pub(super) fn wrote(&mut self, connection: &mut Connection, bytes: u64) {
        let traffic = &mut connection.traffic;
        let tally = &mut self.0[connection.entrance.index()];
        tally.sent += u64::from(traffic.sent - traffic.tallied);
        tally.bytes_sent += bytes;
        traffic.tallied = traffic.sent;
    }

    /// A connection is gone, after so many milliseconds.
    pub(super) fn ended(&mut self, connection: &mut Connection, milliseconds: u64) {
        self.wrote(connection, 0);
        if connection.is_open() {
            let tally = self.of(connection.entrance);
            tally.closed += 1;
            tally.closed_milliseconds += milliseconds;
        }
    }
}

impl Tally {
    /// A session was opened at this time (microseconds since 1970).
    pub(super) fn opened_at(&mut self, time: i64) {
        let day = u32::try_from(time / DAY).unwrap_or_default();
        self.opened += 1;
        self.count_day(Day { day, opened: 1 });
    }

    /// Both together.
    pub(crate) fn plus(mut self, other: &Self) -> Self {
        self.opened += other.opened;
        self.closed += other.closed;
        self.closed_milliseconds += other.closed_milliseconds;
        self.received += other.received;
        self.sent += other.sent;
        self.bytes_received += other.bytes_received;
        self.bytes_sent += other.bytes_sent;
        for day in other.days {
            self.count_day(day);
        }
        self
    }

    /// Of three days the earliest is no longer of interest.
    fn count_day(&mut self, added: Day) {
        if added.opened == 0 {
            return;
        }
        let [later, earlier] = &mut self.days;
        if added.day == later.day {
            later.opened += added.opened;
        } else if added.day == earlier.day {
            earlier.opened += added.opened;
        } else if added.day > later.day {
            self.days = [added, *later];
        } else if added.day > earlier.day {
            *earlier = added;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(days: &[i64]) -> Tally {
        let mut tally = Tally::default();
        days.iter().for_each(|day| tally.opened_at(day * DAY + 5));
        tally
    }

    fn days(tally: &Tally) -> [(u32, u64); 2] {
        tally.days.map(|day| (day.day, day.opened))
    }

    #[test]
    fn the_last_two_days_are_kept_apart() {
        assert_eq!(days(&opened(&[7, 7])), [(7, 2), (0, 0)]);
        assert_eq!(days(&opened(&[7, 7, 8])), [(8, 1), (7, 2)]);
        assert_eq!(days(&opened(&[7, 8, 10, 10])), [(10, 2), (8, 1)]);
        assert_eq!(days(&opened(&[8, 7])), [(8, 1), (7, 1)], "a clock that was set back");
        assert_eq!(opened(&[7, 8, 10]).opened, 3);
    }

    #[test]
    fn workers_add_up_though_not_all_of_them_have_had_anyone_today() {
        let sum = opened(&[7, 8]).plus(&opened(&[6, 7, 7])).plus(&opened(&[]));
        assert_eq!((sum.opened, days(&sum)), (5, [(8, 1), (7, 3)]));
        assert_eq!(days(&opened(&[6, 7]).plus(&opened(&[7, 8]))), [(8, 1), (7, 2)]);
    }
}
