//! Every replica that there is, or was a moment ago.

use std::{collections::BTreeMap, time::Duration};

use carillon_contract::{
    Program, ServiceName,
    messages::{Beacon, ReplicaState},
};

use super::replica::{Replica, ReplicaKey};

/// How often it is looked who has fallen silent.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// Time, counted in looks rather than by a clock: a process that was held up itself takes nobody for lost before it has
/// heard what has waited for it.
pub(super) type Looks = u64;

/// A replica that was silent for so long, three times as long as it may be, is lost.
pub(super) const LOST: Looks = 12;

/// For how long one that was lost is shown, unless another comes in its place.
const REMEMBERED: Looks = 5 * 60 * 4;

/// The most replicas that are known at a time.
const MOST: usize = 2_000;

/// The replicas by program and life.
#[derive(Debug, Default)]
pub(super) struct Roster {
    replicas: BTreeMap<ReplicaKey, Replica>,
    now: Looks,
    /// Everybody who was there has been heard: whoever is new from now on has just come.
    is_settled: bool,
    /// What has become of those that are no longer there, since it was last asked for.
    gone: Vec<(ReplicaKey, &'static str)>,
    /// Who was cut off from the bus and is back, since it was last asked for.
    returned: Vec<ReplicaKey>,
}

impl Roster {
    /// A replica has told how it does.
    pub(super) fn hear(&mut self, beacon: Beacon) {
        let Some(program) = Program::named(&beacon.service) else { return };
        let key = ReplicaKey { program, replica: beacon.replica.clone() };
        if beacon.state() == ReplicaState::Stopped {
            if self.replicas.remove(&key).is_some() {
                self.gone.push((key, "stopped"));
            }
            return;
        }
        let has_room = self.replicas.len() < MOST;
        match self.replicas.get_mut(&key) {
            Some(replica) => {
                if replica.hear(beacon, self.now) {
                    self.returned.push(key);
                }
            }
            None if has_room => {
                self.replicas.insert(key, Replica::new(beacon, self.now, self.is_settled));
                self.replace(program);
            }
            None => tracing::warn!(service = %program, "more than {MOST} replicas are not watched"),
        }
    }

    /// Some time has passed: finds who has fallen silent, and forgets whoever has been lost for long.
    pub(super) fn look(&mut self) {
        self.now += 1;
        let now = self.now;
        for replica in self.replicas.values_mut() {
            replica.is_lost |= now - replica.heard > LOST;
        }
        let forgotten = |replica: &Replica| now - replica.heard > REMEMBERED;
        let keys = self.replicas.iter().filter(|(_, replica)| forgotten(replica)).map(|(key, _)| key.clone());
        for key in keys.collect::<Vec<_>>() {
            self.remove(key, "forgotten");
        }
        for program in Program::ALL {
            self.replace(program);
        }
    }

    /// Everybody who is there has had the time to say so.
    pub(super) fn settle(&mut self) {
        self.is_settled = true;
    }

    /// Nobody could be heard for a while: who is there gets the time to say so.
    pub(super) fn spare(&mut self) {
        let now = self.now;
        self.replicas.values_mut().filter(|replica| !replica.is_lost).for_each(|replica| replica.heard = now);
    }

    /// The replicas of a program.
    pub(super) fn of(&self, program: Program) -> impl Iterator<Item = (&ReplicaKey, &Replica)> {
        self.replicas.iter().filter(move |(key, _)| key.program == program)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&ReplicaKey, &Replica)> {
        self.replicas.iter()
    }

    pub(super) fn now(&self) -> Looks {
        self.now
    }

    /// Whether another replica of this service has been there for longer than the one of this age and name,
    /// and goes on.
    pub(super) fn has_elder(&self, started_at: i64, own: &str) -> bool {
        self.of(Program::Service(ServiceName::Metrics)).any(|(key, replica)| {
            let goes_on = !replica.is_lost && replica.beacon.state() != ReplicaState::Stopping;
            goes_on && (replica.beacon.started_at, key.replica.as_str()) < (started_at, own)
        })
    }

    /// What has become of those that are no longer there.
    pub(super) fn take_gone(&mut self) -> Vec<(ReplicaKey, &'static str)> {
        std::mem::take(&mut self.gone)
    }

    /// Who was cut off from the bus and is back.
    pub(super) fn take_returned(&mut self) -> Vec<ReplicaKey> {
        std::mem::take(&mut self.returned)
    }

