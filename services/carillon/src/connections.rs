//! `carillon connections`: who is connected, to any gateway.

use std::time::Duration;

use carillon_service::time::duration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    client::{Api, TargetArgs},
    output::{self, OutputArgs, Table, Verdict},
    signals::Interruption,
};

/// Where gateways are asked.
const PATH: &str = "/api/monitoring/websocket/active-connections/";

/// Options of `carillon connections`.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "connections-command")]
pub(crate) struct Args {
    /// Those of this user, by id.
    #[arg(long, value_name = "ID")]
    user: Option<String>,

    /// Those of this address, or of this network (10.0.0.0/8).
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,

    /// Those at this endpoint, by its name.
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,

    /// Those of this gateway, by its id.
    #[arg(long, value_name = "ID")]
    gateway: Option<String>,

    /// How many at most, on one page.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,

    /// Begin after this place: the `next` of the page before.
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,

    /// All pages.
    #[arg(long)]
    all: bool,

    /// Look again and again, so far apart, until it is interrupted: 2s, 1m. In JSON each look is a line.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    watch: Option<Duration>,

    #[command(flatten, next_help_heading = "Where (it takes an admin)")]
    target: TargetArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// Lists connections. A gateway that doesn't answer makes it a failure: its connections are missing.
///
/// # Errors
/// A refusal, such as for who is no admin.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let api = args.target.target().await?.api;
    let Some(pause) = args.watch else { return look(&args, &api).await };
    let mut interruption = Interruption::listen()?;
    loop {
        if !args.output.json {
            // The screen is cleared, and written from its beginning.
            output::line("\x1b[2J\x1b[H")?;
        }
        look(&args, &api).await?;
        tokio::select! {
            () = sleep(pause) => {}
            () = interruption.come() => return Ok(Verdict::Good),
        }
    }
}

async fn look(args: &Args, api: &Api) -> anyhow::Result<Verdict> {
    let mut page = api.get(&args.path(args.after.as_deref())).await?;
    let mut items = taken(&mut page);
    let mut unanswered = page["unanswered"].clone();
    while let Some(next) = page["next"].as_str().filter(|_| args.all).map(str::to_owned) {
        page = api.get(&args.path(Some(&next))).await?;
        items.extend(taken(&mut page));
        unanswered = page["unanswered"].clone();
    }
    let missing: Vec<&str> = unanswered.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if args.output.json {
        let shown =
            json!({"count": page["count"], "next": page["next"], "unanswered": unanswered, "items": items});
        output::object(&shown)?;
    } else {
        print(&items, &page["count"], &page["next"])?;
        if !missing.is_empty() {
            eprintln!(
                "these gateways did not answer, and their connections are missing: {}",
                missing.join(", ")
            );
        }
    }
    Ok(missing.is_empty().into())
}

fn taken(page: &mut Value) -> Vec<Value> {
    match page["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn print(items: &[Value], count: &Value, next: &Value) -> std::io::Result<()> {
    let mut table = Table::new([
        "CONNECTION",
        "ENDPOINT",
        "USER",
        "NAME",
        "ADDRESS",
        "SINCE",
        "SENT",
        "RECEIVED",
        "CHANNELS",
    ]);
    for item in items {
        let channels: Vec<&str> =
            item["channels"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let cell = |name: &str| (shown(&item[name]), None);
        table.row([
            cell("id"),
            cell("endpoint"),
            cell("user_id"),
            cell("username"),
            cell("address"),
            cell("connected_at"),
            cell("messages_sent"),
            cell("messages_received"),
            (channels.join(" "), None),
        ]);
    }
    for line in table.lines() {
        output::line(&line)?;
    }
    let more = next.as_str().map_or_else(String::new, |next| format!("; more with --after {next} or --all"));
    output::line(&format!("{} of {}{more}", items.len(), shown(count)))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Args {
    fn path(&self, after: Option<&str>) -> String {
        let mut path = format!("{PATH}?limit={}", self.limit);
        let filters = [
            ("user", self.user.as_deref()),
            ("address", self.address.as_deref()),
            ("endpoint", self.endpoint.as_deref()),
            ("gateway", self.gateway.as_deref()),
            ("after", after),
        ];
        for (name, value) in filters {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
            }
        }
        path
    }
}
