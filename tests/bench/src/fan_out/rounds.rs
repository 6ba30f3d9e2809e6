//! Servers in turns, with one number of connections.

use std::time::Duration;

use anyhow::Result;

use super::{DepthReport, FanOut, SizeReport, report::ensure_same_bytes};
use crate::{instructions::Instructions, placement::Placement, report::Comparison, servers::Kind};

/// What is measured, and how long.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) in_flight: Vec<usize>,
    pub(crate) message_bytes: usize,
    pub(crate) seconds: f64,
    pub(crate) pairs: usize,
}

/// Measures each server in its turn with so many connections.
///
/// All stay connected if they fit into `room` together; else each is started anew for its turn.
///
/// # Errors
/// Whatever goes wrong with any of them.
pub(crate) fn measure(
    manner: &Manner,
    placement: &Placement,
    instructions: &Instructions,
    connections: usize,
    room: usize,
) -> Result<SizeReport> {
    let start = |kind: &Kind| FanOut::new(*kind, placement, connections, manner.message_bytes);
    let depths = manner.in_flight.iter();
    let mut reports: Vec<DepthReport> =
        depths.map(|depth| DepthReport { in_flight: *depth, rounds: Comparison::default() }).collect();
    let period = Duration::from_secs_f64(manner.seconds);
    let mut broken_off = Vec::new();
    let say = |pair, what: &str| {
        eprintln!("fan-out to {connections} connections, pair {pair} of {}, {what}", manner.pairs);
    };
    if connections.saturating_mul(manner.kinds.len()) <= room {
        let mut servers: Vec<FanOut> = manner.kinds.iter().map(start).collect::<Result<_>>()?;
        for pair in 1..=manner.pairs {
            for report in &mut reports {
                say(pair, &format!("{} in flight", report.in_flight));
                for place in 0..servers.len() {
                    let kind = servers[place].kind();
                    match servers[place].measure(report.in_flight, period, instructions) {
                        Ok(round) => report.rounds.push(kind, round),
                        Err(error) if Kind::PEERS.contains(&kind) => {
                            eprintln!("{error:#}");
                            broken_off.push(kind);
                            servers[place] = start(&kind)?;
                        }
                        Err(error) => return Err(error),
                    }
                    servers.iter_mut().try_for_each(FanOut::attend)?;
                }
            }
        }
    } else {
        for pair in 1..=manner.pairs {
            for kind in &manner.kinds {
                say(pair, kind.name());
                let mut server = start(kind)?;
                for report in &mut reports {
                    report.rounds.push(*kind, server.measure(report.in_flight, period, instructions)?);
                }
            }
        }
    }
    reports.iter().try_for_each(|report| ensure_same_bytes(&report.rounds))?;
    Ok(SizeReport { connections, depths: reports, broken_off })
}