    /// Whoever has come after another of its program was last heard has come in its place, once.
    fn replace(&mut self, program: Program) {
        let lost: Vec<(ReplicaKey, Looks)> = self
            .of(program)
            .filter(|(_, replica)| replica.is_lost)
            .map(|(key, replica)| (key.clone(), replica.heard))
            .collect();
        for (key, heard) in lost {
            let newcomer = self.replicas.iter_mut().find(|(other, replica)| {
                let is_new = replica.since > heard && replica.is_spare && !replica.is_lost;
                other.program == program && is_new && **other != key
            });
            if let Some((_, newcomer)) = newcomer {
                newcomer.is_spare = false;
                self.remove(key, "replaced");
            }
        }
    }

    fn remove(&mut self, key: ReplicaKey, because: &'static str) {
        self.replicas.remove(&key);
        self.gone.push((key, because));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use carillon_contract::messages::BusHealth;

    use super::*;

    const CHAT: Program = Program::Service(ServiceName::Chat);

    pub(in crate::health) fn beacon(program: Program, replica: &str, state: ReplicaState) -> Beacon {
        Beacon {
            replica: replica.to_owned(),
            service: program.as_str().to_owned(),
            state: state.into(),
            ..Beacon::default()
        }
    }

    fn ready(replica: &str) -> Beacon {
        beacon(CHAT, replica, ReplicaState::Ready)
    }

    fn states(roster: &Roster) -> Vec<(&str, &str)> {
        roster.all().map(|(key, replica)| (key.replica.as_str(), replica.state())).collect()
    }

    fn look(roster: &mut Roster, times: Looks) {
        (0..times).for_each(|_| roster.look());
    }

    #[test]
    fn who_is_silent_is_lost_and_who_says_goodbye_is_not() {
        let mut roster = Roster::default();
        roster.hear(ready("a"));
        roster.hear(ready("b"));
        roster.hear(beacon(CHAT, "b", ReplicaState::Stopped));
        assert_eq!(roster.take_gone().iter().map(|(_, because)| *because).collect::<Vec<_>>(), ["stopped"]);
        look(&mut roster, LOST);
        assert_eq!(states(&roster), [("a", "ready")]);
        look(&mut roster, 1);
        assert_eq!(states(&roster), [("a", "lost")]);
        roster.hear(ready("a"));
        assert_eq!(states(&roster), [("a", "ready")]);
        look(&mut roster, REMEMBERED + 1);
        assert!(states(&roster).is_empty() && roster.take_gone()[0].1 == "forgotten");
    }

    #[test]
    fn a_newcomer_comes_in_the_place_of_one_that_was_lost() {
        for newcomer_is_first in [false, true] {
            let mut roster = Roster::default();
            roster.hear(ready("a"));
            look(&mut roster, 1);
            roster.hear(ready("b"));
            roster.settle();
            look(&mut roster, 1);
            let others_live = |roster: &mut Roster| roster.hear(ready("b"));
            if newcomer_is_first {
                roster.hear(ready("c"));
            }
            for _ in 0..=LOST {
                look(&mut roster, 1);
                others_live(&mut roster);
                if newcomer_is_first {
                    roster.hear(ready("c"));
                }
            }
            if !newcomer_is_first {
                assert_eq!(states(&roster), [("a", "lost"), ("b", "ready")]);
                roster.hear(ready("c"));
            }
            assert_eq!(states(&roster), [("b", "ready"), ("c", "ready")], "{newcomer_is_first}");
            assert_eq!(roster.take_gone()[0].1, "replaced");
        }
    }

    #[test]
    fn an_outage_of_the_bus_loses_nobody() {
        let mut roster = Roster::default();
        roster.hear(ready("a"));
        look(&mut roster, LOST);
        roster.spare();
        look(&mut roster, LOST);
        assert_eq!(states(&roster), [("a", "ready")]);
        let bus = Some(BusHealth { reconnections: 1, ..BusHealth::default() });
        roster.hear(Beacon { bus, ..ready("a") });
        assert_eq!(roster.take_returned().len(), 1);
    }

    #[test]
    fn the_eldest_that_goes_on_speaks() {
        let metrics = |replica: &str, started_at: i64, state: ReplicaState| Beacon {
            started_at,
            ..beacon(Program::Service(ServiceName::Metrics), replica, state)
        };
        let mut roster = Roster::default();
        roster.hear(metrics("b", 1, ReplicaState::Ready));
        roster.hear(metrics("a", 2, ReplicaState::Ready));
        assert!(roster.has_elder(2, "a") && !roster.has_elder(1, "b"));
        roster.hear(metrics("b", 1, ReplicaState::Stopping));
        assert!(!roster.has_elder(2, "a"));
        roster.hear(metrics("b", 1, ReplicaState::Unready));
        assert!(roster.has_elder(2, "a"));
        look(&mut roster, LOST + 1);
        assert!(!roster.has_elder(2, "a"));
    }
}
