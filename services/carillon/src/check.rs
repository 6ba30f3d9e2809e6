//! `carillon check`: verifies a deployment's configuration, and what it stands on (S0-13).

mod addresses;
mod bus;
mod certificate;
mod configuration;
mod databases;
mod environment;
mod files;
mod keys;
mod report;

use std::time::Duration;

use carillon_auth::{BootstrapArgs, LoginArgs, TokenArgs};
use carillon_chat::SettingsArgs as ChatSettingsArgs;
use carillon_gateway::Mode;
use carillon_metrics::SettingsArgs as MetricsSettingsArgs;
use carillon_notification::RetentionArgs;
use carillon_service::{NatsLoginArgs, time::duration};
use carillon_ticket_presence::SettingsArgs as ProjectSettingsArgs;

use crate::{
    client::{Address, SecretText},
    data::DatabasesArgs,
    output::{OutputArgs, Verdict},
};
pub(crate) use environment::parse;
use report::{Report, Row};

/// Options of `carillon check`: those of the services, and what is to be checked beside them.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "check-command")]
pub(crate) struct Args {
    /// Addresses of gateways, or of what balances them, separated by commas.
    #[arg(long, env = "CARILLON_URL", value_name = "URLS", value_delimiter = ',')]
    url: Vec<Address>,

    /// Addresses at which processes answer operators (`--ops-listen`), separated by commas: each is asked for
    /// /readyz.
    #[arg(long, value_name = "URLS", value_delimiter = ',')]
    ready: Vec<Address>,

    /// A token to judge, as a gateway with these options would.
    #[arg(long, env = "CARILLON_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<SecretText>,

    /// How long anything may take.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    timeout: Duration,

    /// How many replicas each service has, for the number of database connections.
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    replicas: u32,

    /// A warning is a failure, too.
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    output: OutputArgs,

    /// NATS servers, separated by commas. Without this there are none, as of `carillon up`.
    #[arg(
        long,
        env = "CARILLON_NATS_URL",
        value_name = "URLS",
        hide_env_values = true,
        help_heading = "A cluster"
    )]
    nats_url: Option<String>,

    #[command(flatten, next_help_heading = "A cluster")]
    nats_login: NatsLoginArgs,

    /// As which program to connect to NATS, whose accounts may allow each its own subjects. Only a gateway may ask
    /// every service how it does.
    #[arg(long, value_name = "NAME", default_value = "gateway", help_heading = "A cluster")]
    nats_name: String,

    #[command(flatten)]
    databases: DatabasesArgs,

    #[command(flatten, next_help_heading = "Clients")]
    gateway: carillon_gateway::Args,
    #[command(flatten, next_help_heading = "Tokens of auth")]
    tokens: TokenArgs,
    #[command(flatten, next_help_heading = "Logins")]
    logins: LoginArgs,
    #[command(flatten, next_help_heading = "First admin")]
    bootstrap: BootstrapArgs,
    #[command(flatten, next_help_heading = "Notifications")]
    retention: RetentionArgs,
    #[command(flatten, next_help_heading = "Chat")]
    chat: ChatSettingsArgs,
    #[command(flatten, next_help_heading = "Projects")]
    projects: ProjectSettingsArgs,
    #[command(flatten, next_help_heading = "Metrics")]
    metrics: MetricsSettingsArgs,
}

/// Checks everything that the options name; `unreadable` are variables of the environment that name nothing.
///
/// # Errors
/// A reader that has gone.
pub(crate) async fn run(args: Args, unreadable: Vec<(String, String)>) -> anyhow::Result<Verdict> {
    let mut report = Report::default();
    report.add(configuration::unreadable(unreadable));
    report.add(configuration::rows(&args));
    // What depends on others' answers is asked for at once.
    let (on_bus, databases, files, addresses) =
        tokio::join!(bus::rows(&args), databases::rows(&args), files::rows(&args), addresses::rows(&args));
    let (nats, services, bus) = on_bus;
    report.add(keys::rows(&args, bus.as_ref()).await);
    report.add(nats);
    report.add(databases);
    report.add(services);
    report.add(files);
    report.add(addresses);
    report.print(args.output)?;
    Ok(report.verdict(args.strict))
}

impl Args {
    /// Whether it is `carillon up` that is to be checked.
    fn is_one_process(&self) -> bool {
        self.nats_url.is_none() && self.databases.data_dir.is_some()
    }

    /// The mode that counts where none is chosen.
    fn usual_mode(&self) -> Mode {
        if self.is_one_process() { Mode::Development } else { Mode::Production }
    }
}

/// Whether this address is this machine's alone.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Rows that nothing is known about, for a reason.
fn skipped(group: &'static str, what: &str, reason: &str) -> Vec<Row> {
    vec![Row::skipped(group, what, reason)]
}
