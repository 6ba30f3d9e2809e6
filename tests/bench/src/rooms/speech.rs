//! What the measured clients say: a text that carries who says it, its number and the time.

use anyhow::{Context, Result};

use crate::client::number;

/// How the text begins, in the frame that a room hears.
const MARK: &[u8] = b"\"message\":\"b:";
const SPEAKER_DIGITS: usize = 6;
const NUMBER_DIGITS: usize = 10;
const TIME_DIGITS: usize = 15;

/// A text that was said, or heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Speech {
    /// The place of the connection that says it.
    pub(crate) speaker: usize,
    /// 1, 2, 3, … of this speaker.
    pub(crate) number: u64,
    /// When, in nanoseconds of the clock.
    pub(crate) sent: u64,
}

impl Speech {
    /// The text itself, `length` bytes of it (or as many as it takes at least).
    pub(crate) fn text(self, length: usize) -> String {
        let Self { speaker, number, sent } = self;
        let mut text = format!("b:{speaker:0SPEAKER_DIGITS$}:{number:0NUMBER_DIGITS$}:{sent:0TIME_DIGITS$}:");
        text.extend(std::iter::repeat_n('x', length.saturating_sub(text.len())));
        text
    }

    /// The frame that says it in a chat room.
    pub(crate) fn frame(self, length: usize) -> String {
        format!("{{\"type\":\"chat_message\",\"message\":\"{}\"}}", self.text(length))
    }

    /// What a frame from the server says, or `None` if it is of another kind.
    ///
    /// # Errors
    /// A frame that begins like such a text but carries no digits where they are due.
    pub(crate) fn read(frame: &[u8]) -> Result<Option<Self>> {
        let Some(mark) = frame.windows(MARK.len()).position(|window| window == MARK) else { return Ok(None) };
        let mut rest = &frame[mark + MARK.len()..];
        let mut take = |digits: usize| {
            let (taken, left) = rest.split_at_checked(digits + 1).context("a text that was cut off")?;
            rest = left;
            number(&taken[..digits])
        };
        let speaker = usize::try_from(take(SPEAKER_DIGITS)?)?;
        Ok(Some(Self { speaker, number: take(NUMBER_DIGITS)?, sent: take(TIME_DIGITS)? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let speech = Speech { speaker: 999, number: 12, sent: 345_678 };
        assert_eq!(speech.text(128).len(), 128);
        let frame = format!("{{\"anonymous\":true,\"id\":7,{}", &speech.frame(128)[1..]);
        assert_eq!(Speech::read(frame.as_bytes()).expect("digits"), Some(speech));
        assert_eq!(Speech::read(speech.frame(0).as_bytes()).expect("digits"), Some(speech));
    }

    #[test]
    fn other_frames_are_told_from_damaged_ones() {
        let other = br#"{"type":"notification","message":"A user joined the room"}"#;
        assert_eq!(Speech::read(other).expect("another frame"), None);
        for damaged in [r#"{"message":"b:00"}"#, r#"{"message":"b:00000x:0000000001:000000000000001:"}"#] {
            assert!(Speech::read(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }
}
