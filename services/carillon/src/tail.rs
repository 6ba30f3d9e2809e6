//! `carillon tail`: shows channels' events as they happen.

mod follower;
mod frame;
mod printer;
mod session;
mod start;

use std::time::Duration;

use anyhow::Context;
use carillon_contract::{CHANNELS, Channel, endpoint};
use carillon_service::time::duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{Backoff, Socket, TargetArgs},
    output::{OutputArgs, Usage, Verdict},
    signals::Interruption,
};
use follower::Follower;
use printer::{Note, Printer};
use session::{End, Session};
use start::Start;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Options of `carillon tail`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "tail-command")]
pub(crate) struct Args {
    /// The channels: `everyone`, `user.7`, `org.acme`, `room.general`, `conversation.7`, `collaboration.plan`,
    /// `counter.global`, `project.1.tickets`, `project.1.presence`, `project.1.events`. Bytes other than letters,
    /// digits, `_` and `-` are written `=XX`. To listen to a room is to be there.
    #[arg(value_name = "CHANNEL", required = true)]
    channels: Vec<Channel>,

    /// Where to begin: `beginning` (or 0) for all that the log still holds, or a place in it as events have it,
    /// EPOCH.OFFSET. With several channels, CHANNEL=PLACE, once for each that is not to begin now.
    #[arg(long, value_name = "PLACE")]
    since: Vec<Start>,

    /// End after so many events that are in the log: greetings, typing and the like are not.
    #[arg(long, value_name = "COUNT")]
    count: Option<u64>,

    /// End after so long: 30s, 15m, 1h. With --count, too few by then are a failure.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    within: Option<Duration>,

    /// End when the connection ends, instead of coming back.
    #[arg(long)]
    once: bool,

    #[command(flatten, next_help_heading = "Where")]
    target: TargetArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Follows the channels until SIGINT, or as the options say. A gap, a channel that can't be followed to the
/// end, or too few events are failures.
///
/// # Errors
/// A deployment that can't be reached at first, or a token that it doesn't take.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let mut follower = Follower::new(&args.channels, &args.since, args.count)?;
    let printer = Printer::new(args.output);
    let stop = CancellationToken::new();
    let stopping = tokio::spawn(stopped(Interruption::listen()?, args.within, stop.clone()));
    let verdict = match follow(&args, &mut follower, &printer, &stop).await? {
        Some(verdict) => verdict,
        None => match stopping.await.context("waiting for the end")? {
            Stopped::Interrupted => Verdict::Good,
            Stopped::TimeIsUp => Verdict::from(args.count.is_none()),
        },
    };
    Ok(if follower.had_gap() { Verdict::Bad } else { verdict })
}

/// Why it is over.
enum Stopped {
    Interrupted,
    TimeIsUp,
}

/// Waits for SIGINT, or the end of the time, and has everything end then.
async fn stopped(
    mut interruption: Interruption,
    limit: Option<Duration>,
    stop: CancellationToken,
) -> Stopped {
    let time_is_up = async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let why = tokio::select! {
        () = interruption.come() => Stopped::Interrupted,
        () = time_is_up => Stopped::TimeIsUp,
    };
    stop.cancel();
    why
}

/// One connection after the other, as a client does that misses nothing. `None` once it is stopped.
async fn follow(
    args: &Args,
    follower: &mut Follower,
    printer: &Printer,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Verdict>> {
    let mut backoff = Backoff::default();
    let mut before = false;
    loop {
        let (why, said) = match stop.run_until_cancelled(connect(args, before)).await {
            None => return Ok(None),
            Some(Err(missed)) => missed?,
            Some(Ok(socket)) => {
                before = true;
                let session = Session::new(socket, &args.target, follower, printer, stop);
                match session.run(&mut backoff).await? {
                    End::Stopped => return Ok(None),
                    End::Enough => return Ok(Some(Verdict::Good)),
                    End::Over => return Ok(Some(Verdict::Bad)),
                    End::Final(why) => anyhow::bail!("{why}"),
                    End::Passing(why, said) => (why, said),
                }
            }
        };
        let pause = (!args.once).then(|| backoff.pause(said));
        printer.note(&Note::Disconnected { reason: &why, again_in: pause })?;
        let Some(pause) = pause else { return Ok(Some(Verdict::Bad)) };
        if stop.run_until_cancelled(sleep(pause)).await.is_none() {
            return Ok(None);
        }
    }
}

/// Why there is no connection, and after how long to try again; or an error, if that is of no use.
type Missed = anyhow::Result<(String, Option<Duration>)>;

/// A connection. The first one has to be made, or it is over; later ones are worth waiting for.
async fn connect(args: &Args, before: bool) -> Result<Socket, Missed> {
    let target = match args.target.target().await {
        Ok(target) => target,
        // A login while its service is away.
        Err(error) if before => return Err(Ok((format!("{error:#}"), None))),
        Err(error) => return Err(Err(error)),
    };
    let path = endpoint(CHANNELS).map(|row| row.pattern).unwrap_or_default();
    match target.socket(path).open(HANDSHAKE).await {
        Ok(opened) => Ok(opened.socket),
        Err(error) if before && error.is_passing() => Err(Ok((error.to_string(), error.retry_after()))),
        Err(error) => Err(Err(error.into())),
    }
}

/// Which of the places is a channel's.
fn start_of(channel: &Channel, channels: &[Channel], starts: &[Start]) -> Result<Option<Start>, Usage> {
    let named = starts.iter().find(|start| start.channel.as_ref() == Some(channel));
    let bare = starts.iter().find(|start| start.channel.is_none());
    match (named, bare) {
        (Some(start), _) => Ok(Some(start.clone())),
        (None, Some(start)) if start.is_beginning() || channels.len() == 1 => Ok(Some(start.clone())),
        (None, Some(_)) => Err(Usage(
            "with several channels --since says whose place it is: --since CHANNEL=EPOCH.OFFSET".to_owned(),
        )),
        (None, None) => Ok(None),
    }
}
