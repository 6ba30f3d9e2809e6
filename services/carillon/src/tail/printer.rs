//! What `tail` prints.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::output::{self, Colour, OutputArgs, milliseconds};

/// Prints events to standard output; what there is to say about them beside it, or as objects of their own.
#[derive(Debug)]
pub(super) struct Printer {
    json: bool,
}

/// An event.
#[derive(Debug, Serialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) channel: &'a str,
    pub(super) epoch: &'a str,
    /// None of an event that no log has.
    pub(super) offset: Option<u64>,
    pub(super) data: &'a RawValue,
}

/// What isn't an event.
#[derive(Debug)]
pub(super) enum Note<'a> {
    /// From here on nothing is missed.
    Subscribed { channel: &'a str, epoch: &'a str, offset: u64 },
    /// What was missed follows.
    Recovered { channel: &'a str, missed: u64 },
    /// Events that nothing brings back.
    Gap { channel: &'a str, after: u64, before: u64, reason: &'static str },
    /// Ephemeral events that were left out.
    Dropped { count: u64 },
    /// Nothing of this channel follows.
    Ended { channel: &'a str, reason: &'a str },
    /// The connection is gone.
    Disconnected { reason: &'a str, again_in: Option<Duration> },
}

impl Printer {
    pub(super) fn new(output: OutputArgs) -> Self {
        Self { json: output.json }
    }

    /// Prints an event.
    ///
    /// # Errors
    /// A reader that has gone.
    pub(super) fn event(&self, event: &Event<'_>) -> std::io::Result<()> {
        if self.json {
            return output::object(event);
        }
        let offset = event.offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
        let place = format!("{} {offset:>6}", event.channel);
        output::line(&format!("{}  {}", Colour::Grey.paint(&place), event.data.get()))
    }

    /// Prints a note.
    ///
    /// # Errors
    /// A reader that has gone.
    pub(super) fn note(&self, note: &Note<'_>) -> std::io::Result<()> {
        if self.json {
            return output::object(&note.json());
        }
        eprintln!("-- {}", note.words());
        Ok(())
    }
}

impl Note<'_> {
    fn words(&self) -> String {
        match self {
            Self::Subscribed { channel, epoch, offset } => {
                format!("{channel}: listening after {epoch}.{offset}")
            }
            Self::Recovered { channel, missed } => format!("{channel}: {missed} missed events follow"),
            Self::Gap { channel, after, before, reason } => {
                format!("{channel}: GAP after {after}, before {before}: {reason}")
            }
            Self::Dropped { count } => {
                format!("{count} ephemeral events were left out: this reads too slowly")
            }
            Self::Ended { channel, reason } => format!("{channel}: ended: {reason}"),
            Self::Disconnected { reason, again_in: Some(pause) } => {
                format!("disconnected: {reason}; back in {pause:.1?}")
            }
            Self::Disconnected { reason, again_in: None } => format!("disconnected: {reason}"),
        }
    }

    fn json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Subscribed { channel, epoch, offset } => {
                json!({"type": "subscribed", "channel": channel, "epoch": epoch, "offset": offset})
            }
            Self::Recovered { channel, missed } => {
                json!({"type": "recovered", "channel": channel, "missed": missed})
            }
            Self::Gap { channel, after, before, reason } => {
                json!({"type": "gap", "channel": channel, "after": after, "before": before, "reason": reason})
            }
            Self::Dropped { count } => json!({"type": "dropped", "count": count}),
            Self::Ended { channel, reason } => json!({"type": "ended", "channel": channel, "reason": reason}),
            Self::Disconnected { reason, again_in } => {
                json!({"type": "disconnected", "reason": reason, "again_in_ms": again_in.map(milliseconds)})
            }
        }
    }
}
