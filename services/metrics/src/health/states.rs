//! Everything that has a state, and the state that it is in.

use std::collections::BTreeMap;

use carillon_contract::Program;

use super::{
    replica::ReplicaKey,
    roster::Roster,
    verdict::{self, Status},
};

/// What has a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    System,
    Nats,
    Service(Program),
    Database(Program),
    Replica(ReplicaKey),
    /// One replica's connection to the bus.
    Connection(ReplicaKey),
}

/// The states of all that has one.
pub(super) type States = BTreeMap<Topic, &'static str>;

/// How everything is; `connected`: whether this replica reaches the bus.
pub(super) fn of(roster: &Roster, connected: bool) -> States {
    let mut states = States::new();
    let mut worst = if connected { Status::Healthy } else { Status::Unhealthy };
    for program in Program::ALL {
        let status = verdict::of(roster, program).status;
        worst = worst.max(status);
        states.insert(Topic::Service(program), status.as_str());
        if let Some(answers) = verdict::database_answers(roster, program) {
            let state = if answers { "reachable" } else { "unreachable" };
            states.insert(Topic::Database(program), state);
        }
    }
    for (key, replica) in roster.all() {
        states.insert(Topic::Replica(key.clone()), replica.state());
    }
    states.insert(Topic::Nats, if connected { "connected" } else { "disconnected" });
    states.insert(Topic::System, worst.as_str());
    states
}
