//! What an operator can set.

use std::time::Duration;

use carillon_blob::BlobArgs;
use carillon_service::{DatabaseArgs, time::duration};
use carillon_store::Retention;

use crate::{
    access::AccessArgs, attachments::AttachmentArgs, collaboration::CollaborationArgs,
    conversations::ConversationArgs, documents::DocumentsArgs,
};

/// Chat rooms, conversations, collaboration rooms, documents and counters.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,

    #[command(flatten, next_help_heading = "Files")]
    #[allow(missing_docs)]
    pub blobs: BlobArgs,

    #[command(flatten, next_help_heading = "Rooms")]
    #[allow(missing_docs)]
    pub settings: SettingsArgs,
}

/// What can be set of chat wherever its database is.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "chat")]
pub struct SettingsArgs {
    /// For how long events are kept, so that clients that reconnect get what they missed: 30m, 72h, 7d.
    #[arg(
        long,
        env = "CARILLON_CHAT_LOG_AGE",
        value_name = "DURATION",
        default_value = "72h",
        value_parser = duration
    )]
    pub chat_log_age: Duration,

    /// Events kept in each channel, at most.
    #[arg(
        long,
        env = "CARILLON_CHAT_LOG_COUNT",
        value_name = "COUNT",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub chat_log_count: u32,

    /// For how long the messages of chat rooms are kept: 72h, 90d. Those of conversations stay.
    #[arg(
        long,
        env = "CARILLON_CHAT_ROOM_AGE",
        value_name = "DURATION",
        default_value = "90d",
        value_parser = duration
    )]
    pub chat_room_age: Duration,

    /// How often what is no longer kept is removed: 30s, 5m.
    #[arg(
        long,
        env = "CARILLON_CHAT_PRUNE_EVERY",
        value_name = "DURATION",
        default_value = "1m",
        value_parser = duration
    )]
    pub chat_prune_every: Duration,

    #[command(flatten, next_help_heading = "Who may enter rooms")]
    #[allow(missing_docs)]
    pub access: AccessArgs,

    #[command(flatten, next_help_heading = "Attachments")]
    #[allow(missing_docs)]
    pub attachments: AttachmentArgs,

    #[command(flatten, next_help_heading = "Collaboration rooms")]
    #[allow(missing_docs)]
    pub collaboration: CollaborationArgs,

    #[command(flatten, next_help_heading = "Conversations")]
    #[allow(missing_docs)]
    pub conversations: ConversationArgs,

    #[command(flatten, next_help_heading = "Documents")]
    #[allow(missing_docs)]
    pub documents: DocumentsArgs,
}

impl Default for SettingsArgs {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self {
            chat_log_age: Duration::from_secs(72 * 3_600),
            chat_log_count: 10_000,
            chat_room_age: Duration::from_secs(90 * 86_400),
            chat_prune_every: Duration::from_secs(60),
            access: AccessArgs::default(),
            attachments: AttachmentArgs::default(),
            collaboration: CollaborationArgs::default(),
            conversations: ConversationArgs::default(),
            documents: DocumentsArgs::default(),
        }
    }
}

impl SettingsArgs {
    pub(crate) fn log(&self) -> Retention {
        Retention { age: self.chat_log_age, count: self.chat_log_count.into() }
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
