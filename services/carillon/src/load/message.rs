//! What is said, and how it is known again without reading JSON: thousands of copies of each arrive.

/// Begins every mark.
const MARK: &str = "carillon-load!";

/// What a message is known by: it stands in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which of the room's senders said it.
    pub(super) sender: u32,
    /// The sender's messages are counted from 1.
    pub(super) number: u64,
    /// When it was due, in microseconds after the beginning.
    pub(super) due: u64,
}

impl Mark {
    /// A text of this length, with the mark in it.
    pub(super) fn text(&self, run: &str, size: usize) -> String {
        let mut text = format!("{MARK}{run}!{}!{}!{}!", self.sender, self.number, self.due);
        text.push_str(&"x".repeat(size.saturating_sub(text.len())));
        text
    }

    /// The mark of a frame that carries a message of this run.
    pub(super) fn find(frame: &str, run: &str) -> Option<Self> {
        let rest = frame.split_once(MARK)?.1.strip_prefix(run)?.strip_prefix('!')?;
        let mut words = rest.splitn(4, '!');
        let sender = words.next()?.parse().ok()?;
        Some(Self { sender, number: words.next()?.parse().ok()?, due: words.next()?.parse().ok()? })
    }
}

/// The number of the message that an acknowledgement is of: the end of its `client_id`.
pub(super) fn acknowledged(frame: &str) -> Option<u64> {
    let id = frame.split_once("\"client_id\":\"")?.1.split('"').next()?;
    id.rsplit('-').next()?.parse().ok()
}

/// The offset of a durable event. The text of a message has no quotes.
pub(super) fn offset(frame: &str) -> Option<u64> {
    let rest = frame.rsplit_once("\"offset\":")?.1.trim_start();
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_again() {
        let mark = Mark { sender: 3, number: 17, due: 1_234_567 };
        let text = mark.text("ab12", 120);
        assert_eq!(text.len(), 120);
        let frame = format!(r#"{{"type":"chat_message","message":"{text}","channel":"room.x","offset":42}}"#);
        assert_eq!(Mark::find(&frame, "ab12"), Some(mark));
        assert_eq!(Mark::find(&frame, "other"), None);
        assert_eq!(offset(&frame), Some(42));
        assert_eq!(acknowledged(r#"{"type":"message_ack","client_id":"ab12-3-17","offset":42}"#), Some(17));
        assert_eq!((offset("{}"), acknowledged("{}")), (None, None));
    }
}
