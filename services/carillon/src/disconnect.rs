//! `carillon disconnect`: closes connections, on whichever gateway they are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::TargetArgs,
    output::{self, Colour, OutputArgs, Verdict},
};

/// What stays as it is in a path's parameter.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Options of `carillon disconnect`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "disconnect-command")]
pub(crate) struct Args {
    /// The connections, as `carillon connections` names them.
    #[arg(value_name = "CONNECTION", required = true)]
    connections: Vec<String>,

    #[command(flatten, next_help_heading = "Where (it takes an admin)")]
    target: TargetArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Closes each with 4102: its client may come back. One that isn't there, or not any more, is a failure.
///
/// # Errors
/// A login that is refused, or a reader that has gone.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let api = args.target.target().await?.api;
    let mut all = true;
    for connection in &args.connections {
        let id = utf8_percent_encode(connection, PLAIN);
        let path = format!("/api/monitoring/websocket/connections/{id}/disconnect/");
        let outcome = api.call(Method::POST, &path, None, None).await;
        all &= outcome.is_ok();
        let error = outcome.as_ref().err().map(ToString::to_string);
        let answer: Option<&Value> = outcome.as_ref().ok();
        if args.output.json {
            let (id, disconnected) = (connection, answer.is_some());
            output::object(
                &json!({"id": id, "disconnected": disconnected, "answer": answer, "error": error}),
            )?;
        } else if let Some(error) = error {
            eprintln!("{connection}: {error}");
        } else {
            output::line(&format!("{} {connection}", Colour::Green.paint("disconnected")))?;
        }
    }
    Ok(all.into())
}
