//! Options of the limits of clients, and of the mode that their defaults follow (S0-12).

use clap::{Args as ClapArgs, builder::BoolishValueParser};

use crate::limits::{Mode, Quotas};

/// How much one client may have. What isn't set is as the mode has it.
#[derive(Debug, Clone, Default, ClapArgs)]
#[group(id = "limits")]
pub struct LimitArgs {
    /// For whom the deployment is there; the defaults of limits follow it. Without this,
    /// USE_PRODUCTION_WEBSOCKET_MIDDLEWARE (true or false) decides, then DEBUG, then what is started:
    /// `carillon up` is for development, everything else for production.
    #[arg(long, env = "CARILLON_MODE", value_name = "MODE")]
    pub mode: Option<Mode>,

    /// Document 0's switch: true for production, false for development.
    #[arg(
        long,
        env = "USE_PRODUCTION_WEBSOCKET_MIDDLEWARE",
        hide = true,
        value_parser = BoolishValueParser::new()
    )]
    pub use_production_websocket_middleware: Option<bool>,

    /// Django's switch: true for development, false for production. Programs of every kind read this
    /// name: a text that says neither is for one of them.
    #[arg(long, env = "DEBUG", hide = true)]
    pub debug: Option<String>,

    /// Open connections of one address, over all gateways; an IPv6 address counts by its /64. 0: no limit
    /// [production: 5; development: 10000].
    #[arg(long, env = "MAX_CONNECTIONS_PER_IP", value_name = "COUNT")]
    pub connections_per_address: Option<u32>,

    /// Open connections of one user, over all gateways. 0: no limit [production: 20; development: 10000].
    #[arg(long, env = "CARILLON_CONNECTIONS_PER_USER", value_name = "COUNT")]
    pub connections_per_user: Option<u32>,

    /// Times that one address may come back within an hour, over all gateways: its handshakes but for the
    /// first, and but for those after a close by the server. 0: no limit [production: 10; development: 100000].
    #[arg(long, env = "MAX_RECONNECT_ATTEMPTS", value_name = "COUNT")]
    pub reconnections_per_hour: Option<u32>,

    /// Messages of one connection within a minute, pings and refreshs among them; documents' binary ones
    /// are limited in bytes instead. 0: no limit [production: 60; development: 60000].
    #[arg(long, env = "MAX_MESSAGES_PER_MINUTE", value_name = "COUNT")]
    pub messages_per_minute: Option<u32>,

    /// WebSocket handshakes that this gateway takes within a second; more get HTTP 429. 0: no limit
    /// [production: 1000; development: 10000].
    #[arg(long, env = "CARILLON_HANDSHAKES_PER_SECOND", value_name = "COUNT")]
    pub handshakes_per_second: Option<u32>,

    /// Connections that this gateway has at most; more get HTTP 503. 0: no limit [production: 50000;
    /// development: 100000].
    #[arg(long, env = "CARILLON_MAX_CONNECTIONS", value_name = "COUNT")]
    pub max_connections: Option<u32>,

    /// Channels that one connection of carillon.v1 is subscribed to at most. 0: no limit [production: 100;
    /// development: 10000].
    #[arg(long, env = "CARILLON_SUBSCRIPTIONS_PER_CONNECTION", value_name = "COUNT")]
    pub subscriptions_per_connection: Option<u32>,

    /// Seconds that the hour of --reconnections-per-hour has. The same for all gateways.
    #[arg(long, env = "CARILLON_RECONNECTION_WINDOW_SECONDS", value_name = "SECONDS", default_value_t = 3_600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub reconnection_window_seconds: u32,

    /// Seconds that the minute of --messages-per-minute has.
    #[arg(long, env = "CARILLON_MESSAGE_WINDOW_SECONDS", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub message_window_seconds: u32,
}

impl LimitArgs {
    /// The mode that the options and the document's names choose, or this one.
    pub fn mode_or(&self, default: Mode) -> Mode {
        let switches = || Mode::of_switches(self.use_production_websocket_middleware, self.is_debugging());
        self.mode.or_else(switches).unwrap_or(default)
    }

    /// What holds then, for people: each limit by its option's name. 0 is none.
    pub fn figures(&self, default: Mode) -> [(&'static str, u32); 7] {
        let quotas = self.quotas(default);
        [
            ("connections-per-address", quotas.connections_per_address),
            ("connections-per-user", quotas.connections_per_user),
            ("reconnections-per-hour", quotas.reconnections_per_hour),
            ("messages-per-minute", quotas.messages_per_minute),
            ("handshakes-per-second", quotas.handshakes_per_second),
            ("max-connections", quotas.connections),
            ("subscriptions-per-connection", quotas.subscriptions_per_connection),
        ]
    }

    /// What holds then.
    pub(crate) fn quotas(&self, default: Mode) -> Quotas {
        let mode = self.mode_or(default);
        let quota = |set: Option<u32>, production, development| {
            set.unwrap_or(if mode == Mode::Production { production } else { development })
        };
        Quotas {
            mode,
            connections_per_address: quota(self.connections_per_address, 5, 10_000),
            connections_per_user: quota(self.connections_per_user, 20, 10_000),
            reconnections_per_hour: quota(self.reconnections_per_hour, 10, 100_000),
            messages_per_minute: quota(self.messages_per_minute, 60, 60_000),
            handshakes_per_second: quota(self.handshakes_per_second, 1_000, 10_000),
            connections: quota(self.max_connections, 50_000, 100_000),
            subscriptions_per_connection: quota(self.subscriptions_per_connection, 100, 10_000),
            reconnection_window: self.reconnection_window_seconds,
            message_window: self.message_window_seconds,
        }
    }

    fn is_debugging(&self) -> Option<bool> {
        match self.debug.as_deref().map(str::trim).unwrap_or_default().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn quotas(arguments: &[&str]) -> Quotas {
        let arguments = ["gateway"].iter().chain(arguments);
        CommandLine::try_parse_from(arguments).expect("arguments").limits.quotas(Mode::Production)
    }

    #[test]
    fn defaults_follow_the_mode_and_what_is_set_does_not() {
        let production = quotas(&[]);
        assert_eq!(
            (
                production.connections_per_address,
                production.messages_per_minute,
                production.reconnections_per_hour
            ),
            (5, 60, 10)
        );
        let development = quotas(&["--mode", "development"]);
        assert!(development.connections_per_address > 1_000 && development.messages_per_minute > 1_000);
        for mode in ["production", "development"] {
            let set =
                quotas(&["--mode", mode, "--connections-per-address", "7", "--messages-per-minute", "0"]);
            assert_eq!((set.connections_per_address, set.messages_per_minute), (7, 0));
        }
        let middleware = "--use-production-websocket-middleware";
        assert_eq!(quotas(&["--mode", "development", middleware, "true"]).mode, Mode::Development);
        assert_eq!(quotas(&[middleware, "false", "--debug", "false"]).mode, Mode::Development);
        assert_eq!(quotas(&["--debug", "True"]).mode, Mode::Development);
        assert_eq!(quotas(&["--debug", "express:*"]).mode, Mode::Production, "of another program");
    }
}
