//! What an operator can choose.

use std::{path::PathBuf, time::Duration};

use carillon_service::{DatabaseArgs, time::duration};
use carillon_token::CARILLON;
use clap::{
    ArgAction, Parser,
    builder::{BoolishValueParser, TypedValueParser as _},
};

/// Users, organisations, projects, memberships, tokens, keys and revocation.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,

    #[command(flatten, next_help_heading = "Tokens")]
    #[allow(missing_docs)]
    pub tokens: TokenArgs,

    #[command(flatten, next_help_heading = "Logins")]
    #[allow(missing_docs)]
    pub logins: LoginArgs,

    #[command(flatten, next_help_heading = "First admin")]
    #[allow(missing_docs)]
    pub bootstrap: BootstrapArgs,

    /// The issuer whose user ids stand for themselves. If it is not `carillon`, the users of auth are
    /// `carillon:1` and so on to every other service.
    #[arg(
        long,
        env = "CARILLON_BARE_IDS",
        value_name = "ISSUER",
        default_value = CARILLON,
        help_heading = "Tokens"
    )]
    pub bare_ids: String,

    /// Make, or keep, the demo's users, organisation and project. For a trial only: everyone knows these users'
    /// passwords, and one of them is an admin.
    #[arg(
        long,
        env = "CARILLON_DEMO",
        action = ArgAction::SetTrue,
        value_parser = BoolishValueParser::new().map(Demo::wanted)
    )]
    pub demo: Demo,
}

/// What to do about the demo's users, whose passwords everyone knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Demo {
    /// Make them, if that hasn't been done before.
    Make,
    /// Neither make nor look for them.
    Leave,
    /// Don't start with one who still has the demo's password.
    #[default]
    Refuse,
}

impl Demo {
    /// Where a service is a process of its own, other machines can reach it.
    fn wanted(wanted: bool) -> Self {
        if wanted { Self::Make } else { Self::Refuse }
    }
}

/// How long tokens and what is known about them last.
#[derive(Debug, Clone, clap::Args)]
pub struct TokenArgs {
    /// How long an access token is valid: 30s, 15m, 1h, 7d.
    #[arg(
        long,
        env = "CARILLON_ACCESS_TOKEN_LIFETIME",
        value_name = "DURATION",
        default_value = "1h",
        value_parser = duration
    )]
    pub access_token_lifetime: Duration,

    /// How long a refresh token is valid: 30s, 15m, 1h, 7d.
    #[arg(
        long,
        env = "CARILLON_REFRESH_TOKEN_LIFETIME",
        value_name = "DURATION",
        default_value = "7d",
        value_parser = duration
    )]
    pub refresh_token_lifetime: Duration,

    /// The longest that a token of another issuer is valid: how long a revocation is remembered
    /// at least.
    #[arg(
        long,
        env = "CARILLON_FOREIGN_TOKEN_LIFETIME",
        value_name = "DURATION",
        default_value = "1d",
        value_parser = duration
    )]
    pub foreign_token_lifetime: Duration,
}

/// How many logins may fail.
#[derive(Debug, Clone, clap::Args)]
pub struct LoginArgs {
    /// Failed logins of one user in a window, after which that user waits for its end.
    #[arg(
        long,
        env = "CARILLON_LOGIN_FAILURES_PER_USER",
        value_name = "COUNT",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub login_failures_per_user: u32,

    /// Failed logins from one address (or IPv6 network of 64 bits) in a window, after which that
    /// address waits for its end.
    #[arg(
        long,
        env = "CARILLON_LOGIN_FAILURES_PER_ADDRESS",
        value_name = "COUNT",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub login_failures_per_address: u32,

    /// The window in which failed logins are counted: 30s, 15m, 1h, 7d.
    #[arg(
        long,
        env = "CARILLON_LOGIN_FAILURE_WINDOW",
        value_name = "DURATION",
        default_value = "5m",
        value_parser = duration
    )]
    pub login_failure_window: Duration,
}

/// The first admin of a new deployment.
#[derive(Debug, Clone, clap::Args)]
pub struct BootstrapArgs {
    /// Make an admin of this name at the start, if there is no user of that name. The password comes
    /// from the environment variable CARILLON_BOOTSTRAP_ADMIN_PASSWORD or from a file.
    #[arg(long, env = "CARILLON_BOOTSTRAP_ADMIN", value_name = "NAME")]
    pub bootstrap_admin: Option<String>,

    /// A file whose first line is the bootstrap admin's password.
    #[arg(
        long,
        env = "CARILLON_BOOTSTRAP_ADMIN_PASSWORD_FILE",
        value_name = "FILE",
        requires = "bootstrap_admin"
    )]
    pub bootstrap_admin_password_file: Option<PathBuf>,
}

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    args: Args,
}

impl Args {
    /// What the environment and the defaults say, for a database at `url`.
    ///
    /// # Errors
    /// A variable of the environment that can't be read.
    pub fn from_environment(url: &str) -> Result<Self, clap::Error> {
        CommandLine::try_parse_from(["auth", "--database-url", url]).map(|line| line.args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_to_be_asked_for() {
        let demo = |more: &[&str]| {
            let line = ["auth", "--database-url", "sqlite:auth.db"].iter().chain(more);
            CommandLine::try_parse_from(line).expect("options").args.demo
        };
        assert_eq!((demo(&[]), demo(&["--demo"])), (Demo::Refuse, Demo::Make));
    }
}
