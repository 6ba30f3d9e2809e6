//! What an operator can set of conversations.

use std::time::Duration;

use carillon_service::time::duration;

/// What can be set of conversations.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "chat-conversations")]
pub struct ConversationArgs {
    /// For how long a user is shown as typing who doesn't say so again: 5s.
    #[arg(
        long,
        env = "CARILLON_CHAT_TYPING_FOR",
        value_name = "DURATION",
        default_value = "5s",
        value_parser = duration
    )]
    pub chat_typing_for: Duration,
}

impl Default for ConversationArgs {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self { chat_typing_for: Duration::from_secs(5) }
    }
}
