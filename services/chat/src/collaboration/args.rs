//! What can be set of collaboration rooms.

/// Settings of collaboration rooms.
#[derive(Debug, Clone, clap::Args)]
pub struct CollaborationArgs {
    /// The largest frame of a collaboration room, in bytes.
    #[arg(
        long,
        env = "CARILLON_CHAT_COLLABORATION_FRAME_SIZE",
        value_name = "BYTES",
        default_value_t = Self::FRAME_SIZE,
        value_parser = clap::value_parser!(u32).range(1..=65_536)
    )]
    pub collaboration_frame_size: u32,
}

impl CollaborationArgs {
    const FRAME_SIZE: u32 = 32_768;

    pub(super) fn frame_size(&self) -> usize {
        self.collaboration_frame_size.try_into().unwrap_or(usize::MAX)
    }
}

impl Default for CollaborationArgs {
    /// The defaults of the command line, whatever the environment says.
    fn default() -> Self {
        Self { collaboration_frame_size: Self::FRAME_SIZE }
    }
}
