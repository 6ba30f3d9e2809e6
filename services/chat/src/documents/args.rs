//! What an operator can set of documents.

/// Settings of documents.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "chat_documents")]
pub struct DocumentsArgs {
    /// The largest document, in bytes of the updates that it is made of. What would make it larger
    /// is refused: the connection is closed with 4413.
    #[arg(
        long,
        env = "CARILLON_CHAT_DOCUMENT_BYTES",
        value_name = "BYTES",
        default_value_t = 16 * 1024 * 1024,
        value_parser = clap::value_parser!(u32).range(1_024..=268_435_456)
    )]
    pub chat_document_bytes: u32,

    /// The largest single update of a document, in bytes. (The gateway's largest binary frame counts as well.)
    #[arg(
        long,
        env = "CARILLON_CHAT_DOCUMENT_UPDATE_BYTES",
        value_name = "BYTES",
        default_value_t = 1024 * 1024,
        value_parser = clap::value_parser!(u32).range(1_024..=2_097_152)
    )]
    pub chat_document_update_bytes: u32,

    /// The largest awareness message (cursors, names), in bytes; a larger one closes with 4413.
    #[arg(
        long,
        env = "CARILLON_CHAT_DOCUMENT_AWARENESS_BYTES",
        value_name = "BYTES",
        default_value_t = 256 * 1024,
        value_parser = clap::value_parser!(u32).range(1_024..=1_048_576)
    )]
    pub chat_document_awareness_bytes: u32,

    /// A document is compacted when it has had more updates than that since the last time.
    #[arg(
        long,
        env = "CARILLON_CHAT_DOCUMENT_LOOSE_UPDATES",
        value_name = "COUNT",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub chat_document_loose_updates: u32,

    /// The same in bytes.
    #[arg(
        long,
        env = "CARILLON_CHAT_DOCUMENT_LOOSE_BYTES",
        value_name = "BYTES",
        default_value_t = 512 * 1024,
        value_parser = clap::value_parser!(u32).range(1_024..)
    )]
    pub chat_document_loose_bytes: u32,
}

impl Default for DocumentsArgs {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self {
            chat_document_bytes: 16 * 1024 * 1024,
            chat_document_update_bytes: 1024 * 1024,
            chat_document_awareness_bytes: 256 * 1024,
            chat_document_loose_updates: 200,
            chat_document_loose_bytes: 512 * 1024,
        }
    }
}
