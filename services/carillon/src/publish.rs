//! `carillon publish`: publishes over HTTP, as a back end does.

mod payload;
mod request;

use std::time::Duration;

use carillon_contract::Channel;
use serde::Serialize;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    client::{Api, ApiError, Backoff, TargetArgs},
    output::{self, Colour, OutputArgs, Usage, Verdict},
};
use payload::payload;
use request::{Request, requests};

/// How often a request is made that is refused for now.
const ATTEMPTS: u32 = 4;

/// Options of `carillon publish`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "publish-command")]
pub(crate) struct Args {
    /// The channels, separated by commas: `everyone`, `user.7`, `org.acme`, `room.general`, `conversation.7`,
    /// `counter.global`, `project.1.tickets` or `project.1.events`. Bytes other than letters, digits, `_` and
    /// `-` are written `=XX`. Several users are one request.
    #[arg(value_name = "CHANNELS", value_parser = channel_list)]
    channels: ChannelList,

    /// What is published, a JSON object: the text itself, `@FILE`, or `-` for standard input, which is read
    /// without this, too. It is the body of the route: `{"title":…,"message":…}` for users and everyone,
    /// `{"event_type":…,"data":…}` for organisations, `{"message":…}` for rooms and conversations,
    /// `{"action":"increment","value":1}` for counters, `{"type":…,…}` for projects.
    #[arg(value_name = "DATA", default_value = "-")]
    data: String,

    /// By which a repetition is known as one: what was published with it is not published again. Without
    /// this it is made up, so that this command can try again without doing it twice.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    #[command(flatten, next_help_heading = "Where")]
    target: TargetArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Channels, separated by commas.
#[derive(Debug, Clone)]
struct ChannelList(Vec<Channel>);

/// What `--json` prints, a line for each request.
#[derive(Serialize)]
struct Published<'a> {
    channels: Vec<&'a str>,
    path: &'a str,
    idempotency_key: &'a str,
    published: bool,
    answer: Option<&'a Value>,
    error: Option<String>,
}

/// Publishes to every channel. A refusal of one does not keep the others from it.
///
/// # Errors
/// A channel to which nobody publishes over HTTP, or data that is no JSON object.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let requests = requests(&args.channels.0, &payload(&args.data).await?)?;
    let api = args.target.target().await?.api;
    let key = args.idempotency_key.clone().unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    if key.is_empty() {
        return Err(Usage("an idempotency key is not empty".to_owned()).into());
    }
    let mut all = true;
    for request in &requests {
        let outcome = insist(&api, request, &key).await;
        all &= outcome.is_ok();
        report(request, &key, &outcome, args.output)?;
    }
    Ok(all.into())
}

fn channel_list(text: &str) -> Result<ChannelList, String> {
    let channel = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    text.split(',').map(|text| channel(text.trim())).collect::<Result<_, _>>().map(ChannelList)
}

/// Again while it is refused for now: the key makes it one publication.
async fn insist(api: &Api, request: &Request, key: &str) -> Result<Value, ApiError> {
    let mut backoff = Backoff::default();
    for _ in 1..ATTEMPTS {
        let outcome = request.make(api, key).await;
        let Err(error) = &outcome else { return outcome };
        let Some(said) = error.retry() else { return outcome };
        let pause = backoff.pause(said).min(Duration::from_secs(10));
        eprintln!("{error}; trying again in {pause:.1?}");
        sleep(pause).await;
    }
    request.make(api, key).await
}

fn report(
    request: &Request,
    key: &str,
    outcome: &Result<Value, ApiError>,
    output: OutputArgs,
) -> anyhow::Result<()> {
    let channels = request.channels.join(", ");
    if output.json {
        output::object(&Published {
            channels: request.channels.iter().map(String::as_str).collect(),
            path: &request.path,
            idempotency_key: key,
            published: outcome.is_ok(),
            answer: outcome.as_ref().ok(),
            error: outcome.as_ref().err().map(ToString::to_string),
        })?;
        return Ok(());
    }
    match outcome {
        Ok(answer) => output::line(&format!("{} to {channels}: {answer}", Colour::Green.paint("published")))?,
        Err(error) => eprintln!("not published to {channels}: {error}"),
    }
    Ok(())
}
