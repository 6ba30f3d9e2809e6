//! A process that runs one service: its command line, its bus, its signals, its end.

use std::{future::Future, net::SocketAddr, process::ExitCode};

use anyhow::Context;
use carillon_bus::Bus;
use carillon_contract::Program;
use clap::{Args, Command, CommandFactory, FromArgMatches, Parser};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    LogFormat, NatsLoginArgs, Shell, logging, measure_process, ops::serve_ops, systemd::tell_systemd,
};

/// What every process of a cluster is told.
#[derive(Debug, Clone, Args)]
pub struct ProcessArgs {
    /// NATS servers, separated by commas.
    #[arg(
        long,
        env = "CARILLON_NATS_URL",
        value_name = "URLS",
        default_value = "nats://127.0.0.1:4222",
        hide_env_values = true
    )]
    pub nats_url: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub nats_login: NatsLoginArgs,

    /// Address and port of /healthz, /readyz and /metrics.
    #[arg(long, env = "CARILLON_OPS_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    pub ops_listen: SocketAddr,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub log: LogArgs,
}

/// How a process logs.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// How log lines look.
    #[arg(long, env = "CARILLON_LOG_FORMAT", value_name = "FORMAT", default_value = "auto")]
    pub log_format: LogFormat,

    /// What is logged: a level (error, warn, info, debug, trace), or levels by module as in
    /// `info,carillon_gateway=debug`.
    #[arg(
        long,
        env = "CARILLON_LOG",
        value_name = "FILTER",
        default_value = "info,actix_http=off,actix_server=warn,async_nats=warn"
    )]
    pub log: String,
}

impl LogArgs {
    /// Starts logging.
    ///
    /// # Errors
    /// A filter that can't be read.
    pub fn start(&self) -> anyhow::Result<()> {
        logging::start(self.log_format, &self.log)
    }
}

#[derive(Parser)]
#[command(version)]
struct CommandLine<A: Args> {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    service: A,
}

/// The command line of a service's own process.
pub fn command_line<A: Args>(name: &'static str) -> Command {
    CommandLine::<A>::command().name(name)
}

/// Runs one service as a process of its own until SIGTERM or SIGINT.
pub fn main<A, F, Fut>(name: &'static str, run: F) -> ExitCode
where
    A: Args,
    F: FnOnce(A, Shell) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let matches = command_line::<A>(name).get_matches();
    let arguments = CommandLine::<A>::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    block_on(async move {
        let CommandLine { process, service } = arguments;
        process.log.start()?;
        let options = process.nats_login.options(&process.nats_url, name)?;
        let bus = Bus::connect(options).await.context("connecting to NATS (--nats-url)")?;
        let shell = Shell::new(bus);
        let tracing = carillon_trace::start(name, &shell.metrics);
        // Not ready before the service has registered what it waits for.
        let _starting = shell.readiness.register(name);
        let ended = CancellationToken::new();
        measure_process(&shell, name, ended.clone())?;
        shell.bus.register_metrics(&shell.metrics)?;
        let address = serve_ops(&shell, process.ops_listen, ended.clone())?;
        tracing::info!(service = name, %address, "operators are answered");
        shutdown_on_signals(shell.shutdown.clone())?;
        tell_systemd(&shell, ended.clone());
        let teller = Program::named(name).map(|program| shell.tell_health(program));
        let outcome = run(service, shell).await;
        // What fails falls silent, and is taken for lost.
        if let (Some(teller), Ok(())) = (teller, &outcome) {
            teller.stop().await;
        }
        tracing.stop().await;
        ended.cancel();
        outcome
    })
}

/// Runs a process's main future on a runtime with a thread per core, with actix's arbiters at hand.
/// What it fails with goes to standard error, and makes the exit code 1.
pub fn block_on(main: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runner = actix_rt::System::with_tokio_rt(|| {
        match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("the runtime could not start: {error}"),
        }
    });
    match runner.block_on(main) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Cancels `shutdown` at the first SIGTERM or SIGINT; a second one ends the process at once.
///
/// # Errors
/// Signals that can't be listened to.
pub fn shutdown_on_signals(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening to SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening to SIGINT")?;
    tokio::spawn(async move {
        for attempt in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if attempt > 0 {
                std::process::exit(130);
            }
            tracing::info!("stopping");
            shutdown.cancel();
        }
    });
    Ok(())
}
