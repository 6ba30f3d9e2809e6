//! Calm and storm, on one gateway.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{Arguments, returning::Returning};
use crate::{
    accounts,
    client::{Audience, Guests, Sockets, stamp},
    machine::Moment,
    metrics, placement,
    probe::{Noticed, Probe},
    servers::{EPOCH, OverBus, Seat, Server},
};

/// How long after a storm is listened for what comes twice.
const AFTERWARDS: Duration = Duration::from_millis(300);
/// How long a gateway may take to see everybody off.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the events are that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Case {
    /// Somebody has stayed on each channel: the gateway has heard them.
    Memory,
    /// Nobody has: their owner's log has them, as when clients come over from another gateway.
    Log,
}

impl Case {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "events in the gateway's memory",
            Self::Log => "events in the owner's log",
        }
    }
}

/// What one storm has shown.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Storm {
    /// From the first handshake until the last client had everything.
    pub(crate) seconds: f64,
    pub(crate) clients_per_second: f64,
    pub(crate) events_recovered: u64,
    /// CPU seconds of the gateway per thousand clients.
    pub(crate) gateway_cpu: f64,
    /// How often the gateway asked the log.
    pub(crate) asked: u64,
    pub(crate) calm: Noticed,
    pub(crate) stormy: Noticed,
    /// Cores that other work on the machine took meanwhile.
    pub(crate) others: f64,
}

/// A gateway with an undisturbed channel, and channels of those who come and go.
pub(super) struct Stage<'a> {
    server: &'a Server,
    arguments: &'a Arguments,
    probe: Probe,
    channels: Vec<Channel>,
    /// Events in each of their logs.
    head: u64,
}

struct Channel {
    seat: Seat,
    publisher: OverBus,
    /// Who has stayed on it.
    faithful: Option<Audience>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(server: &'a Server, arguments: &'a Arguments, case: Case) -> Result<Self> {
        let probe = Probe::start(server, arguments.pace())?;
        let channel = |number: usize| {
            // As long as the program runs, like all names of groups.
            let org: &'static str = Box::leak(format!("storm-{number}").into_boxed_str());
            let seat = Seat::Shared(org);
            let stay = || Audience::connect(server.address, &server.guests(seat, number, 1), stamp);
            let faithful = (case == Case::Memory).then(stay).transpose()?;
            Ok(Channel { seat, publisher: OverBus::new(server.stand_in()?, org)?, faithful })
        };
        let channels = (0..arguments.channels).map(channel).collect::<Result<_>>()?;
        Ok(Self { server, arguments, probe, channels, head: 0 })
    }

    /// Everybody misses some events, and then comes back.
    ///
    /// # Errors
    /// An event that is not recovered, or twice, or out of order; a client that isn't served in time.
    pub(super) fn storm(&mut self) -> Result<Storm> {
        let after = self.head;
        self.publish()?;
        self.probe.forget();
        thread::sleep(Duration::from_secs_f64(self.arguments.seconds));
        let calm = self.probe.noticed()?;
        let guests = self.guests(after);
        let (process, log) = (self.server.process.id(), &self.server.stand_in()?.log);
        let (cpu, asked, moment) = (accounts::cpu_seconds(process)?, log.asked(), Moment::now()?);
        self.probe.forget();
        let mut returning = Returning::new(self.arguments.clients, after, self.head);
        let start = Instant::now();
        let (address, head) = (self.server.address, self.head);
        let (seconds, stormy) = placement::in_the_background(|| {
            let mut sockets = Sockets::connect(address, &guests, &mut returning)?;
            let seconds = start.elapsed().as_secs_f64();
            let stormy = self.probe.noticed()?;
            let end = Instant::now() + AFTERWARDS;
            while Instant::now() < end {
                sockets.turn(Duration::from_millis(10), &mut returning)?;
            }
            Ok((seconds, stormy))
        })?;
        let gateway_cpu = accounts::cpu_seconds(process)? - cpu;
        let others = moment.others_until(Moment::now()?);
        let (clients, events_recovered) = (self.arguments.clients as f64, returning.events());
        let expected = self.arguments.clients as u64 * (head - after);
        ensure!(events_recovered == expected, "{events_recovered} of {expected} events were recovered");
        let asked = log.asked() - asked;
        self.see_off()?;
        Ok(Storm {
            seconds,
            clients_per_second: clients / seconds,
            events_recovered,
            gateway_cpu: gateway_cpu / clients * 1_000.0,
            asked,
            calm,
            stormy,
            others,
        })
    }

    /// What everybody misses.
    fn publish(&mut self) -> Result<()> {
        let events = self.head + 1..self.head + 1 + self.arguments.missed as u64;
        for channel in &mut self.channels {
            channel.publisher.publish(events.clone(), 0, self.arguments.message_bytes)?;
        }
        self.head = events.end - 1;
        let head = self.head;
        self.channels.iter_mut().filter_map(|channel| channel.faithful.as_mut()).try_for_each(|faithful| {
            let (mut last, since) = (0, Instant::now());
            while last < head {
                faithful.turn(PATIENCE, |stamp, _| {
                    last = stamp.sequence;
                    Ok(())
                })?;
                ensure!(since.elapsed() < PATIENCE, "who has stayed got {last} of {head} events");
            }
            Ok(())
        })
    }

    fn guests(&self, after: u64) -> Guests {
        let since = format!("&since={EPOCH}.{after}");
        let path = |user: usize| self.channels[user % self.channels.len()].seat.path_since(user, &since);
        let first = self.channels.len();
        let users = (0..self.arguments.clients).map(|client| path(first + client));
        Guests::new(users.collect()).rushing(self.arguments.at_once)
    }

    /// Waits until the gateway has let those go who have left.
    fn see_off(&mut self) -> Result<()> {
        let faithful = self.channels.iter().filter(|channel| channel.faithful.is_some()).count();
        let staying = (self.arguments.listeners + faithful) as f64;
        let since = Instant::now();
        loop {
            let there =
                metrics::sum(&self.server.metrics()?, "carillon_gateway_connections", "endpoint=\"events\"");
            if there <= staying {
                return Ok(());
            }
            ensure!(since.elapsed() < PATIENCE, "{there} connections are still there, {staying} have stayed");
            self.probe.noticed().context("while the gateway sees clients off")?;
            thread::sleep(Duration::from_millis(50));
        }
    }
}
