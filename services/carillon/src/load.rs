//! `carillon load`: drives connections and messages, and counts what has become of each.

mod connection;
mod descriptors;
mod hearing;
mod ledger;
mod message;
mod outbox;
mod progress;
mod report;
mod seat;
mod tally;

use std::{sync::Arc, time::Duration};

use carillon_contract::{CHANNELS, ENDPOINTS};
use carillon_service::time::duration;
use carillon_token::Secret;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    client::{Target, TargetArgs},
    hmac_secret::HmacSecretArgs,
    output::{OutputArgs, Verdict},
    signals::Interruption,
};
use connection::Connection;
use outbox::Pace;
use progress::Progress;
use report::Report;
use seat::Seat;
use tally::Tally;

/// How long the last connections may take to open.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked whether everything has come.
const LOOK: Duration = Duration::from_millis(20);

/// Options of `carillon load`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "load-command")]
pub(crate) struct Args {
    /// Connections, all of which listen.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    connections: u32,

    /// Chat rooms that they are spread over, of names that nobody else has. Each message reaches all of its room.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    rooms: u32,

    /// Connections of each room that speak.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    senders: u32,

    /// Messages in a second, of all senders together, said when they are due whatever has become of those before:
    /// their latency begins when they were due. 0: nobody speaks.
    #[arg(long, value_name = "COUNT", default_value_t = 10.0, value_parser = rate)]
    rate: f64,

    /// Instead of a rate: messages of each sender that are not acknowledged yet. As whoever waits for answers
    /// sends less when it gets slow, latencies say less about that.
    #[arg(long, value_name = "COUNT", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    in_flight: Option<u32>,

    /// The length of a message, in characters.
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u16).range(100..=1_000))]
    size: u16,

    /// How long to send: 30s, 15m, 1h.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    duration: Duration,

    /// Connections to open in a second.
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    ramp: u32,

    /// How long to wait at the end for what has not come yet.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    drain: Duration,

    /// Where to connect: `chat` (/ws/chat/{room}/) or `carillon.v1` (/ws/v1/).
    #[arg(long, value_name = "NAME", default_value = "chat", value_parser = ["chat", CHANNELS])]
    endpoint: String,

    #[command(
        flatten,
        next_help_heading = "A user for each connection (else all have the one token, or none)"
    )]
    hmac_secret: HmacSecretArgs,

    #[command(flatten, next_help_heading = "Where")]
    target: TargetArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Connections open.
    Opening,
    /// Messages are said, since then.
    Sending(Instant),
    /// What was said still arrives.
    Draining,
    /// It is over.
    Over,
}

/// Opens, sends, waits for the rest, and reports. Anything lost or out of order, and any connection that could not
/// be opened, is a failure.
///
/// # Errors
/// A secret or a login that can't be used.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let target = args.target.target().await?;
    let secret = if target.token.is_none() { args.hmac_secret.read()? } else { None };
    descriptors::allow(args.connections)?;
    let tally = Arc::new(Tally::new(args.rooms));
    let (phase, phases) = watch::channel(Phase::Opening);
    let progress = Progress::start(&tally, args.output);
    let mut interruption = Interruption::listen()?;

    let mut connections = JoinSet::new();
    let opening = open(&args, &target, secret.as_ref(), &tally, &phases, &mut connections);
    tokio::select! {
        outcome = opening => outcome?,
        () = interruption.come() => {}
    }
    let begun = Instant::now();
    let joined = tally.close_doors();
    phase.send_replace(Phase::Sending(begun));
    tokio::select! {
        () = sleep(args.duration) => {}
        () = interruption.come() => {}
    }
    let sent_for = begun.elapsed();
    tally.hush();
    phase.send_replace(Phase::Draining);
    tokio::select! {
        _ = timeout(args.drain, settled(&tally)) => {}
        () = interruption.come() => {}
    }
    phase.send_replace(Phase::Over);
    let ledgers = connections.join_all().await;
    progress.end();
    let report = Report::new(&args, &tally, joined, ledgers, sent_for);
    report.print(args.output)?;
    Ok(report.verdict())
}

/// Opens connections at the pace of the ramp, and waits for the last.
async fn open(
    args: &Args,
    target: &Target,
    secret: Option<&Secret>,
    tally: &Arc<Tally>,
    phases: &watch::Receiver<Phase>,
    connections: &mut JoinSet<connection::Outcome>,
) -> anyhow::Result<()> {
    let run = format!("{:08x}", rand::random::<u32>());
    let begun = Instant::now();
    for number in 0..args.connections {
        let due = begun + Duration::from_secs_f64(f64::from(number) / f64::from(args.ramp));
        tokio::time::sleep_until(due).await;
        let seat = Seat::new(args, &run, number);
        let target = match secret {
            Some(secret) => Target::new(&target.address, Some(seat.token(secret)?))?,
            None => target.clone(),
        };
        connections.spawn(Connection::new(seat, target, tally.clone(), phases.clone()).run());
    }
    let all = async {
        while tally.joined() < u64::from(args.connections) {
            sleep(LOOK).await;
        }
    };
    // Those that haven't come by then count as failed.
    let _ = timeout(PATIENCE, all).await;
    Ok(())
}

async fn settled(tally: &Tally) {
    while !tally.is_settled() {
        sleep(LOOK).await;
    }
}

impl Args {
    /// How one sender paces itself: the rate is everybody's.
    fn pace(&self) -> Pace {
        let senders = self.rooms.min(self.connections).saturating_mul(self.senders).min(self.connections);
        match self.in_flight {
            Some(window) => Pace::Window(u64::from(window)),
            None if self.rate <= 0.0 => Pace::Silent,
            None => Pace::Every(Duration::from_secs_f64(f64::from(senders) / self.rate)),
        }
    }

    /// The path that all connect to, or each room's own.
    fn path(&self, room: &str) -> String {
        let pattern = ENDPOINTS.iter().find(|row| row.name == self.endpoint).map_or("", |row| row.pattern);
        pattern.replace("{room_name}", room)
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "a number".to_owned())?;
    let is_possible = rate == 0.0 || (0.001..=1_000_000.0).contains(&rate);
    if is_possible { Ok(rate) } else { Err("0, or from 0.001 to 1000000".to_owned()) }
}
