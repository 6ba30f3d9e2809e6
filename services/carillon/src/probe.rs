//! `carillon probe`: opens real connections to every endpoint of a deployment (S0-13).

mod guest;
mod plan;
mod report;
mod visit;

use std::time::Duration;

use carillon_contract::{ENDPOINTS, Endpoint};
use carillon_service::time::duration;

use crate::{
    client::TargetArgs,
    output::{OutputArgs, Verdict},
};
use guest::Guest;
use plan::path_of;
use report::{Outcome, Report, Row};
use visit::{VisitError, visit};

/// Options of `carillon probe`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "probe-command")]
pub(crate) struct Args {
    /// Only these endpoints, by their names, separated by commas. Without this all of them.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = endpoint_named)]
    endpoints: Vec<&'static str>,

    /// The organisation whose events to listen to. Without this one of the token's user.
    #[arg(long, value_name = "ID")]
    org: Option<String>,

    /// The project to enter. Without this one of the token's user.
    #[arg(long, value_name = "ID")]
    project: Option<String>,

    /// The conversation to enter. Without this one of the token's user.
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,

    /// The name of the rooms, the document and the counter to enter, which are there for nothing else.
    #[arg(long, value_name = "NAME", default_value = "carillon-probe")]
    room: String,

    /// How long anything may take.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    timeout: Duration,

    /// Be nobody: don't log in as the demo's user, as is done on this machine without a token.
    #[arg(long, conflicts_with_all = ["token", "token_file", "login"])]
    anonymous: bool,

    /// An endpoint that was skipped is a failure, too.
    #[arg(long)]
    strict: bool,

    #[command(flatten, next_help_heading = "Where")]
    target: TargetArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Visits every endpoint, one after the other, and tells of each how long what took.
///
/// # Errors
/// A login that is refused, or a reader that has gone.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let guest = Guest::arrive(&args).await?;
    let mut report = Report::new(&args.target.url.to_string(), guest.name());
    let wanted = |row: &&Endpoint| args.endpoints.is_empty() || args.endpoints.contains(&row.name);
    for row in ENDPOINTS.iter().filter(wanted) {
        let shown = match path_of(row, &guest) {
            Err(reason) => Row::skipped(row, row.pattern, reason),
            Ok(path) => match visit(&guest.target, row, &path, args.timeout).await {
                Ok(measured) => Row::of(row, &path, Outcome::Ok, None, measured),
                Err((VisitError::Unseen(reason), _)) => Row::skipped(row, &path, reason),
                Err((VisitError::Failed(reason), measured)) => {
                    Row::of(row, &path, Outcome::Failed, Some(reason), measured)
                }
            },
        };
        report.add(shown);
    }
    report.print(args.output)?;
    Ok(report.verdict(args.strict))
}

fn endpoint_named(name: &str) -> Result<&'static str, String> {
    let names: Vec<&str> = ENDPOINTS.iter().map(|row| row.name).collect();
    match ENDPOINTS.iter().find(|row| row.name == name) {
        Some(row) => Ok(row.name),
        None => Err(format!("one of {}", names.join(", "))),
    }
}
