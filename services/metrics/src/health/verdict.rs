//! How all of it is to be judged.

use std::time::Duration;

use carillon_contract::{
    Program,
    messages::{Beacon, ReplicaState},
};
use carillon_store::now;

use super::{
    replica::{Replica, ReplicaKey},
    roster::{Looks, Roster},
};

/// From when on an event loop is late.
const LATE: Duration = Duration::from_secs(1);

/// From when on what a service owes to others is stuck.
const STUCK: Duration = Duration::from_secs(60);

/// For how long a replica may take to start.
const STARTING: Duration = Duration::from_secs(30);

/// For how long a drop counts.
const DROPPED: Looks = 60 * 4;

/// How well something does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Healthy,
    /// It does what it is for, but something is wrong.
    Degraded,
    /// It does not do what it is for.
    Unhealthy,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// For programs.
    pub(super) code: &'static str,
    pub(super) program: Program,
    /// Where it is one replica that it is wrong with.
    pub(super) replica: Option<String>,
    /// For people.
    pub(super) message: String,
}

/// What is wrong with a program, and how bad that is.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) reasons: Vec<Reason>,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// Judges one program by its replicas.
pub(super) fn of(roster: &Roster, program: Program) -> Verdict {
    let mut reasons = Vec::new();
    let mut down = false;
    if !roster.of(program).any(|(_, replica)| replica.is_ready()) {
        down = true;
        let message = match roster.of(program).any(|(_, replica)| !replica.is_lost) {
            true => format!("no replica of {program} is ready"),
            false => format!("there is no replica of {program}"),
        };
        reasons.push(Reason { code: "service_down", program, replica: None, message });
    }
    reasons.extend(unanswered(roster, program));
    for (key, replica) in roster.of(program) {
        reasons.extend(wrong_with(key, replica, roster.now()));
    }
    let status = match (down, reasons.is_empty()) {
        (true, _) => Status::Unhealthy,
        (_, false) => Status::Degraded,
        (_, true) => Status::Healthy,
    };
    Verdict { status, reasons }
}

/// Whether a program's database answers any of its replicas. `None` if it has none.
pub(super) fn database_answers(roster: &Roster, program: Program) -> Option<bool> {
    let of_replica = |(_, replica): (_, &Replica)| {
        if replica.is_lost {
            return None;
        }
        replica.beacon.database.as_ref().map(|database| database.answer_microseconds.is_some())
    };
    roster.of(program).filter_map(of_replica).reduce(|one, other| one || other)
}

fn unanswered(roster: &Roster, program: Program) -> Option<Reason> {
    if database_answers(roster, program) != Some(false) {
        return None;
    }
    let failure = |(_, replica): (_, &Replica)| Some(replica.beacon.database.as_ref()?.failure.clone());
    let failure = roster.of(program).find_map(failure).unwrap_or_default();
    let message = format!("the database of {program} does not answer: {failure}");
    Some(Reason { code: "database_unreachable", program, replica: None, message })
}

fn wrong_with(key: &ReplicaKey, replica: &Replica, now: Looks) -> Vec<Reason> {
    let ReplicaKey { program, replica: name } = key;
    let reason = |code, message: String| Reason {
        code,
        program: *program,
        replica: Some(name.clone()),
        message: format!("{program} on {}: {message}", replica.beacon.host),
    };
    if replica.is_lost {
        return vec![reason("replica_lost", "it has fallen silent without a word".to_owned())];
    }
    let mut reasons = Vec::new();
    if is_overdue(&replica.beacon) {
        let failures: Vec<String> =
            replica.beacon.failures.iter().map(|(part, failure)| format!("{part}: {failure}")).collect();
        reasons.push(reason("replica_unready", format!("it is not ready ({})", failures.join("; "))));
    }
    let lag = Duration::from_micros(replica.beacon.event_loop_lag_microseconds);
    if lag >= LATE {
        reasons.push(reason("event_loop_late", format!("its event loop is {:.1} s late", lag.as_secs_f64())));
    }
    if replica.dropped.is_some_and(|dropped| now - dropped <= DROPPED) {
        reasons.push(reason("messages_dropped", "it does not keep up with the bus".to_owned()));
    }
    let owed = replica.beacon.database.as_ref().map_or(0, |database| database.outbox_oldest_microseconds);
    if Duration::from_micros(owed) >= STUCK {
        reasons.push(reason("outbox_stuck", format!("it has owed something for {} s", owed / 1_000_000)));
    }
    reasons
}

/// It ought to be ready, and isn't. (One that stops is not to be.)
fn is_overdue(beacon: &Beacon) -> bool {
    match beacon.state() {
        ReplicaState::Unready | ReplicaState::Unknown => true,
        ReplicaState::Starting => {
            let age = now().saturating_sub(beacon.started_at);
            Duration::from_micros(u64::try_from(age).unwrap_or_default()) >= STARTING
        }
        ReplicaState::Ready | ReplicaState::Stopping | ReplicaState::Stopped => false,
    }
}

#[cfg(test)]
mod tests {
    use carillon_contract::{ServiceName, messages::DatabaseHealth};

    use super::{
        super::roster::{LOST, tests::beacon},
        *,
    };

    const CHAT: Program = Program::Service(ServiceName::Chat);

    fn codes(roster: &Roster) -> (Status, Vec<&'static str>) {
        let verdict = of(roster, CHAT);
        (verdict.status, verdict.reasons.iter().map(|reason| reason.code).collect())
    }

    #[test]
    fn a_service_without_a_ready_replica_is_unhealthy_and_with_one_lost_it_is_degraded() {
        let mut roster = Roster::default();
        assert_eq!(codes(&roster), (Status::Unhealthy, vec!["service_down"]));
        roster.hear(beacon(CHAT, "a", ReplicaState::Ready));
        roster.settle();
        assert_eq!(codes(&roster), (Status::Healthy, vec![]));
        (0..=LOST).for_each(|_| roster.look());
        roster.hear(Beacon { started_at: now(), ..beacon(CHAT, "b", ReplicaState::Starting) });
        // It comes in the other's place, but is not ready yet.
        assert_eq!(codes(&roster), (Status::Unhealthy, vec!["service_down"]));
        roster.hear(beacon(CHAT, "b", ReplicaState::Ready));
        roster.hear(beacon(CHAT, "c", ReplicaState::Unready));
        assert_eq!(codes(&roster), (Status::Degraded, vec!["replica_unready"]));
        roster.hear(beacon(CHAT, "c", ReplicaState::Stopping));
        assert_eq!(codes(&roster), (Status::Healthy, vec![]));
    }

    #[test]
    fn each_thing_that_can_be_wrong_has_a_word() {
        let mut roster = Roster::default();
        let database = Some(DatabaseHealth { outbox_oldest_microseconds: 61_000_000, ..Default::default() });
        let event_loop_lag_microseconds = 1_000_000;
        roster.hear(beacon(CHAT, "a", ReplicaState::Ready));
        roster.hear(Beacon {
            database,
            event_loop_lag_microseconds,
            bus: Some(carillon_contract::messages::BusHealth { dropped: 1, ..Default::default() }),
            ..beacon(CHAT, "a", ReplicaState::Ready)
        });
        let wrong = vec!["database_unreachable", "event_loop_late", "messages_dropped", "outbox_stuck"];
        assert_eq!(codes(&roster), (Status::Degraded, wrong));
    }
}
