//! Structured logs on standard error.

mod traced;

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter,
    filter::filter_fn,
    fmt::format::{Compact, Format},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use self::traced::Traced;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One line of text each.
    Text,
    /// One JSON object each.
    Json,
}

/// Starts logging with a filter such as `info` or `info,carillon_gateway=debug`.
///
/// # Errors
/// A filter that can't be read, or logging that was started before.
pub(crate) fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let terminal = std::io::stderr().is_terminal();
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(terminal).with_writer(std::io::stderr);
    let harmless = filter_fn(is_harmless);
    let outcome = if json {
        let builder = builder.json().flatten_event(true);
        builder.map_event_format(Traced::json).finish().with(harmless).try_init()
    } else {
        let traced = |format: Format<Compact>| Traced::text(format.with_ansi(terminal));
        builder.compact().map_event_format(traced).finish().with(harmless).try_init()
    };
    outcome.map_err(|error| anyhow::anyhow!("logging could not start: {error}"))
}

/// At level `trace` the NATS client logs whole messages: passwords, and tokens that were just issued (S1-16).
fn is_harmless(metadata: &Metadata<'_>) -> bool {
    *metadata.level() < Level::TRACE || !metadata.target().starts_with("async_nats")
}
