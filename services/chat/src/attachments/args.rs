//! What an operator can set of attachments.

use std::time::Duration;

use carillon_service::time::duration;

use super::content;

/// What may be attached: images that browsers show, documents, sound and films. Nothing that runs.
const TYPES: &str = "image/png,image/jpeg,image/gif,image/webp,image/avif,application/pdf,application/zip,\
     text/plain,text/csv,audio/mpeg,audio/mp4,audio/ogg,audio/wav,audio/webm,video/mp4,video/webm,video/quicktime";

/// Limits of attachments.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "attachments")]
pub struct AttachmentArgs {
    /// The largest attachment, in bytes.
    #[arg(
        long,
        env = "CARILLON_ATTACHMENT_BYTES",
        value_name = "BYTES",
        default_value_t = 10_485_760,
        value_parser = clap::value_parser!(i64).range(1..=5_368_709_120)
    )]
    pub attachment_bytes: i64,

    /// What may be attached, separated by commas. The content is checked to be what it is said to be.
    #[arg(
        long,
        env = "CARILLON_ATTACHMENT_TYPES",
        value_name = "TYPES",
        value_delimiter = ',',
        default_value = TYPES,
        value_parser = content::checkable
    )]
    pub attachment_types: Vec<String>,

    /// The most attachments of one message.
    #[arg(
        long,
        env = "CARILLON_ATTACHMENTS_PER_MESSAGE",
        value_name = "COUNT",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(0..=100)
    )]
    pub attachments_per_message: u32,

    /// The most attachments of one user that no message carries yet.
    #[arg(
        long,
        env = "CARILLON_ATTACHMENTS_UNCLAIMED",
        value_name = "COUNT",
        default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub attachments_unclaimed: u32,

    /// How long an attachment waits for a message to carry it before it is removed: 1h, 24h.
    #[arg(
        long,
        env = "CARILLON_ATTACHMENT_UNCLAIMED_AGE",
        value_name = "DURATION",
        default_value = "24h",
        value_parser = duration
    )]
    pub attachment_unclaimed_age: Duration,
}

impl Default for AttachmentArgs {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self {
            attachment_bytes: 10_485_760,
            attachment_types: TYPES.split(',').map(str::to_owned).collect(),
            attachments_per_message: 10,
            attachments_unclaimed: 50,
            attachment_unclaimed_age: Duration::from_secs(24 * 3_600),
        }
    }
}
