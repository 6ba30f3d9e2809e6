//! `carillon up`: every service in one process, on an in-process bus and SQLite.

use std::{
    fs::DirBuilder,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use carillon_auth::{Args as AuthArgs, BootstrapArgs, Demo, LoginArgs, TokenArgs};
use carillon_bus::Bus;
use carillon_chat::{Args as ChatArgs, SettingsArgs as ChatSettingsArgs};
use carillon_contract::Program;
use carillon_gateway::Mode;
use carillon_metrics::{Args as MetricsArgs, SettingsArgs as MetricsSettingsArgs};
use carillon_notification::{Args as NotificationArgs, RetentionArgs};
use carillon_service::{
    DatabaseArgs, LogArgs, Shell, measure_process, serve_ops, shutdown_on_signals, tell_systemd,
};
use carillon_ticket_presence::{Args as TicketPresenceArgs, SettingsArgs as ProjectSettingsArgs};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    banner::{self, Banner},
    data, files,
};

/// Options of `carillon up`.
#[derive(Debug, clap::Args)]
#[group(id = "up")]
pub(crate) struct Args {
    /// Where the data is kept; made if it isn't there.
    #[arg(long, env = "CARILLON_DATA_DIR", value_name = "DIRECTORY", default_value = "./data")]
    data_dir: PathBuf,

    /// Address and port of /healthz, /readyz and /metrics.
    #[arg(long, env = "CARILLON_OPS_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    ops_listen: SocketAddr,

    /// Make no demo users, organisation and project. Those made by an earlier start stay.
    #[arg(long, conflicts_with = "demo")]
    no_demo: bool,

    /// Make, or keep, the demo users, whose passwords everyone knows, though other machines can
    /// reach this address. On a loopback address they are made anyway.
    #[arg(long)]
    demo: bool,

    #[command(flatten)]
    log: LogArgs,
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
    #[command(flatten, next_help_heading = "Figures")]
    metrics: MetricsSettingsArgs,
}

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(mut args: Args) -> anyhow::Result<()> {
    args.log.start()?;
    let loopback = args.gateway.is_loopback();
    if loopback && args.gateway.allow_anonymous.is_none() {
        args.gateway.allow_anonymous = Some(vec!["all".to_owned()]);
    }
    args.gateway.limits.mode = Some(args.gateway.limits.mode_or(Mode::Development));
    let demo = args.demo(loopback);
    make(&args.data_dir)?;
    let _lock = data::lock(&args.data_dir)?;
    files::kept_in(&args.data_dir, &mut args.gateway.blobs)?;
    let listener = carillon_gateway::listen(args.gateway.listen)?;

    let shell = Shell::new(Bus::in_process());
    let tracing = carillon_trace::start("carillon", &shell.metrics);
    let stopped = CancellationToken::new();
    measure_process(&shell, "carillon", stopped.clone())?;
    shell.bus.register_metrics(&shell.metrics)?;
    // Not ready before each of its parts has said so.
    for program in Program::ALL {
        drop(shell.readiness.register(program.as_str()));
    }
    serve_ops(&shell, args.ops_listen, stopped.clone())?;
    shutdown_on_signals(shell.shutdown.clone())?;
    tell_systemd(&shell, stopped.clone());
    // The services outlive the gateway: its clients' last frames are still handled.
    let services = Shell { shutdown: CancellationToken::new(), ..shell.clone() };
    let mut running = start(&args, demo, &services)?;
    // They end with the process: nobody is left to whom they could say so.
    let _tellers = Program::ALL.map(|program| match program {
        Program::Gateway => shell.tell_health(program),
        Program::Service(_) => services.tell_health(program),
    });

    let banner = Banner {
        data: args.data_dir.clone(),
        demo: demo == Demo::Make,
        anonymous: loopback,
        tls: args.gateway.tls.is_everywhere(),
    };
    let (stop, shutdown) = (services.shutdown.clone(), shell.shutdown.clone());
    let gateway = carillon_gateway::run_on(listener, args.gateway, shell, |address| {
        banner::print(&banner, address);
    });
    tokio::pin!(gateway);
    let outcome = tokio::select! {
        outcome = &mut gateway => outcome,
        // A service that ends before it is told to has failed: the rest can't do without it.
        Some(ended) = running.join_next() => {
            shutdown.cancel();
            let failure = ended.context("a service's task")?;
            let _ = gateway.await;
            failure.and(Err(anyhow::anyhow!("a service ended by itself")))
        }
    };
    stop.cancel();
    while let Some(ended) = running.join_next().await {
        ended.context("a service's task")??;
    }
    tracing.stop().await;
    stopped.cancel();
    outcome
}

impl Args {
    fn demo(&self, loopback: bool) -> Demo {
        match (self.no_demo, self.demo || loopback) {
            (false, true) => Demo::Make,
            (true, _) if loopback => Demo::Leave,
            _ => Demo::Refuse,
        }
    }

    /// Each service has a file of its own, as it would have a schema.
    fn database(&self, service: &str) -> DatabaseArgs {
        DatabaseArgs { database_url: data::database_in(&self.data_dir, service) }
    }
}

fn start(args: &Args, demo: Demo, shell: &Shell) -> anyhow::Result<JoinSet<anyhow::Result<()>>> {
    let auth = AuthArgs {
        database: args.database("auth"),
        tokens: args.tokens.clone(),
        logins: args.logins.clone(),
        bootstrap: args.bootstrap.clone(),
        bare_ids: args.gateway.issuers.bare_ids_owner(),
        demo,
    };
    let notification =
        NotificationArgs { database: args.database("notification"), retention: args.retention.clone() };
    let chat = ChatArgs {
        database: args.database("chat"),
        blobs: args.gateway.blobs.clone(),
        settings: args.chat.clone(),
    };
    let ticket_presence =
        TicketPresenceArgs { database: args.database("ticket-presence"), settings: args.projects.clone() };
    let metrics = MetricsArgs { database: args.database("metrics"), settings: args.metrics.clone() };
    let mut running = JoinSet::new();
    running.spawn(carillon_auth::run(auth, shell.clone()));
    running.spawn(carillon_notification::run(notification, shell.clone()));
    running.spawn(carillon_chat::run(chat, shell.clone()));
    running.spawn(carillon_ticket_presence::run(ticket_presence, shell.clone()));
    running.spawn(carillon_metrics::run(metrics, shell.clone()));
    Ok(running)
}

/// Passwords' hashes and signing keys are in there: for its owner's eyes only.
fn make(directory: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.with_context(|| format!("making {} (--data-dir)", directory.display()))
}
