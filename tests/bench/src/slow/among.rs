//! One client that reads nothing on a channel of fast ones.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{Arguments, sleeper::Sleeper};
use crate::{
    fan_out::Stream,
    machine::Moment,
    metrics, placement,
    placement::Placement,
    probe::{Noticed, Probe},
    servers::{Kind, Seat, Server},
};

const GROUP: &str = "fast";
const IN_FLIGHT: usize = 16;
/// How long it may take until a client that reads nothing is closed.
const PATIENCE: Duration = Duration::from_secs(30);
/// A client that was too slow.
const SLOW: u16 = 1013;
/// The user of the slow client, beyond all others'.
const USER: usize = 2_000_000;

/// What everybody else has noticed, in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Among {
    /// The undisturbed channel while nothing else happens, while fast clients are busy, and with a slow one among
    /// them.
    pub(crate) calm: Noticed,
    pub(crate) busy: Noticed,
    pub(crate) slow: Noticed,
    /// The fast clients without and with a slow one among them.
    pub(crate) fast_p99: f64,
    pub(crate) fast_p99_with_slow: f64,
    /// Seconds until the slow one was closed.
    pub(crate) closed_after: f64,
    /// Cores that other work on the machine took meanwhile.
    pub(crate) others: f64,
}

/// Measures on one gateway, again and again.
pub(super) fn measure(placement: &Placement, arguments: &Arguments) -> Result<Vec<Among>> {
    let server = Server::start(Kind::Gateway, placement)?;
    let all = || {
        let mut probe = Probe::start(&server, arguments.pace())?;
        let mut stream = Stream::connect(&server, GROUP, arguments.fast, arguments.message_bytes)?;
        let once = |pair| {
            eprintln!("one slow client, {pair} of {}", arguments.pairs);
            measured(&server, &mut probe, &mut stream, arguments.period())
        };
        (1..=arguments.pairs).map(once).collect::<Result<Vec<_>>>()
    };
    all().with_context(|| server.process.last_words())
}

fn measured(server: &Server, probe: &mut Probe, stream: &mut Stream, period: Duration) -> Result<Among> {
    let moment = Moment::now()?;
    stream.attend()?;
    probe.forget();
    thread::sleep(period);
    let calm = probe.noticed()?;
    let (busy, fast_p99) = placement::in_the_background(|| drive(probe, stream, period))?;
    let closed_before = closed(server)?;
    let sleeper = Sleeper::connect(server.address, &Seat::Shared(GROUP).path(USER))?;
    let since = Instant::now();
    let ((slow, fast_p99_with_slow), closed_after) = placement::in_the_background(|| {
        let noticed = drive(probe, stream, period)?;
        while closed(server)? == closed_before {
            ensure!(since.elapsed() < PATIENCE, "a client that reads nothing is never closed");
            stream.drive(IN_FLIGHT, Duration::from_millis(100))?;
        }
        let closed_after = since.elapsed().as_secs_f64();
        stream.drain()?;
        Ok((noticed, closed_after))
    })?;
    let code = sleeper.close_code()?;
    ensure!(code == SLOW, "a slow client was closed with {code}");
    let others = moment.others_until(Moment::now()?);
    Ok(Among { calm, busy, slow, fast_p99, fast_p99_with_slow, closed_after, others })
}

/// Keeps the fast clients busy, and says what the probe and they have noticed.
fn drive(probe: &mut Probe, stream: &mut Stream, period: Duration) -> Result<(Noticed, f64)> {
    probe.forget();
    stream.reset();
    stream.drive(IN_FLIGHT, period)?;
    let noticed = probe.noticed()?;
    stream.drain()?;
    Ok((noticed, stream.micros(0.99)))
}

/// How many clients were closed for being slow.
fn closed(server: &Server) -> Result<f64> {
    Ok(metrics::sum(&server.metrics()?, "carillon_gateway_slow_consumers_total", "policy=\"close\""))
}
