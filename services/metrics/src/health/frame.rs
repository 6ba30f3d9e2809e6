//! The frame in which clients read it.

use carillon_contract::{Program, messages::Beacon};
use carillon_service::time::timestamp;
use carillon_store::now;
use serde_json::{Map, Value, json};

use crate::cluster::Figures;

use super::{
    Cause,
    changes::Change,
    replica::{Replica, ReplicaKey},
    states::Topic,
    verdict::{self, Reason, Status},
    view::View,
};

/// Everything, as it is at this moment.
pub(super) fn render(view: &View, cause: Cause, figures: &Figures) -> Value {
    let verdicts = Program::ALL.map(|program| (program, verdict::of(view.roster(), program)));
    let mut status = verdicts.iter().map(|(_, verdict)| verdict.status).max().unwrap_or(Status::Healthy);
    let reasons = verdicts.iter().flat_map(|(_, verdict)| verdict.reasons.iter().map(reason));
    let mut reasons: Vec<Value> = reasons.collect();
    if !view.bus().is_connected() {
        status = Status::Unhealthy;
        reasons.insert(0, json!({"code": "bus_disconnected", "message": "the bus can't be reached"}));
    }
    let services = verdicts.iter().map(|(program, verdict)| service(view, *program, verdict.status));
    json!({
        "type": "system_health",
        "cause": cause.as_str(),
        "timestamp": timestamp(now()),
        "status": status.as_str(),
        "reasons": reasons,
        "services": services.collect::<Vec<_>>(),
        "nats": nats(view),
        "databases": Program::ALL.into_iter().filter_map(|program| database(view, program)).collect::<Vec<_>>(),
        "event_loop": event_loop(view),
        "metrics": figures,
        "changes": view.changes().iter().map(change).collect::<Vec<_>>(),
    })
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Tick => "tick",
            Self::Change => "change",
        }
    }
}

fn reason(reason: &Reason) -> Value {
    let mut value =
        json!({"code": reason.code, "service": reason.program.as_str(), "message": reason.message});
    if let Some(replica) = &reason.replica {
        value["replica"] = replica.as_str().into();
    }
    value
}

fn service(view: &View, program: Program, status: Status) -> Value {
    let replicas: Vec<Value> =
        view.roster().of(program).map(|(key, replica)| replica_of(key, replica)).collect();
    let missing = view.roster().of(program).filter(|(_, replica)| replica.is_lost).count();
    let ready = view.roster().of(program).filter(|(_, replica)| replica.is_ready()).count();
    json!({
        "service": program.as_str(),
        "status": status.as_str(),
        "ready": ready,
        "missing": missing,
        "replicas": replicas,
    })
}

fn replica_of(key: &ReplicaKey, replica: &Replica) -> Value {
    let beacon = &replica.beacon;
    let bus = beacon.bus.clone().unwrap_or_default();
    json!({
        "replica": key.replica,
        "host": beacon.host,
        "process": beacon.process,
        "version": beacon.version,
        "since": timestamp(beacon.started_at),
        "state": replica.state(),
        "failures": beacon.failures,
        "event_loop_lag_ms": milliseconds(beacon.event_loop_lag_microseconds),
        "memory_bytes": beacon.memory_bytes,
        "bus": {
            "round_trip_ms": bus.round_trip_microseconds.map(milliseconds),
            "reconnections": bus.reconnections,
            "dropped": bus.dropped,
        },
    })
}

/// What clients of NATS can know of it. Nothing is stored there, so nothing lags there: what waits to be delivered
/// is owed by the services, and is in their databases.
fn nats(view: &View) -> Value {
    let state = view.bus().state();
    let heard: Vec<&Replica> =
        view.roster().all().filter(|(_, replica)| !replica.is_lost).map(|(_, replica)| replica).collect();
    let sum = |of: fn(&carillon_contract::messages::BusHealth) -> u64| -> u64 {
        let buses = heard.iter().filter_map(|replica| replica.beacon.bus.as_ref());
        buses.map(of).fold(0, u64::saturating_add)
    };
    let slowest =
        heard.iter().filter_map(|replica| replica.beacon.bus.as_ref()?.round_trip_microseconds).max();
    json!({
        "kind": state.kind,
        "connected": view.bus().is_connected(),
        "version": Some(state.server_version).filter(|version| !version.is_empty()),
        "round_trip_ms": slowest.map(milliseconds),
        "reconnections": sum(|bus| bus.reconnections),
        "dropped": sum(|bus| bus.dropped),
        "streams": 0,
        "stream_lag": 0,
        "storage_bytes": 0,
    })
}

/// A service's database: as the replicas see it together, which have a pool each.
fn database(view: &View, program: Program) -> Option<Value> {
    let answers = verdict::database_answers(view.roster(), program)?;
    let heard = || {
        let live = view.roster().of(program).filter(|(_, replica)| !replica.is_lost);
        live.filter_map(|(_, replica)| replica.beacon.database.as_ref())
    };
    let engine = heard().map(|database| database.engine.as_str()).next();
    let failure = heard().map(|database| database.failure.as_str()).find(|failure| !failure.is_empty());
    let oldest = heard().map(|database| database.outbox_oldest_microseconds).max();
    Some(json!({
        "service": program.as_str(),
        "engine": engine,
        "reachable": answers,
        "failure": failure,
        "latency_ms": heard().filter_map(|database| database.answer_microseconds).max().map(milliseconds),
        "connections": {
            "in_use": heard().map(|database| database.connections_in_use).sum::<u32>(),
            "open": heard().map(|database| database.connections_open).sum::<u32>(),
            "most": heard().map(|database| database.connections_most).sum::<u32>(),
        },
        "outbox": {
            "debts": heard().map(|database| database.outbox_debts).max(),
            "oldest_seconds": oldest.map(|microseconds| milliseconds(microseconds) / 1_000.0),
        },
    }))
}

/// The latest of all of them.
fn event_loop(view: &View) -> Value {
    let heard = view.roster().all().filter(|(_, replica)| !replica.is_lost);
    let lag = |beacon: &Beacon| beacon.event_loop_lag_microseconds;
    match heard.max_by_key(|(_, replica)| lag(&replica.beacon)) {
        Some((key, replica)) => json!({
            "lag_ms": milliseconds(lag(&replica.beacon)),
            "service": key.program.as_str(),
            "replica": key.replica,
        }),
        None => json!({"lag_ms": null}),
    }
}

fn change(change: &Change) -> Value {
    let mut value = Map::new();
    value.insert("at".to_owned(), timestamp(change.at).into());
    let (kind, program, replica) = match &change.topic {
        Topic::System => ("system", None, None),
        Topic::Nats => ("nats", None, None),
        Topic::Service(program) => ("service", Some(program), None),
        Topic::Database(program) => ("database", Some(program), None),
        Topic::Replica(key) => ("replica", Some(&key.program), Some(&key.replica)),
        Topic::Connection(key) => ("nats", Some(&key.program), Some(&key.replica)),
    };
    value.insert("kind".to_owned(), kind.into());
    if let Some(program) = program {
        value.insert("service".to_owned(), program.as_str().into());
    }
    if let Some(replica) = replica {
        value.insert("replica".to_owned(), replica.as_str().into());
    }
    value.insert("from".to_owned(), change.from.into());
    value.insert("to".to_owned(), change.to.into());
    value.into()
}

fn milliseconds(microseconds: u64) -> f64 {
    // Microseconds of some centuries fit.
    #[allow(clippy::cast_precision_loss)]
    let microseconds = microseconds as f64;
    microseconds / 1_000.0
}
