//! What an operator can set.

use std::time::Duration;

use carillon_service::{DatabaseArgs, time::duration};
use carillon_store::Retention;

/// How long events of the system are kept, for clients that reconnect.
const LOG: Retention = Retention { age: Duration::from_secs(3_600), count: 1_000 };

/// The system: cluster-wide figures, the monitoring API, and health.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub settings: SettingsArgs,
}

/// How gateways are watched.
#[derive(Debug, Clone, clap::Args)]
pub struct SettingsArgs {
    /// After how long a silence a gateway, which tells of itself every second, is gone, and its connections
    /// with it: 5s, 30s.
    #[arg(
        long,
        env = "CARILLON_METRICS_GATEWAY_SILENCE",
        value_name = "DURATION",
        default_value = "5s",
        value_parser = duration
    )]
    pub metrics_gateway_silence: Duration,

    /// For how long what a gateway counted is kept apart after its last word, before it is only part of the
    /// totals: 1h, 7d. What one says later than that is no longer added.
    #[arg(
        long,
        env = "CARILLON_METRICS_FOLD_AFTER",
        value_name = "DURATION",
        default_value = "1h",
        value_parser = duration
    )]
    pub metrics_fold_after: Duration,
}

impl Default for SettingsArgs {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            metrics_gateway_silence: Duration::from_secs(5),
            metrics_fold_after: Duration::from_secs(3_600),
        }
    }
}

impl SettingsArgs {
    pub(crate) fn log(&self) -> Retention {
        LOG
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    #[test]
    fn the_command_line_has_the_defaults() {
        let command = SettingsArgs::augment_args(Command::new("test"));
        let parsed = SettingsArgs::from_arg_matches(&command.get_matches_from(["test"])).expect("arguments");
        assert_eq!(format!("{parsed:?}"), format!("{:?}", SettingsArgs::default()));
    }
}
