//! What an operator can set.

use std::time::Duration;

use carillon_service::{
    DatabaseArgs,
    time::{duration, microseconds},
};
use carillon_store::Retention;

use crate::delivery::Keep;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// User notifications, their inboxes, and organisation events.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub retention: RetentionArgs,
}

/// How long notifications and their events are kept.
#[derive(Debug, Clone, clap::Args)]
pub struct RetentionArgs {
    /// For how long events are kept, so that clients that reconnect get what they missed: 30m, 72h, 7d.
    #[arg(
        long,
        env = "CARILLON_NOTIFICATION_LOG_AGE",
        value_name = "DURATION",
        default_value = "72h",
        value_parser = duration
    )]
    pub notification_log_age: Duration,

    /// Events kept in each channel, at most.
    #[arg(
        long,
        env = "CARILLON_NOTIFICATION_LOG_COUNT",
        value_name = "COUNT",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub notification_log_count: u32,

    /// For how long a notification stays in its user's inbox: 72h, 90d.
    #[arg(
        long,
        env = "CARILLON_NOTIFICATION_INBOX_AGE",
        value_name = "DURATION",
        default_value = "90d",
        value_parser = duration
    )]
    pub notification_inbox_age: Duration,

    /// Notifications kept in each inbox, at most (a tenth more before the oldest go).
    #[arg(
        long,
        env = "CARILLON_NOTIFICATION_INBOX_COUNT",
        value_name = "COUNT",
        default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub notification_inbox_count: u32,

    /// For how long a repeated request to send is recognised by its Idempotency-Key: 15m, 24h.
    #[arg(
        long,
        env = "CARILLON_NOTIFICATION_REPEATABLE",
        value_name = "DURATION",
        default_value = "24h",
        value_parser = duration
    )]
    pub notification_repeatable: Duration,

    /// How often what is no longer kept is removed: 30s, 5m.
    #[arg(
        long,
        env = "CARILLON_NOTIFICATION_PRUNE_EVERY",
        value_name = "DURATION",
        default_value = "1m",
        value_parser = duration
    )]
    pub notification_prune_every: Duration,
}

impl Default for RetentionArgs {
    /// The defaults of the command line.
    fn default() -> Self {
        Self {
            notification_log_age: HOUR * 72,
            notification_log_count: 10_000,
            notification_inbox_age: DAY * 90,
            notification_inbox_count: 1_000,
            notification_repeatable: DAY,
            notification_prune_every: HOUR / 60,
        }
    }
}

impl RetentionArgs {
    pub(crate) fn log(&self) -> Retention {
        Retention { age: self.notification_log_age, count: self.notification_log_count.into() }
    }

    pub(crate) fn inbox(&self) -> Keep {
        Keep {
            age: microseconds(self.notification_inbox_age),
            count: self.notification_inbox_count.into(),
            repeatable: microseconds(self.notification_repeatable),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches as _};

    use super::*;

    #[test]
    fn the_command_line_has_the_defaults() {
        let command = RetentionArgs::augment_args(Command::new("test"));
        let parsed = RetentionArgs::from_arg_matches(&command.get_matches_from(["test"])).expect("arguments");
        assert_eq!(format!("{parsed:?}"), format!("{:?}", RetentionArgs::default()));
    }
}
