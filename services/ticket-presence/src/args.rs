//! What an operator can set.

use std::time::Duration;

use carillon_service::{DatabaseArgs, time::duration};
use carillon_store::Retention;

use crate::presence::PresenceArgs;

/// Projects: tickets, comments, back ends' events, and who is present.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub settings: SettingsArgs,
}

/// What can be set of ticket-presence wherever its database is.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "projects")]
pub struct SettingsArgs {
    /// For how long events are kept, so that clients that reconnect get what they missed: 30m, 72h, 7d.
    #[arg(
        long,
        env = "CARILLON_PROJECTS_LOG_AGE",
        value_name = "DURATION",
        default_value = "72h",
        value_parser = duration
    )]
    pub projects_log_age: Duration,

    /// Events kept in each channel, at most.
    #[arg(
        long,
        env = "CARILLON_PROJECTS_LOG_COUNT",
        value_name = "COUNT",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub projects_log_count: u32,

    /// How often events that are no longer kept are removed: 30s, 5m.
    #[arg(
        long,
        env = "CARILLON_PROJECTS_PRUNE_EVERY",
        value_name = "DURATION",
        default_value = "1m",
        value_parser = duration
    )]
    pub projects_prune_every: Duration,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub presence: PresenceArgs,
}

impl Default for SettingsArgs {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self {
            projects_log_age: Duration::from_secs(72 * 3_600),
            projects_log_count: 10_000,
            projects_prune_every: Duration::from_secs(60),
            presence: PresenceArgs::default(),
        }
    }
}

impl SettingsArgs {
    pub(crate) fn log(&self) -> Retention {
        Retention { age: self.projects_log_age, count: self.projects_log_count.into() }
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
