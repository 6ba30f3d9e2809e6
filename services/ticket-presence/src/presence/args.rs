//! What an operator can set of presence.

use std::time::Duration;

use carillon_service::time::duration;

/// What can be set of presence in projects.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "projects-presence")]
pub struct PresenceArgs {
    /// For how long a user is shown as typing who doesn't say so again: 5s.
    #[arg(
        long,
        env = "CARILLON_PROJECTS_TYPING_FOR",
        value_name = "DURATION",
        default_value = "5s",
        value_parser = duration
    )]
    pub projects_typing_for: Duration,
}

impl Default for PresenceArgs {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self { projects_typing_for: Duration::from_secs(5) }
    }
}
